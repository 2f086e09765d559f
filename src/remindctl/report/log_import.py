"""What came of the results that providers told."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from remindctl.report.console import counted, number

SCHEMA = "remindctl.log_import/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """How many reports did what.

    Attributes:
        changed: states that are new.
        opted_out: opt-outs and dead addresses that are new.
        unknown: of messages that the log does not have, or has more than one of.
        unplaced: refusals of nobody knows whom.
        skipped: could not be read, and were left out on demand.
    """

    reports: int
    changed: int
    opted_out: int
    unknown: int
    unplaced: int
    skipped: int


def to_json(answer: Imported) -> str:
    """Write ``{"schema": "remindctl.log_import/1", "reports": …, "changed": …}``."""
    return json.dumps({"schema": SCHEMA, **asdict(answer)}, indent=2) + "\n"


def counts(answer: Imported) -> str:
    """Say in one line how many reports did what."""
    more = {
        "opted out": answer.opted_out,
        "of unknown messages": answer.unknown,
        "of nobody knows whom": answer.unplaced,
        "left out": answer.skipped,
    }
    told = [f"{number(count)} {what}" for what, count in more.items() if count]
    return ", ".join(
        [counted(answer.reports, "report"), f"{number(answer.changed)} new results", *told]
    )
