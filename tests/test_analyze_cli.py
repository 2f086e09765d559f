"""`analyze` from the outside: one answer from every container, and problems instead of crashes."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import json
import os
import random
import shutil
import subprocess
import sys
import zipfile
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
from msoffcrypto.format.ooxml import OOXMLFile

from remindctl.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

EXAMPLES = Path(__file__).parent.parent / "examples"
TRUTH = json.loads((EXAMPLES / "truth.json").read_text(encoding="utf-8"))
SHOPIFY = EXAMPLES / "shopify" / "orders_export_1.csv"
SMARTSTORE = EXAMPLES / "smartstore"
(XLSX,) = SMARTSTORE.glob("*.xlsx")
(CSV,) = SMARTSTORE.glob("스마트스토어*.csv")
ORDERS = (SHOPIFY, CSV, XLSX)
PASSWORD = "1234"

Rows = list[list[str]]


def run(*arguments: object) -> tuple[int, str, str]:
    """Run the program in this process; return exit code, stdout and stderr."""
    out, err = io.StringIO(), io.StringIO()
    before = sys.argv
    sys.argv = ["remindctl", *map(str, arguments)]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
    except SystemExit as end:
        return int(end.code or 0), out.getvalue(), err.getvalue()
    finally:
        sys.argv = before


def start(*arguments: object, env: dict[str, str] | None = None) -> tuple[int, str, str]:
    """Run the program as a user does."""
    done = subprocess.run(
        [sys.executable, "-m", "remindctl", *map(str, arguments)],
        capture_output=True,
        check=False,
        encoding="utf-8",
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
    )
    return done.returncode, done.stdout, done.stderr


def answer(lines: int, *arguments: object) -> dict[str, Any]:
    """Return the whole JSON document, without what overlapping files count twice."""
    code, out, err = run("analyze", *arguments, "-o", "json", "--store", "shop")
    assert (code, err) == (0, "")
    document: dict[str, Any] = json.loads(out)
    (store,) = document["stores"]
    assert store["counts"].pop("rows") == store["excluded"].pop("duplicate_lines") + lines
    return document


def refusal(*arguments: object) -> list[str]:
    """Return the lines of stderr of a call that does nothing."""
    code, out, err = run("analyze", *arguments)
    assert (code, out) == (2, "")
    *lines, last = err.splitlines()
    count = sum(not line.startswith("  hint: ") for line in lines)
    assert last == f"{count} problem{'s' if count > 1 else ''}, nothing was done"
    assert len(lines) == 2 * count, "one hint for each problem"
    assert "Traceback" not in err
    return lines


# The same numbers from every container


def shopify_rows(orders: int = 300) -> Rows:
    """Return the header and the lines of so many orders."""
    with SHOPIFY.open(encoding="utf-8", newline="") as file:
        header, *body = csv.reader(file)
    names = list(dict.fromkeys(row[0] for row in body))[:orders]
    return [header, *(row for row in body if row[0] in names)]


def smartstore_rows(lines: int = 300) -> list[list[Any]]:
    """Return notice, header and lines of the workbook, cells as they are."""
    with contextlib.closing(openpyxl.load_workbook(XLSX, read_only=True)) as book:
        rows = book.worksheets[0].iter_rows(max_row=lines + 2, values_only=True)
        return [list(row) for row in rows]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Shopify export that is read in no time."""
    return written(tmp_path_factory.mktemp("small") / "orders.csv", shopify_rows(40))


def as_excel_shows(cell: object) -> str:
    """Return a cell as a CSV saved by Excel has it."""
    if isinstance(cell, datetime):
        return f"{cell:%Y/%m/%d %H:%M}"
    if isinstance(cell, int):
        return f"\\{cell:,}" if cell >= 1000 else str(cell)  # CP949 has no won sign
    return "" if cell is None else str(cell)


def written(
    path: Path, rows: Iterable[Sequence[object]], encoding: str = "utf-8", **form: Any
) -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, **form).writerows(rows)
    return path


