"""One campaign at one instant: its due occasions, each through the gates, then its message."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

import polars as pl

from remindctl.audience import Sources, all_occasions, occasions, schedule
from remindctl.frames import INSTANT
from remindctl.hours import exactly
from remindctl.model import FAMILY, Channel, Family, keys_of
from remindctl.plan.words import why
from remindctl.policy import (
    ENDS,
    choose_legs,
    choose_variants,
    met,
    openings,
    progress,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from remindctl.frames import Coupons, History, Snapshot
    from remindctl.hours import Opening
    from remindctl.model import Campaign, Leg, Step, Store, Variant
    from remindctl.policy import Permissions
    from remindctl.profiles import Profiles

# A channel that no provider serves is written to a local file; what is shown on the shop's own
# pages, to the file that these read.
OUTBOX, FEED = "outbox", "feed"

# What the gates look at, in their order; the first that holds is the reason.
_GATES: Mapping[str, str] = {
    "never_open": "never_open",
    "skipped": "night",
    "too_late": "too_late",
    "over": "occasion_over",
    "short": "orders_older_than_anchor",
    "closed": "not_open_now",
    "already": "already",
    "unmet": "condition",
}


@dataclass(frozen=True)
class Desk:
    """Everything that the gates of one campaign, store and instant look at.

    Attributes:
        given: what the people allow.
        coupons: free and issued codes.
        only: the one person whose occasions are looked at; None = everyone's.
    """

    campaign: Campaign
    store: Store
    people: Profiles
    snapshot: Snapshot
    history: History
    coupons: Coupons
    given: Permissions
    as_of: datetime
    only: int | None = None

    @cached_property
    def sources(self) -> Sources:
        """What anchors are found in."""
        return Sources(
            profiles=self.people,
            orders=self.snapshot.orders,
            events=self.snapshot.events,
            coupons=self.coupons,
            history=self.history,
            store=self.store,
            campaign=self.campaign,
            as_of=self.as_of,
            known_until=self.snapshot.known_until,
            only=self.only,
        )

    @cached_property
    def _whom(self) -> pl.DataFrame:
        """What a row tells of its person; of several push tokens or accounts the last."""
        whom = self.people.select(
            "person", "customer_key", "name", "phone", "email", "last_at", "country", "segments"
        )
        for kind in ("push_token", "shop_id"):
            known = self.snapshot.addresses.filter(pl.col("kind") == kind)
            last = known.group_by("person").agg(pl.col("value").last().alias(kind))
            whom = whom.join(last, on="person", how="left", maintain_order="left")
        return whom

    def due(self, step: Step) -> pl.DataFrame:
        """Find the due occasions of a step and pass them through the gates before its content.

        Returns:
            one row per due occasion: what ``audience.occasions`` tells of it, the chosen variant
            and leg, ``reason`` (null where nothing holds it), ``why`` it is due, and a Boolean
            column for each gate. Where nothing is due, at least ``reason``.
        """
        found = occasions(self.sources, step, details=_tells_details(step))
        if found.is_empty():
            # Mostly so, and the gates would put a hundred queries to nothing.
            return found.with_columns(pl.lit(None, dtype=pl.String).alias("reason"))
        return self.gated(step, found, keep=False)

    def any_time(self, step: Step) -> pl.DataFrame:
        """Do as :meth:`due` for every occasion there is, past and to come.

        Returns:
            its columns, and ``not_yet`` and ``expired``, which come before any other reason.
        """
        return self.gated(step, all_occasions(self.sources, step), keep=True)

    def own_legs(self, variant: Variant) -> tuple[Leg, ...]:
        """Return the legs that are ours to send, in order.

        Where a provider falls back to a text by itself, the text that comes next in the chain goes
        along with the message, and nothing behind it is ours.
        """
        ends = (i for i in range(len(variant.legs)) if self.text_behind(variant, i) is not None)
        return variant.legs[: next(ends, len(variant.legs)) + 1]

    def text_behind(self, variant: Variant, index: int) -> Leg | None:
        """Return the leg that a leg's provider sends by itself, if it does."""
        behind = variant.legs[index + 1 : index + 2]
        if variant.legs[index].channel not in self.store.falls_back or not behind:
            return None
        return behind[0] if FAMILY[behind[0].channel] is Family.TEXT else None

    def providers(self, legs: Iterable[Leg]) -> list[str]:
        """Name the provider of each leg."""
        fallback = {Channel.ONSITE: FEED}
        return [
            self.store.providers.get(leg.channel, fallback.get(leg.channel, OUTBOX)) for leg in legs
        ]

    def gated(self, step: Step, found: pl.DataFrame, *, keep: bool) -> pl.DataFrame:
        """Pass occasions through the gates; ``keep`` those too whose time it is not."""
        rows = self._named(step, found)
        rows = rows.with_columns(
            choose_variants(rows, step, self.history, self.store, self.campaign).alias("variant")
        )
        parts = [self._of_variant(step, variant, rows, keep=keep) for variant in step.variants]
        ids = [variant.id for variant in step.variants]
        if None not in ids:
            nobody = rows.filter(pl.col("variant").is_null() | ~pl.col("variant").is_in(ids))
            parts.append(_held_at_once(self._of_variant(step, None, nobody, keep=keep)))
        rows = pl.concat(parts, how="diagonal_relaxed")
        rows = rows.with_columns(
            self._met(rows, step).not_().alias("unmet"),
            (~pl.col("open_now")).alias("closed"),
            self._data_is_short(step).alias("short"),
        )
        first = [_when("not_yet"), _when("expired")] if keep else []
        return rows.with_columns(
            pl.coalesce(
                *first, "hold", *(_when(column, code) for column, code in _GATES.items())
            ).alias("reason"),
            why(step.due, self.store.timezone).alias("why"),
        )

    def _named(self, step: Step, found: pl.DataFrame) -> pl.DataFrame:
        rows = found.join(self._whom, on="person", how="left", maintain_order="left")
        store, campaign = self.store.key, self.campaign.name
        ids = rows["occasion"].to_list()
        several = pl.col("country").fill_null(self.store.country).is_in(list(ENDS))
        guessed = pl.when(several).then(pl.lit("strictest")).otherwise(pl.lit("store"))
        return rows.with_columns(
            pl.Series("key", keys_of((store, campaign, step.id), ids), dtype=pl.String),
            pl.Series("entry", keys_of((store, campaign), ids), dtype=pl.String),
            pl.lit(store).alias("store"),
            pl.lit(campaign).alias("campaign"),
            pl.lit(step.id).alias("step"),
            pl.when("zone_known").then("zone_source").otherwise(guessed).alias("zone_source"),
        )

    def _of_variant(
        self, step: Step, variant: Variant | None, rows: pl.DataFrame, *, keep: bool
    ) -> pl.DataFrame:
        """Choose the leg of each row of one variant, and say whether its time has come."""
        legs = self.own_legs(variant or step.variants[0])
        if variant is not None and variant.id is not None:
            rows = rows.filter(pl.col("variant") == variant.id)
        past = progress(rows, self.history, len(legs), step.fallback_within, self.as_of)
        rows = rows.hstack(past.select("from_leg", "already"))
        rows = rows.hstack(
            choose_legs(rows, legs, self.campaign, self.store, self.given, self.as_of)
        )
        channels = {
            "leg": range(len(legs)),
            "channel": [str(leg.channel) for leg in legs],
            "provider": self.providers(legs),
        }
        rows = rows.join(
            pl.DataFrame(channels, schema_overrides={"leg": pl.UInt8}),
            on="leg",
            how="left",
            maintain_order="left",
        )
        hours = ["leg", "night", "zone_known", "country"]
        parts = [
            schedule(part, step.due, self._hours(legs, *group), self.as_of, keep=keep)
            for group, part in rows.partition_by(hours, as_dict=True, maintain_order=True).items()
        ]
        return pl.concat(parts) if parts else schedule(rows, step.due, (), self.as_of, keep=keep)

    def _hours(
        self,
        legs: Sequence[Leg],
        leg: int,
        night: bool,  # noqa: FBT001 (the values of a group)
        zone_known: bool,  # noqa: FBT001 (the values of a group)
        country: str | None,
    ) -> tuple[Opening, ...]:
        return openings(
            self.store, legs[leg].channel, self.campaign.purpose,
            night=night, zone_known=zone_known, country=country,
        )  # fmt: skip

    def _met(self, rows: pl.DataFrame, step: Step) -> pl.Series:
        if step.condition is None:
            return pl.repeat(value=True, n=len(rows), eager=True)
        return met(rows, self.history, step.condition, self.campaign)

    def _data_is_short(self, step: Step) -> pl.Expr:
        """Say whether an order before the wanted instant may be missing from the order files."""
        if step.due.until != "order":
            return pl.lit(value=False)
        until = self.snapshot.known_until["orders"]
        if self.campaign.data_age is not None:
            until += exactly(self.campaign.data_age)
        return pl.col("wanted_at") > pl.lit(until, dtype=INSTANT)


def _held_at_once(rows: pl.DataFrame) -> pl.DataFrame:
    """Hold whoever no variant is for."""
    return rows.with_columns(pl.lit("no_variant").alias("hold"))


def _tells_details(step: Step) -> bool:
    """Say whether a text may tell more of an occasion than that it is one."""
    if step.facts or step.due.after.startswith("coupon_"):
        return True
    templates = chain(*(_templates(leg) for leg in step.legs))
    return any("anchor" in template for template in templates if template)


def _templates(leg: Leg) -> Iterator[str | None]:
    yield from (leg.text, leg.subject, leg.html, leg.layout, leg.url)
    yield from leg.variables.values()
    yield from (button.url for button in leg.buttons)
    if leg.coupon:
        yield from (leg.coupon.title, leg.coupon.description, leg.coupon.url)


def _when(column: str, code: str | None = None) -> pl.Expr:
    return pl.when(pl.col(column)).then(pl.lit(code or column))
