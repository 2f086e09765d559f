"""Every gate for one person: the value that decided it, and whether it let the message through."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import polars as pl

from remindctl import audience
from remindctl.policy import REASONS, cap_counts, choose_legs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from remindctl.model import Step
    from remindctl.plan.desk import Desk
    from remindctl.plan.value import Plan

# Of one leg of a chain, where ``policy.REASONS`` speaks of all of them.
_OF_A_LEG = {"unreachable": "no usable address for this channel"}
_GROUNDS = {
    "consent": "has consented",
    "existing_customer": "bought the same kind of goods lately",
    "informational": "needs no consent: information",
    "onsite": "needs no consent: the shop's own pages",
}
# So many past occasions of a step are told of; the others are as over as these.
_PAST_SHOWN = 2


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate: its name, whether it lets the message through, and the value that decided it."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Explained:
    """One occasion of one step, at every gate.

    Attributes:
        step, occasion: empty where the audience itself leaves the person out.
        reason: why it is held (a code of ``policy.REASONS``, not_yet or expired); None = it goes.
        text: the message, where it goes.
    """

    step: str
    occasion: str
    gates: tuple[Gate, ...]
    reason: str | None
    text: str | None = None


def explain(desk: Desk, person: int, planned: Plan) -> list[Explained]:
    """Say at which gate a person's messages of a campaign stand.

    Args:
        desk: the campaign, store and instant, with everybody.
        person: whom.
        planned: the plan of the same campaign and instant, for what is due.

    Returns:
        one entry per step and occasion: those due or to come, and the latest past ones; for whoever
        is not in the audience, or has no occasion, one that says so.
    """
    one = replace(desk, only=person)
    chosen = _audience(one)
    if not chosen.passed:
        return [Explained("", "", (chosen,), "not_in_audience")]
    due = {
        (row["key"], row["occasion"]): row
        for frame in (planned.messages, planned.held)
        for row in frame.filter(pl.col("person") == person).to_dicts()
    }
    goes = set(planned.messages.filter(pl.col("person") == person)["key"])
    found = []
    for step in desk.campaign.steps:
        rows = one.any_time(step).sort("due_at", descending=True).to_dicts()
        if not rows:
            nothing = Gate("occasion", passed=False, detail=f"no {step.due.after} in the files")
            found.append(Explained(step.id, "", (chosen, nothing), "no_occasion"))
        past = 0
        for row in rows:
            now = due.get((row["key"], row["occasion"]))
            past += row["expired"]
            if row["expired"] and past > _PAST_SHOWN:
                continue
            gates = (chosen, *_gates(one, step, row, now))
            reason = row["reason"] if now is None else None if row["key"] in goes else now["reason"]
            text = now["text"] if now and row["key"] in goes else None
            found.append(Explained(step.id, row["occasion"], gates, reason, text))
    return found


def _audience(one: Desk) -> Gate:
    wanted = one.campaign.audience
    alone = one.people.filter(pl.col("person") == one.only)
    [person] = alone.to_dicts()
    member = alone.select(audience.members(wanted)).item()
    said = []
    if wanted.segments:
        said.append(f"any of {', '.join(wanted.segments)}")
    if wanted.where:
        names = pl.sql_expr(wanted.where).meta.root_names()
        values = ", ".join(f"{name} = {person.get(name)}" for name in dict.fromkeys(names))
        said.append(f"{wanted.where} ({values})")
    if wanted.exclude:
        said.append(f"none of {', '.join(wanted.exclude)}")
    inside = ", ".join(person["segments"] or ()) or "no segment"
    return Gate(
        "audience", passed=bool(member), detail=f"{'; '.join(said) or 'everyone'}; is in {inside}"
    )


def _gates(
    one: Desk, step: Step, row: Mapping[str, Any], now: Mapping[str, Any] | None
) -> Iterator[Gate]:
    held = now["reason"] if now is not None else row["reason"]
    yield _time(step, row)
    if row["variant"] is not None or held == "no_variant":
        drawn = row["variant"] or "none of them is for this person's segments"
        yield Gate("variant", passed=held != "no_variant", detail=drawn)
    yield from _legs(one, step, row)
    if not (row["not_yet"] or row["expired"]):
        hours = "open now"
        if row["closes_at"] is not None:
            hours += f" until {_shown(row['closes_at'], row)}"
        yield Gate(
            "hours", passed=row["open_now"], detail=hours if row["open_now"] else "closed now"
        )
    ends = "nothing ends it" if step.due.until == "never" else f"ends with {step.due.until}"
    ended = "it has ended" if row["over"] else ends
    yield Gate("occasion open", passed=not row["over"], detail=ended)
    if step.due.until == "order":
        until = one.snapshot.known_until["orders"]
        yield Gate(
            "data", passed=not row["short"], detail=f"orders are known until {_shown(until, row)}"
        )
    yield _already(one, row)
    if step.condition is not None:
        asked = f"{step.condition.kind} {step.condition.step}"
        yield Gate("if", passed=not row["unmet"], detail=asked)
    if one.campaign.reentry is not None:
        yield Gate("re-entry", passed=held != "reentry", detail=f"once in {one.campaign.reentry}")
    if now is not None:
        yield from _behind(one, row, now, held)


def _behind(
    one: Desk, row: Mapping[str, Any], now: Mapping[str, Any], held: str | None
) -> Iterator[Gate]:
    """Tell of the gates that only what is due now has come to."""
    order = list(REASONS)
    if held in order and order.index(held) < order.index("stale_fact"):
        return
    unmade = held in ("stale_fact", "coupon_pool_empty", "coupon_over", "content")
    yield Gate(
        "content", passed=not unmade, detail=str(now.get("detail")) if unmade else "can be made"
    )
    frame = pl.DataFrame([dict(row)], infer_schema_length=None).select("person", "zone", "channel")
    for cap, used in cap_counts(frame, one.history, one.campaign, one.store, one.as_of):
        of = cap.channel or (f"tag {cap.tag}" if cap.tag else "all")
        yield Gate(
            "cap", passed=used < cap.max, detail=f"{of} {cap.max} per {cap.per}: {used} used"
        )
    for arm in ("arm", "store_arm"):
        if now[arm] is not None:
            name = "control group" if arm == "arm" else "holdout"
            yield Gate(name, passed=now[arm] == "treated", detail=now[arm])


def _time(step: Step, row: Mapping[str, Any]) -> Gate:
    due = f"{row['why']} = {_shown(row['wanted_at'], row)} {row['zone']} ({row['zone_source']})"
    if row["due_at"] != row["wanted_at"]:
        due += f", moved to {_shown(row['due_at'], row)}"
    for column, said in (
        ("not_yet", "not yet"),
        ("expired", f"more than {step.due.within} ago"),
        ("too_late", "moved further than max_delay allows"),
        ("skipped", "in closed hours, which the step skips"),
        ("never_open", "the hours of step and channel never meet"),
    ):
        if row[column]:
            return Gate("due", passed=False, detail=f"{due}: {said}")
    return Gate("due", passed=True, detail=due)


def _legs(one: Desk, step: Step, row: Mapping[str, Any]) -> Iterator[Gate]:
    legs = next(
        (each.legs for each in step.variants if each.id == row["variant"]), step.variants[0].legs
    )
    columns = (
        "person",
        "last_at",
        "phone",
        "email",
        "push_token",
        "shop_id",
        "customer_key",
        "country",
    )
    frame = pl.DataFrame([{name: row[name] for name in columns}], schema_overrides={
        "person": one.people.schema["person"], "last_at": one.people.schema["last_at"],
        **dict.fromkeys(columns[2:], pl.String),
    }).with_columns(pl.lit(0, dtype=pl.UInt8).alias("from_leg"))  # fmt: skip
    for index, leg in enumerate(legs):
        [found] = choose_legs(
            frame, [leg], one.campaign, one.store, one.given, one.as_of
        ).to_dicts()
        chosen = ", this leg is chosen" if index == row["leg"] and found["hold"] is None else ""
        held = _OF_A_LEG.get(found["hold"]) or REASONS.get(found["hold"])
        detail = held or f"{_GROUNDS.get(found['ground'], found['ground'])}{chosen}"
        yield Gate(str(leg.channel), passed=found["hold"] is None, detail=detail)


def _already(one: Desk, row: Mapping[str, Any]) -> Gate:
    sent = one.history.filter(pl.col("person") == row["person"], pl.col("key") == row["key"]).sort(
        "claimed_at"
    )
    if sent.is_empty():
        return Gate("already", passed=True, detail="nothing was sent on this occasion")
    last = sent.to_dicts()[-1]
    told = f"{last['channel'] or 'held out'}: {last['state']} at {_shown(last['claimed_at'], row)}"
    return Gate("already", passed=not row["already"], detail=told)


def _shown(instant: datetime, row: Mapping[str, Any]) -> str:
    return f"{instant.astimezone(ZoneInfo(row['zone'])):%Y-%m-%d %H:%M}"
