"""A whole plan against the loop that only fills its templates.

Everyone is due: the plan finds their occasions, weighs consents and five past messages of each,
counts caps, and writes the texts. The loop is handed clean rows and does nothing but
``template.render``, in the same sandbox, as in ``render``. A dry run makes the same plan and writes
every message as a line of JSON.
"""

from __future__ import annotations

import resource
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from benchmarks import render
from benchmarks.compare import Comparison
from remindctl.frames import (
    ADDRESSES,
    CONSENTS,
    CUSTOMERS,
    EVENTS,
    HISTORY,
    INSTANT,
    ORDERS,
    PERSON,
    SUPPRESSIONS,
    Addresses,
    Consents,
    Customers,
    Events,
    History,
    Orders,
    Snapshot,
    Suppressions,
    conform,
    empty,
)
from remindctl.model import (
    Campaign,
    Cap,
    Channel,
    Due,
    Leg,
    Policy,
    Purpose,
    Span,
    Step,
    Store,
    Variant,
    key_of,
)
from remindctl.plan import plan
from remindctl.profiles import COLUMNS, Profiles
from remindctl.report.run import write_messages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from remindctl.plan import Plan

TARGET, DRY_RUN_TARGET, TARGET_FROM = 1.2, 1.3, 1_000_000
PAST = 5  # messages of each customer in the log
NOW = datetime(2026, 6, 30, 7, 30, tzinfo=UTC)  # 16:30 in Seoul
_ORDERED = NOW - timedelta(days=31)

STORE = Store(
    key="green",
    name="초록상점",
    timezone="Asia/Seoul",
    country="KR",
    currency="KRW",
    url="https://shop.example",
    sender={"phone": "0212345678", "contact": "02-1234-5678"},
    optout={"phone": "0808880000"},
    prices={Channel.LMS: Decimal(45)},
    policy=Policy(preset="KR", caps=(Cap(2, Span(days=7)), Cap(1, Span(days=1)))),
)
LEG = Leg(channel=Channel.LMS, text=render.TEXT, subject="그동안 잘 지내셨나요?")
CAMPAIGN = Campaign(
    name="winback",
    purpose=Purpose.ADVERTISING,
    reentry=Span(days=20),
    control=0.0,
    steps=(
        Step(
            id="day30",
            due=Due(after="last_order", wait=Span(days=30), within=Span(days=7)),
            variants=(Variant(legs=(LEG,)),),
        ),
    ),
)


class World(NamedTuple):
    """What a plan is made of."""

    people: Profiles
    snapshot: Snapshot
    history: History


def benchmark(
    sizes: Sequence[int], repeat: int, folder: Path, say: Callable[[str], None]
) -> Iterator[Comparison]:
    """Compare planning with the loop, and dry runs with plans.

    Args:
        sizes: numbers of customers, all of them due.
        repeat: rounds, after the texts of one that is not counted were compared.
        folder: for what the dry runs write.
        say: told what is being done.

    Raises:
        RuntimeError: a text differs.
    """
    for size in sizes:
        past_messages = size * PAST
        say(f"{size:,} due customers, {past_messages:,} past messages: {repeat} rounds")
        frame = render.customers(size)
        known = world(frame)
        before = _peak()
        check(frame, known)
        written = folder / "messages.ndjson"
        check_written(known, written)
        rounds = [
            (
                render.loop(frame),
                render.timed(partial(planned, known)),
                render.timed(partial(dry_run, known, written)),
            )
            for _ in range(repeat)
        ]
        written.unlink()
        say(f"peak memory grew by {(_peak() - before) / 2**20:,.0f} MiB while planning")
        promised = size >= TARGET_FROM
        loops, plans, dry_runs = zip(*rounds, strict=True)
        plan = f"plan of {size:,} due customers against {past_messages:,} past messages"
        yield from _told(plan, "template.render", loops, plans, TARGET if promised else None)
        dry = f"dry run to NDJSON, {size:,} messages"
        yield from _told(dry, "the plan", plans, dry_runs, DRY_RUN_TARGET if promised else None)


def _told(
    measure: str,
    against: str,
    base: Sequence[render.Seconds],
    values: Sequence[render.Seconds],
    target: float | None,
) -> Iterator[Comparison]:
    for unit in render.Seconds._fields:
        yield Comparison(
            measure=f"{measure}: {unit} time",
            unit="s",
            against=against,
            base=tuple(getattr(one, unit) for one in base),
            values=tuple(getattr(one, unit) for one in values),
            target=target if unit == "wall" else None,
        )


