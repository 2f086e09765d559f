"""Wire the world to the line: files and logs in, plans out, plans applied."""

from __future__ import annotations

import os
import sys
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import polars as pl

from remindctl import clock
from remindctl.campaigns import load_campaigns
from remindctl.campaigns import problems as campaign_problems
from remindctl.channels import PROVIDERS, Account
from remindctl.channels.outbox import Outbox
from remindctl.cli.inputs import load_configured
from remindctl.config import Secret, find_config, load_config
from remindctl.dispatch import Dispatcher
from remindctl.documents import did_you_mean
from remindctl.errors import Problem, Refused, refuse
from remindctl.frames import (
    IDENTIFIERS,
    SUPPRESSIONS,
    History,
    Identifiers,
    Suppressions,
    empty,
)
from remindctl.plan import describe, over_ceiling, people_concerned, plan, too_old
from remindctl.profiles import COLUMNS, Profiles
from remindctl.report.run import Run
from remindctl.sendlog import LogError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from remindctl.channels import Provider
    from remindctl.config import Config, StoreConfig
    from remindctl.frames import Snapshot
    from remindctl.model import Campaign
    from remindctl.plan import Plan
    from remindctl.sendlog import Logs, SendingLogs, StoreLock


@dataclass(frozen=True, slots=True)
class Shop:
    """One store of a run: its files, its customers at the instant of the run, its campaigns."""

    config: StoreConfig
    snapshot: Snapshot
    people: Profiles
    campaigns: tuple[Campaign, ...]
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Planned:
    """The plans of one shop and what they were made from."""

    shop: Shop
    plans: tuple[Plan, ...]
    identifiers: Identifiers
    suppressions: Suppressions
    last_word: int


def open_config(explicit: Path | None, campaign: Path | None = None) -> Config:
    """Find and read the configuration.

    Raises:
        Refused: there is none, or it is wrong.
    """
    return load_config(find_config(explicit, os.environ, campaign, Path.cwd()))


def log_file(config: Config) -> Path:
    """Return where the send log is.

    Raises:
        Refused: the configuration asks for a log that this version does not have.
    """
    if isinstance(config.log, Path):
        return config.log
    hint = "name a file: log: .remindctl/log.db"
    raise refuse("this version keeps its log in a file only", hint, path=str(config.path))


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


def gather(
    paths: Sequence[Path], config: Config, stores: Sequence[StoreConfig], as_of: str | None
) -> list[Shop]:
    """Read campaigns and the files of the stores they are for.

    Args:
        paths: campaign files and folders.
        config: the configuration.
        stores: those asked for.
        as_of: an instant to look back to, as :func:`instant` reads it; None = now.

    Raises:
        Refused: with every problem of campaigns and stores, or a store's orders are too old.
    """
    try:
        wanted: set[str] | None = set()
        for campaign in load_campaigns(paths):
            wanted = wanted | set(campaign.stores) if wanted and campaign.stores else None
    except Refused:
        # It may use columns that only the customer files have: decide once they are read.
        wanted = None
    chosen = [store for store in stores if wanted is None or store.store.key in wanted]
    read = [(store, load_configured(store).snapshot) for store in chosen]
    extra = {name for _, files in read for name in files.customers.columns if name not in COLUMNS}
    campaigns = load_campaigns(paths, sorted(extra))
    every = {key: store.store for key, store in config.stores.items()}
    problems = list(chain(*(campaign_problems(one, every, extra) for one in campaigns)))
    shops = []
    for store, files in read:
        zone = store.store.timezone
        at = instant(as_of, zone, "--as-of") if as_of is not None else clock.now()
        old = too_old(files, store.store, at)
        problems += [old] if old else []
        of_store = [one for one in campaigns if not one.stores or store.store.key in one.stores]
        of_store.sort(key=lambda one: (-one.priority, one.name))
        if of_store and not old:
            people = describe(files, store.store, at)
            shops.append(Shop(store, files, people, tuple(of_store), at))
    if problems:
        raise Refused(problems)
    if not shops:
        asked = ", ".join(store.store.key for store in stores)
        raise refuse(f"no campaign of these is for the store {asked}", "see `stores:` in its file")
    return shops


