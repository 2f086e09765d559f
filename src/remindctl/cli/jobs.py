"""Which stores a command over shop files is about: the files it was given, or configured ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from remindctl.cli.reading import Reading
    from remindctl.config import StoreConfig


def day_of(text: str | None, option: str) -> date | None:
    """Read a date that an option gives; of an instant, its date as written.

    Raises:
        Refused: it is no date.
    """
    from datetime import datetime  # noqa: PLC0415

    from remindctl.errors import refuse  # noqa: PLC0415

    try:
        return datetime.fromisoformat(text).date() if text is not None else None
    except ValueError as error:
        hint = "YYYY-MM-DD, for example 2026-10-31"
        raise refuse(f"{text!r} is no date", hint, path=option) from error


@dataclass(frozen=True)
class Job:
    """One store to read: files, or a store of ``remindctl.yaml``."""

    name: str | None
    files: Sequence[str] = ()
    configured: StoreConfig | None = None

    def reading(
        self,
        compact: frozenset[str] | None,
        *,
        layout: str | None,
        maps: Sequence[str],
        password: Callable[[str], str | None],
        cache: bool,
    ) -> Reading:
        """Return how the store is read.

        Args:
            compact: as in ``stores.query.Settings``.
            layout: of files of the command line, see :func:`inputs.claim`.
            maps: likewise.
            password: likewise.
            cache: whether snapshots are recalled and kept. Whole files that belong to no
                configuration have none: what commands erase from a store would not reach them.
        """
        from remindctl.cli import reading  # noqa: PLC0415
        from remindctl.stores.query import Settings  # noqa: PLC0415

        if self.configured is not None:
            found = reading.of_store(self.configured, compact=compact)
            return found if cache else replace(found, snapshots=None)
        return reading.Reading(
            files=self.files,
            layout=layout,
            maps=maps,
            settings=Settings(compact=compact),
            store=self.name,
            password=password,
            snapshots=reading.user_snapshots() if cache and compact is not None else None,
        )


def jobs_of(
    files: Sequence[str], stores: Sequence[str], config: Path | None, *, command: str = "analyze"
) -> list[Job]:
    """Divide the arguments of a command into stores.

    Raises:
        Refused: no file is given, or it is not clear which store a file belongs to.
    """
    from remindctl.errors import refuse  # noqa: PLC0415

    named = [text.partition("=") for text in stores]
    if any(sign for _, sign, _ in named):
        if files or not all(name and part for name, _, part in named):
            raise refuse(
                "either every store has its files (NAME=FILES), or the one named store has all",
                f"remindctl {command} --store green=a.xlsx,b.csv --store blue=orders.csv",
                path="--store",
            )
        return [Job(name, part.split(",")) for name, _, part in named]
    if files:
        if len(stores) > 1:
            hint = f"--store {stores[0]}=FILE --store {stores[1]}=FILE"
            raise refuse("which file belongs to which store?", hint, path="--store")
        return [Job(stores[0] if stores else None, files)]
    if not stores:
        hint = f"remindctl {command} orders.csv; for a store of remindctl.yaml: --store NAME"
        raise refuse("no file is given", hint)
    return [Job(name, configured=_configured(name, config)) for name in stores]


def _configured(name: str, config: Path | None) -> StoreConfig:
    import os  # noqa: PLC0415

    from remindctl.config import find_config, load_config  # noqa: PLC0415
    from remindctl.documents import did_you_mean  # noqa: PLC0415
    from remindctl.errors import refuse  # noqa: PLC0415

    found = load_config(find_config(config, os.environ, None, Path.cwd()))
    if name not in found.stores:
        raise refuse(
            f"{found.path} has no store {name!r}", did_you_mean(name, found.stores), path="--store"
        )
    return found.stores[name]
