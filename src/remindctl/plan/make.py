"""The pure line from a store's files to a plan: describe the customers, find who is due, decide."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

import polars as pl

from remindctl import audience, segments
from remindctl.audience import Sources
from remindctl.census import census
from remindctl.errors import Place, Refused
from remindctl.frames import (
    COUPONS,
    HISTORY,
    PERSON,
    Coupons,
    History,
    conform,
    empty,
)
from remindctl.plan.content import with_facts, with_messages
from remindctl.plan.coupons import give, no_coupons, without
from remindctl.plan.desk import Desk
from remindctl.plan.value import HELD, MESSAGES, Plan
from remindctl.policy import REASONS, draw_arms, in_reentry, over_caps, permissions
from remindctl.profiles import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from remindctl.frames import Snapshot, Suppressions
    from remindctl.model import Campaign, Coupon, Store
    from remindctl.profiles import Profiles


def describe(snapshot: Snapshot, store: Store, as_of: datetime) -> Profiles:
    """Make the Profiles of a store, with its return curve's due states and its segments.

    Raises:
        Refused: one of the owner's segments is wrong.
    """
    as_of = as_of.astimezone(UTC)
    extra = _extra(snapshot)
    wrong = [
        problem
        for name, expression in store.segments.items()
        for problem in segments.problems(
            expression, Place(f"segment {name}"), extra, segments=False
        )
    ]
    if wrong:
        raise Refused(wrong)
    return census(
        snapshot.orders,
        snapshot.customers,
        as_of,
        zone=store.timezone,
        currency=store.currency,
        custom=store.segments,
    )


def people_concerned(
    campaigns: Sequence[Campaign],
    people: Profiles,
    snapshot: Snapshot,
    store: Store,
    as_of: datetime,
) -> pl.Series:
    """Return the persons whose history and opt-outs a plan of these campaigns needs to know."""
    persons = [pl.Series("person", [], dtype=PERSON)]
    for campaign in campaigns:
        _refuse_audience(campaign, store, snapshot)
        sources = Sources(
            profiles=people,
            orders=snapshot.orders,
            events=snapshot.events,
            coupons=Coupons(empty(COUPONS)),
            history=History(empty(HISTORY)),
            store=store,
            campaign=campaign,
            as_of=as_of.astimezone(UTC),
            known_until=snapshot.known_until,
        )
        persons += [audience.concerned(sources, step) for step in campaign.steps]
    return pl.concat(persons).unique()


def desks_for(
    campaigns: Sequence[Campaign],
    store: Store,
    people: Profiles,
    snapshot: Snapshot,
    as_of: datetime,
    history: History,
    suppressions: Suppressions,
    coupons: Coupons,
) -> list[Desk]:
    """Lay out for each of a store's campaigns what its gates look at, as told at :func:`plan`.

    Raises:
        Refused: an audience is wrong.
    """
    as_of = as_of.astimezone(UTC)
    for campaign in campaigns:
        _refuse_audience(campaign, store, snapshot)
    given = permissions(
        snapshot.consents,
        snapshot.addresses,
        suppressions,
        explicit_sources=store.explicit_consent_sources,
        as_of=as_of,
    )
    return [
        Desk(campaign, store, people, snapshot, history, coupons, given, as_of)
        for campaign in campaigns
    ]


def _refuse_audience(campaign: Campaign, store: Store, snapshot: Snapshot) -> None:
    place = campaign.places.get("audience") or campaign.place or Place(campaign.name)
    wrong = audience.problems(campaign.audience, store.segments, place, _extra(snapshot))
    if wrong:
        raise Refused(wrong)


def plan(
    campaign: Campaign,
    store: Store,
    people: Profiles,
    snapshot: Snapshot,
    history: History,
    suppressions: Suppressions,
    as_of: datetime,
    *,
    coupons: Coupons | None = None,
    limit: int | None = None,
) -> Plan:
    """Decide what a campaign does in a store now.

    Args:
        campaign: checked, with a rule and legs for each step.
        store: its settings and policy.
        people: from :func:`describe`, of the same snapshot and instant.
        snapshot: everything the store's files say.
        history: what the log knows of at least :func:`people_concerned`, and ``Plan.history`` of
            the plans before this one in the same run.
        suppressions: their standing opt-outs.
        as_of: the instant of the run.
        coupons: codes of the store's pools, and whom issued ones went to.
        limit: plan no more than this, longest due first.

    Raises:
        Refused: the audience or a template is wrong, or the store lacks what the law asks for.
    """
    codes = Coupons(empty(COUPONS)) if coupons is None else coupons
    [desk] = desks_for([campaign], store, people, snapshot, as_of, history, suppressions, codes)
    return decide(desk, limit)


def decide(desk: Desk, limit: int | None = None) -> Plan:
    """Decide what the campaign of a desk does; see :func:`plan`."""
    campaign, people = desk.campaign, desk.people
    rows = pl.concat([desk.due(step) for step in campaign.steps], how="diagonal_relaxed")
    messages, held = empty(MESSAGES), empty(HELD)
    if len(rows):
        messages, held = _divided(rows, desk, limit)
    return Plan(
        campaign=campaign,
        store=desk.store,
        as_of=desk.as_of,
        customers=len(people),
        members=people.filter(audience.members(campaign.audience)).height,
        messages=messages,
        held=held,
    )


def _divided(
    rows: pl.DataFrame, desk: Desk, limit: int | None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Divide what is due into messages and what is held."""
    campaign = desk.campaign
    # The sort keeps the order of the steps among equals.
    rows = rows.sort("due_at", "customer_key", maintain_order=True)
    started = rows.with_columns(pl.col("reason").is_not_null().alias("held"))
    again = in_reentry(started, desk.history, campaign, desk.as_of)
    rows = rows.with_columns(
        pl.coalesce("reason", pl.when(again).then(pl.lit("reentry"))).alias("reason"),
        pl.lit(None, dtype=pl.String).alias("detail"),
    )
    rows = _written(rows, desk)
    rows = _behind_content(rows, desk)
    if limit is not None:
        beyond = pl.col("reason").is_null() & (pl.col("reason").is_null().cum_sum() > limit)
        rows = rows.with_columns(
            pl.when(beyond).then(pl.lit("limit")).otherwise("reason").alias("reason")
        )
    planned = rows.filter(pl.col("reason").is_null()).with_columns(pl.col("why").alias("reason"))
    held = rows.filter(pl.col("reason").is_not_null()).with_columns(
        pl.coalesce("detail", pl.col("reason").replace(dict(REASONS))).alias("detail")
    )
    return conform(planned, MESSAGES), conform(held, HELD)


