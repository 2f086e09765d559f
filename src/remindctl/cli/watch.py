"""Who has ordered since the plans were made: the files are looked at again while messages leave."""

from __future__ import annotations

from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from remindctl.audience import PURCHASE
from remindctl.cli.reading import load_configured
from remindctl.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Collection

    from remindctl.cli.world import Shop
    from remindctl.frames import Snapshot
    from remindctl.sendlog import Hasher

_Stamp = tuple[tuple[str, int, int], ...]


class OrderWatch:
    """Tells new buyers by their keyed hashes; asked before each chunk of messages."""

    def __init__(self, shop: Shop, hasher: Hasher) -> None:
        self._shop = shop
        self._hasher = hasher
        self._stamp = self._look()
        self._buyers: frozenset[bytes] = frozenset()

    def __call__(self) -> Collection[bytes]:
        """Return the hashes of everything that whoever has ordered since is known by."""
        stamp = self._look()
        if stamp == self._stamp:
            return self._buyers
        try:
            files = load_configured(self._shop.config).snapshot
        except Refused:
            # Somebody is writing a file just now: it is looked at again before the next messages.
            return self._buyers
        self._stamp = stamp
        self._buyers |= self._hashes(files)
        return self._buyers

    def _look(self) -> _Stamp:
        sources = self._shop.config.sources
        paths = sorted(
            path
            for pattern in (*sources.orders, *sources.events)
            for path in glob(pattern, recursive=True)  # noqa: PTH207 (the patterns are absolute)
        )
        return tuple(_stamped(Path(path)) for path in paths)

    def _hashes(self, files: Snapshot) -> frozenset[bytes]:
        known = self._shop.snapshot.orders.select("order_id")
        ordered = files.orders.join(known, on="order_id", how="anti")["person"]
        bought = files.events.filter(
            pl.col("event") == PURCHASE, pl.col("occurred_at") > self._shop.as_of
        )["person"]
        buyers = pl.concat([ordered, bought]).drop_nulls().unique()
        theirs = files.addresses.filter(pl.col("person").is_in(buyers.implode()))
        store = self._shop.config.store.key
        return frozenset(
            self._hasher.hash(kind, value, store)
            for kind, value in theirs.select("kind", "value").iter_rows()
        )


def _stamped(path: Path) -> tuple[str, int, int]:
    try:
        about = path.stat()
    except OSError:
        return str(path), 0, 0
    return str(path), about.st_size, about.st_mtime_ns
