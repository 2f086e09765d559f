"""Unchanged files are read once; nothing but time ever depends on a snapshot."""

from __future__ import annotations

import io
import json
import os
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import remindctl
from remindctl.frames import (
    ADDRESSES,
    CONSENTS,
    CUSTOMERS,
    EVENTS,
    ORDERS,
    Addresses,
    Consents,
    Customers,
    Events,
    Orders,
    Snapshot,
    conform,
)
from remindctl.stores import archive, snapshot
from remindctl.stores.load import Loaded, Source
from remindctl.stores.snapshot import Key, Snapshots, state_of, user_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

NOW = datetime(2026, 10, 31, 7, 30, tzinfo=UTC)
HOME = Path("/home/kim")
KEY = Key("question", "state")


# ---- the file ---------------------------------------------------------------------------------


def loaded(**more: object) -> Loaded:
    def one(schema: Mapping[str, pl.DataType | type[pl.DataType]], **row: object) -> pl.DataFrame:
        return conform(pl.DataFrame([row, dict.fromkeys(row)], infer_schema_length=None), schema)

    orders = one(ORDERS, order_id="#1", person=0, ordered_at=NOW, ordered_on=NOW.date(),
                 status="paid", product="수분 크림", amount=Decimal("12000.5"))  # fmt: skip
    values: dict[str, object] = {
        "snapshot": Snapshot(
            Orders(orders.with_columns(pl.col("product").cast(pl.Categorical()))),
            Customers(one(CUSTOMERS, person=0, customer_key="k", tags=["vip", None])),
            Addresses(one(ADDRESSES, person=0, kind="email", value="kim@example.com")),
            Events(pl.DataFrame(schema=dict(EVENTS))),
            Consents(one(CONSENTS, kind="phone", granted=True, at=NOW)),
            {"orders": NOW},
        ),
        "rows": 3,
        "duplicate_lines": 1,
        "rejects": pl.DataFrame(),
        "sources": (Source("orders.csv", "shopify", "orders", 3, NOW),),
        "future_events": 0,
        "zone": None,
        "store": "초록",
    }
    return Loaded(**(values | more))  # type: ignore[arg-type]


def frames(value: Loaded) -> list[pl.DataFrame]:
    of = value.snapshot
    return [of.orders, of.customers, of.addresses, of.events, of.consents, value.rejects]


def test_a_read_store_comes_back_as_it_was(tmp_path: Path) -> None:
    before = loaded()
    ascending = before.snapshot.orders.with_columns(pl.Series("order_id", [1, 2]).set_sorted())
    Snapshots(tmp_path / "s").keep(KEY, before)
    after = Snapshots(tmp_path / "s").recall(KEY, Loaded)
    assert after is not None
    for one, other in zip(frames(before), frames(after), strict=True):
        assert one.equals(other)
        assert one.schema == other.schema
    told = ("rows", "duplicate_lines", "sources", "future_events", "zone", "store")
    assert [getattr(after, name) for name in told] == [getattr(before, name) for name in told]
    assert after.snapshot.known_until == {"orders": NOW}
    # What is sorted is known to be, since it is then worked on faster.
    [again] = _through(ascending)
    assert again["order_id"].flags["SORTED_ASC"]
    assert not again["product"].flags["SORTED_ASC"]


def _through(*values: object) -> list[pl.DataFrame]:
    file = io.BytesIO()
    archive.write(file, "label", list(values))
    found = archive.read(file, "label")
    assert isinstance(found, list)
    return found


PLAIN = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.dates(),
    st.datetimes(timezones=st.just(UTC)).map(lambda at: at.replace(fold=0)),
    st.decimals(allow_nan=False),
)  # fmt: skip
TREES = st.recursive(
    PLAIN,
    lambda inner: st.one_of(
        st.lists(inner), st.lists(inner).map(tuple), st.dictionaries(st.integers(), inner)
    ),
)


@given(TREES)
def test_any_tree_of_plain_values_comes_back_with_its_types(tree: object) -> None:
    [again] = _through(tree)
    assert repr(again) == repr(tree)


def test_nothing_but_our_own_data_is_kept_or_made(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="set cannot be kept"):
        _through({1})
    file = tmp_path / "forged"
    for kind in ("os:system", "remindctl.errors:refuse", "remindctl.stores.load:load"):
        with file.open("wb") as forged:
            archive.write(forged, "label", {"a": 1})
        content = file.read_bytes().replace(b'"dict"', json.dumps(kind).encode())
        file.write_bytes(content)
        with pytest.raises(Exception, match=r"."):
            archive.read(file, "label")


# ---- the folder -------------------------------------------------------------------------------


