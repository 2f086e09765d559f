"""What a configuration should say before anything is sent: facts that only the owner knows.

Korea: texts with advertising may be delegated only to a certified sender (전송자격인증, Network Act
50-3), from a number registered beforehand (발신번호 사전등록). Mailbox providers: the domain of the
sender's address must be the one that the mail is signed with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from remindctl.config.schema import BUILT_IN_PROVIDERS
from remindctl.errors import Problem
from remindctl.model import FAMILY, Channel, Family

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remindctl.config.load import Config, ProviderConfig
    from remindctl.model import Store


def warnings(config: Config) -> list[Problem]:
    """Say what is worth a look; each stops nothing."""
    found: set[Problem] = set()
    for store in (each.store for each in config.stores.values()):
        for channel, name in store.providers.items():
            provider = config.providers[name]
            if provider.type in BUILT_IN_PROVIDERS:
                continue
            if FAMILY[channel] is Family.TEXT and store.country == "KR":
                found.update(_korean_texts(provider))
            if channel is Channel.EMAIL:
                found.update(_signed_mail(provider, store))
    return sorted(found)


def _korean_texts(provider: ProviderConfig) -> Iterator[Problem]:
    at = provider.place
    if provider.certificate is None:
        what = f"`{provider.name}` has no certificate as a bulk sender (전송자격인증) noted"
        hint = "ask for it and note it: certificate: …; its breach counts as yours"
        yield Problem(at, what, hint, warning=True)
    if not provider.sender_registered:
        what = f"the sending number is not marked as registered with `{provider.name}`"
        hint = "register it (발신번호 사전등록), then: sender_registered: true"
        yield Problem(at, what, hint, warning=True)


def _signed_mail(provider: ProviderConfig, store: Store) -> Iterator[Problem]:
    signed = provider.signing_domain
    sender = store.sender.get("email", "").rpartition("@")[2].lower()
    if signed and sender and not _related(sender, signed):
        what = f"mail from {sender} is signed by `{provider.name}` as {signed}"
        hint = "mailboxes refuse it: sign with the sender's domain, or send from the other"
        yield Problem(provider.place, what, hint, warning=True)


def _related(one: str, other: str) -> bool:
    """Say whether a domain lies in the other; mailboxes compare the one that was registered."""
    return f".{one}".endswith(f".{other}") or f".{other}".endswith(f".{one}")
