"""From a plan and what was rendered for its audience to what a preview shows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl

from remindctl.errors import Place, Problem
from remindctl.model import FAMILY, Channel, Family
from remindctl.plan import INVENTED
from remindctl.policy import REASONS
from remindctl.render.filters import mask
from remindctl.render.limits import ALIMTALK_CHARACTERS, BRAND_FORMS, KOREAN_BYTES, PUSH_BYTES
from remindctl.report.preview.choose import choose, choose_held
from remindctl.report.preview.shown import Preview, Shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from remindctl.plan import Plan

# Family → the column of the address its messages go to.
_ADDRESS: Mapping[Family, str] = {
    Family.TEXT: "phone",
    Family.KAKAO: "phone",
    Family.EMAIL: "email",
    Family.PUSH: "push_token",
    Family.ONSITE: "shop_id",
}


def preview(plan: Plan, rendered: pl.DataFrame, people: pl.DataFrame, n: int) -> Preview:
    """Choose what to look at, and tell of it with names and addresses masked.

    Args:
        plan: what the campaign does now.
        rendered: what ``plan.sample`` made of each of its steps, one after another.
        people: Profiles (person, segment).
        n: how many make the sample of a step.
    """
    # A pool need not hold codes for those whose time is yet to come, or over.
    spent = (pl.col("reason") == "coupon_pool_empty") & pl.col("held_by").is_not_null()
    held = plan.held.select("key", "person", pl.col("reason").alias("_held_by"))
    rows = (
        rendered.filter(~spent.fill_null(value=False))
        .join(held, on=["key", "person"], how="left", maintain_order="left")
        .with_columns(pl.coalesce("held_by", "_held_by").alias("held_by"))
    )
    made = choose(rows.filter(pl.col("reason").is_null()), people, n)
    unmade = choose_held(rows.filter(pl.col("reason").is_not_null()))
    return Preview(
        campaign=plan.campaign.name,
        purpose=plan.campaign.purpose,
        store=plan.store,
        as_of=plan.as_of,
        planned=len(plan.messages),
        held=len(plan.held),
        notes=tuple(_notes(plan, rows)),
        messages=tuple(
            _shown(row, plan)
            for frame in (made, unmade)
            for row in frame.iter_rows(named=True)
        ),
    )  # fmt: skip


def _notes(plan: Plan, rows: pl.DataFrame) -> Iterator[str]:
    """Say of which steps what is shown is not what goes out now."""
    if not plan.members:
        yield "The audience is empty: there is nobody to show a message to."
        return
    steps = [step.id for step in plan.campaign.steps]
    going = set(plan.messages["step"])
    invented = rows["occasion"] == INVENTED
    known = set(rows.filter(~invented)["step"])
    later = [step for step in steps if step in known - going]
    if later:
        what = "a message" if len(later) == len(steps) else ", ".join(later)
        yield (
            f"Nobody gets {what} now: shown are members of the audience with their next occasion, "
            "and texts as they read today."
        )
    if unknown := [step for step in steps if step not in known]:
        shown = ": shown is an invented one" if invented.any() else ""
        yield f"Nobody has an occasion for {', '.join(unknown)}, past or to come{shown}."


def _shown(row: Mapping[str, Any], plan: Plan) -> Shown:
    channel = Channel(row["channel"])
    extras: dict[str, Any] = json.loads(row["extras"]) if row["extras"] else {}
    # Address and ground are those of the channel that the customer gets it by now.
    reason, going = row["reason"], row["held_by"] is None
    return Shown(
        campaign=plan.campaign.name,
        step=row["step"],
        variant=row["variant"],
        segment=row.get("segment"),
        channel=channel,
        leg=row["leg"],
        store=plan.store,
        customer_key=row["customer_key"],
        customer=mask(row["name"] or ""),
        to=_masked(row["to"] if going else row.get(_ADDRESS.get(FAMILY[channel], ""))),
        due_at=row["due_at"],
        zone=row["zone"] or plan.store.timezone,
        zone_source=row["zone_source"],
        why=row["why"],
        held_by=row["held_by"],
        ground=row["ground"] if going else None,
        subject=row["subject"],
        text=row["text"] or "",
        html=row["html"],
        extras=extras,
        units=row["units"],
        most=_most(channel, row["encoding"], extras),
        parts=row["parts"] or 1,
        encoding=row["encoding"] or "",
        cost=row["cost"],
        code=row["coupon_code"],
        code_until=row["coupon_until"],
        labels=tuple(row.get("labels") or ()),
        problem=Problem(Place(), row["detail"] or REASONS[reason]) if reason else None,
    )


def _masked(address: str | None) -> str:
    if not address:
        return ""
    # Only the end of a device's token, which is long and all of one piece.
    return mask(address) if "@" in address or address[1:].isdecimal() else f"…{address[-4:]}"


def _most(channel: Channel, encoding: str | None, extras: Mapping[str, Any]) -> int | None:
    """Return how many units of its encoding a channel holds; there is none without a text."""
    if encoding is None:
        return None
    if encoding == "cp949":
        return KOREAN_BYTES[channel]
    if channel is Channel.BRAND_MESSAGE:
        return BRAND_FORMS[extras["form"]][0]
    return {Channel.ALIMTALK: ALIMTALK_CHARACTERS, Channel.PUSH: PUSH_BYTES}.get(channel)
