"""``remindctl.yaml`` → the stores, where their files lie, and the providers of their channels.

Secrets never stand in the file: it names an environment variable, and :class:`Secret` reads it when
it is needed, so that a command that needs none runs without any.
"""

from __future__ import annotations

import glob
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from remindctl.config.schema import BUILT_IN_PROVIDERS, FALLS_BACK, ConfigFile
from remindctl.config.values import environment_name
from remindctl.documents import Located, decode, parse
from remindctl.errors import Place, refuse
from remindctl.model import Cap, Ceiling, Policy, Store

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from remindctl.config.schema import ProviderEntry, SourcesEntry, StoreEntry
    from remindctl.model import Channel, Span

FILE_NAME = "remindctl.yaml"
VARIABLE = "REMINDCTL_CONFIG"


@dataclass(frozen=True, slots=True)
class Secret:
    """The name of an environment variable that holds a secret, never the secret."""

    variable: str
    place: Place

    def read(self, environment: Mapping[str, str]) -> str:
        """Return the secret.

        Raises:
            Refused: the variable is not set, or empty.
        """
        if value := environment.get(self.variable):
            return value
        what = f"the environment variable {self.variable} is not set"
        place = self.place
        hint = f"set it before the run: export {self.variable}=…"
        raise refuse(what, hint, path=place.path, line=place.line, column=place.column)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where one store's files lie: absolute glob patterns, for ``glob.glob(…, recursive=True)``.

    Attributes:
        layout: ``auto``, the name of a built-in layout, or the absolute path of a layout file.
        password: of encrypted workbooks.
    """

    orders: tuple[str, ...]
    customers: tuple[str, ...] = ()
    consents: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    coupons: tuple[str, ...] = ()
    layout: str = "auto"
    password: Secret | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreConfig:
    """One store: what the core needs, and what only the edges do.

    Attributes:
        optouts: the store's suppression database.
        snapshots: the folder of what its files were read as; None = none are kept.
        segment_places: own segment → where its condition stands, for problems found with the data.
        place: where the store's key stands.
    """

    store: Store
    sources: Sources
    optouts: Path
    snapshots: Path | None = None
    segment_places: Mapping[str, Place]
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderConfig:
    """One account at a provider, as data: this version may or may not send through it.

    Attributes:
        type: which provider it is (``solapi``, ``smtp``, …).
        settings: every further key as the user wrote it; paths are relative to the file.
        base_url: replaces the provider's own address.
        timeout: how long to wait for an answer.
        rate: messages a second, at most.
        concurrency: requests at the same time, at most.
        lookup_grace: how long after an attempt "not found" does not yet mean "not sent".
        certificate: of its qualification as a bulk sender (전송자격인증), as the owner noted it.
        sender_registered: the owner says that the sending number is registered with it.
        signing_domain: the domain that it signs e-mail with (DKIM).
        place: where the provider's key stands.
    """

    name: str
    type: str
    settings: Mapping[str, str | Secret]
    base_url: str | None = None
    timeout: Span | None = None
    rate: float | None = None
    concurrency: int | None = None
    lookup_grace: Span | None = None
    certificate: str | None = None
    sender_registered: bool = False
    signing_domain: str | None = None
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """One ``remindctl.yaml``, checked.

    Attributes:
        path: the file; relative paths in it were read from its folder.
        log: a SQLite file (Path) or a PostgreSQL address (str).
        key_file: the key of the log's hashes.
        stores: in the order of the file.
        providers: the file's, and those that are always there: outbox, console, feed.
    """

    path: Path
    log: Path | str
    key_file: Path
    stores: Mapping[str, StoreConfig]
    providers: Mapping[str, ProviderConfig]


def find_config(
    explicit: Path | None, environment: Mapping[str, str], campaign: Path | None, cwd: Path
) -> Path:
    """Choose the configuration file.

    Args:
        explicit: what ``--config`` says.
        environment: ``REMINDCTL_CONFIG`` comes next.
        campaign: a campaign file; then the nearest ``remindctl.yaml`` upward from it.
        cwd: at last the nearest one upward from here.

    Raises:
        Refused: there is none, or the one that was named is not there.
    """
    named = environment.get(VARIABLE)
    for chosen, said_by in ((explicit, "--config"), (Path(named) if named else None, VARIABLE)):
        if chosen is None:
            continue
        if (cwd / chosen).is_file():
            return cwd / chosen
        raise refuse("there is no such configuration file", f"{said_by} names it", path=str(chosen))
    starts = ([(cwd / campaign).resolve().parent] if campaign else []) + [cwd.resolve()]
    for start in starts:
        for folder in (start, *start.parents):
            if (folder / FILE_NAME).is_file():
                return folder / FILE_NAME
    what = f"there is no {FILE_NAME} here or in a folder above"
    raise refuse(what, "remindctl init DIR makes one; or name yours: --config FILE", path=str(cwd))


def load_config(path: Path) -> Config:
    """Read and check a configuration file.

    Raises:
        Refused: with every problem of the file.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise refuse(f"cannot be read: {error.strerror}", path=str(path)) from None
    found = parse(decode(data, str(path)), str(path), ConfigFile)
    folder = path.absolute().parent
    file = found.value
    log = file.log if "://" in file.log else folder / Path(file.log).expanduser()
    key_file = folder / Path(file.key_file).expanduser()
    snapshots = (log if isinstance(log, Path) else key_file).parent / "snapshots"
    built_in = (name for name in BUILT_IN_PROVIDERS if name not in file.providers)
    providers = [_provider(name, entry, found) for name, entry in file.providers.items()]
    providers += [
        ProviderConfig(name=name, type=name, settings={}, place=Place(str(path)))
        for name in built_in
    ]
    return Config(
        path=path,
        log=log,
        key_file=key_file,
        stores={
            key: replace(_store(key, entry, found, folder), snapshots=snapshots)
            for key, entry in file.stores.items()
        },
        providers={provider.name: provider for provider in providers},
    )


