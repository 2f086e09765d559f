"""What commands that read shop files share: passwords, layouts, configured sources."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from remindctl.config import StoreConfig
    from remindctl.stores.identify import Claimed
    from remindctl.stores.layout import Layout
    from remindctl.stores.load import Loaded


def password_from(env_name: str | None) -> Callable[[str], str | None]:
    """Return what answers for the password of a protected file: the environment, else the terminal.

    Raises:
        Refused: the variable is not set.
    """
    from remindctl.errors import refuse  # noqa: PLC0415

    if env_name is not None:
        secret = os.environ.get(env_name)
        if not secret:
            raise refuse(
                f"the environment variable {env_name} is not set",
                f"set it first, for example: read -s {env_name}; export {env_name}",
                path="--password-env",
            )
        return lambda _: secret
    asked: dict[str, str] = {}

    def ask(name: str) -> str | None:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            return None
        if "" not in asked:  # a shop's downloads mostly share one password
            # On a line of its own, since a spinner clears the line that it turns in.
            what = f"\nPassword of {Path(name).name} (it is not shown; end with Enter):"
            typer.echo(what, err=True)
            with suppress(EOFError):
                asked[""] = getpass("", sys.stderr)
        return asked.get("")

    return ask


def claim(
    patterns: Sequence[str],
    *,
    layout: str | None = None,
    maps: Sequence[str] = (),
    password: Callable[[str], str | None],
    zone: str | None = None,
) -> list[Claimed]:
    """Open files and find their layouts.

    Args:
        patterns: paths, folders and globs.
        layout: ``auto`` or None, the name of a built-in layout, or the path of a layout file.
        maps: ``FIELD=COLUMN`` texts, instead of a layout.
        password: asked with the name of a protected file.
        zone: where clock times in file names are, for layouts without a zone of their own.

    Raises:
        Refused: with the problems of all files.
    """
    from remindctl.errors import refuse  # noqa: PLC0415
    from remindctl.stores import quick  # noqa: PLC0415
    from remindctl.stores.identify import claim_files  # noqa: PLC0415
    from remindctl.stores.layout import built_in, built_in_text, read_layout_file  # noqa: PLC0415

    if maps and layout:
        raise refuse("--layout and --map exclude each other", "keep one of them")
    if maps:
        mapped = [quick.map_layout(maps)]
        claims = claim_files(patterns, mapped, password=password, only=True, zone=zone)
        return [quick.with_date_order(one) for one in claims]
    layouts: list[Layout] = list(built_in().values())
    only = False
    if layout is not None and layout in built_in():
        layouts, only = [built_in()[layout]], True
    elif layout and layout != "auto":
        if not Path(layout).suffix and not Path(layout).exists():
            built_in_text(layout)  # refuses what is neither a file nor a built-in name
        # A shop's own layout goes first; the built-in ones still read its other files.
        layouts = [read_layout_file(Path(layout)), *layouts]
    return claim_files(patterns, layouts, password=password, only=only, zone=zone)


def load_configured(store: StoreConfig, *, compact: frozenset[str] | None = None) -> Loaded:
    """Read a configured store into canonical frames.

    Args:
        store: what ``remindctl.yaml`` says of it.
        compact: as in ``stores.engine.Settings``; then only order and customer files are read.

    Raises:
        Refused: with the problems of all its files, or none of them holds orders.
    """
    from remindctl.stores.load import load  # noqa: PLC0415
    from remindctl.stores.query import Settings  # noqa: PLC0415

    sources, zone = store.sources, store.store.timezone
    secret = sources.password
    password = (lambda _: secret.read(os.environ)) if secret else password_from(None)
    claims = claim(sources.orders, layout=sources.layout, password=password, zone=zone)
    further = [sources.customers]
    if compact is None:
        further += [sources.consents, sources.events]
    for patterns in further:
        if patterns:
            claims += claim(patterns, password=password, zone=zone)
    settings = Settings(zone=zone, region=store.store.country, compact=compact)
    return load(claims, settings, store=store.store.key)