def _behind_content(rows: pl.DataFrame, desk: Desk) -> pl.DataFrame:
    """Pass rows through the gates behind their content: caps, then control group and holdout."""
    drawn = draw_arms(rows, desk.history, desk.campaign, desk.store)
    kept_out = rows["reason"].is_not_null() | drawn["hold"].is_not_null()
    counted = rows.with_columns(kept_out.alias("held"))
    over = over_caps(counted, desk.history, desk.campaign, desk.store, desk.as_of)
    return rows.with_columns(
        drawn["arm"],
        drawn["store_arm"],
        pl.coalesce("reason", pl.when(over).then(pl.lit("cap")), drawn["hold"]).alias("reason"),
    )


def _written(rows: pl.DataFrame, desk: Desk) -> pl.DataFrame:
    """Give every row that nothing holds its facts, its coupon and its message."""
    if any(step.coupon for step in desk.campaign.steps):
        # A code is picked only where nothing else will hold the message.
        rows = rows.with_columns(_behind_content(rows, desk)["reason"].alias("foreseen"))
    rows, coupons, parts = rows.with_row_index("_order"), desk.coupons, []
    for step in desk.campaign.steps:
        part = with_facts(rows.filter(pl.col("step") == step.id), step, desk)
        if step.coupon is None:
            part = part.hstack(no_coupons(part))
        else:
            part = _with_coupons(part, step.coupon, coupons, desk)
            coupons = without(coupons, part)
        parts.append(with_messages(part, step, desk))
    return pl.concat(parts, how="diagonal_relaxed").sort("_order").drop("_order")


def _with_coupons(part: pl.DataFrame, offer: Coupon, coupons: Coupons, desk: Desk) -> pl.DataFrame:
    part = part.with_columns(pl.coalesce("reason", "foreseen").alias("reason"))
    wants = part.with_columns(pl.col("reason").is_null().alias("wants"))
    given = give(wants, offer, coupons, desk.store, desk.as_of)
    return part.hstack(given).with_columns(pl.coalesce("reason", "coupon_hold").alias("reason"))


def _extra(snapshot: Snapshot) -> list[str]:
    return [name for name in snapshot.customers.columns if name not in COLUMNS]