def make_plans(shop: Shop, logs: Logs, limit: int | None) -> Planned:
    """Plan a shop's campaigns by priority, each counting the messages of those before."""
    store, path = shop.config.store, shop.config.optouts
    who = people_concerned(shop.campaigns, shop.people, shop.snapshot, store, shop.as_of)
    identifiers = Identifiers(empty(IDENTIFIERS))
    suppressions, last_word = Suppressions(empty(SUPPRESSIONS)), 0
    if logs.hasher is not None:
        concerned = Profiles(shop.people.filter(pl.col("person").is_in(who.implode())))
        identifiers = logs.hasher.identifiers(concerned, shop.snapshot.addresses, store.key)
    if path in logs.optouts:
        last_word = logs.optouts[path].last_word()
        suppressions = logs.optouts[path].standing(identifiers)
    history = logs.log.history(store.key, identifiers)
    plans = []
    for campaign in shop.campaigns:
        made = plan(
            campaign, store, shop.people, shop.snapshot, history, suppressions, shop.as_of,
            limit=limit,
        )  # fmt: skip
        limit = None if limit is None else limit - len(made.messages)
        history = History(pl.concat([history, made.history()]))
        plans.append(made)
    return Planned(shop, tuple(plans), identifiers, suppressions, last_word)


def plan_all(shops: Sequence[Shop], logs: Logs, limit: int | None) -> list[Planned]:
    """Plan every shop; a limit is for all of them together."""
    made: list[Planned] = []
    for shop in shops:
        made.append(make_plans(shop, logs, limit))
        sent = sum(len(one.messages) for one in made[-1].plans)
        limit = None if limit is None else limit - sent
    return made


def ceiling_problems(planned: Sequence[Planned]) -> list[Problem]:
    """Say which ceilings of which stores are exceeded."""
    return list(chain(*(over_ceiling(one.plans) for one in planned)))


def open_providers(config: Config, planned: Sequence[Planned]) -> dict[str, Provider]:
    """Open the providers that the plans need.

    Raises:
        Refused: this version cannot send through one of them, or its secret is not set.
    """
    plans = chain(*(one.plans for one in planned))
    needed = dict.fromkeys(name for one in plans for name in one.messages["provider"].unique())
    opened, problems = {}, []
    for name in needed:
        entry = config.providers[name]
        if entry.type not in PROVIDERS:
            what = f"this version cannot send through {entry.type}"
            hint = f"it can through {', '.join(PROVIDERS)}; --dry-run shows what would be sent"
            problems.append(Problem(entry.place, what, hint))
            continue
        settings = {
            key: value.read(os.environ) if isinstance(value, Secret) else value
            for key, value in entry.settings.items()
        }
        folder = config.path.absolute().parent
        opened[name] = PROVIDERS[entry.type](Account(name, settings, folder, sys.stderr))
    if problems:
        raise Refused(problems)
    return opened


def outbox_files(providers: Mapping[str, Provider]) -> list[Path]:
    """Return the local files that messages went to."""
    return [provider.path for provider in providers.values() if isinstance(provider, Outbox)]


def apply(
    planned: Planned,
    logs: SendingLogs,
    lock: StoreLock,
    run: str,
    providers: Mapping[str, Provider],
    progress: Callable[[int], None],
) -> list[Run]:
    """Send the plans of one shop, in their order; after one that had to stop, no other."""
    dispatcher = Dispatcher(
        run=run,
        log=logs.log,
        lock=lock,
        hasher=logs.hasher,
        optouts=logs.optouts[planned.shop.config.optouts],
        identifiers=planned.identifiers,
        suppressions=planned.suppressions,
        last_word=planned.last_word,
        providers=providers,
        now=clock.now,
        progress=progress,
    )
    runs: list[Run] = []
    for one in planned.plans:
        if runs and runs[-1].stopped:
            runs.append(Run(one, dry_run=False, states={}, stopped=runs[-1].stopped))
            continue
        done = dispatcher.dispatch(one)
        runs.append(Run(done.plan, dry_run=False, states=done.states, stopped=done.stopped))
    return runs


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
