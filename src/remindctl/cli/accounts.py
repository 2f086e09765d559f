"""Providers: opened for a run, or looked at before one."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from itertools import chain
from typing import TYPE_CHECKING, Self

from remindctl import clock
from remindctl.channels import PROVIDERS, Account, Direct, HttpProvider, Threads
from remindctl.channels.courier import Courier, Loop
from remindctl.channels.outbox import Outbox
from remindctl.config import Secret
from remindctl.errors import Problem, Refused
from remindctl.hours import exactly
from remindctl.model import Channel

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from remindctl.channels import Provider, Sender
    from remindctl.config import Config, ProviderConfig, StoreConfig
    from remindctl.model import Campaign

# Mail servers mostly allow a client no more than this.
_MAIL_CONNECTIONS = 4


class Senders:
    """The providers that a run needs, open until it ends.

    Attributes:
        by_name: by their names in the configuration.
        files: the local files that messages went to.
    """

    def __init__(self, config: Config, names: Iterable[str]) -> None:
        """Open providers.

        Raises:
            Refused: this version cannot send through one of them, or a setting is missing.
        """
        self._ends = ExitStack()
        self._loop: Loop | None = None
        entries = [config.providers[name] for name in dict.fromkeys(names)]
        providers = _opened(config, entries)
        self.by_name: Mapping[str, Sender] = {
            entry.name: self._sender(entry, provider)
            for entry, provider in zip(entries, providers, strict=True)
        }
        self.files = [one.path for one in providers if isinstance(one, Outbox)]

    def __enter__(self) -> Self:
        """Open until the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close connections and threads."""
        self._ends.close()

    def _sender(self, entry: ProviderConfig, provider: Provider | HttpProvider) -> Sender:
        if isinstance(provider, HttpProvider):
            return self._courier(entry, provider)
        if provider.local:
            return Direct(provider)
        threads = Threads(provider, entry.concurrency or _MAIL_CONNECTIONS)
        self._ends.callback(threads.close)
        return threads

    def _courier(self, entry: ProviderConfig, provider: HttpProvider) -> Courier:
        if self._loop is None:
            self._loop = Loop()
            self._ends.callback(self._loop.close)
        facts = provider.facts
        return Courier(
            provider,
            self._loop,
            clock.now,
            concurrency=entry.concurrency or facts.concurrency,
            timeout=exactly(entry.timeout) if entry.timeout else facts.timeout,
            rate=entry.rate or facts.rate,
        )


def _opened(config: Config, entries: Sequence[ProviderConfig]) -> list[Provider | HttpProvider]:
    opened: list[Provider | HttpProvider] = []
    problems: list[Problem] = []
    for entry in entries:
        try:
            account = Account(
                entry.name, _settings(entry), config.path.absolute().parent, sys.stderr
            )
            opened.append(PROVIDERS[entry.type](account))
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


def _settings(entry: ProviderConfig) -> dict[str, str]:
    if entry.type not in PROVIDERS:
        what = f"this version cannot send through {entry.type}"
        hint = f"it can through {', '.join(PROVIDERS)}; --dry-run shows what would be sent"
        raise Refused([Problem(entry.place, what, hint)])
    return {
        key: value.read(os.environ) if isinstance(value, Secret) else value
        for key, value in entry.settings.items()
    }
