"""The world of a campaign: the configuration, the stores' files as of an instant, the campaigns."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import polars as pl

from remindctl import clock
from remindctl.campaigns import problems as campaign_problems
from remindctl.campaigns import read_campaigns
from remindctl.cli.reading import load_configured
from remindctl.config import find_config, load_config
from remindctl.documents import did_you_mean, positive_span
from remindctl.errors import Place, Problem, Refused, refuse
from remindctl.plan import describe, too_old
from remindctl.profiles import COLUMNS
from remindctl.stores.coupons import read_pools

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remindctl.config import Config, StoreConfig
    from remindctl.frames import Snapshot
    from remindctl.model import Campaign, Span
    from remindctl.profiles import Profiles
    from remindctl.stores.load import Loaded


@dataclass(frozen=True, slots=True)
class Shop:
    """One store of a run: its files, its customers at the instant of the run, its campaigns.

    Attributes:
        pools: the codes of its coupon files.
        warnings: what a person should look at, though it stops nothing.
    """

    config: StoreConfig
    snapshot: Snapshot
    people: Profiles
    campaigns: tuple[Campaign, ...]
    as_of: datetime
    pools: pl.DataFrame
    warnings: tuple[Problem, ...] = ()


def open_config(
    explicit: Path | None, campaign: Path | None = None, *, cache: bool = True
) -> Config:
    """Find and read the configuration.

    Args:
        explicit: what ``--config`` says.
        campaign: a campaign file, which may lie beside it.
        cache: whether snapshots of the stores' files are recalled and kept.

    Raises:
        Refused: there is none, or it is wrong.
    """
    found = load_config(find_config(explicit, os.environ, campaign, Path.cwd()))
    if cache:
        return found
    stores = {key: replace(store, snapshots=None) for key, store in found.stores.items()}
    return replace(found, stores=stores)


def choose_stores(config: Config, names: Sequence[str]) -> list[StoreConfig]:
    """Return the stores of these names, all of them for none.

    Raises:
        Refused: there is no such store.
    """
    for name in names:
        if name not in config.stores:
            hint = did_you_mean(name, config.stores)
            raise refuse(f"{config.path} has no store {name!r}", hint, path="--store")
    return [config.stores[name] for name in dict.fromkeys(names or config.stores)]


def instant(text: str, zone: str, option: str) -> datetime:
    """Read an instant as a person writes it; without an offset it is on the clock of ``zone``.

    Raises:
        Refused: it is none, or a date only.
    """
    try:
        found = datetime.fromisoformat(text) if len(text) > len("2026-10-31") else None
    except ValueError:
        found = None
    if found is None:
        hint = "date and time, such as 2026-10-31T17:00 (the store's clock) or …T17:00+09:00"
        raise refuse(f"{text!r} is no instant", hint, path=option)
    return (found if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)


def span(text: str, option: str) -> Span:
    """Read a span of time that an option gives.

    Raises:
        Refused: it is none.
    """
    try:
        return positive_span(text)
    except ValueError:
        raise refuse(f"{text!r} is no span of time", "such as 14d or 36h", path=option) from None


def gather(
    paths: Sequence[Path],
    config: Config,
    stores: Sequence[StoreConfig],
    as_of: str | None,
    *,
    any_age: bool = False,
) -> list[Shop]:
    """Read campaigns and the files of the stores they are for.

    Args:
        paths: campaign files and folders.
        config: the configuration.
        stores: those asked for.
        as_of: an instant to look back to, as :func:`instant` reads it; None = now.
        any_age: whether orders that are too old to send by are only warned of.

    Raises:
        Refused: with every problem of campaigns and stores, or a store's orders are too old.
    """
    shops, found = look_around(paths, config, stores, as_of, any_age=any_age)
    if problems := [each for each in found if not each.warning]:
        raise Refused(problems)
    if not shops:
        asked = ", ".join(store.store.key for store in stores)
        raise refuse(f"no campaign of these is for the store {asked}", "see `stores:` in its file")
    return shops


def look_around(
    paths: Sequence[Path],
    config: Config,
    stores: Sequence[StoreConfig],
    as_of: str | None,
    *,
    any_age: bool = True,
) -> tuple[list[Shop], list[Problem]]:
    """Read what can be read, as :func:`gather`, and say what is wrong with the rest.

    Returns:
        the stores that could be read, with the campaigns that could; problems and warnings.
    """
    found: list[Problem] = []
    read = []
    campaigns, wrong = read_campaigns(paths)
    for store in _wanted(campaigns, wrong, stores):
        try:
            read.append((store, load_configured(store), read_pools(store.sources.coupons)))
        except Refused as refused:
            found += refused.problems
    columns = {name: column.dtype for name, column in COLUMNS.items()}
    events: set[str] = set()
    for _, files, _ in read:
        columns |= dict.fromkeys(files.snapshot.customers.columns, pl.String) | columns
        events.update(files.snapshot.events["event"].drop_nulls().unique())
    extra = sorted(columns.keys() - COLUMNS.keys())
    if wrong and extra:
        # What is wrong may only name columns that are known by now.
        campaigns, wrong = read_campaigns(paths, extra)
    found += wrong
    every = {key: store.store for key, store in config.stores.items()}
    for campaign in campaigns:
        found += campaign_problems(campaign, every, extra, columns=columns, events=events)
    shops = []
    for store, files, pools in read:
        zone = store.store.timezone
        at = instant(as_of, zone, "--as-of") if as_of is not None else clock.now()
        old = too_old(files.snapshot, store.store, at)
        found += [replace(old, warning=any_age)] if old else []
        found += _future(files)
        of_store = [one for one in campaigns if not one.stores or store.store.key in one.stores]
        of_store.sort(key=lambda one: (-one.priority, one.name))
        if of_store and (any_age or not old):
            try:
                people = describe(files.snapshot, store.store, at)
            except Refused as refused:
                found += refused.problems
                continue
            warnings = tuple(each for each in found if each.warning)
            shops.append(Shop(store, files.snapshot, people, tuple(of_store), at, pools, warnings))
    return shops, list(dict.fromkeys(found))


def _wanted(
    campaigns: Sequence[Campaign], wrong: Sequence[Problem], stores: Sequence[StoreConfig]
) -> list[StoreConfig]:
    """Leave out the stores that no campaign is for, where that is known already."""
    # What has a problem may only use columns that the customer files have: read them all.
    if wrong or not all(campaign.stores for campaign in campaigns):
        return list(stores)
    wanted = {key for campaign in campaigns for key in campaign.stores}
    return [store for store in stores if store.store.key in wanted]


def _future(files: Loaded) -> list[Problem]:
    if not files.future_events:
        return []
    what = f"{files.future_events:,} events lie in the future and do not count yet"
    hint = "look at the clock and the time zone of what writes them"
    return [Problem(Place(f"store {files.store}"), what, hint, warning=True)]
