"""The pure line from a store's files to a plan: describe the customers, find who is due, decide."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

import polars as pl

from remindctl import audience, segments
from remindctl.audience import Sources, occasions
from remindctl.census import census
from remindctl.errors import Place, Refused
from remindctl.frames import PERSON, conform
from remindctl.plan.step import Desk
from remindctl.plan.value import HELD, MESSAGES, Plan
from remindctl.policy import REASONS, draw_arms, over_caps, permissions
from remindctl.profiles import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from remindctl.frames import History, Snapshot, Suppressions
    from remindctl.model import Campaign, Store
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
    as_of = as_of.astimezone(UTC)
    sources = Sources(profiles=people, events=snapshot.events, zone=store.timezone, as_of=as_of)
    persons = [
        occasions(sources, campaign.audience, step.due)["person"]
        for campaign in campaigns
        for step in campaign.steps
    ]
    return pl.concat(persons).unique() if persons else pl.Series("person", [], dtype=PERSON)


def plan(
    campaign: Campaign,
    store: Store,
    people: Profiles,
    snapshot: Snapshot,
    history: History,
    suppressions: Suppressions,
    as_of: datetime,
    *,
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
        limit: plan no more than this, longest due first.

    Raises:
        Refused: the audience or a template is wrong, or the store lacks what the law asks for.
    """
    as_of = as_of.astimezone(UTC)
    place = campaign.place or Place(campaign.name)
    wrong = audience.problems(campaign.audience, store.segments, place, _extra(snapshot))
    if wrong:
        raise Refused(wrong)
    given = permissions(
        snapshot.consents,
        snapshot.addresses,
        suppressions,
        explicit_sources=store.explicit_consent_sources,
        as_of=as_of,
    )
    desk = Desk(campaign, store, people, snapshot, history, given, as_of)
    # The sort keeps the order of the steps among equals.
    rows = pl.concat([desk.due(step) for step in campaign.steps]).sort(
        "due_at", "customer_key", maintain_order=True
    )
    drawn = draw_arms(rows, history, campaign, store)
    kept_out = rows["reason"].is_not_null() | drawn["hold"].is_not_null()
    over = over_caps(rows.with_columns(kept_out.alias("held")), history, campaign, store, as_of)
    rows = rows.with_columns(
        drawn["arm"],
        drawn["store_arm"],
        pl.coalesce("reason", pl.when(over).then(pl.lit("cap")), drawn["hold"]).alias("reason"),
    )
    if limit is not None:
        beyond = pl.col("reason").is_null() & (pl.col("reason").is_null().cum_sum() > limit)
        rows = rows.with_columns(
            pl.when(beyond).then(pl.lit("limit")).otherwise("reason").alias("reason")
        )
    planned = rows.filter(pl.col("reason").is_null()).with_columns(pl.col("why").alias("reason"))
    held = rows.filter(pl.col("reason").is_not_null()).with_columns(
        pl.coalesce("detail", pl.col("reason").replace(dict(REASONS))).alias("detail")
    )
    return Plan(
        campaign=campaign,
        store=store,
        as_of=as_of,
        messages=conform(planned, MESSAGES),
        held=conform(held, HELD),
    )


def _extra(snapshot: Snapshot) -> list[str]:
    return [name for name in snapshot.customers.columns if name not in COLUMNS]
