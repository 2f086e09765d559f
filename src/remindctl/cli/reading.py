"""The files of one store as a command wants them: read, or recalled where nothing has changed."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import polars as pl

from remindctl.cli.inputs import claim, only_shop, password_from
from remindctl.errors import Refused
from remindctl.frames import ORDERS, Orders
from remindctl.stores.files import expand
from remindctl.stores.load import Loaded, load
from remindctl.stores.query import Settings
from remindctl.stores.snapshot import Key, Snapshots, state_of, user_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from remindctl.config import StoreConfig
    from remindctl.stores.identify import Claimed

T = TypeVar("T")


@dataclass(kw_only=True)
class Reading:
    """One store's files and how they are read.

    Attributes:
        files: patterns of its orders, on a command line of its customers too.
        further: patterns of each of its other kinds of file.
        layout, maps: what ``files`` are in, as :func:`inputs.claim` takes it.
        settings: what the files themselves do not say.
        store: its name; None = the shop that the files come from.
        password: asked with the name of a protected file.
        snapshots: where to keep what was read; None = nowhere.
    """

    files: Sequence[str]
    further: Sequence[Sequence[str]] = ()
    layout: str | None = None
    maps: Sequence[str] = ()
    settings: Settings
    store: str | None
    password: Callable[[str], str | None]
    snapshots: Snapshots | None
    _protected: bool = field(default=False, init=False)
    _loaded: Loaded | None = field(default=None, init=False)

    def loaded(self) -> Loaded:
        """Return the files, read.

        With snapshots and compact they hold nobody's address: ``orders`` no columns but canonical
        ones, ``rejects`` no values.

        Raises:
            Refused: with the problems of all files.
        """
        if self._loaded is None:
            self._loaded = self._once("loaded", Loaded, self._read)
        return self._loaded

    def answer(self, question: object, kind: type[T], make: Callable[[Loaded], T]) -> T:
        """Return what ``make`` makes of the files, which only depends on them and ``question``.

        Args:
            question: a value whose ``repr`` is the same whenever the question is.
            kind: the type of the answer, see ``stores.archive``.
            make: called unless the answer is known.

        Raises:
            Refused: with the problems of all files.
        """
        return self._once(question, kind, lambda: make(self.loaded()))

    def _once(self, question: object, kind: type[T], make: Callable[[], T]) -> T:
        if self.snapshots is None or self._state is None:
            return make()
        key = Key.of((question, *self._how()), self._state)
        known = self.snapshots.recall(key, kind)
        if known is not None:
            return known
        made = make()
        # What was decrypted must not lie about, nor what was read while a file was being written.
        if not self._protected and self._look() == self._state:
            self.snapshots.keep(key, made)
        return made

    def _how(self) -> tuple[object, ...]:
        """Return all that an answer depends on, but for the files and the program."""
        compact = self.settings.compact
        patterns = [tuple(each) for each in (self.files, *self.further)]
        return (
            patterns,
            # Two shops may each have an orders.csv.
            [os.path.abspath(pattern) for pattern in chain(*patterns)],  # noqa: PTH100 (no paths)
            *(self.layout, tuple(self.maps), self.store),
            *(self.settings.zone, self.settings.region),
            None if compact is None else sorted(compact),
        )

    @cached_property
    def _state(self) -> str | None:
        """The state of the files before any of them is read."""
        return self._look()

    def _look(self) -> str | None:
        try:
            files = expand(chain(self.files, *self.further))
        except Refused:
            return None
        if self.layout and Path(self.layout).is_file():
            files.append(Path(self.layout))
        return state_of(files)

    def _read(self) -> Loaded:
        claims = self._claim(self.files, layout=self.layout, maps=self.maps)
        for patterns in self.further:
            claims += self._claim(patterns)
        found = load(claims, self.settings, store=self.store or only_shop(claims))
        if self.snapshots is None or self.settings.compact is None:
            return found
        # Short hashes of phone numbers are soon tried out, and bad rows may hold anything.
        orders = found.snapshot.orders
        orders = Orders(orders.select(name for name in orders.columns if name in ORDERS))
        rejects = found.rejects.with_columns(pl.lit(None, dtype=pl.String).alias("value"))
        return replace(found, snapshot=replace(found.snapshot, orders=orders), rejects=rejects)

    def _claim(
        self, patterns: Sequence[str], *, layout: str | None = None, maps: Sequence[str] = ()
    ) -> list[Claimed]:
        zone = self.settings.zone
        return claim(patterns, layout=layout, maps=maps, password=self._ask, zone=zone)

    def _ask(self, name: str) -> str | None:
        self._protected = True
        return self.password(name)


def of_store(store: StoreConfig, *, compact: frozenset[str] | None = None) -> Reading:
    """Return how a store of ``remindctl.yaml`` is read.

    Args:
        store: what the configuration says of it.
        compact: as in ``Settings``; then only order and customer files are read.
    """
    sources = store.sources
    secret = sources.password
    further = [sources.customers]
    if compact is None:
        further += [sources.consents, sources.events]
    return Reading(
        files=sources.orders,
        further=[patterns for patterns in further if patterns],
        layout=sources.layout,
        settings=Settings(zone=store.store.timezone, region=store.store.country, compact=compact),
        store=store.store.key,
        password=(lambda _: secret.read(os.environ)) if secret else password_from(None),
        snapshots=Snapshots(store.snapshots) if store.snapshots else None,
    )


def load_configured(store: StoreConfig) -> Loaded:
    """Read all files of a store of ``remindctl.yaml`` into canonical frames.

    Raises:
        Refused: with the problems of all its files, or none of them holds orders.
    """
    return of_store(store).loaded()


def user_snapshots() -> Snapshots | None:
    """Return the snapshots of files that belong to no configuration."""
    try:
        home = Path.home()
    except RuntimeError:  # a service's user may have none
        return None
    folder = user_folder(os.environ, home, sys.platform)
    return Snapshots(folder) if folder else None
