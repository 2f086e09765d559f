"""The commands that read shop files: alike with and without snapshots, which leak nothing."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest
from msoffcrypto.format.ooxml import OOXMLFile
from tests.shop import HEADER, Shop

from remindctl.cli.reading import Reading
from remindctl.frames import ORDERS
from remindctl.stores import archive, snapshot
from remindctl.stores.load import Loaded
from remindctl.stores.query import Settings
from remindctl.stores.snapshot import Snapshots

EXAMPLES = Path(__file__).parent.parent / "examples"


def lines(count: int = 40) -> str:
    """Write the orders of an export; every other customer has ordered twice."""
    rows = [HEADER]
    for n in range(count):
        who, day = n - n % 4 // 2, f"2026-0{n % 9 + 1}-1{n % 8} 10:00:00 +0900"
        rows.append([f"#{n}", f"buyer{who}@example.com", "paid", "yes", day, "12000", "KRW", "1",
                     f"수분 크림 {n % 3}", "김민수", "0"])  # fmt: skip
    return "\n".join(",".join(row) for row in rows) + "\n"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep snapshots of files of any size, in a folder of the test."""
    monkeypatch.setattr(snapshot, "WORTHWHILE_BYTES", 0)
    monkeypatch.setenv("REMINDCTL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "snapshots"


@pytest.fixture
def shop(tmp_path: Path, cache: Path, capsys: pytest.CaptureFixture[str]) -> Shop:  # noqa: ARG001 (for what it sets)
    shop = Shop(tmp_path, capsys)
    (tmp_path / "orders.csv").write_text(lines(), encoding="utf-8")
    return shop


def kept(folder: Path) -> dict[str, tuple[int, int]]:
    """Return each snapshot's number on the disk and time of last use."""
    found = {path.name: path.stat() for path in folder.glob("*")}
    return {name: (about.st_ino, about.st_mtime_ns) for name, about in found.items()}


def analysed(shop: Shop, *words: str | Path, file: str = "orders.csv") -> str:
    code, out, err = shop.call("analyze", shop.folder / file, "-o", "json", *words)
    assert code == 0, err
    return out


def orders_of(answer: str) -> int:
    found: int = json.loads(answer)["stores"][0]["counts"]["orders"]
    return found


def test_analyze_answers_alike_with_and_without(shop: Shop, cache: Path) -> None:
    without = analysed(shop, "--no-cache")
    assert not cache.exists()
    assert analysed(shop) == without
    first = kept(cache)
    assert len(first) == 2, "what was read, and what was found in it"
    assert analysed(shop) == without
    again = kept(cache)
    assert {name: number for name, (number, _) in again.items()} == {
        name: number for name, (number, _) in first.items()
    }, "nothing was written again"
    for form in ("table", "csv"):
        shown = [
            shop.call("analyze", shop.folder / "orders.csv", "-o", form, *words)[1]
            for words in ((), ("--no-cache",))
        ]
        assert shown[0] == shown[1]
    assert kept(cache).keys() == first.keys()


@pytest.mark.parametrize(
    "words",
    [
        (
            EXAMPLES / "shopify" / "orders_export_1.csv",
            "--compare",
            "segment=one_time,repeat@2026-01-31",
        ),
        (EXAMPLES / "smartstore" / "*_20260228_0900.csv", "--by", "option", "--without-outliers"),
    ],
)
def test_a_whole_answer_comes_back_from_a_snapshot(
    shop: Shop, cache: Path, words: tuple[str | Path, ...]
) -> None:
    answers = [
        shop.call("analyze", *words, "-o", "json", *more) for more in ((), (), ("--no-cache",))
    ]
    assert answers[0][0] == 0, answers[0]
    assert answers[0] == answers[1] == answers[2]
    assert sorted(type(_content(path)).__name__ for path in cache.iterdir()) == [
        "Loaded",
        "_Answer",
    ]


def test_other_questions_about_the_same_files_read_them_once(shop: Shop, cache: Path) -> None:
    analysed(shop)
    before = kept(cache)
    for words in (["--as-of", "2026-08-01"], ["--without-outliers"], ["--store", "green"]):
        assert analysed(shop, *words) == analysed(shop, *words, "--no-cache")
    new = kept(cache).keys() - before.keys()
    assert len(new) == 4, "three answers, and the store that was named anew"
    assert analysed(shop, "--by", "sku") == analysed(shop, "--by", "sku", "--no-cache")


def test_changed_files_are_read_anew(shop: Shop, cache: Path) -> None:
    assert orders_of(analysed(shop)) == 40
    before = kept(cache)
    (shop.folder / "orders.csv").write_text(lines(60), encoding="utf-8")
    assert orders_of(analysed(shop)) == 60
    after = kept(cache)
    assert after.keys() == before.keys(), "the older ones are replaced"
    assert not set(after.values()) & set(before.values())


def test_two_folders_may_each_have_an_orders_file(
    shop: Shop, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shop.folder / "other").mkdir()
    (shop.folder / "other" / "orders.csv").write_text(lines(20), encoding="utf-8")
    for folder, count in ((shop.folder, 40), (shop.folder / "other", 20)):
        monkeypatch.chdir(folder)
        code, out, err = shop.call("analyze", "orders.csv", "-o", "json")
        assert (code, orders_of(out)) == (0, count), err
    assert len(kept(cache)) == 4


def test_what_was_read_while_its_file_changed_is_not_kept(shop: Shop, cache: Path) -> None:
    def reading() -> Reading:
        return Reading(
            files=[str(shop.folder / "orders.csv")],
            settings=Settings(compact=frozenset()),
            store="green",
            password=lambda _: None,
            snapshots=Snapshots(cache),
        )

    def count(loaded: Loaded) -> int:
        with (shop.folder / "orders.csv").open("a", encoding="utf-8") as file:
            file.write(lines().splitlines()[-1].replace("#39", "#40") + "\n")
        return loaded.snapshot.orders.height

    early = reading()
    assert early.loaded().snapshot.orders.height == 40
    before = kept(cache)
    assert early.answer("how many", int, count) == 40
    assert early.answer("how many", int, lambda _: 40) == 40
    assert kept(cache) == before
    assert reading().answer("how many", int, lambda one: one.snapshot.orders.height) == 41


def test_a_changed_layout_reads_anew(shop: Shop, cache: Path) -> None:
    code, text, err = shop.call("layouts", "show", "shopify-orders")
    assert (code, err) == (0, "")
    layout = shop.folder / "my.yaml"
    layout.write_text(text, encoding="utf-8")
    analysed(shop, "--layout", layout)
    changed = text.replace("zone: as written", "zone: Asia/Seoul")
    assert changed != text
    layout.write_text(changed, encoding="utf-8")
    zones = [
        json.loads(analysed(shop, *words))["stores"][0]["timezone"]
        for words in (("--layout", layout), ("--layout", layout, "--no-cache"), ())
    ]
    assert zones == ["Asia/Seoul", "Asia/Seoul", "as written"]
    assert len(kept(cache)) == 4


def test_no_cache_neither_uses_nor_keeps(shop: Shop, cache: Path) -> None:
    right = analysed(shop)
    for path in cache.iterdir():
        os.utime(path, (0, 0))
    before = kept(cache)
    assert analysed(shop, "--no-cache") == right
    assert kept(cache) == before


def test_a_run_plans_alike_from_a_snapshot_and_purge_removes_it(shop: Shop) -> None:
    shop.export(("김민수", "kim1@example.com", 30.04, "yes"), ("", "", 30.1, "no"))
    folder = shop.state / "snapshots"
    as_of = datetime.now(UTC).isoformat(timespec="seconds")
    plan = shop.run("--dry-run", "--as-of", as_of, "--no-cache")
    assert not folder.exists()
    assert [shop.run("--dry-run", "--as-of", as_of) for _ in range(2)] == [plan, plan]
    assert plan[0]["planned"] == 1
    assert len(kept(folder)) == 1
    config = shop.folder / "remindctl.yaml"
    for words in (
        ["check", shop.folder / "winback.yaml"],
        ["preview", shop.folder / "winback.yaml"],
        ["consents", "due"],
        ["explain", shop.folder / "winback.yaml", "kim1@example.com"],
        ["customers", "--store", "goods"],
    ):
        code, _, err = shop.call(*words, "--config", config)
        assert code == 0, err
        assert len(kept(folder)) == 1, "all commands share what they read"
    [sent] = shop.run()
    assert sent["sent"] == 1
    code, _, err = shop.call("log", "purge", "--older-than", "2y", "--yes", "--config", config)
    assert (code, kept(folder)) == (0, {})
    assert "1 snapshots of the stores' files removed" in err
    assert shop.run()[0]["sent"] == 0
    assert len(kept(folder)) == 1
    code, _, err = shop.call("log", "forget", "kim1@example.com", "--config", config)
    assert (code, kept(folder)) == (0, {})


def test_purge_removes_snapshots_where_nothing_was_ever_sent(shop: Shop) -> None:
    shop.run("--dry-run")
    assert kept(shop.state / "snapshots")
    config = shop.folder / "remindctl.yaml"
    code, _, err = shop.call("log", "purge", "--older-than", "2y", "--yes", "--config", config)
    assert (code, kept(shop.state / "snapshots")) == (2, {})
    assert "nothing was ever sent" in err


def test_outside_a_configuration_nobodys_address_is_kept(shop: Shop, cache: Path) -> None:
    code, _, err = shop.call("customers", shop.folder / "orders.csv")
    assert (code, cache.exists()) == (0, False), err
    text = lines() + '#99,kim@example.com,paid,yes,"010-9000-1234",12000,KRW,1,크림,김민수,0\n'
    (shop.folder / "orders.csv").write_text(text, encoding="utf-8")
    analysed(shop)
    found = [one for path in cache.iterdir() for one in [_content(path)] if isinstance(one, Loaded)]
    [one] = found
    assert set(one.snapshot.orders.columns) <= ORDERS.keys()
    assert one.rejects.height == 1
    assert one.rejects["value"].to_list() == [None]
    # Who wants to see such rows reads the files.
    rejects = shop.folder / "rejects.csv"
    analysed(shop, "--rejects", rejects)
    assert "010-9000-1234" in rejects.read_text(encoding="utf-8")
    refused, out, err = shop.call("analyze", shop.folder / "orders.csv", "--strict")
    assert (refused, out) == (2, "")
    assert "orders.csv:42: Created at: unreadable date" in err


def _content(path: Path) -> object:
    import zipfile  # noqa: PLC0415

    with zipfile.ZipFile(path) as members:
        label, _ = json.loads(members.read("value.json"))
    return archive.read(path, label)


def test_what_was_protected_is_never_kept(
    shop: Shop, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for line in lines().splitlines():
        sheet.append(line.split(","))
    plain = io.BytesIO()
    book.save(plain)
    (shop.folder / "orders.xlsx").write_bytes(plain.getvalue())
    monkeypatch.setenv("SECRET", "1234")
    words = ("--password-env", "SECRET")
    answer = analysed(shop, *words, file="orders.xlsx")
    assert len(kept(cache)) == 2
    locked = io.BytesIO()
    OOXMLFile(plain).encrypt("1234", locked)
    (shop.folder / "orders.xlsx").write_bytes(locked.getvalue())
    for _ in range(2):
        assert analysed(shop, *words, file="orders.xlsx") == answer
        assert kept(cache) == {}


def test_damaged_snapshots_are_written_again(shop: Shop, cache: Path) -> None:
    right = analysed(shop)
    for path in cache.iterdir():
        content = bytearray(path.read_bytes())
        content[len(content) // 3] ^= 0x55
        path.write_bytes(content)
    assert analysed(shop) == right
    assert all(_content(path) is not None for path in cache.iterdir())


def test_processes_that_read_at_the_same_time_do_no_harm(tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text(lines(24_000), encoding="utf-8")
    assert file.stat().st_size > snapshot.WORTHWHILE_BYTES
    environment = os.environ | {"REMINDCTL_CACHE": str(tmp_path / "cache")}
    command = [sys.executable, "-m", "remindctl", "analyze", str(file), "-o", "json"]
    started = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    ended = [(*process.communicate(timeout=120), process.returncode) for process in started]
    again = subprocess.run(command, env=environment, capture_output=True, check=True, timeout=120)
    assert [code for *_, code in ended] == [0, 0]
    assert len({again.stdout, *(out for out, *_ in ended)}) == 1
    names = [path.stem for path in (tmp_path / "cache" / "snapshots").iterdir()]
    assert len(names) == 2
    assert all(len(name) == 32 for name in names), "nothing half-written is left"