def planned(known: World) -> Plan:
    """Make the plan."""
    nothing = Suppressions(empty(SUPPRESSIONS))
    return plan(CAMPAIGN, STORE, known.people, known.snapshot, known.history, nothing, NOW)


def dry_run(known: World, written: Path) -> None:
    """Make the plan and write its messages."""
    made = planned(known)
    with written.open("wb") as file:
        write_messages(file, [made])


def check(frame: pl.DataFrame, known: World) -> None:
    """Compare who is planned and every text with what the loop writes.

    Raises:
        RuntimeError: something differs.
    """
    made = planned(known).messages.sort("person")
    rows = frame.with_row_index("person").join(made.select("person", "text"), on="person")
    if len(rows) < 0.9 * len(frame):
        raise RuntimeError(f"{len(rows):,} of {len(frame):,} are planned")
    some = rows.head(50_000)
    render.check(some.drop("person", "text"), some["text"])


def check_written(known: World, written: Path) -> None:
    """Read back what a dry run has written and compare the texts with the plan's.

    Raises:
        RuntimeError: something differs.
    """
    dry_run(known, written)
    texts = pl.scan_ndjson(written).select("text").collect()["text"]
    if not texts.equals(planned(known).messages["text"]):
        raise RuntimeError("a wrong answer is not worth timing: the written texts differ")


def world(frame: pl.DataFrame) -> World:
    """Return so many customers who are due, all with consent, and their past messages."""
    size = len(frame)
    number = pl.int_range(size, dtype=PERSON, eager=True).alias("person")
    people = frame.with_columns(number).with_columns(
        pl.format("c{}", "person").alias("customer_key"),
        pl.format("+8210{}", pl.col("person").cast(pl.String).str.zfill(8)).alias("phone"),
        pl.col("first_name").alias("name"),
        pl.lit("Asia/Seoul").alias("timezone"),
        pl.lit("phone").alias("timezone_source"),
        pl.lit("KR").alias("country"),
        pl.format("o{}", "person").alias("last_order_id"),
        pl.lit(_ORDERED, dtype=INSTANT).alias("last_at"),
        pl.lit("one_time").alias("segment"),
        pl.lit(["one_time"]).alias("segments"),
    )
    schema = {name: column.dtype for name, column in COLUMNS.items()}
    orders = people.select(
        "person",
        pl.col("last_order_id").alias("order_id"),
        pl.format("l{}", "person").alias("line_id"),
        pl.col("last_at").alias("ordered_at"),
        pl.lit(_ORDERED.date()).alias("ordered_on"),
        pl.lit("paid").alias("status"),
        "product",
    )
    told = people.select("person", pl.lit("phone").alias("kind"), pl.col("phone").alias("value"))
    consents = told.with_columns(
        pl.lit("text").alias("channel"),
        pl.lit("advertising").alias("purpose"),
        pl.lit(value=True).alias("granted"),
        pl.lit(NOW - timedelta(days=90), dtype=INSTANT).alias("at"),
        pl.lit("signup_form").alias("source"),
    )
    snapshot = Snapshot(
        orders=Orders(conform(orders, ORDERS)),
        customers=Customers(conform(people, CUSTOMERS)),
        addresses=Addresses(conform(told, ADDRESSES)),
        events=Events(empty(EVENTS)),
        consents=Consents(conform(consents, CONSENTS)),
        known_until={"orders": NOW},
    )
    return World(Profiles(conform(people, schema, extra=True)), snapshot, past(number.to_frame()))


def past(people: pl.DataFrame) -> History:
    """Return :data:`PAST` messages of each, of another campaign, too long ago for any cap."""
    parts = [
        people.select(
            "person",
            pl.lit("news").alias("campaign"),
            pl.lit("only").alias("step"),
            pl.lit(key_of("green", "news", str(nth))).alias("key"),
            pl.lit(key_of("green", "news", str(nth))).alias("entry"),
            pl.lit(0).alias("leg"),
            pl.lit("lms").alias("channel"),
            pl.lit("delivered").alias("state"),
            pl.lit(NOW - timedelta(days=10 * (nth + 1)), dtype=INSTANT).alias("claimed_at"),
            pl.lit(value=True).alias("counts"),
        )
        for nth in range(PAST)
    ]
    return History(conform(pl.concat(parts), HISTORY))


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
