"""Providers: opened for a run, looked at before one, and asked whether they are ready."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from itertools import chain
from typing import TYPE_CHECKING, Self

from remindctl import clock
from remindctl.channels import (
    Account,
    Connects,
    Direct,
    HasBalance,
    HttpProvider,
    NotSent,
    Threads,
    Unreadable,
    known_types,
    open_account,
)
from remindctl.channels.outbox import Outbox
from remindctl.config import Secret
from remindctl.errors import Problem, Refused
from remindctl.hours import exactly
from remindctl.model import Channel
from remindctl.report.check import Standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from remindctl.channels import Provider, Sender
    from remindctl.channels.courier import Courier
    from remindctl.channels.exchange import Loop
    from remindctl.config import Config, ProviderConfig, StoreConfig
    from remindctl.model import Campaign

# Seconds before a question is put again; a person waits for the answer.
_SOON = 0.02
_UNTRIED = "has its settings; only a message would tell more: remindctl test"


class Senders:
    """The providers that a run needs, open until it ends.

    Attributes:
        by_name: by their names in the configuration.
        files: the local files that messages went to.
    """

    def __init__(self, config: Config, names: Iterable[str]) -> None:
        """Open providers.

        Raises:
            Refused: this installation cannot send through one of them, or a setting is wrong.
        """
        self._ends = ExitStack()
        self._loop: Loop | None = None
        self._couriers: dict[str, Courier] = {}
        entries = [config.providers[name] for name in dict.fromkeys(names)]
        providers = _opened(config, entries)
        self._secrets = [one for entry in entries for one in _secrets(entry)]
        self.by_name: Mapping[str, Sender] = {
            entry.name: self._sender(entry, provider)
            for entry, provider in zip(entries, providers, strict=True)
        }
        self.files = [one.path for one in providers if isinstance(one, Outbox)]

    def courier(self, name: str) -> Courier | None:
        """Return what sends for a provider over HTTP; None where it is none of these."""
        return self._couriers.get(name)

    def __enter__(self) -> Self:
        """Open until the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close connections and threads."""
        self._ends.close()

    def _sender(self, entry: ProviderConfig, provider: Provider | HttpProvider) -> Sender:
        if isinstance(provider, HttpProvider):
            return self._courier(entry, provider)
        if not isinstance(provider, Connects):
            return Direct(provider)
        threads = Threads(provider, entry.concurrency or provider.concurrency)
        self._ends.callback(provider.close)
        self._ends.callback(threads.close)
        return threads

    def _courier(self, entry: ProviderConfig, provider: HttpProvider) -> Courier:
        # Most of what a run loads, and only for whoever sends by HTTP.
        from remindctl.channels.courier import Courier  # noqa: PLC0415
        from remindctl.channels.exchange import Loop  # noqa: PLC0415

        if self._loop is None:
            self._loop = Loop(self._secrets)
            self._ends.callback(self._loop.close)
        facts = provider.facts
        courier = Courier(
            provider,
            self._loop,
            clock.now,
            concurrency=entry.concurrency or facts.concurrency,
            timeout=exactly(entry.timeout) if entry.timeout else facts.timeout,
            rate=entry.rate,
        )
        self._couriers[entry.name] = courier
        return courier


def _opened(config: Config, entries: Sequence[ProviderConfig]) -> list[Provider | HttpProvider]:
    opened: list[Provider | HttpProvider] = []
    problems: list[Problem] = []
    for entry in entries:
        try:
            account = Account(
                entry.name, _settings(entry), config.path.absolute().parent, sys.stderr
            )
            opened.append(open_account(entry.type, account))
        except Refused as refused:
            problems += refused.problems
    if problems:
        raise Refused(problems)
    return opened


def problems(config: Config, store: StoreConfig, campaigns: Sequence[Campaign]) -> list[Problem]:
    """Say what the channels of these campaigns lack: a provider, or a setting of it."""
    found: list[Problem] = []
    legs = chain(*(step.legs for campaign in campaigns for step in campaign.steps))
    for channel in dict.fromkeys(leg.channel for leg in legs):
        name = store.store.providers.get(channel)
        if name is not None:
            try:
                _settings(config.providers[name])
            except Refused as refused:
                found += refused.problems
        elif channel is not Channel.ONSITE:
            what = f"no provider serves {channel} for {store.store.key}: it goes to the outbox"
            hint = f"nothing leaves this machine; to send: channels: {{{channel}: NAME}}"
            found.append(Problem(store.place, what, hint, warning=True))
    return list(dict.fromkeys(found))


def standings(
    config: Config, stores: Sequence[StoreConfig]
) -> tuple[list[Standing], list[Problem]]:
    """Ask the providers of these stores whether they are ready, without sending anything.

    Returns:
        a line for each, and a problem for each that is not.
    """
    names = dict.fromkeys(chain(*(one.store.providers.values() for one in stores)))
    told: list[Standing] = []
    found: list[Problem] = []
    for entry in (config.providers[name] for name in names):
        wrong: list[Problem] = []
        said = "is not ready"
        try:
            said = _asked(config, entry)
        except Refused as refused:
            wrong += refused.problems
        except (NotSent, Unreadable) as error:
            wrong.append(Problem(entry.place, f"`{entry.name}` is not ready: {error}"))
        except Exception as error:  # noqa: BLE001 (a provider's own fault; its text may say a secret)
            what = f"`{entry.name}` cannot be asked: a bug in {entry.type} ({type(error).__name__})"
            wrong.append(Problem(entry.place, what))
        told.append(Standing(entry.name, entry.type, said, ready=not wrong))
        found += wrong
    return told, found


def _asked(config: Config, entry: ProviderConfig) -> str:
    """Put the question, if there is one.

    Raises:
        Refused: it cannot be opened.
        NotSent: it would not send.
        Unreadable: its answer says nothing.
    """
    with Senders(config, [entry.name]) as senders:
        sender = senders.by_name[entry.name]
        if isinstance(sender, Direct):
            return "stays on this machine" if sender.local else _UNTRIED
        if isinstance(sender, Threads):
            return sender.provider.check() if isinstance(sender.provider, Connects) else _UNTRIED
        return _balance(sender)


def _balance(sender: Sender) -> str:
    from remindctl.channels.courier import Courier  # noqa: PLC0415

    if not isinstance(sender, Courier) or not isinstance(sender.provider, HasBalance):
        return _UNTRIED
    sender.first_pause = _SOON
    return sender.provider.told(sender.ask(sender.provider.balance))


def _secrets(entry: ProviderConfig) -> list[str]:
    given = entry.settings.values()
    return [value.read(os.environ) for value in given if isinstance(value, Secret)]


def _settings(entry: ProviderConfig) -> dict[str, str]:
    if entry.type not in known_types():
        what = f"this installation cannot send through {entry.type}"
        hint = f"it can through {', '.join(known_types())}; --dry-run shows what would be sent"
        raise Refused([Problem(entry.place, what, hint)])
    given = (
        entry.settings if entry.base_url is None else {**entry.settings, "base_url": entry.base_url}
    )
    return {
        key: value.read(os.environ) if isinstance(value, Secret) else value
        for key, value in given.items()
    }
