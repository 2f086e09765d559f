"""One step of a campaign: its due occasions, each through the gates up to its content."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import polars as pl

from remindctl.audience import Sources, occasions, schedule
from remindctl.frames import MONEY
from remindctl.model import Span, key_of
from remindctl.policy import choose_legs, in_reentry, openings, progress
from remindctl.render import RenderProblem, compile_leg

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from remindctl.frames import History, Snapshot
    from remindctl.hours import Opening
    from remindctl.model import Campaign, Due, Step, Store
    from remindctl.policy import Permissions
    from remindctl.profiles import Profiles

# A channel that no provider serves is written to a local file.
OUTBOX = "outbox"

_CONTENT: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "subject": pl.String,
    "text": pl.String,
    "html": pl.String,
    "parts": pl.UInt32,
    "problem": pl.String,
    "problem_detail": pl.String,
}


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything that the gates of one campaign, store and instant look at."""

    campaign: Campaign
    store: Store
    people: Profiles
    snapshot: Snapshot
    history: History
    given: Permissions
    as_of: datetime

    def due(self, step: Step) -> pl.DataFrame:
        """Find the due occasions of a step and pass them through every gate of their own.

        Returns:
            one row per due occasion, with the columns of ``Plan.messages``; ``reason`` is null
            where nothing holds it, ``why`` says why it is due, ``detail`` more about the reason.
        """
        rows = self._occasions(step)
        rows = rows.hstack(progress(rows, self.history, step, self.as_of))
        rows = rows.hstack(
            choose_legs(rows, step, self.campaign.purpose, self.store, self.given, self.as_of)
        )
        rows = self._on_time(rows, step)
        rows = rows.with_columns(
            in_reentry(rows, self.history, self.campaign, self.as_of).alias("reentry"),
            self._data_is_short(step.due).alias("short"),
        )
        rows = rows.with_columns(
            pl.coalesce(
                "hold",
                _when("never_open"),
                _when("skipped", "night"),
                _when("too_late"),
                _when("over", "occasion_over"),
                _when("short", "orders_older_than_anchor"),
                pl.when(~pl.col("open_now")).then(pl.lit("not_open_now")),
                _when("already"),
                _when("reentry"),
            ).alias("reason"),
            _why(step.due, ZoneInfo(self.store.timezone)).alias("why"),
        )
        return self._with_content(rows, step)

    def _occasions(self, step: Step) -> pl.DataFrame:
        sources = Sources(
            profiles=self.people,
            events=self.snapshot.events,
            zone=self.store.timezone,
            as_of=self.as_of,
        )
        tokens = (
            self.snapshot.addresses.filter(pl.col("kind") == "push_token")
            .group_by("person")
            .agg(pl.col("value").last().alias("push_token"))
        )
        whom = self.people.select("person", "customer_key", "name", "phone", "email", "last_at")
        found = (
            occasions(sources, self.campaign.audience, step.due)
            .join(whom, on="person", how="left", maintain_order="left")
            .join(tokens, on="person", how="left", maintain_order="left")
        )
        store, campaign = self.store.key, self.campaign.name
        return found.with_columns(
            _hashed("key", (key_of(store, campaign, step.id, one) for one in found["occasion"])),
            _hashed("entry", (key_of(store, campaign, one) for one in found["occasion"])),
            pl.lit(store).alias("store"),
            pl.lit(campaign).alias("campaign"),
            pl.lit(step.id).alias("step"),
        )

    def _on_time(self, rows: pl.DataFrame, step: Step) -> pl.DataFrame:
        """Keep the rows whose time it is, by the hours of the channel that each is to take."""
        channels = [str(leg.channel) for leg in step.legs]
        providers = [self.store.providers.get(leg.channel, OUTBOX) for leg in step.legs]
        legs = {"leg": range(len(channels)), "channel": channels, "provider": providers}
        rows = rows.join(
            pl.DataFrame(legs, schema_overrides={"leg": pl.UInt8}),
            on="leg",
            how="left",
            maintain_order="left",
        )
        hours = ["leg", "night", "zone_known"]
        parts = [
            schedule(part, step.due, self._hours(step, *group), self.as_of)
            for group, part in sorted(rows.partition_by(hours, as_dict=True).items())
        ]
        return pl.concat(parts) if parts else schedule(rows, step.due, (), self.as_of)

    def _hours(self, step: Step, leg: int, night: bool, zone_known: bool) -> tuple[Opening, ...]:  # noqa: FBT001 (the values of a group)
        channel, purpose = step.legs[leg].channel, self.campaign.purpose
        return openings(self.store, channel, purpose, night=night, zone_known=zone_known)

    def _data_is_short(self, due: Due) -> pl.Expr:
        """Say whether an order before the wanted instant may be missing from the order files."""
        if due.until != "order":
            return pl.lit(value=False)
        return pl.col("wanted_at") > self.snapshot.known_until["orders"]

    def _with_content(self, rows: pl.DataFrame, step: Step) -> pl.DataFrame:
        rows = rows.with_row_index("_row")
        made = [
            self._render(
                rows.filter(pl.col("reason").is_null(), pl.col("leg") == index), step, index
            )
            for index in range(len(step.legs))
        ]
        rows = rows.join(pl.concat(made), on="_row", how="left", maintain_order="left").drop("_row")
        prices = {
            str(leg.channel): self.store.prices.get(leg.channel, Decimal(0)) for leg in step.legs
        }
        price = pl.col("channel").replace_strict(prices, default=None, return_dtype=MONEY)
        return rows.with_columns(
            pl.coalesce("reason", "problem").alias("reason"),
            pl.col("problem_detail").alias("detail"),
            (price * pl.col("parts")).cast(MONEY).alias("cost"),
        )

    def _render(self, rows: pl.DataFrame, step: Step, index: int) -> pl.DataFrame:
        leg = compile_leg(step.legs[index], self.store, self.campaign.purpose)
        columns = [name for name in self.people.columns if name in leg.names or name == "person"]
        at = pl.col("anchor_at").dt.convert_time_zone(self.store.timezone)
        anchor = pl.struct(pl.col("occasion").alias("id"), at.alias("at"), at.dt.date().alias("on"))
        values = rows.select("person", anchor.alias("anchor")).join(
            self.people.select(columns), on="person", how="left", maintain_order="left"
        )
        made = [
            (None, None, None, None, one.reason, one.what)
            if isinstance(one, RenderProblem)
            else (one.subject, one.text, one.html, one.parts, None, None)
            for one in leg.render(values.iter_rows(named=True))
        ]
        return rows.select("_row").hstack(pl.DataFrame(made, schema=dict(_CONTENT), orient="row"))


def _when(column: str, code: str | None = None) -> pl.Expr:
    return pl.when(pl.col(column)).then(pl.lit(code or column))


def _hashed(name: str, values: Iterable[str]) -> pl.Series:
    return pl.Series(name, list(values), dtype=pl.String)


def _why(due: Due, zone: ZoneInfo) -> pl.Expr:
    """Say in words why an occasion is due: ``30 days after last_order (2026-09-30)``."""
    on = pl.col("anchor_at").dt.convert_time_zone(zone.key).dt.strftime("%Y-%m-%d")
    wait = due.wait
    if not isinstance(wait, Span):
        return pl.concat_str(pl.lit(f"{wait} after {due.after} ("), on, pl.lit(")"))
    before = wait.days < 0 or wait.seconds < 0
    side = "before" if before else "after"
    length = Span(-wait.days, -wait.seconds) if before else wait
    words = f"{length} {side}" if length.days or length.seconds else "on"
    return pl.concat_str(pl.lit(f"{words} {due.after} ("), on, pl.lit(")"))
