"""Wire the world to the line: a shop and its log in, plans out."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import chain
from typing import TYPE_CHECKING

import polars as pl

from remindctl import clock
from remindctl.errors import Place, Problem, refuse
from remindctl.frames import (
    COUPONS,
    HISTORY,
    IDENTIFIERS,
    SUPPRESSIONS,
    Coupons,
    History,
    Identifiers,
    Suppressions,
    conform,
    empty,
)
from remindctl.hours import exactly
from remindctl.model import Channel, State
from remindctl.plan import (
    decide,
    desks_for,
    empty_pools,
    over_ceiling,
    people_concerned,
    without,
)
from remindctl.policy import looks_back
from remindctl.profiles import Profiles
from remindctl.sendlog import CouponBook, LogError, match_codes, template_problems

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from remindctl.cli.world import Shop
    from remindctl.config import StoreConfig
    from remindctl.model import Campaign
    from remindctl.plan import Desk, Plan
    from remindctl.sendlog import Logs, OpenEnd, SendLog

# A leg that no other follows needs no result now.
_NEVER = timedelta(days=-1)


@dataclass(frozen=True, slots=True)
class Laid:
    """A shop with everything its log knows, ready to be planned.

    Attributes:
        desks: of each campaign, what its gates look at.
        problems: what the log has against these campaigns.
        last_word: of the opt-outs, when these were read.
    """

    shop: Shop
    desks: tuple[Desk, ...]
    problems: tuple[Problem, ...]
    identifiers: Identifiers
    suppressions: Suppressions
    last_word: int


@dataclass(frozen=True, slots=True)
class Planned:
    """The plans of one shop, in the order of the run, and what they were made from."""

    laid: Laid
    plans: tuple[Plan, ...]


def lay_out(shop: Shop, logs: Logs, *, also: Iterable[int] = ()) -> Laid:
    """Look up what the log and the opt-outs know of everyone concerned.

    Args:
        shop: read.
        logs: open.
        also: persons whose past is needed though they may not be due.
    """
    store, path = shop.config.store, shop.config.optouts
    who = people_concerned(shop.campaigns, shop.people, shop.snapshot, store, shop.as_of)
    who = pl.concat([who, pl.Series("person", list(also), dtype=who.dtype)]).unique()
    identifiers = Identifiers(empty(IDENTIFIERS))
    suppressions, last_word = Suppressions(empty(SUPPRESSIONS)), 0
    if logs.hasher is not None:
        concerned = Profiles(shop.people.filter(pl.col("person").is_in(who.implode())))
        identifiers = logs.hasher.identifiers(concerned, shop.snapshot.addresses, store.key)
    if path in logs.optouts:
        last_word = logs.optouts[path].last_word()
        suppressions = logs.optouts[path].standing(identifiers)
    history = logs.log.history(
        store.key,
        identifiers,
        campaigns={campaign.name for campaign in shop.campaigns},
        since=shop.as_of - looks_back(store),
    )
    book = _codes(shop, logs, identifiers)
    desks = desks_for(
        shop.campaigns, store, shop.people, shop.snapshot, shop.as_of,
        history, suppressions, book.coupons,
    )  # fmt: skip
    problems = (*_lost_codes(shop, book), *_changed_templates(shop, logs))
    return Laid(shop, tuple(desks), problems, identifiers, suppressions, last_word)


def make_plans(laid: Laid, limit: int | None) -> Planned:
    """Plan a shop's campaigns by priority, each counting the messages of those before."""
    before = [History(empty(HISTORY))]
    plans: list[Plan] = []
    for desk in laid.desks:
        history = History(pl.concat([desk.history, *before]))
        coupons = desk.coupons
        for made in plans:
            coupons = without(coupons, made.messages)
        plans.append(decide(replace(desk, history=history, coupons=coupons), limit))
        limit = None if limit is None else limit - len(plans[-1].messages)
        before.append(plans[-1].history())
    return Planned(laid, tuple(plans))


