"""What is said of addresses that opt out, and the file of opt-outs that it is written into."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from remindctl.model import Family

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from remindctl.cli.optout_list import Address, OptOutList
    from remindctl.config import Config, StoreConfig

# What a refusal covers that names no family: all that goes to that kind of address.
_FAMILIES: Mapping[str, Sequence[Family]] = {
    "phone": (Family.TEXT, Family.KAKAO),
    "email": (Family.EMAIL,),
    "push_token": (Family.PUSH,),
    "shop_id": (Family.TEXT, Family.KAKAO, Family.EMAIL, Family.PUSH),
}


class Source(StrEnum):
    """How a list of opt-outs came about."""

    LINE_080 = "080"
    STOP = "stop"
    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    ONE_CLICK = "one_click"
    MANUAL = "manual"


# The way to refuse says of what: the free line is named in texts, a click is made in a mail.
_FAMILIES_OF: Mapping[Source, Sequence[Family]] = {
    Source.LINE_080: (Family.TEXT,),
    Source.STOP: (Family.TEXT,),
    Source.ONE_CLICK: (Family.EMAIL,),
}


def families_of(kind: str) -> Sequence[Family]:
    """Return what a refusal covers that names no family, by the kind of its address."""
    return _FAMILIES[kind]


@dataclass(frozen=True)
class Words:
    """What is to be said of every address."""

    scopes: Sequence[str]
    families: Sequence[Family]
    at: str | None = None
    stands: bool = True
    source: str = "manual"
    evidence: str = ""


def record(addresses: Sequence[str], words: Words, store: str | None, config: Path | None) -> int:
    """Write the words into the file of opt-outs; say how many were new."""
    from remindctl import clock  # noqa: PLC0415
    from remindctl.cli import line, world  # noqa: PLC0415
    from remindctl.sendlog import OptOut, ending, open_optouts  # noqa: PLC0415

    settings = world.open_config(config)
    chosen = one_store(settings, store)
    now = clock.now()
    at = world.instant(words.at, chosen.store.timezone, "--at") if words.at else now
    known = _read(addresses, chosen)
    path = chosen.optouts
    with (
        line.refused_by_log(),
        open_optouts(settings.log, settings.key_file, path, now=now) as logs,
    ):
        said = [
            OptOut(
                hmac=logs.hasher.hash(kind, value, chosen.store.key),
                family=family,
                scope=scope,
                at=at,
                stands=words.stands,
                source=words.source,
                evidence=words.evidence,
                ending=ending(value),
            )
            for kind, value in known
            for family in words.families or _FAMILIES[kind]
            for scope in words.scopes
        ]
        return logs.optouts[path].record(said, now)


def record_list(
    found: OptOutList,
    source: Source,
    families: Sequence[Family],
    settings: Config,
    chosen: StoreConfig,
) -> int:
    """Write what a list says into the file of opt-outs; say of how many rows it was new."""
    from remindctl import clock  # noqa: PLC0415
    from remindctl.cli import line  # noqa: PLC0415
    from remindctl.policy import EVERYTHING  # noqa: PLC0415
    from remindctl.sendlog import OptOut, ending, open_optouts  # noqa: PLC0415

    now, path = clock.now(), chosen.optouts
    # Nothing more reaches a dead address; whoever complains or replies refuses advertising.
    scope = EVERYTHING if source is Source.BOUNCE else "advertising"
    with (
        line.refused_by_log(),
        open_optouts(settings.log, settings.key_file, path, now=now) as logs,
    ):
        words = [
            (
                number,
                OptOut(
                    hmac=logs.hasher.hash(kind, value, chosen.store.key),
                    family=family,
                    scope=scope,
                    at=min(row.at or now, now),
                    undated=row.at is None,
                    source=str(source),
                    ending=ending(value),
                ),
            )
            for number, row in enumerate(found.rows)
            for kind, value in row.addresses
            for family in families or _FAMILIES_OF.get(source) or _FAMILIES[kind]
        ]
        file = logs.optouts[path]
        added = file.record_list([word for _, word in words], str(source), now)
    return len({number for (number, _), new in zip(words, added, strict=True) if new})


def addresses_by_key(chosen: StoreConfig) -> Mapping[str, Sequence[Address]]:
    """Read the store's files to know the addresses of each customer key."""
    from remindctl.cli.reading import load_configured  # noqa: PLC0415

    files = load_configured(chosen).snapshot
    keys = files.customers.select("person", "customer_key")
    found: dict[str, list[Address]] = {}
    for key, kind, value in (
        files.addresses.join(keys, on="person").select("customer_key", "kind", "value").iter_rows()
    ):
        found.setdefault(key, []).append((kind, value))
    return found


def one_store(settings: Config, name: str | None) -> StoreConfig:
    """Choose the store whose country and file of opt-outs count."""
    from remindctl.cli import world  # noqa: PLC0415
    from remindctl.errors import refuse  # noqa: PLC0415

    stores = world.choose_stores(settings, [name] if name else [])
    if len({(one.optouts, one.store.country) for one in stores}) > 1:
        names = ", ".join(one.store.key for one in stores)
        raise refuse("which store is it for?", f"--store NAME, one of {names}", path="--store")
    return stores[0]


def _read(addresses: Sequence[str], store: StoreConfig) -> list[tuple[str, str]]:
    """Read addresses as the shop's files are read: kind and normalised value of each.

    Raises:
        Refused: with every one that is no address.
    """
    import polars as pl  # noqa: PLC0415

    from remindctl.errors import Place, Problem, Refused, refuse  # noqa: PLC0415
    from remindctl.stores.values import careful_phones, email  # noqa: PLC0415

    given = [text for one in addresses for text in (sys.stdin if one == "-" else [one])]
    cells = pl.Series("cell", [text.strip() for text in given if text.strip()], dtype=pl.String)
    if cells.is_empty():
        raise refuse("no address is given", "remindctl optout add 010-1234-5678")
    emails = cells.to_frame().select(email(pl.col("cell")))["cell"]
    phones = careful_phones(cells, store.store.country)
    hint = "a phone number (010-1234-5678, +12025550100) or an e-mail address"
    problems = [
        # Not the text itself: what is no address may still be someone's.
        Problem(Place("ADDRESS", line), "this is no address", hint)
        for line, (mail, phone) in enumerate(zip(emails, phones, strict=True), start=1)
        if mail is None and phone is None
    ]
    if problems:
        raise Refused(problems)
    return [
        ("email", mail) if mail is not None else ("phone", phone)
        for mail, phone in zip(emails, phones, strict=True)
    ]
