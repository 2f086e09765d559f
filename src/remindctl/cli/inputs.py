"""What commands that read shop files share: passwords, layouts, whose files they are."""

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

    from remindctl.stores.identify import Claimed
    from remindctl.stores.layout import Layout


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


def only_shop(claims: Sequence[Claimed]) -> str:
    """Return the one shop that files come from.

    Raises:
        Refused: they come from several.
    """
    import shlex  # noqa: PLC0415

    from remindctl.errors import refuse  # noqa: PLC0415
    from remindctl.stores.identify import file_of  # noqa: PLC0415

    shops: dict[str, dict[str, None]] = {}
    for one in claims:
        if one.layout.shop != "any":
            shops.setdefault(one.layout.shop, {})[str(file_of(one.table.name))] = None
    if len(shops) > 1:
        seen = "; ".join(f"{shop}: {', '.join(names)}" for shop, names in shops.items())
        each = " ".join(
            f"--store {shop}={shlex.quote(','.join(names))}" for shop, names in shops.items()
        )
        raise refuse(
            f"these files come from different stores ({seen})",
            f"for one answer each: {each}; if they are one store's, name it: --store NAME",
        )
    return next(iter(shops), "store")