def _codes(shop: Shop, logs: Logs, identifiers: Identifiers) -> CouponBook:
    """Tell which codes are free, and whom the others went to."""
    fixed = {
        step.coupon.code
        for campaign in shop.campaigns
        for step in campaign.steps
        if step.coupon and step.coupon.code
    }
    if logs.hasher is None:
        return CouponBook(Coupons(conform(shop.pools, COUPONS)), {})
    key = shop.config.store.key
    return match_codes(shop.pools, fixed, logs.log.issued(key), identifiers, logs.hasher, key)


def plan_all(shops: Sequence[Shop], logs: Logs, limit: int | None) -> list[Planned]:
    """Plan every shop; a limit is for all of them together."""
    made: list[Planned] = []
    for shop in shops:
        made.append(make_plans(lay_out(shop, logs), limit))
        sent = sum(len(one.messages) for one in made[-1].plans)
        limit = None if limit is None else limit - sent
    return made


def _lost_codes(shop: Shop, book: CouponBook) -> Iterator[Problem]:
    """Refuse pools whose files lost codes that were given out: nobody could be reminded of them."""
    steps = chain(*(campaign.steps for campaign in shop.campaigns))
    used = {step.coupon.pool for step in steps if step.coupon}
    for pool, lost in book.lost.items():
        if pool in used:
            place = Place(f"store {shop.config.store.key}")
            what = f"the coupon pool `{pool}` has lost {lost:,} codes that were given out"
            yield Problem(place, what, "put their rows back into its file; keep issued rows there")


def _changed_templates(shop: Shop, logs: Logs) -> list[Problem]:
    """Refuse approved templates with another text than they were first sent with."""
    texts = [
        (leg.template, leg.text, leg.places.get("text", Place()))
        for campaign in shop.campaigns
        for step in campaign.steps
        for leg in step.legs
        if leg.channel is Channel.ALIMTALK and leg.template is not None
    ]
    approved = logs.log.approved(shop.config.store.key, {code for code, _, _ in texts})
    return template_problems(texts, approved)


def whole_run_problems(planned: Sequence[Planned]) -> list[Problem]:
    """Say what refuses the whole run: a ceiling, a pool that is too small, a changed template."""
    return [
        problem
        for one in planned
        for problem in (*over_ceiling(one.plans), *empty_pools(one.plans), *one.laid.problems)
    ]


def needed_providers(planned: Sequence[Planned]) -> list[str]:
    """Name the providers that the plans send through."""
    plans = chain(*(one.plans for one in planned))
    return [str(name) for one in plans for name in one.messages["provider"].unique()]


def open_ends(store: StoreConfig, campaigns: Iterable[Campaign], log: SendLog) -> list[OpenEnd]:
    """Return what is unknown, and what was sent without a result and has a next leg.

    Args:
        store: whose messages.
        campaigns: of that store; their steps say which legs are followed by another.
        log: open.
    """
    now, follows = clock.now(), _followed(campaigns)
    longest = max(follows.values(), default=timedelta())
    return [
        end
        for end in log.open_ends(store.store.key, since=now - longest)
        if end.state is State.UNKNOWN
        or end.attempted_at + follows.get((end.campaign, end.step, end.leg), _NEVER) >= now
    ]


def _followed(campaigns: Iterable[Campaign]) -> dict[tuple[str, str, int], timedelta]:
    """Return the legs that another one follows, and for how long it may."""
    return {
        (campaign.name, step.id, leg): exactly(step.fallback_within)
        for campaign in campaigns
        for step in campaign.steps
        for variant in step.variants
        for leg in range(len(variant.legs) - 1)
        if step.fallback_within is not None
    }


@contextmanager
def refused_by_log() -> Iterator[None]:
    """Refuse the run where the log fails before anything was sent."""
    try:
        yield
    except LogError as error:
        raise refuse(str(error), "nothing was sent; look at the file and its disk") from error


def new_run() -> str:
    """Return a name for this run that no other has."""
    return uuid.uuid4().hex
