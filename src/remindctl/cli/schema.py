"""``schema``: what may stand in a file, for the editor that writes it."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from remindctl.documents import Strict


class Kind(StrEnum):
    """The files that people write."""

    CAMPAIGN = "campaign"
    CONFIG = "config"
    LAYOUT = "layout"


def schema(kind: Annotated[Kind, typer.Argument(help="Which file it describes.")]) -> None:
    """Print the JSON Schema of a file, so that your editor completes and checks it."""
    from remindctl.report.stream import write_file  # noqa: PLC0415

    write_file(text_of(kind))


def text_of(kind: Kind) -> str:
    """Return the JSON Schema of a file as text."""
    from remindctl.documents.jsonschema import json_schema  # noqa: PLC0415

    described = json_schema(_model(kind), f"remindctl {kind}")
    return json.dumps(described, ensure_ascii=False, indent=2)


def _model(kind: Kind) -> type[Strict]:
    if kind is Kind.CAMPAIGN:
        from remindctl.campaigns import CampaignFile  # noqa: PLC0415

        return CampaignFile
    if kind is Kind.CONFIG:
        from remindctl.config import ConfigFile  # noqa: PLC0415

        return ConfigFile
    from remindctl.stores.layout import Layout  # noqa: PLC0415

    return Layout
