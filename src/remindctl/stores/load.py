"""The files of one store → one truth: overlapping downloads merged, people found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import polars as pl

from remindctl.errors import Place, Problem, Refused, refuse
from remindctl.frames import (
    CONSENTS,
    EVENTS,
    INSTANT,
    ORDERS,
    PERSON,
    Consents,
    Customers,
    Events,
    Orders,
    Snapshot,
    conform,
    empty,
)
from remindctl.stores import devices, people
from remindctl.stores.engine import REJECTS, read_lines
from remindctl.stores.identity import people as find_people
from remindctl.stores.layout import AS_WRITTEN
from remindctl.stores.merge import merge
from remindctl.stores.orders import REPEATED
from remindctl.stores.query import EXTRA, Settings
from remindctl.stores.runs import runs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from remindctl.stores.engine import Lines
    from remindctl.stores.identify import Claimed
    from remindctl.stores.layout import Layout

# The layouts of lists that the owner keeps, whatever the shop.
ANY_SHOP = "any"

_SHOWN_REJECTS = 10
_COMPACT_COLUMNS = ("person", "order_id", "ordered_on", "status", "quantity", "amount", "currency")
_CUSTOMER_COLUMNS = ("email", "phone", "customer_id", "name", "first_name", "last_name", "locale",
                     "timezone", "country", "province", "signed_up_at", "tags")  # fmt: skip
# Clocks of a web shop and of its owner's computer differ by this much without anyone's fault.
_CLOCKS_APART = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Source:
    """One file of a load, for the report."""

    name: str
    layout: str
    kind: str
    rows: int
    known_until: datetime


@dataclass(frozen=True, slots=True)
class Loaded:
    """A store's files, read.

    Attributes:
        snapshot: canonical frames. After a compact load only ``orders`` holds anything, with the
            columns person, order_id, ordered_on, status, quantity, amount, currency and what was
            asked for; there order_id is UInt32, the rows' orders numbered from 0 in ascending order
            (and flagged as sorted).
        rows: rows of order files that held anything.
        duplicate_lines: lines that a newer file (or a later row) told again.
        rejects: rows that were no use, see ``engine.REJECTS``.
        sources: the files, oldest first.
        future_events: events of an instant more than five minutes after their file's known-until.
        zone: where the store's clock is, as far as the layouts say; None = as each row says.
        store: its name.
    """

    snapshot: Snapshot
    rows: int
    duplicate_lines: int
    rejects: pl.DataFrame
    sources: tuple[Source, ...]
    future_events: int
    zone: str | None
    store: str

    def layouts(self, kind: str) -> list[str]:
        """Return the names of the layouts of one kind of file, each once."""
        return list(dict.fromkeys(source.layout for source in self.sources if source.kind == kind))

    def last_day(self) -> date:
        """Return the local date of the last order, of whatever status."""
        last = self.snapshot.orders["ordered_on"].max()
        if not isinstance(last, date):
            raise refuse("no order has a readable date", "see --rejects FILE")
        return last

    def in_main_currency(self) -> tuple[Orders, str | None, int]:
        """Return the orders, their main currency, and how many lines are in another.

        Amounts of other currencies become null: they still count as purchases, but no sum mixes
        them.
        """
        orders = self.snapshot.orders
        if "currency" not in orders.columns:
            return orders, None, 0
        counts = orders["currency"].drop_nulls().value_counts(sort=True)
        if not counts.height:
            return orders, None, 0
        main = str(counts["currency"][0])
        other = (pl.col("currency").cast(pl.String) != main).fill_null(value=False)
        if counts.height == 1:
            return orders, main, 0
        alone = orders.with_columns(pl.when(~other).then("amount").alias("amount"))
        return Orders(alone), main, int(counts["count"][1:].sum())


def load(claimed: Sequence[Claimed], settings: Settings, *, store: str) -> Loaded:
    """Read the tables of one store.

    Args:
        claimed: its tables; of overlapping ones the newest by ``known_until`` wins, then the later.
        settings: what the configuration says.
        store: the name that goes into ``Orders.store``.

    Raises:
        Refused: a status or text that a layout does not know, in any of the files.
    """
    parts: dict[str, list[tuple[Claimed, Lines]]] = {
        k: [] for k in ("orders", "customers", "events", "consents")
    }
    problems: list[Problem] = []
    of_any_shop = replace(settings, region=settings.region or _region(claimed))
    for claim in sorted(claimed, key=lambda c: c.known_until):
        if settings.compact is not None and claim.layout.kind in ("events", "consents"):
            continue
        told = of_any_shop if claim.layout.shop == ANY_SHOP else settings
        read = read_lines(claim.table, claim.layout, told)
        problems.extend(read.problems)
        parts[claim.layout.kind].append((claim, read))
    if problems:
        raise Refused(problems)
    _refuse_nothing(parts["orders"], claimed)
    every = [pair for group in parts.values() for pair in group]
    rejects = pl.concat(
        [pl.DataFrame(schema=dict(REJECTS)), *(lines.rejects for _, lines in every)]
    )
    repeated = rejects["reason"] == REPEATED
    lines, dropped = merge(parts["orders"])
    sources = tuple(
        Source(c.table.name, c.layout.layout, c.layout.kind, read.rows, c.known_until)
        for c, read in every
    )
    zones = {c.layout.zone for c, _ in parts["orders"]}
    return Loaded(
        _snapshot(lines, parts, settings, store),
        rows=sum(read.rows for _, read in parts["orders"]),
        duplicate_lines=dropped + int(repeated.sum()),
        rejects=rejects.filter(~repeated),
        sources=sources,
        future_events=sum(_future(claim, read) for claim, read in parts["events"]),
        store=store,
        zone=zones.pop() if len(zones) == 1 and AS_WRITTEN not in zones else settings.zone,
    )


def _future(claim: Claimed, read: Lines) -> int:
    return int((read.frame["occurred_at"] > claim.known_until + _CLOCKS_APART).sum())


def _region(claimed: Sequence[Claimed]) -> str | None:
    """Return where a shop's order files say that its phone numbers are, for lists of any shop."""
    regions = {claim.layout.region for claim in claimed if claim.layout.kind == "orders"}
    return regions.pop() if len(regions) == 1 else None


