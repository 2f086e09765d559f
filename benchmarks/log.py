"""The send log in its SQLite file, against what a loop or a query of one's own would take.

Writing: messages are claimed and settled, batch by batch, as a run does. The bare loop is handed
the very rows that came of it and does nothing but ``executemany``: into the same tables with the
same indexes, as durably, in batches of the same size. It looks for nobody's past, and makes none.

Reading: who of many candidates has had enough messages lately? The query puts them into a temporary
table and looks their messages up in the log. And the whole past of everybody, against a join.
"""

from __future__ import annotations

import gc
import sqlite3
import tempfile
import time
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from benchmarks.compare import Comparison
from benchmarks.senders import NOW
from remindctl.frames import ADDRESSES, HISTORY, PERSON, Addresses, History, conform
from remindctl.model import Campaign, Cap, Policy, Purpose, Span, State, Store, key_of
from remindctl.policy.frequency import over_caps
from remindctl.policy.progress import REACHED
from remindctl.profiles import Profiles
from remindctl.sendlog import Claim, Lost, Outcome, SendingLogs, open_logs
from remindctl.sendlog.database import micros

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from remindctl.frames import Identifiers

WRITING_SPEED, CAPS_SPEED = 0.7, 10.0
BATCH = 10_000  # as many as dispatch claims at once
PAST = 3  # messages of each person in the log that is read, over a year
WINDOW = timedelta(days=7)
STORE = Store(
    key="green", name="초록상점", timezone="Asia/Seoul", country="KR", currency="KRW",
    policy=Policy(preset="US", caps=(Cap(1, Span(days=WINDOW.days)),)),
)  # fmt: skip
CAMPAIGN = Campaign(name="winback", purpose=Purpose.ADVERTISING, steps=())

# What the loop is handed of a claim, and of its outcome.
_CLAIMED = (
    "id, key, person, leg, entry, store, campaign, step, variant, arm, store_arm, channel,"
    " provider, ground, tags, counts, ending, due_at, cost, currency, run, attempts,"
    " first_attempt_at, attempted_at, coupon_pool, coupon, coupon_until, template, text_hash,"
    " destination"
)
_SETTLED = "state, settled_at, provider_id, code, detail"
_TABLES = ("claims", "identifiers")


class Took(NamedTuple):
    """Seconds."""

    wall: float
    cpu: float


def benchmark(
    sizes: Sequence[int], repeat: int, folder: Path, say: Callable[[str], None]
) -> list[Comparison]:
    """Compare writing and reading the log with bare statements.

    Args:
        sizes: numbers of messages to write, and of people to read of.
        repeat: rounds.
        folder: for the logs, which go again.
        say: told what is being done.

    Raises:
        RuntimeError: the contestants wrote different rows, or found different people.
    """
    found: list[Comparison] = []
    for size in sizes:
        say(f"{size:,} claims and outcomes: comparing, then {repeat} rounds")
        found += _writing(size, repeat, folder)
        say(f"a log of {size * PAST:,} messages to {size:,} people: filling, comparing, reading")
        found += _reading(size, repeat, folder)
    return found


def _writing(size: int, repeat: int, folder: Path) -> Iterator[Comparison]:
    rounds = []
    with _files(folder) as place, _opened(place) as logs:
        _write(logs, size)
        for number in range(repeat + 1):
            with _files(folder) as ours, _opened(ours) as fresh:
                values = _write(fresh, size)
            with _files(folder) as theirs:
                _opened(theirs).__exit__()
                base = _loop(place / "log.db", theirs / "log.db")
                if not number:
                    check(place / "log.db", theirs / "log.db")
            if number:
                rounds.append((base, values))
    yield from _compared(f"{size:,} claims and outcomes", "executemany", rounds, WRITING_SPEED)


def _write(logs: SendingLogs, size: int) -> Took:
    """Claim and settle, and time nothing else."""
    took = Took(0.0, 0.0)
    for start in range(0, size, BATCH):
        claims = [
            claim(logs, number, f"{number}") for number in range(start, min(start + BATCH, size))
        ]
        with _timed() as spent:
            numbers = logs.log.claim("r1", claims, NOW)
            outcomes = [
                Outcome(number, State.SENT, f"M{number}", "2000")
                for number in numbers
                if not isinstance(number, Lost)
            ]
            logs.log.settle(outcomes, NOW)
        took = Took(took.wall + spent[0].wall, took.cpu + spent[0].cpu)
    return took


