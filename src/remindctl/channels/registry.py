"""Every provider by its type: ours, and those of other installed packages.

A module is imported when an account of its type is opened, not before. Another package adds a type
by an entry point of the group ``remindctl.providers``: its name is the type, its object what takes
an :class:`Account` and returns a provider. No package can take the place of one of ours, which
would be given the secrets of its accounts.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from pkgutil import resolve_name
from typing import TYPE_CHECKING, TypeAlias

from remindctl.channels.http import HttpProvider
from remindctl.channels.provider import Provider
from remindctl.errors import Refused, refuse
from remindctl.model import PROVIDER_PLUGINS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from importlib.metadata import EntryPoint, EntryPoints

    from remindctl.channels.provider import Account

    Factory: TypeAlias = Callable[[Account], Provider | HttpProvider]


def _ours(path: str) -> Factory:
    """Return what imports a class and builds it, once it is called."""

    def build(account: Account) -> Provider | HttpProvider:
        built: Provider | HttpProvider = resolve_name(path).of(account)
        return built

    return build


PROVIDERS: Mapping[str, Factory] = {
    "outbox": _ours("remindctl.channels.outbox:Outbox"),
    "console": _ours("remindctl.channels.console:Console"),
    "feed": _ours("remindctl.channels.feed:Feed"),
    "solapi": _ours("remindctl.channels.solapi:Solapi"),
    "aligo": _ours("remindctl.channels.aligo:Aligo"),
    "nhn": _ours("remindctl.channels.nhn:Nhn"),
    "twilio": _ours("remindctl.channels.twilio:Twilio"),
    "resend": _ours("remindctl.channels.resend:Resend"),
    "smtp": _ours("remindctl.channels.smtp:Smtp"),
    "webpush": _ours("remindctl.channels.webpush:WebPush"),
    "fcm": _ours("remindctl.channels.fcm:Fcm"),
    "webhook": _ours("remindctl.channels.webhook:Webhook"),
}


def known_types() -> list[str]:
    """Name every type that an account may have here."""
    return [*dict.fromkeys([*PROVIDERS, *sorted(_plugins().names)])]


def open_account(type_: str, account: Account) -> Provider | HttpProvider:
    """Build the provider of an account.

    Raises:
        Refused: a setting is missing or wrong, or nothing here can send through such a provider.
    """
    if type_ in PROVIDERS:
        return _built(type_, PROVIDERS[type_], account)
    found = tuple(_plugins().select(name=type_))
    at = f"providers.{account.name}"
    if not found:
        hint = f"it can through {', '.join(known_types())}"
        raise refuse(f"this installation cannot send through {type_}", hint, path=at)
    if len(found) > 1:
        hint = f"uninstall one of {', '.join(sorted(map(_package, found)))}"
        raise refuse(f"several packages bring a provider {type_!r}", hint, path=at)
    try:
        factory: Factory = found[0].load()
    except Exception as error:  # noqa: BLE001 (somebody else's code)
        what = f"{_package(found[0])} cannot be loaded: {type(error).__name__}: {error}"
        raise refuse(what, "ask whoever wrote it", path=at) from None
    return _built(type_, factory, account)


def _built(type_: str, factory: Factory, account: Account) -> Provider | HttpProvider:
    at = f"providers.{account.name}"
    try:
        built: object = factory(account)
    except Refused:
        raise
    except ModuleNotFoundError as error:
        hint = "pip install 'remindctl[all]'"
        raise refuse(f"{type_} needs the package {error.name}", hint, path=at) from None
    except Exception as error:  # noqa: BLE001 (its text may repeat a secret)
        what = f"{type_} cannot be opened: a bug in it ({type(error).__name__})"
        raise refuse(what, "ask whoever wrote it", path=at) from None
    if isinstance(built, Provider | HttpProvider):
        return built
    what = f"{type_} is no provider: it has neither send nor request and receipts"
    raise refuse(what, "see README, Your own provider", path=at)


def _plugins() -> EntryPoints:
    return entry_points(group=PROVIDER_PLUGINS)


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else entry.value
