"""Which customers ``customers`` shows, how sorted, and with which columns."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import polars as pl

from remindctl import segments
from remindctl.census import census
from remindctl.documents import did_you_mean
from remindctl.errors import Place, Problem, Refused
from remindctl.movement import balance, movement
from remindctl.profiles import COLUMNS, Profiles, end_of
from remindctl.report.customers import Listing, masked
from remindctl.rfm import ENOUGH_CUSTOMERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from remindctl.cli.jobs import Job
    from remindctl.frames import Customers, Orders
    from remindctl.stores.load import Loaded

MOVED = ("entered", "left")


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What was asked for.

    Attributes:
        segments, due: any of these; empty = all.
        where: an SQL condition over Profiles.
        columns: what to show, in this order.
        sort: columns to sort by; one that begins with ``-`` from the largest down.
        since: only who has changed segments since that day.
    """

    segments: tuple[str, ...]
    due: tuple[str, ...]
    where: str | None
    columns: tuple[str, ...]
    sort: tuple[str, ...]
    limit: int | None
    since: date | None
    show_contacts: bool


@dataclass(frozen=True, slots=True)
class _Store:
    """A store as far as a census needs it, configured or not."""

    name: str
    orders: Orders
    customers: Customers
    zone: str | None
    currency: str
    custom: Mapping[str, str]
    places: Mapping[str, Place]
    foreign: int

    def on(self, day: date) -> Profiles:
        return census(
            self.orders,
            self.customers,
            end_of(day, self.zone),
            zone=self.zone,
            currency=self.currency,
            custom=self.custom,
        )


def look(job: Job, loaded: Loaded, day: date | None, wanted: Selection) -> Listing:
    """Describe the customers of a store and choose those to show.

    Args:
        job: the store.
        loaded: its files, not compact.
        day: to look from; None = that of the last order.
        wanted: with columns.

    Raises:
        Refused: with everything that is wrong with the selection or the store's own segments.
    """
    store, as_of = _store(job, loaded), day or loaded.last_day()
    problems = _problems(store, wanted, as_of)
    if problems:
        raise Refused(problems)
    people: pl.DataFrame = store.on(as_of)
    total, moves = len(people), None
    if wanted.since is not None:
        before, now = store.on(wanted.since), Profiles(people)
        moves = balance(before, now)
        people = people.hstack(movement(before, now).select(MOVED))
    forecast = people["p_none_90d"].count() > 0
    people = _chosen(people, wanted)
    shown = people.head(wanted.limit) if wanted.limit is not None else people
    shown = shown.select(wanted.columns)
    return Listing(
        store=store.name,
        as_of=as_of,
        people=shown if wanted.show_contacts else masked(shown),
        found=len(people),
        total=total,
        currency=store.currency,
        zone=store.zone,
        since=wanted.since,
        balance=moves,
        notes=_notes(store, total, forecast=forecast),
    )


def _store(job: Job, loaded: Loaded) -> _Store:
    snapshot = loaded.snapshot
    if job.configured is not None:
        of, places = job.configured.store, job.configured.segment_places
        return _Store(
            of.key, snapshot.orders, snapshot.customers, of.timezone, of.currency, of.segments,
            places, 0,
        )  # fmt: skip
    orders, currency, foreign = loaded.in_main_currency()
    return _Store(
        job.name or loaded.store, orders, snapshot.customers, loaded.zone, currency or "", {}, {},
        foreign,
    )  # fmt: skip


def _problems(store: _Store, wanted: Selection, as_of: date) -> list[Problem]:
    extra = [name for name in store.customers.columns if name not in COLUMNS]
    shown = [*(name for name in COLUMNS if name != "person"), "segment", "segments", *extra]
    shown += MOVED if wanted.since else ()
    found = list(
        chain.from_iterable(
            segments.problems(
                text, store.places.get(name, Place(f"segment {name}")), extra, segments=False
            )
            for name, text in store.custom.items()
        )
    )
    if wanted.where is not None:
        found += segments.problems(wanted.where, Place("--where"), extra)
    names = (*segments.BUILT_IN, *store.custom)
    hint = f"the segments are: {', '.join(names)}; and tag:NAME"
    found += [
        Problem(Place("--segment"), f"no segment {name!r}", did_you_mean(name, names) or hint)
        for name in wanted.segments
        if not segments.is_segment(name, store.custom)
    ]
    sorted_by = [name.removeprefix("-") for name in wanted.sort]
    for option, columns in (("--columns", wanted.columns), ("--sort", sorted_by)):
        hint = f"the columns are: {', '.join(shown)}"
        found += [
            Problem(Place(option), f"no column {name!r}", did_you_mean(name, shown) or hint)
            for name in columns
            if name not in shown
        ]
    if len(set(wanted.columns)) < len(wanted.columns):
        found.append(Problem(Place("--columns"), "names a column twice", "name each once"))
    if wanted.since is not None and wanted.since >= as_of:
        what = f"{wanted.since} is not before {as_of}, the day that is looked from"
        found.append(Problem(Place("--since"), what, "give an earlier day, or a later --as-of"))
    return found


def _chosen(people: pl.DataFrame, wanted: Selection) -> pl.DataFrame:
    conditions = []
    if wanted.since is not None:
        conditions.append(pl.any_horizontal(pl.col(name).list.len() > 0 for name in MOVED))
    if wanted.segments:
        where = MOVED if wanted.since is not None else ("segments",)
        conditions.append(
            pl.any_horizontal(
                pl.col(name).list.contains(segment) for name in where for segment in wanted.segments
            )
        )
    if wanted.due:
        conditions.append(pl.col("due_state").is_in(wanted.due))
    if wanted.where is not None:
        conditions.append(pl.sql_expr(wanted.where))
    for condition in conditions:
        people = people.filter(condition.fill_null(value=False))
    by = [name.removeprefix("-") for name in wanted.sort]
    down = [name.startswith("-") for name in wanted.sort]
    # The key decides between equals, so that the rows of the files do not.
    return people.sort(
        [*(_sortable(people, name) for name in by), pl.col("customer_key")],
        descending=[*down, False],
        nulls_last=True,
    )


def _sortable(people: pl.DataFrame, name: str) -> pl.Expr:
    # Lists cannot be compared; their text can.
    is_list = isinstance(people.schema[name], pl.List)
    return pl.col(name).list.join(" ") if is_list else pl.col(name)


def _notes(store: _Store, customers: int, *, forecast: bool) -> Sequence[str]:
    notes = []
    if customers < ENOUGH_CUSTOMERS:
        notes.append(
            f"scores and deciles compare {customers} customers only: below {ENOUGH_CUSTOMERS}, "
            "a few new ones move everybody's"
        )
    if not forecast:
        notes.append("too little data to forecast single customers: `analyze` says what is missing")
    if store.orders["amount"].null_count() == len(store.orders):
        notes.append("the files have no amounts: nobody has spent anything")
    if store.foreign:
        what = f"{store.foreign} lines are not in {store.currency}"
        notes.append(f"{what}: they count as purchases, not as money")
    return tuple(notes)