def claim(logs: SendingLogs, person: int, occasion: str) -> Claim:
    """Claim a message to a person who is known by a phone number and the customer key."""
    named = logs.hasher.hash("person", f"c{person}", "green")
    phone = logs.hasher.hash("phone", f"+8210{person:08}", "green")
    return Claim(
        key=key_of("green", "news", "only", occasion),
        entry=key_of("green", "news", occasion),
        person=named,
        identifiers=frozenset((named, phone)),
        leg=0,
        store="green",
        campaign="news",
        step="only",
        due_at=NOW,
        channel="lms",
        provider="it",
        destination=phone,
        ground="consent",
        ending=f"{person % 10_000:04}",
        currency="KRW",
    )


def _loop(source: Path, target: Path) -> Took:
    """Write the rows of one log into another."""
    took = Took(0.0, 0.0)
    with (
        closing(sqlite3.connect(source)) as read,
        closing(sqlite3.connect(target, isolation_level=None)) as connection,
    ):
        # As the log itself; the cache is larger, as this loop does not sort what it writes.
        for setting in (
            "journal_mode = WAL", "synchronous = FULL", "wal_autocheckpoint = 16384",
            "cache_size = -65536", "temp_store = MEMORY",
        ):  # fmt: skip
            connection.execute(f"PRAGMA {setting}")
        marks = ", ".join("?" * len(_CLAIMED.split(", ")))
        write = f"INSERT INTO claims ({_CLAIMED}, state) VALUES ({marks}, 'claimed')"  # noqa: S608 (constants)
        settle = f"UPDATE claims SET ({_SETTLED}) = (?, ?, ?, ?, ?) WHERE id = ?"  # noqa: S608 (constants)
        first = 1
        while claims := _rows(read, "claims", _CLAIMED, "id", first):
            known = _rows(read, "identifiers", "hmac, key, leg, claim", "claim", first)
            ends = _rows(read, "claims", f"{_SETTLED}, id", "id", first)
            with _timed() as spent:
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany(write, claims)
                connection.executemany("INSERT INTO identifiers VALUES (?, ?, ?, ?)", known)
                connection.execute("COMMIT")
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany(settle, ends)
                connection.execute("COMMIT")
            took = Took(took.wall + spent[0].wall, took.cpu + spent[0].cpu)
            first += BATCH
    return took


def check(one: Path, other: Path) -> None:
    """Compare what two logs hold.

    Raises:
        RuntimeError: a row differs.
    """
    with closing(sqlite3.connect(one)) as connection:
        connection.execute("ATTACH ? AS other", (str(other),))
        for table in _TABLES:
            for left, right in (("main", "other"), ("other", "main")):
                query = f"SELECT * FROM {left}.{table} EXCEPT SELECT * FROM {right}.{table}"  # noqa: S608 (constants)
                if connection.execute(f"{query} LIMIT 1").fetchone():
                    raise RuntimeError(f"not the same {table} were written")


def _reading(size: int, repeat: int, folder: Path) -> Iterator[Comparison]:
    with _files(folder) as place, _opened(place) as logs:
        _fill(logs, size)
        people = _people(logs, size)
        if set(had_enough(logs, people, size)) != set(had_enough_by_query(place, people)):
            raise RuntimeError("other people have had enough")
        if sorted(_past(logs, people)) != sorted(_past_by_query(place, people)):
            raise RuntimeError("another past was found")
        caps, pasts = [], []
        for _ in range(repeat):
            with _timed() as base:
                had_enough_by_query(place, people)
            with _timed() as values:
                had_enough(logs, people, size)
            caps.append((base[0], values[0]))
            with _timed() as base:
                _past_by_query(place, people)
            with _timed() as values:
                _past(logs, people)
            pasts.append((base[0], values[0]))
    measure = f"caps of {size:,} people, {size * PAST:,} messages in the log"
    yield from _compared(measure, "an anti-join", caps, CAPS_SPEED)
    yield from _compared(f"the whole past of {size:,} people", "a join", pasts)


def _fill(logs: SendingLogs, size: int) -> None:
    """Send each person :data:`PAST` messages, evenly over a year, in an order of their own."""
    messages, step = size * PAST, timedelta(days=365) / (size * PAST)
    for start in range(0, messages, BATCH):
        batch = range(start, min(start + BATCH, messages))
        at = NOW - step * (messages - batch[-1])
        claims = [claim(logs, number * 7_919 % size, f"{number}") for number in batch]
        numbers = logs.log.claim("r1", claims, at)
        logs.log.settle(
            [Outcome(one, State.SENT) for one in numbers if not isinstance(one, Lost)], at
        )


def _people(logs: SendingLogs, size: int) -> Identifiers:
    who = pl.DataFrame({"person": pl.int_range(size, dtype=PERSON, eager=True)})
    number = pl.col("person").cast(pl.String)
    names = who.with_columns(("c" + number).alias("customer_key"))
    phones = who.with_columns(
        pl.lit("phone").alias("kind"), ("+8210" + number.str.pad_start(8, "0")).alias("value")
    )
    addresses = Addresses(conform(phones, ADDRESSES))
    return logs.hasher.identifiers(Profiles(names), addresses, "green")