def saved(path: Path, rows: Iterable[Sequence[object]], password: str | None = None) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.worksheets[0].append(list(row))
    target = io.BytesIO()
    book.save(target)
    if password is None:
        path.write_bytes(target.getvalue())
    else:
        with path.open("wb") as file:
            OOXMLFile(target).encrypt(password, file)
    return path


def packed(path: Path, *files: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.write(file, file.name)
    return path


def mixed(rows: Sequence[Any], seed: int) -> list[Any]:
    return random.Random(seed).sample(rows, len(rows))  # noqa: S311 (seeded)


def columns_mixed(rows: Sequence[Sequence[Any]], seed: int) -> list[list[Any]]:
    order = mixed(range(len(rows[0])), seed)
    return [[row[i] for i in order] for row in rows]


def test_shopify_numbers_are_the_same_from_every_container(tmp_path: Path) -> None:
    header, *body = rows = shopify_rows()
    expected = answer(len(body), written(tmp_path / "plain.csv", rows))
    shuffled = [header, *mixed(body, 1)]
    numbers = {header.index(n) for n in ("Total", "Lineitem price", "Refunded Amount")}
    typed = [
        [(float(cell) if i in numbers else cell) if cell else None for i, cell in enumerate(row)]
        for row in mixed(body, 2)
    ]
    names = mixed(sorted({row[0] for row in body}), 3)
    parts = [set(names[: len(names) * 2 // 3]), set(names[len(names) // 3 :])]
    overlapping = [
        written(tmp_path / f"part{i}.csv", [header, *(r for r in lines if r[0] in part)])
        for i, (part, lines) in enumerate(zip(parts, (body, shuffled[1:]), strict=True))
    ]
    twice = written(tmp_path / "twice.csv", [header, *mixed(body + body, 4)])
    plain = written(tmp_path / "a.csv", shuffled)
    gz = tmp_path / "b.csv"
    gz.write_bytes(gzip.compress(plain.read_bytes()))
    quoted = {"quoting": csv.QUOTE_ALL, "delimiter": ";", "lineterminator": "\r\n"}
    calls: dict[str, tuple[Path, ...]] = {
        "in another order of rows": (plain,),
        "of columns, quoted, semicolons": (
            written(tmp_path / "q.csv", columns_mixed(rows, 5), "utf-8-sig", **quoted),
        ),
        "CP949": (written(tmp_path / "k.csv", rows, "cp949"),),
        "UTF-16 with tabs": (written(tmp_path / "u.tsv", rows, "utf-16", delimiter="\t"),),
        "gz": (gz,),
        "workbook": (saved(tmp_path / "w.xlsx", [header, *typed]),),
        "overlapping parts": (overlapping[0], overlapping[1]),
        "in another order of files": (overlapping[1], overlapping[0]),
        "zip of parts": (packed(tmp_path / "z.zip", *overlapping),),
        "two downloads in one file": (twice,),
    }
    for what, files in calls.items():
        assert answer(len(body), *files) == expected, what


def test_smartstore_numbers_are_the_same_from_every_container(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", PASSWORD)
    notice, header, *body = smartstore_rows()
    shown = [[as_excel_shows(cell) for cell in row] for row in body]
    third = len(body) // 3
    lines = mixed(shown, 1)
    given = saved(tmp_path / "주문_20261031_0900.xlsx", [notice, header, *body])
    plain = written(tmp_path / "a.csv", [header, *shown], "utf-8-sig", lineterminator="\r\n")
    expected = answer(len(body), given)
    protected = columns_mixed([header, *mixed(body, 3)], 4)
    calls: dict[str, tuple[object, ...]] = {
        "protected, rows and columns in another order": (
            saved(tmp_path / "b.xlsx", protected, PASSWORD),
            "--password-env",
            "SHOP_PASSWORD",
        ),
        "CSV by Excel": (plain,),
        "CP949 under a notice": (
            written(tmp_path / "c.csv", [notice, header, *mixed(shown, 5)], "cp949"),
        ),
        "UTF-16 with tabs": (
            written(tmp_path / "d.txt", [header, *lines], "utf-16", delimiter="\t"),
        ),
        "overlapping parts of several kinds": (
            written(tmp_path / "e.csv", [header, *lines[: 2 * third]], "cp949"),
            written(tmp_path / "f.csv", [notice, header, *lines[third:]], delimiter=";"),
            given,
        ),
        "zip of a workbook and a text": (packed(tmp_path / "g.zip", given, plain),),
    }
    for what, arguments in calls.items():
        assert answer(len(body), *arguments) == expected, what


def test_the_protected_example_says_what_the_open_one_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", PASSWORD)
    lines = TRUTH["smartstore"]["lines"]["xlsx"]
    protected = SMARTSTORE / "protected" / XLSX.name
    assert answer(lines, protected, "--password-env", "SHOP_PASSWORD") == answer(lines, XLSX)


@pytest.mark.parametrize("shop", ["smartstore", "shopify"])
def test_the_examples_tell_their_truth(shop: str) -> None:
    files = [SHOPIFY] if shop == "shopify" else [XLSX, CSV]
    if shop == "shopify":
        # A customer file joins two orders' addresses, and is never an order.
        files.append(SHOPIFY.with_name("customers_export.csv"))
    code, out, _ = run("analyze", *files, "-o", "json")
    (store,) = json.loads(out)["stores"]
    truth, counts = TRUTH[shop], store["counts"]
    assert code == 0
    assert (counts["customers"], counts["repeat_customers"]) == (
        truth["buyers"], truth["repeat_buyers"]
    )  # fmt: skip
    assert (counts["purchase_days"], counts["gaps"]) == (truth["purchase_days"], truth["gaps"])
    intervals = store["interval_days"]
    assert (intervals["median"], intervals["n"]) == (truth["gap_days_median"], truth["gaps"])
    assert intervals["mean"] == pytest.approx(truth["gap_days_sum"] / truth["gaps"], abs=1e-5)


def test_as_of_an_earlier_day_is_as_if_nothing_had_come_since(tmp_path: Path) -> None:
    header, *body = shopify_rows(9999)
    created = header.index("Created at")
    past = written(tmp_path / "a.csv", [header, *(r for r in body if r[created] < "2026-06-01")])
    one, other = (
        json.loads(run("analyze", file, "--as-of", "2026-05-31", "-o", "json")[1])["stores"][0]
        for file in (SHOPIFY, past)
    )
    assert one["excluded"].pop("after_as_of") > 0
    other["excluded"].pop("after_as_of")
    for store in (one, other):
        del store["counts"]["rows"]
        # Whether a line is cancelled is known today, whenever it was ordered.
        for reason in ("cancelled", "refunded", "unpaid", "unidentified_orders"):
            store["excluded"].pop(reason)
    assert one["excluded"] == other["excluded"]
    assert one == other


# Exit codes and streams, as a user meets them


def test_data_goes_to_stdout_and_nothing_else_does(small: Path, tmp_path: Path) -> None:
    code, out, err = start("analyze", small, "-o", "json")
    assert (code, err) == (0, "")
    assert json.loads(out)["schema"] == "remindctl.analyze/1"
    code, out, err = start("analyze", small, "-o", "csv")
    assert (code, err) == (0, "")
    assert next(csv.reader(out.splitlines())) == ["store", "section", "item", "measure", "value"]
    code, out, err = start("analyze", tmp_path / "none.csv", "-o", "json")
    assert (code, out) == (2, "")
    assert err.splitlines()[0] == f"{tmp_path / 'none.csv'}: no such file"
    assert err.splitlines()[-1] == "1 problem, nothing was done"
    code, out, err = start("analyze", small, "--bay", "product")
    assert (code, out) == (2, "")
    assert "--bay" in err


def test_a_reader_that_goes_away_is_no_bug(small: Path) -> None:
    program = f"{sys.executable} -m remindctl analyze {small} -o json"
    command = f"{program} | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=False, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("arguments", [("--help",), ("--version",)])
def test_help_loads_no_machinery(arguments: tuple[str, ...]) -> None:
    heavy = {"polars", "httpx", "jinja2", "yaml", "pydantic", "scipy", "altair", "numpy", "rich"}
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "remindctl", *arguments],
        capture_output=True,
        check=True,
        text=True,
    )
    names = [line.rpartition("|")[2].strip() for line in done.stderr.splitlines()]
    loaded = {name.partition(".")[0] for name in names}
    assert "remindctl" in loaded
    assert not loaded & heavy


@pytest.mark.parametrize("encoding", ["cp949", "ascii"])
def test_a_console_of_another_encoding_gets_an_answer(small: Path, encoding: str) -> None:
    code, out, err = start("analyze", small, env={"PYTHONIOENCODING": encoding})
    assert (code, err) == (0, "")
    assert "shopify" in out


def test_passwords_come_from_the_environment_or_nowhere() -> None:
    path = SMARTSTORE / "protected" / XLSX.name
    code, out, err = start("analyze", path)
    assert (code, out) == (2, "")
    assert "protected by a password, and none was given" in err
    code, _, err = start("analyze", path, "--password-env", "P", env={"P": "4321"})
    assert (code, "the password is wrong" in err) == (2, True)
    code, _, err = start("analyze", path, "--password-env", "NOT_THERE")
    assert (code, "NOT_THERE is not set" in err) == (2, True)
    assert "--password " not in start("analyze", "--help")[1]


def test_a_terminal_is_asked_for_the_password_once(tmp_path: Path) -> None:
    termios, pty = pytest.importorskip("termios"), pytest.importorskip("pty")
    files = [
        saved(tmp_path / f"{name}.xlsx", smartstore_rows(3), PASSWORD) for name in ("one", "two")
    ]
    ours, theirs = pty.openpty()
    program = subprocess.Popen(
        [sys.executable, "-m", "remindctl", "analyze", *map(str, files), "-o", "csv"],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    with program:
        os.close(theirs)
        seen = b""
        while b"end with Enter):" not in seen or termios.tcgetattr(ours)[3] & termios.ECHO:
            seen += os.read(ours, 100)
        os.write(ours, f"{PASSWORD}\n".encode())
        with contextlib.suppress(OSError):  # the terminal is gone with its last user
            while part := os.read(ours, 100):
                seen += part
        out, _ = program.communicate()
    os.close(ours)
    assert (program.returncode, out[:13]) == (0, b"store,section")
    assert seen.count(b"Password of one.xlsx") == seen.count(b"Password of") == 1
    assert PASSWORD.encode() not in seen


@pytest.mark.parametrize("stream", ["> /dev/full", ">&-", "2>&-", "> /dev/full 2>&-"])
def test_an_answer_that_cannot_be_written_is_no_bug(small: Path, stream: str) -> None:
    for form in ("json", "table"):
        command = f"{sys.executable} -m remindctl analyze {small} -o {form} {stream}"
        done = subprocess.run(["bash", "-c", command], capture_output=True, check=False, text=True)
        full = "/dev/full" in stream
        assert done.returncode == (2 if full else 0), done.stderr
        assert ("the answer cannot be written" in done.stderr) == (stream == "> /dev/full")


# Bad input


def test_every_kind_of_bad_file_is_refused_with_place_and_hint(tmp_path: Path) -> None:
    files: dict[str, tuple[bytes, str]] = {
        "empty.csv": (b"", "the file is empty"),
        "header.csv": (SHOPIFY.read_bytes().partition(b"\n")[0], "a header and no rows"),
        "random.csv": (random.Random(1).randbytes(9999), "binary data"),  # noqa: S311 (seeded)
        "cut.xlsx": (XLSX.read_bytes()[:50_000], "damaged or was cut off"),
        "unknown.csv": (b"a,b,c\n1,2,3\n", "no layout knows this file; it has the columns a, b, c"),
        "page.xls": (b"<html><table></table></html>", "a web page"),
    }
    for name, (content, what) in files.items():
        path = tmp_path / name
        path.write_bytes(content)
        line, hint = refusal(path)
        assert line.startswith(str(path)), name
        assert what in line, name
        assert len(hint) > len("  hint: "), name
    both = refusal(tmp_path / "empty.csv", tmp_path / "cut.xlsx", tmp_path / "none.csv")
    assert len(both) == 2, "a missing file is told before anything is read"
    assert len(refusal(tmp_path / "empty.csv", tmp_path / "cut.xlsx", tmp_path / "page.xls")) == 6
    (tmp_path / "folder").mkdir()
    assert "holds no table" in refusal(tmp_path / "folder")[0]


def test_files_that_hold_no_orders_are_told_what_they_are() -> None:
    for name, title in (("events.csv", "event"), ("consents.csv", "consent")):
        line, hint = refusal(SMARTSTORE / name)
        assert "no order file" in line
        assert title in hint
    assert "without a name" in refusal("")[0]


def test_names_from_files_run_neither_in_a_terminal_nor_in_a_spreadsheet(tmp_path: Path) -> None:
    header, *body = shopify_rows(300)
    at = header.index("Lineitem name")
    top = max({row[at] for row in body}, key=[row[at] for row in body].count)
    rows = [[*row[:at], "=1+1" if row[at] == top else row[at], *row[at + 1 :]] for row in body]
    out = run("analyze", written(tmp_path / "a.csv", [header, *rows]), "-o", "csv")[1]
    assert "'=1+1," in out
    assert ",=1+1," not in out
    path = written(tmp_path / "\x1b[2Jorders\n.csv", [["a", "\x1b[31mred"], ["1", "2"]])
    line, _ = refusal(path)
    assert "\x1b" not in line
    assert r"\x1b[2Jorders\n.csv" in line


def test_files_of_two_stores_need_a_name_each(tmp_path: Path) -> None:
    other = tmp_path / "my orders.csv"
    shutil.copy(SHOPIFY, other)
    line, hint = refusal(other, CSV)
    assert "different stores" in line
    assert f"--store shopify='{other}' --store smartstore=" in hint
    code, out, _ = run("analyze", f"--store=a={other}", f"--store=b={CSV}", "-o", "json")
    assert (code, [store["store"] for store in json.loads(out)["stores"]]) == (0, ["a", "b"])


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["--as-of", "tomorrow"], "'tomorrow' is no date"),
        (["--as-of", "2026-10-31x"], "'2026-10-31x' is no date"),
        (["--as-of", "2026-13-01"], "is no date"),
        (["--layout", "shopfy-orders"], "shopfy-orders"),
        (["--layout", "."], "cannot be read"),
        (["--layout", "shopify-orders", "--map", "order_id=Name"], "exclude each other"),
        (["--layout", "smartstore-orders"], "has no column '상품주문번호', '주문번호'"),
        (["--map", "order_id=Name"], "must be mapped"),
        (["--store", "a", "--store", "b"], "which file belongs to which store"),
    ],
)
def test_wrong_options_are_refused(arguments: list[str], what: str) -> None:
    assert what in "\n".join(refusal(SHOPIFY, *arguments))


def test_a_layout_with_typos_is_refused_with_all_of_them(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "layout: mine\ntitle: t\nshop: s\nidentify: {has: [Name]}\nzone: Asia/Soul\n"
        "columns: {order_id: Name, orderd_at: Created at}\namount_levl: line\n",
        encoding="utf-8",
    )
    lines = refusal(SHOPIFY, "--layout", path)
    places = [line.partition(": ")[0].removeprefix(f"{path}:") for line in lines[::2]]
    assert [place.partition(":")[0] for place in places] == ["5", "6", "7"]
    assert any("amount_level" in hint for hint in lines[1::2])


def test_a_printed_layout_is_a_layout_file_and_goes_first(small: Path, tmp_path: Path) -> None:
    code, out, _ = run("layouts", "show", "shopify-orders")
    mine = tmp_path / "mine.yaml"
    mine.write_text(out.replace("layout: shopify-orders", "layout: mine"), encoding="utf-8")
    given = run("analyze", small, "-o", "json", "--layout", mine)[1]
    assert code == 0
    assert given == run("analyze", small, "-o", "json")[1].replace(
        '"layout": "shopify-orders"', '"layout": "mine"'
    )
    code, out, err = run("layouts", "show", "shopfy-orders")
    assert (code, out, "did you mean `shopify-orders`?" in err) == (2, "", True)
    assert "smartstore-orders" in run("layouts")[1]


# Rejects


def bad_rows() -> Rows:
    header, first, *rest = shopify_rows()[:6]
    at = header.index("Created at")
    damaged = [*first]
    damaged[0], damaged[at] = "2.0261E+15", "soon"
    formula = [*first]
    formula[0], formula[at] = "#9", "=1+1"
    return [header, first, damaged, formula, *rest]


def test_rejects_are_counted_written_for_excel_and_fatal_when_strict(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", bad_rows())
    rejects = tmp_path / "rejects.csv"
    code, out, _ = run("analyze", path, "-o", "json", "--rejects", rejects)
    (store,) = json.loads(out)["stores"]
    assert (code, store["excluded"]["rejected_rows"]) == (0, 2)
    assert rejects.read_bytes().startswith(b"\xef\xbb\xbf")
    with rejects.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["file", "row", "column", "value", "reason"],
        [str(path), "3", "Name", "2.0261E+15",
         "a spreadsheet rounded this number, its digits are lost"],
        # No spreadsheet may take what stood in a shop's file for a formula.
        [str(path), "4", "Created at", "'=1+1", "unreadable date"],
    ]  # fmt: skip
    rejects.unlink()
    lines = refusal(path, "--strict", "--rejects", rejects)
    assert [line.partition(": ")[0] for line in lines[::2]] == [f"{path}:3", f"{path}:4"]
    assert not rejects.exists()


def test_rejects_are_never_written_over_an_export(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", bad_rows())
    before = path.read_bytes()
    (tmp_path / "link.csv").symlink_to(path)
    for target in (path, tmp_path / "." / "a.csv", tmp_path / "link.csv"):
        assert "one of the files that are read" in refusal(path, "--rejects", target)[0]
    assert path.read_bytes() == before
    assert "cannot be written" in refusal(path, "--rejects", tmp_path / "no" / "r.csv")[0]
    assert "cannot be written" in refusal(path, "--rejects", tmp_path)[0]


# Never a crash


@pytest.mark.parametrize(
    "path",
    [
        SHOPIFY,
        SHOPIFY.with_name("customers_export.csv"),
        SHOPIFY.with_name("checkouts_export_1.csv"),
        CSV,
        XLSX,
        SMARTSTORE / "events.csv",
        SMARTSTORE / "consents.csv",
    ],
    ids=lambda path: path.suffix + path.name[:8],
)
def test_any_beginning_of_a_file_is_read_or_refused(path: Path, tmp_path: Path) -> None:
    whole = path.read_bytes()
    dice = random.Random(path.name)  # noqa: S311 (seeded)
    target = tmp_path / "cut.csv"
    few = min(len(whole), 40_000)
    ends = [0, 1, 2, 3, *(dice.randrange(few) for _ in range(26 if path in ORDERS else 8))]
    for end in ends:
        target.write_bytes(whole[:end])
        code, out, err = run("analyze", target, "-o", "csv")
        assert code in (0, 2), (end, err)
        assert (code == 0) == bool(out), end


@pytest.mark.parametrize("path", [SHOPIFY, CSV], ids=["shopify", "smartstore"])
def test_any_damage_inside_a_text_is_read_or_refused(path: Path, tmp_path: Path) -> None:
    whole = path.read_bytes()[:30_000]
    dice = random.Random(path.name)  # noqa: S311 (seeded)
    target = tmp_path / "damaged.csv"
    signs = b"\",;\n\r\t\x00\xff'=+E0-"
    for _ in range(25):
        content = bytearray(whole)
        for _ in range(dice.randrange(1, 8)):
            at = dice.randrange(len(content))
            content[at : at + dice.randrange(2)] = bytes([dice.choice(signs)])
        target.write_bytes(content)
        code, out, err = run("analyze", target, "-o", "csv")
        assert code in (0, 2), err
        assert (code == 0) == bool(out)
