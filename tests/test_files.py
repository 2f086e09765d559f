"""Containers told by their bytes: what is opened, and what is refused with a way out."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import random
import zipfile
from typing import TYPE_CHECKING

import openpyxl
import pytest
from msoffcrypto.format.ooxml import OOXMLFile

from remindctl.errors import Refused
from remindctl.stores.encodings import Text
from remindctl.stores.files import expand, open_file
from remindctl.stores.grids import grids

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

CSV = "주문번호,이름\n1,김하나\n".encode()
PASSWORD = "1234"
DICE = random.Random(1)  # noqa: S311 (seeded damage)


def xlsx() -> bytes:
    book = openpyxl.Workbook()
    book.worksheets[0].append(["주문번호", "이름"])
    book.worksheets[0].append(["1", "김하나"])
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def protected(content: bytes, password: str = PASSWORD) -> bytes:
    target = io.BytesIO()
    OOXMLFile(io.BytesIO(content)).encrypt(password, target)
    return target.getvalue()


def zipped(**members: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target.getvalue()


def opened(
    path: Path, password: str | None = None
) -> list[tuple[str, tuple[tuple[str, ...], ...]]]:
    sources = open_file(path, lambda _: password)
    return [(grid.name, grid.head) for source in sources for grid in grids(source)]


def refusal(path: Path, password: str | None = None) -> str:
    with pytest.raises(Refused) as caught:
        opened(path, password)
    (problem,) = caught.value.problems
    assert problem.place.path.startswith(str(path))
    assert problem.hint
    return problem.what


HEAD = (("주문번호", "이름"), ("1", "김하나"))


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (CSV, [""]),
        (CSV.decode().encode("cp949"), [""]),
        (gzip.compress(CSV), [""]),
        (gzip.compress(CSV.decode().encode("cp949")), [""]),
        (gzip.compress(CSV) + gzip.compress(b"2,x\n"), [""]),
        (xlsx(), [""]),
        (protected(xlsx()), [""]),
        (gzip.compress(xlsx()), [""]),
        (zipped(**{"a.csv": CSV}), ["!a.csv"]),
        (zipped(**{"a/주문.csv": CSV, "b.xlsx": xlsx()}), ["!a/주문.csv", "!b.xlsx"]),
        (zipped(**{"a.xlsx": protected(xlsx())}), ["!a.xlsx"]),
        (zipped(**{"a.csv.gz": gzip.compress(CSV)}), ["!a.csv.gz"]),
        (zipped(**{"in.zip": zipped(**{"a.csv": CSV})}), ["!in.zip!a.csv"]),
        (zipped(**{"__MACOSX/._a.csv": b"x", ".b.csv": b"x", "~$c.csv": b"", "a.csv": CSV}),
         ["!a.csv"]),
        (zipped(**{"readme.pdf": b"%PDF", "a.csv": CSV}), ["!a.csv"]),
    ],
)  # fmt: skip
def test_a_container_is_told_by_its_bytes(
    tmp_path: Path, content: bytes, names: Sequence[str]
) -> None:
    path = tmp_path / "orders.xls"
    path.write_bytes(content)
    found = opened(path, PASSWORD)
    assert [name for name, _ in found] == [f"{path}{name}" for name in names]
    assert {head[:2] for _, head in found} == {HEAD}


OLD_XLS = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(2000)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "empty"),
        (b" \r\n\t\n", "empty"),
        (b"<html><table><tr><td>x</td></tr></table>", "web page"),
        (b"\n  <!DOCTYPE html>", "web page"),
        (b"%PDF-1.7", "PDF"),
        (DICE.randbytes(5000), "binary"),
        (bytes(5000), "binary"),
        (OLD_XLS, "damaged"),
        (xlsx()[:1500], "damaged"),
        (xlsx()[:-30], "damaged"),
        (protected(xlsx())[:3000], "damaged"),
        (gzip.compress(CSV)[:-9], "damaged"),
        (gzip.compress(CSV)[:12], "damaged"),
        (b"\x1f\x8b" + bytes(50), "damaged"),
        (zipped(**{"a.csv": CSV})[:-10], "damaged"),
        (zipped(), "no table"),
        (zipped(**{"a.pdf": b"x"}), "no table"),
        (zipped(**{"[Content_Types].xml": b"x", "word/document.xml": b"x"}), "no .xlsx"),
        (zipped(**{"a.csv": b""}), "empty"),
    ],
)
def test_what_is_no_table_is_refused_with_a_way_out(
    tmp_path: Path, content: bytes, what: str
) -> None:
    path = tmp_path / "orders.xlsx"
    path.write_bytes(content)
    assert what in refusal(path)


def test_a_protected_workbook_wants_its_password(tmp_path: Path) -> None:
    path = tmp_path / "orders.xlsx"
    path.write_bytes(protected(xlsx()))
    assert "protected by a password" in refusal(path)
    assert "protected by a password" in refusal(path, "")
    assert refusal(path, "4321") == "the password is wrong"
    assert len(opened(path, PASSWORD)) == 1


def test_an_old_workbook_is_refused_before_a_password_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "orders.xls"
    path.write_bytes(OLD_XLS)

    class OldFile:
        format = "xls97"

    monkeypatch.setattr("msoffcrypto.OfficeFile", lambda _: OldFile())

    def never(_: str) -> str:
        raise AssertionError

    with pytest.raises(Refused, match=r"old \.xls"):
        open_file(path, never)


def test_a_protected_archive_is_refused(tmp_path: Path) -> None:
    content = bytearray(zipped(**{"a.csv": CSV}))
    content[6] |= 1  # the flag of the member itself
    content[content.index(b"PK\x01\x02") + 8] |= 1  # and of its entry in the directory
    path = tmp_path / "orders.zip"
    path.write_bytes(content)
    assert "protected archive" in refusal(path)


@pytest.mark.parametrize("encoding", ["cp949", "utf-8"])
def test_member_names_are_read_as_windows_and_macs_write_them(
    tmp_path: Path, encoding: str
) -> None:
    name = "스마트스토어_20261031_0900.csv"
    raw = name.encode(encoding)
    path = tmp_path / "orders.zip"
    # The module itself always marks such names as UTF-8.
    path.write_bytes(zipped(**{"x" * len(raw): b"", f"{'y' * (len(raw) - 4)}.csv": CSV}).replace(
        b"y" * (len(raw) - 4) + b".csv", raw
    ))  # fmt: skip
    assert [found for found, _ in opened(path)] == [f"{path}!{name}"]


def test_bombs_are_refused_before_they_go_off(tmp_path: Path) -> None:
    zeros = bytes(2**26 + 1)
    packed = gzip.compress(zeros)
    bombs = {
        "gz": packed,
        "gz in zip": zipped(**{"a.csv.gz": packed}),
        "zip": zipped(**{f"{i}.csv": zeros[: 2**25] for i in range(3)}),
        "xlsx": zipped(**{"xl/workbook.xml": b"x", "xl/worksheets/sheet1.xml": zeros}),
    }
    for name, content in bombs.items():
        path = tmp_path / name
        path.write_bytes(content)
        assert "implausible size" in refusal(path), name


def test_archives_within_archives_end_somewhere(tmp_path: Path) -> None:
    content = CSV
    for _ in range(20):
        content = gzip.compress(content)
    path = tmp_path / "a.csv.gz"
    path.write_bytes(content)
    assert "without end" in refusal(path)


@pytest.mark.parametrize("kind", ["xlsx", "protected", "zip", "gz"])
def test_a_damaged_container_is_refused_or_read_but_never_a_crash(
    tmp_path: Path, kind: str
) -> None:
    whole = {
        "xlsx": xlsx(),
        "protected": protected(xlsx()),
        "zip": zipped(**{"a.csv": CSV * 50}),
        "gz": gzip.compress(CSV * 50),
    }[kind]
    path = tmp_path / "orders.xlsx"
    dice = random.Random(kind)  # noqa: S311 (seeded damage)
    for _ in range(20 if kind == "protected" else 60):
        content = bytearray(whole)
        if dice.random() < 0.4:
            del content[dice.randrange(len(content)) :]
        for _ in range(dice.randrange(1, 30)):
            if content:
                content[dice.randrange(len(content))] = dice.randrange(256)
        path.write_bytes(content)
        with contextlib.suppress(Refused):
            opened(path, PASSWORD)


# Paths


def test_folders_and_globs_name_tables_each_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("b.csv", "a.XLSX", "~$a.XLSX", ".c.csv", "notes.md", "sub/d.csv", "[1].csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(CSV)
    monkeypatch.chdir(tmp_path)
    names = [path.name for path in expand(["."])]
    assert names == ["[1].csv", "a.XLSX", "b.csv"]
    assert [path.name for path in expand(["b.csv", "./b.csv", str(tmp_path / "b.csv")])] == [
        "b.csv"
    ]
    assert [str(path) for path in expand(["*.csv"])] == ["[1].csv", "b.csv"]
    assert [str(path) for path in expand(["**/*.csv"])] == ["[1].csv", "b.csv", "sub/d.csv"]
    # A name is taken as it stands before it is taken for a pattern.
    assert [str(path) for path in expand(["[1].csv"])] == ["[1].csv"]


def test_every_path_that_leads_nowhere_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "orders.csv").write_bytes(CSV)
    with pytest.raises(Refused) as caught:
        expand(
            [
                str(tmp_path / "order.csv"),
                str(tmp_path / "*.tsv"),
                str(tmp_path / "empty"),
                str(tmp_path / "none" / "a.csv"),
                str(tmp_path / "pipe"),
                "x" * 300,
            ]
        )
    found = [(problem.what, problem.hint) for problem in caught.value.problems]
    assert found == [
        ("no such file", "tables in that folder: orders.csv"),
        ("no file matches", "tables in that folder: orders.csv"),
        (
            "this folder holds no table",
            "tables end in .csv, .gz, .tsv, .txt, .xls, .xlsm, .xlsx, .zip",
        ),
        ("no such file", f"the folder {tmp_path / 'none'} does not exist either"),
        ("neither a file nor a folder", "save it as a file first"),
        ("cannot be read: File name too long", "check the path"),
    ]


def test_a_file_whose_name_is_not_utf8_is_read_and_shown(tmp_path: Path) -> None:
    # What unpacking a Korean Windows archive leaves on a disk.
    path = tmp_path / os.fsdecode("주문_20261031_0900.csv".encode("cp949"))
    path.write_bytes(CSV)
    (source,) = open_file(path, lambda _: None)
    assert isinstance(source, Text)
    assert source.name == str(tmp_path / "주문_20261031_0900.csv")
    (grid,) = grids(source)
    assert grid.table(0).collect(lambda rows: rows)["c1"].to_list() == ["김하나"]


def test_a_file_without_permission_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(CSV)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("the superuser may read everything")
    assert "Permission denied" in refusal(path)