def test_only_the_owner_may_read_a_snapshot(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "snapshots"
    Snapshots(folder).keep(KEY, date(2026, 10, 31))
    [path] = folder.iterdir()
    assert (folder.stat().st_mode & 0o777, path.stat().st_mode & 0o777) == (0o700, 0o600)
    assert Snapshots(folder).recall(KEY, date) == date(2026, 10, 31)
    # Whoever could write here could make us believe anything.
    folder.chmod(0o777)
    assert Snapshots(folder).recall(KEY, date) is None
    Snapshots(folder).keep(KEY, date(2026, 10, 31))
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: content[: len(content) // 2],
        lambda _: b"",
        lambda _: b"PK\x03\x04 nonsense",
        *(
            lambda content, at=at: (
                content[: len(content) * at // 100]
                + bytes([content[len(content) * at // 100] ^ 0x55])
                + content[len(content) * at // 100 + 1 :]
            )
            for at in range(0, 100, 7)
        ),
    ],
)
def test_a_damaged_snapshot_is_passed_over(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    snapshots = Snapshots(tmp_path / "s")
    snapshots.keep(KEY, loaded())
    [path] = (tmp_path / "s").iterdir()
    whole = path.read_bytes()
    path.write_bytes(spoil(whole))
    found = snapshots.recall(KEY, Loaded)
    if found is not None:  # the byte was one that says nothing
        assert all(a.equals(b) for a, b in zip(frames(found), frames(loaded()), strict=True))
    else:
        assert not path.exists()


def test_a_snapshot_answers_its_question_in_its_state_only(tmp_path: Path) -> None:
    snapshots = Snapshots(tmp_path)
    tmp_path.chmod(0o700)
    snapshots.keep(KEY, 1)
    assert snapshots.recall(Key("other", "state"), int) is None
    assert snapshots.recall(KEY, int) == 1
    assert snapshots.recall(Key("question", "later"), int) is None
    assert snapshots.recall(KEY, int) is None, "it was of no use any more"
    snapshots.keep(KEY, 1)
    assert snapshots.recall(KEY, str) is None
    assert Key.of(["a", 1], "s") != Key.of(["a", "1"], "s") != Key.of(["a,1"], "s")


def test_old_and_too_many_snapshots_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshots = Snapshots(tmp_path / "s")
    for name in ("unused", "older", "used", "new"):
        snapshots.keep(Key(name, "state"), "x" * 1000)
    for name, days in (("unused", 31), ("older", 3), ("used", 5)):
        path = tmp_path / "s" / f"{name}.snapshot"
        at = path.stat().st_mtime - days * 86_400
        os.utime(path, (at, at))
    assert snapshots.recall(Key("used", "state"), str)
    snapshots.keep(Key("new", "state"), "y")
    assert {path.stem for path in (tmp_path / "s").iterdir()} == {"older", "used", "new"}
    monkeypatch.setattr(snapshot, "MOST_BYTES", 2000)
    snapshots.keep(Key("new", "state"), "y")
    assert {path.stem for path in (tmp_path / "s").iterdir()} == {"used", "new"}
    assert snapshots.clear() == 2
    assert Snapshots(tmp_path / "nowhere").clear() == 0


def test_a_snapshot_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    Snapshots(tmp_path / "file").keep(KEY, 1)
    assert Snapshots(tmp_path / "file").recall(KEY, int) is None
    # One that cannot be finished leaves nothing behind.
    Snapshots(tmp_path / "s").keep(KEY, [pl.DataFrame({"a": [1]}), {1}])
    assert not list((tmp_path / "s").iterdir())


@pytest.mark.parametrize(
    ("environment", "platform", "folder"),
    [
        ({}, "linux", HOME / ".cache/remindctl/snapshots"),
        ({"XDG_CACHE_HOME": "/var/c"}, "linux", Path("/var/c/remindctl/snapshots")),
        ({"XDG_CACHE_HOME": "c"}, "linux", HOME / ".cache/remindctl/snapshots"),
        ({"XDG_CACHE_HOME": "/var/c"}, "darwin", HOME / "Library/Caches/remindctl/snapshots"),
        ({"LOCALAPPDATA": "/l"}, "win32", Path("/l/remindctl/snapshots")),
        ({"REMINDCTL_CACHE": "/mine"}, "darwin", Path("/mine/snapshots")),
        ({"REMINDCTL_CACHE": ""}, "linux", None),
    ],
)
def test_snapshots_lie_where_the_platform_keeps_caches(
    environment: Mapping[str, str], platform: str, folder: Path | None
) -> None:
    assert user_folder(environment, HOME, platform) == folder


# ---- the key ----------------------------------------------------------------------------------


@pytest.fixture
def any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "WORTHWHILE_BYTES", 0)


@pytest.mark.usefixtures("any_size")
def test_any_change_of_a_file_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text("a" * 300_000)
    states = [state_of([file])]
    assert state_of([file]) == states[0]

    def changed() -> None:
        states.append(state_of([file]))

    at = file.stat().st_mtime_ns
    os.utime(file, ns=(at, at + 1))
    changed()
    with file.open("r+b") as opened:  # in place and at the edge, with the time put back
        opened.seek(299_999)
        opened.write(b"b")
    os.utime(file, ns=(at, at))
    changed()
    file.write_text("a" * 300_001)
    changed()
    other = tmp_path / "other.csv"
    other.write_bytes(file.read_bytes())
    states.append(state_of([other]))
    states.append(state_of([file, other]))
    assert len(set(states)) == len(states)
    assert None not in states


@pytest.mark.usefixtures("any_size")
def test_another_version_of_the_program_reads_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "orders.csv"
    file.write_text("a")
    before = state_of([file])
    monkeypatch.setattr(remindctl, "__version__", "999")
    assert state_of([file]) != before
    monkeypatch.undo()
    monkeypatch.setattr(snapshot, "WORTHWHILE_BYTES", 0)
    assert state_of([file]) == before


def test_small_and_missing_files_are_no_question_for_a_snapshot(tmp_path: Path) -> None:
    (tmp_path / "small.csv").write_text("a")
    for files in ([tmp_path / "small.csv"], [tmp_path / "missing.csv"], []):
        assert state_of(files) is None