def _refuse_nothing(orders: Sequence[tuple[Claimed, Lines]], claimed: Sequence[Claimed]) -> None:
    """Refuse files without any order: an answer about nothing looks like an answer."""
    if not orders:
        seen = ", ".join(f"{c.table.name} is {c.layout.title}" for c in claimed)
        raise refuse("there is no order file among these files", seen or "name an order file")
    read = [lines for _, lines in orders]
    first = orders[0][0].table.name
    if not any(lines.rows for lines in read):
        raise refuse("a header and no rows", "choose a longer period when downloading", path=first)
    if not any(lines.frame.height for lines in read):
        rejects = pl.concat([lines.rejects for lines in read])
        raise Refused(
            Problem(
                Place(row["file"], row["row"]), f"{row['column'] or 'the row'}: {row['reason']}"
            )
            for row in rejects.head(_SHOWN_REJECTS).iter_rows(named=True)
        )


def _snapshot(
    lines: pl.DataFrame,
    parts: dict[str, list[tuple[Claimed, Lines]]],
    settings: Settings,
    store: str,
) -> Snapshot:
    told = [lines, *(read.frame for kind in ("customers", "events") for _, read in parts[kind])]
    found = find_people(told)
    lines, *others = [frame.with_columns(person) for frame, person in zip(told, found, strict=True)]
    customer_files, events = others[: len(parts["customers"])], others[len(parts["customers"]) :]
    if "currency" not in lines.columns:
        text = pl.String() if settings.compact is None else pl.Categorical()
        lines = lines.with_columns(
            pl.lit(_currency(parts), dtype=pl.String).cast(text).alias("currency")
        )
    until = {
        kind: max(claim.known_until for claim, _ in group) for kind, group in parts.items() if group
    }
    if settings.compact is not None:
        nobody = people.addresses(pl.DataFrame(schema={"person": PERSON}))
        orders = _compact_orders(lines, settings.compact)
        return Snapshot(
            orders, Customers(pl.DataFrame()), nobody, Events(empty(EVENTS)),
            Consents(empty(CONSENTS)), until,
        )  # fmt: skip
    events, owners = devices.assign(events, pl.concat(found).drop_nulls().n_unique())
    mentions = [
        _mentions(lines, "ordered_at", in_order=True),
        *(_mentions(frame, None) for frame in customer_files),
        *(_mentions(frame, "occurred_at") for frame in events),
    ]
    mentioned = pl.concat(mentions, how="diagonal_relaxed")
    devices_of = owners.with_columns(pl.lit(value=False).alias("in_order"))
    known = people.addresses(pl.concat([mentioned, devices_of], how="diagonal"))
    return Snapshot(
        _orders(lines, store),
        people.customers(mentioned, known),
        known,
        _events([claim.layout for claim, _ in parts["events"]], events),
        _consents(parts),
        until,
    )