def _falls_back(entry: StoreEntry, providers: Mapping[str, ProviderEntry]) -> frozenset[Channel]:
    served = {channel: providers.get(name) for channel, name in entry.channels.items()}
    return frozenset(
        channel
        for channel, provider in served.items()
        if provider is not None and channel in FALLS_BACK.get(provider.type, ())
    )


def _store(key: str, entry: StoreEntry, found: Located[ConfigFile], folder: Path) -> StoreConfig:
    at = ("stores", key)
    store = Store(
        key=key,
        name=entry.name,
        timezone=entry.timezone,
        country=entry.country,
        currency=entry.currency,
        url=entry.url,
        sender=entry.sender.model_dump(exclude_none=True),
        optout=entry.optout.model_dump(exclude_none=True),
        providers=dict(entry.channels),
        falls_back=_falls_back(entry, found.value.providers),
        prices=dict(entry.prices),
        segments=dict(entry.segments),
        max_data_age=entry.max_data_age,
        explicit_consent_sources=frozenset(entry.explicit_consent_sources),
        brand_targets=frozenset(entry.brand_message_targets),
        policy=_policy(entry),
    )
    return StoreConfig(
        store=store,
        sources=_sources(entry.sources, found, at, folder),
        optouts=folder / Path(entry.optouts or found.value.optouts).expanduser(),
        segment_places={name: found.place(*at, "segments", name) for name in entry.segments},
        place=found.key_place(*at),
    )


def _policy(entry: StoreEntry) -> Policy:
    policy = entry.policy
    return Policy(
        preset=entry.preset,
        existing_customers=policy.existing_customers,
        hours=dict(policy.hours),
        holidays=frozenset(policy.holidays),
        caps=tuple(Cap(cap.max, cap.per, cap.channel, cap.tag) for cap in policy.caps),
        holdout=policy.holdout,
        ceiling=Ceiling(policy.ceiling.recipients, policy.ceiling.cost),
        attribution=policy.attribution,
    )


def _sources(
    entry: SourcesEntry, found: Located[ConfigFile], at: tuple[str, str], folder: Path
) -> Sources:
    def patterns(given: Iterable[str]) -> tuple[str, ...]:
        # The folder's own name may hold characters that mean something in a pattern.
        root = glob.escape(str(folder))
        expanded = (str(Path(pattern).expanduser()) for pattern in given)
        return tuple(str(Path(root) / pattern) for pattern in expanded)

    is_file = entry.layout.endswith((".yaml", ".yml"))
    return Sources(
        orders=patterns(entry.orders),
        customers=patterns(entry.customers),
        consents=patterns(entry.consents),
        events=patterns(entry.events),
        coupons=patterns(entry.coupons),
        layout=str(folder / Path(entry.layout).expanduser()) if is_file else entry.layout,
        password=_secret(entry.password, found.place(*at, "sources", "password")),
    )


def _secret(given: str | None, place: Place) -> Secret | None:
    variable = environment_name(given) if given else None
    return Secret(variable, place) if variable else None


def _provider(name: str, entry: ProviderEntry, found: Located[ConfigFile]) -> ProviderConfig:
    settings = {
        key: _secret(value, found.place("providers", name, key)) or value
        for key, value in entry.settings.items()
    }
    return ProviderConfig(
        name=name,
        type=entry.type,
        settings=settings,
        base_url=entry.base_url,
        timeout=entry.timeout,
        rate=entry.rate,
        concurrency=entry.concurrency,
        lookup_grace=entry.lookup_grace,
        certificate=entry.certificate,
        sender_registered=entry.sender_registered,
        signing_domain=entry.signing_domain,
        place=found.key_place("providers", name),
    )
