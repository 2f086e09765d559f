"""Providers: opened for a run, or looked at before one."""

from __future__ import annotations

import os
import sys
from itertools import chain
from typing import TYPE_CHECKING

from remindctl.channels import PROVIDERS, Account
from remindctl.channels.outbox import Outbox
from remindctl.config import Secret
from remindctl.errors import Problem, Refused
from remindctl.model import Channel

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from remindctl.channels import Provider
    from remindctl.config import Config, ProviderConfig, StoreConfig
    from remindctl.model import Campaign


def open_providers(config: Config, names: Iterable[str]) -> dict[str, Provider]:
    """Open providers by their names in the configuration.

    Raises:
        Refused: this version cannot send through one of them, or its secret is not set.
    """
    opened: dict[str, Provider] = {}
    problems: list[Problem] = []
    for name in dict.fromkeys(names):
        entry = config.providers[name]
        try:
            settings = _settings(entry)
        except Refused as refused:
            problems += refused.problems
            continue
        folder = config.path.absolute().parent
        opened[name] = PROVIDERS[entry.type](Account(name, settings, folder, sys.stderr))
    if problems:
        raise Refused(problems)
    return opened


def outbox_files(providers: Mapping[str, Provider]) -> list[Path]:
    """Return the local files that messages went to."""
    return [provider.path for provider in providers.values() if isinstance(provider, Outbox)]


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