def _compact_orders(lines: pl.DataFrame, asked: frozenset[str]) -> Orders:
    """Return what ``analyze`` needs, its orders numbered from 0 in the order of the rows."""
    wanted = [c for c in (*_COMPACT_COLUMNS, *sorted(asked)) if c in lines.columns]
    lines = lines.select(wanted)
    number = lines["order_id"].rle_id()
    if lines.height and number[-1] + 1 > lines["order_id"].filter(_first_of(number)).n_unique():
        # Lines of an order stand apart: they go where its first one stands.
        place = pl.col("_place").min().over("order_id")
        lines = lines.with_row_index("_place").with_columns(place)
        lines = lines.sort("_place", maintain_order=True).drop("_place")
        number = lines["order_id"].rle_id()
    return Orders(lines.with_columns(number.set_sorted().alias("order_id")))


def _first_of(run: pl.Series) -> pl.Series:
    return run.ne_missing(run.shift(1))


def _orders(lines: pl.DataFrame, store: str) -> Orders:
    orders = lines.with_columns(pl.lit(store).alias("store"), pl.col("row").alias("source_row"))
    if "line_id" not in orders.columns:
        nth = _places(orders["order_id"]).cast(pl.String)
        line = pl.concat_str("order_id", pl.lit("/"), pl.lit(nth))
        orders = orders.with_columns(line.alias("line_id"))
    if "cancelled_at" in orders.columns:
        # A cancellation that was withdrawn has a date as well.
        cancelled = pl.when(pl.col("status") == "cancelled").then("cancelled_at")
        orders = orders.with_columns(cancelled.alias("cancelled_at"))
    return Orders(conform(orders, ORDERS).sort("ordered_at", "order_id", "line_id"))


def _mentions(frame: pl.DataFrame, at: str | None, *, in_order: bool = False) -> pl.DataFrame:
    """Return what a frame says of people; a customer file without dates is the newest word."""
    when = pl.col(at) if at else pl.lit(None, dtype=INSTANT)
    extra = [c for c in frame.columns if c.startswith(EXTRA)]
    fields = [c for c in _CUSTOMER_COLUMNS if c in frame.columns]
    said = frame.filter(pl.col("person").is_not_null()).select(
        "person", when.alias("at"), pl.lit(in_order).alias("in_order"), *fields, *extra
    )
    # The lines of an order say the same of its buyer, and mostly stand together.
    new = pl.any_horizontal(pl.col(c).ne_missing(pl.col(c).shift(1)) for c in said.columns)
    return said.filter(new | (pl.int_range(pl.len()) == 0))


def _places(order_ids: pl.Series) -> pl.Series:
    """Number the lines of each order from 1."""
    run = order_ids.rle_id()
    if not order_ids.len() or run[-1] + 1 > order_ids.n_unique():
        counted = pl.int_range(1, pl.len() + 1).over("order")
        return pl.DataFrame({"order": order_ids}).select(counted).to_series()
    first = run.ne_missing(run.shift(1)).arg_true()
    return pl.int_range(1, order_ids.len() + 1, eager=True) - first.gather(run)


def _currency(parts: dict[str, list[tuple[Claimed, Lines]]]) -> str | None:
    return next(
        (claim.layout.currency for claim, _ in parts["orders"] if claim.layout.currency), None
    )


def _events(layouts: Sequence[Layout], frames: Sequence[pl.DataFrame]) -> Events:
    found = [pl.DataFrame(schema=dict(EVENTS))]
    for layout, frame in zip(layouts, frames, strict=True):
        named = frame
        if "event" not in frame.columns:
            named = frame.with_columns(pl.lit(layout.event).alias("event"))
        found.append(conform(named, EVENTS))
    return Events(pl.concat(found).sort("occurred_at", maintain_order=True))


def _consents(parts: dict[str, list[tuple[Claimed, Lines]]]) -> Consents:
    found = [pl.DataFrame(schema=dict(CONSENTS))]
    for claim, read in parts["orders"]:
        asked = ["email", "phone", *(f"consent{i}" for i in range(len(claim.layout.consents)))]
        told = [pl.col(c) for c in asked if c in read.frame.columns]
        frame = read.frame.select(pl.col("ordered_at").alias("at"), *told)
        # The lines of an order say the same, and mostly stand together.
        alike, _ = runs(frame, frame.columns)
        found.append(
            people.consents(
                alike, claim.layout.consents, source=claim.layout.layout, refusals=False
            )
        )
    for claim, read in parts["customers"]:
        frame = read.frame.with_columns(pl.lit(None, dtype=INSTANT).alias("at"))
        found.append(
            people.consents(frame, claim.layout.consents, source=claim.layout.layout, refusals=True)
        )
    found += [people.ledger(read.frame) for _, read in parts["consents"]]
    return Consents(pl.concat(found))
