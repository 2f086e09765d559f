"""What real data show to be wrong with campaigns, before anything is sent."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from remindctl import audience
from remindctl.audience import wait_problems
from remindctl.errors import Place, Problem, Refused
from remindctl.frames import INSTANT
from remindctl.hours import exactly
from remindctl.model import Purpose
from remindctl.plan.sample import sample

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from remindctl.model import Campaign, Leg, Span, Step
    from remindctl.plan.desk import Desk

# Different reasons for which the messages of one leg cannot be made; more are rarely read.
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Longest:
    """The longest message of a leg over the people it is for, labels included.

    Attributes:
        units: its length in ``encoding``: CP949 bytes, GSM-7 septets, UTF-16 units.
        parts: as how many messages it is billed.
        people: how many messages were made to find it.
    """

    step: str
    variant: str | None
    channel: str
    encoding: str
    units: int
    parts: int
    people: int


def inspect(desk: Desk) -> tuple[list[Problem], list[Longest]]:
    """Make every message of a campaign for the people it is for, and say what goes wrong.

    What no customer would get is a problem; what some would not get is a warning.

    Args:
        desk: the campaign, store and instant.

    Returns:
        problems and warnings in the order of the file, and the longest message of each leg.
    """
    found, longest = list(_nobody(desk)), list[Longest]()
    for step in desk.campaign.steps:
        unreached = wait_problems(desk.sources, step)
        found += unreached
        if unreached:
            continue
        occasions = desk.any_time(step)
        found += _never(desk, step, occasions)
        found += _pool(desk, step)
        try:
            rows = sample(desk, step, occasions)
        except Refused as refused:
            # The campaign's own check says the same, with the place in the file.
            found += [each for each in refused.problems if each.place.path]
            continue
        for variant in step.variants:
            of_variant = pl.lit(value=True)
            if variant.id is not None:
                of_variant = pl.col("variant") == variant.id
            for index, leg in enumerate(variant.legs):
                made = rows.filter(of_variant, pl.col("leg") == index)
                found += _unmade(desk.campaign, step, leg, made)
                longest += _longest(step, variant.id, leg, made)
    return found, longest


def collisions(desks: Sequence[Desk], horizon: Span) -> list[Problem]:
    """Say which advertising campaigns of one store are due for the same people on the same day.

    Args:
        desks: of the campaigns of one store, at one instant, the one with priority first.
        horizon: how far to look ahead.

    Returns:
        one warning per campaign that meets one before it, at that campaign.
    """
    found, before = [], list[tuple[str, pl.DataFrame]]()
    for desk in desks:
        if desk.campaign.purpose is not Purpose.ADVERTISING:
            continue
        days = _days(desk, horizon)
        met = {name: days.join(other, on=["person", "on"]) for name, other in before}
        before.append((desk.campaign.name, days))
        both = pl.concat([days.clear(), *met.values()])
        if both.is_empty():
            continue
        counts = Counter({name: rows["person"].n_unique() for name, rows in met.items()})
        named = [f"{name} ({n:,})" for name, n in counts.most_common(_SHOWN) if n]
        rest = sum(bool(n) for n in counts.values()) - len(named)
        what = (
            f"{both['person'].n_unique():,} people of {desk.campaign.name} are due for another"
            f" campaign of {desk.store.key} on the same day within {horizon}, first on"
            f" {both['on'].min()!s}: {', '.join(named)}{f' and {rest} more' if rest > 0 else ''}"
        )
        hint = "set `priority`, cap what one person gets (policy.caps), or part the audiences"
        place = desk.campaign.place or Place()
        found.append(Problem(place, what, hint, warning=True))
    return found


def _days(desk: Desk, horizon: Span) -> pl.DataFrame:
    until = pl.lit(desk.as_of, dtype=INSTANT) + exactly(horizon)
    on = pl.col("due_at").dt.convert_time_zone(desk.store.timezone).dt.date()
    parts = [
        desk.any_time(step)
        .filter(
            pl.col("hold").is_null(),
            ~pl.col("over"),
            ~pl.col("expired"),
            ~pl.col("already"),
            pl.col("due_at") <= until,
        )
        # What is due and open already goes out with today's messages.
        .select("person", pl.max_horizontal(on, pl.lit(desk.as_of.date())).alias("on"))
        for step in desk.campaign.steps
    ]
    return pl.concat(parts).unique()


def _nobody(desk: Desk) -> Iterator[Problem]:
    if desk.people.filter(audience.members(desk.campaign.audience)).is_empty():
        place = desk.campaign.places.get("audience") or desk.campaign.place or Place()
        what = f"nobody of {len(desk.people):,} customers of {desk.store.key} is in the audience"
        hint = "remindctl customers shows who is in which segment"
        yield Problem(place, what, hint, warning=True)


def _never(desk: Desk, step: Step, rows: pl.DataFrame) -> Iterator[Problem]:
    place = step.places.get("due") or desk.campaign.place or Place()
    if rows.is_empty():
        what = f"no one of {desk.store.key} has a `{step.due.after}` to count from"
        yield Problem(place, what, "see which files the store names under `sources`", warning=True)
        return
    for column, what, hint in (
        ("never_open", "the hours of the step and of its channel never meet", "widen `at`"),
        ("too_late", "every due time is moved further than `max_delay` allows", "raise it"),
        ("skipped", "every due time is in closed hours, and the step skips those", "night: defer"),
    ):
        if rows[column].all():
            yield Problem(place, f"can never be due: {what}", hint)


def _pool(desk: Desk, step: Step) -> Iterator[Problem]:
    if step.coupon is None or step.coupon.pool is None:
        return
    place = step.places.get("coupon") or desk.campaign.place or Place()
    pool = desk.coupons.filter(pl.col("pool") == step.coupon.pool)
    if pool.is_empty():
        what = f"{desk.store.key} has no code in a coupon pool `{step.coupon.pool}`"
        named = ", ".join(map(str, desk.coupons["pool"].drop_nulls().unique().sort()))
        hint = f"put codes into a file that `sources.coupons` names, {step.coupon.pool}.csv"
        yield Problem(place, what, f"{hint}; there is {named}" if named else hint)
        return
    free = pool["key"].null_count()
    due = desk.due(step).filter(pl.col("reason").is_null()).height
    if free < due:
        what = f"the pool `{step.coupon.pool}` has {free:,} free codes for {due:,} messages due now"
        yield Problem(place, what, "add codes to its file")
    if desk.snapshot.orders["discount_code"].null_count() == desk.snapshot.orders.height:
        what = f"the orders of {desk.store.key} name no discount codes"
        hint = "any order after a coupon was given out ends its reminders"
        yield Problem(Place(f"store {desk.store.key}"), what, hint, warning=True)


def _unmade(campaign: Campaign, step: Step, leg: Leg, made: pl.DataFrame) -> Iterator[Problem]:
    place = leg.places.get("text") or leg.places.get("channel") or campaign.place or Place()
    failed = made.filter(pl.col("reason") == "content")
    for detail, count in Counter(failed["detail"]).most_common(_SHOWN):
        everyone = count == made.height
        what = f"{step.id}, {leg.channel}: {detail} ({count:,} of {made.height:,} customers)"
        hint = 'give a word for it, {{ first_name | default("…") }}' if "is empty" in detail else ""
        yield Problem(place, what, hint or "see remindctl preview", warning=not everyone)


def _longest(step: Step, variant: str | None, leg: Leg, made: pl.DataFrame) -> Iterator[Longest]:
    done = made.filter(pl.col("text").is_not_null())
    if done.is_empty():
        return
    [row] = done.sort("parts", "units", descending=True).head(1).to_dicts()
    yield Longest(
        step.id, variant, str(leg.channel), row["encoding"], row["units"], row["parts"], done.height
    )