def had_enough(logs: SendingLogs, people: Identifiers, size: int) -> list[int]:
    """Ask the log and the policy who may have no further message."""
    history = logs.log.history("green", people, campaigns=["winback"], since=NOW - WINDOW)
    rows = pl.DataFrame({"person": pl.int_range(size, dtype=PERSON, eager=True)}).with_columns(
        pl.lit("lms").alias("channel"),
        pl.lit("Asia/Seoul").alias("zone"),
        pl.lit(value=False).alias("held"),
    )
    return rows.filter(over_caps(rows, history, CAMPAIGN, STORE, NOW))["person"].to_list()


def had_enough_by_query(place: Path, people: Identifiers) -> list[int]:
    """Ask in SQL alone, as the log's tables are."""
    with _candidates(place, people) as connection:
        reached = ", ".join(f"'{state}'" for state in REACHED)
        free = connection.execute(
            "SELECT DISTINCT person FROM candidates WHERE person NOT IN ("  # noqa: S608 (constants)
            " SELECT candidates.person FROM candidates CROSS JOIN identifiers USING (hmac)"
            " CROSS JOIN claims ON claims.id = claim WHERE store = 'green' AND counts"
            f" AND state IN ({reached}) AND attempted_at > ?)",
            (micros(NOW - WINDOW),),
        )
        return list(set(people["person"]) - {person for [person] in free})


def _past(logs: SendingLogs, people: Identifiers) -> Iterable[tuple[int, str]]:
    return logs.log.history("green", people).select("person", "key").iter_rows()


def _past_by_query(place: Path, people: Identifiers) -> Iterable[tuple[int, str]]:
    with _candidates(place, people) as connection:
        rows = connection.execute(
            "SELECT DISTINCT candidates.person, campaign, step, lower(hex(claims.key)),"
            " lower(hex(entry)), claims.leg, channel, state, attempted_at, tags, counts, arm,"
            " store_arm, variant FROM candidates CROSS JOIN identifiers"
            " USING (hmac) CROSS JOIN claims ON claims.id = claim WHERE store = 'green'"
        ).fetchall()
    schema = {**HISTORY, "claimed_at": pl.Int64, "tags": pl.String, "counts": pl.Int64}
    past = History(pl.DataFrame(rows, schema=schema, orient="row"))
    return past.select("person", "key").iter_rows()


@contextmanager
def _candidates(place: Path, people: Identifiers) -> Iterator[sqlite3.Connection]:
    """Open the log with the candidates in a table; CROSS JOIN then begins with these."""
    with closing(sqlite3.connect(place / "log.db")) as connection:
        connection.execute("PRAGMA cache_size = -65536")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("CREATE TEMP TABLE candidates (person INTEGER, hmac BLOB)")
        rows = people.select("person", "hmac").iter_rows()
        connection.executemany("INSERT INTO candidates VALUES (?, ?)", rows)
        yield connection


def _rows(
    connection: sqlite3.Connection, table: str, columns: str, order: str, first: int
) -> list[tuple[object, ...]]:
    """Return the rows of the claims of one batch, in the order in which they were made."""
    query = f"SELECT {columns} FROM {table} WHERE {order} BETWEEN ? AND ? ORDER BY {order}"  # noqa: S608 (constants)
    return connection.execute(query, (first, first + BATCH - 1)).fetchall()


def _compared(
    measure: str,
    against: str,
    rounds: Sequence[tuple[Took, Took]],
    speed_target: float | None = None,
) -> Iterator[Comparison]:
    for unit in ("wall", "cpu"):
        yield Comparison(
            measure=f"{measure}: {unit} time",
            unit="s",
            against=against,
            base=tuple(getattr(base, unit) for base, _ in rounds),
            values=tuple(getattr(values, unit) for _, values in rounds),
            speed_target=speed_target if unit == "wall" else None,
        )


@contextmanager
def _timed() -> Iterator[list[Took]]:
    """Put what the block took into the list; as in dispatch, no circular garbage is looked for."""
    took: list[Took] = []
    gc.collect()
    gc.disable()
    wall, cpu = time.perf_counter(), time.process_time()
    yield took
    took.append(Took(time.perf_counter() - wall, time.process_time() - cpu))
    gc.enable()


@contextmanager
def _files(folder: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=folder) as place:
        yield Path(place)


def _opened(place: Path) -> SendingLogs:
    return open_logs(place / "log.db", place / "key", [place / "optouts.db"], now=NOW)
