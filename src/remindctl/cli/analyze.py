"""``analyze``: how often customers come back, from files alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from pathlib import Path  # noqa: TC003 (typer reads the annotations as they run)
from typing import TYPE_CHECKING, Annotated

import typer

from remindctl.cli import options  # noqa: TC001 (typer reads the annotations as they run)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from remindctl.analysis import Analysis
    from remindctl.comparison import Question
    from remindctl.stores.load import Loaded, Source


class Output(StrEnum):
    """The forms of an answer."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


class By(StrEnum):
    """What cycles are listed of."""

    PRODUCT = "product"
    OPTION = "option"
    CATEGORY = "category"
    SKU = "sku"


def analyze(  # noqa: PLR0917 (each is an option; typer names them)
    files: options.Files = None,
    output: Annotated[
        Output, typer.Option("--output", "-o", help="Form of the answer.")
    ] = Output.TABLE,
    by: Annotated[By, typer.Option(help="List cycles by this.")] = By.PRODUCT,
    as_of: options.AsOf = None,
    store: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[=FILES]",
            help="Name the store; NAME=FILES,… once per store for several; "
            "NAME alone without FILES reads remindctl.yaml.",
        ),
    ] = None,
    config: options.Config = None,
    layout: options.Layout = None,
    maps: options.Maps = None,
    without_outliers: Annotated[  # noqa: FBT002 (a flag)
        bool,
        typer.Option("--without-outliers", help="Leave out likely business and gift buyers."),
    ] = False,
    compare: Annotated[
        str | None,
        typer.Option(
            metavar="BY=A,B",
            help="Compare two groups of customers by a log-rank test. BY: what their first order "
            "tells (product, option, category, sku, discount code or `none`, month), or segment, "
            "as it was on a day before they are watched (segment=one_time,repeat@2026-01-31).",
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Also write a report for the browser."),
    ] = None,
    suggest: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Write campaign files with this store's timings into a folder, never over a file.",
        ),
    ] = None,
    rejects: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write rows that were no use to this CSV.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse files with such rows.")] = False,  # noqa: FBT002 (a flag)
    password_env: options.PasswordEnv = None,
    no_cache: options.NoCache = False,  # noqa: FBT002 (a flag)
) -> None:
    """Show how often customers come back: intervals, return curves, who is due, good timings."""
    from remindctl.cli.inputs import password_from  # noqa: PLC0415
    from remindctl.cli.jobs import Job, day_of, jobs_of  # noqa: PLC0415
    from remindctl.cli.rejects import refuse_overwriting, refuse_rejects, write_rejects  # noqa: PLC0415
    from remindctl.report.progress import working  # noqa: PLC0415

    day, compared = day_of(as_of, "--as-of"), _question(compare)
    if html is not None:
        from remindctl.report.analysis_html import require  # noqa: PLC0415

        require()
    with working("Reading and counting"):
        compact = frozenset(_columns(by, compared))
        read = partial(
            Job.reading,
            compact=compact,
            layout=layout,
            maps=maps or (),
            password=password_from(password_env),
            # Snapshots do not tell what stood in rows that were no use.
            cache=not no_cache and rejects is None,
        )
        jobs = jobs_of(files or [], store or [], config)
        readings = [(job.name, read(job)) for job in jobs]
        if strict:
            refuse_rejects([reading.loaded() for _, reading in readings])
        look = _Look(day, by, without_outliers, compared)
        answers = [
            reading.answer((look, name), _Answer, partial(look.at, name))
            for name, reading in readings
        ]
    analyses = [answer.analysis for answer in answers]
    sources = [source for answer in answers for source in answer.sources]
    if suggest is not None:
        from remindctl.cli.suggest import write_campaigns  # noqa: PLC0415

        write_campaigns(
            suggest, analyses, [job.configured.store.key for job in jobs if job.configured]
        )
    if rejects is not None:
        write_rejects(rejects, [reading.loaded() for _, reading in readings])
    if html is not None:
        refuse_overwriting(html, "--html", sources)
        _write_html(html, analyses)
    side_files = [source.name for source in sources if source.kind == "events"]
    try:
        _show(analyses, output, side_files)
    except BrokenPipeError:
        raise
    except OSError as error:
        from remindctl.errors import refuse  # noqa: PLC0415

        what = f"the answer cannot be written: {error.strerror or error}"
        raise refuse(what, "make room, or write it somewhere else") from error


def _question(text: str | None) -> Question | None:
    if text is None:
        return None
    from remindctl.comparison import question  # noqa: PLC0415
    from remindctl.errors import Place  # noqa: PLC0415

    return question(text, Place("--compare"))


def _columns(by: By, compared: Question | None) -> tuple[str, ...]:
    from remindctl.cycles import ITEM_COLUMNS  # noqa: PLC0415

    if compared is None:
        return ITEM_COLUMNS[by]
    from remindctl.comparison import GROUPINGS  # noqa: PLC0415

    return (*ITEM_COLUMNS[by], *GROUPINGS[compared.by])


@dataclass(frozen=True)
class _Answer:
    """What is shown of a store, and the files it was found in."""

    analysis: Analysis
    sources: tuple[Source, ...]


@dataclass(frozen=True)
class _Look:
    """How to look at each store."""

    day: date | None
    by: By
    without_outliers: bool
    compared: Question | None

    def at(self, name: str | None, loaded: Loaded) -> _Answer:
        from remindctl.analysis import Accounting, analyse  # noqa: PLC0415

        orders, currency, foreign = loaded.in_main_currency()
        accounting = Accounting(loaded.rows, loaded.duplicate_lines, loaded.rejects.height)
        analysis = analyse(
            orders,
            accounting,
            self.day or loaded.last_day(),
            store=name or loaded.store,
            layout=", ".join(loaded.layouts("orders")),
            currency=currency or "",
            timezone=loaded.zone or "as written",
            by=self.by,
            without_outliers=self.without_outliers,
            compared=self.compared,
        )
        if foreign:
            note = f"{foreign} lines are not in {currency}: they count as purchases, not as money"
            analysis = replace(analysis, notes=(*analysis.notes, note))
        return _Answer(analysis, loaded.sources)


def _write_html(path: Path, analyses: Sequence[Analysis]) -> None:
    from remindctl.errors import refuse  # noqa: PLC0415
    from remindctl.report.analysis_html import to_html  # noqa: PLC0415
    from remindctl.report.progress import working  # noqa: PLC0415
    from remindctl.report.stream import write_talk  # noqa: PLC0415

    with working("Drawing the report"):
        page = to_html(analyses)
    try:
        path.write_text(page, encoding="utf-8", newline="\n")
    except OSError as error:
        what = f"cannot be written: {error.strerror or error}"
        raise refuse(
            what, "name a file in a folder that you may write to", path=str(path)
        ) from error
    write_talk(f"{path}: the report; open it in a browser")


def _show(analyses: Sequence[Analysis], output: Output, side_files: Sequence[str]) -> None:
    from remindctl.report.stream import write_data  # noqa: PLC0415

    if output is Output.JSON:
        from remindctl.report.analysis_json import to_json  # noqa: PLC0415

        write_data(to_json(analyses))
    elif output is Output.CSV:
        from remindctl.report.analysis_json import to_csv  # noqa: PLC0415

        write_data(to_csv(analyses))
    else:
        from remindctl.report.analysis_table import show  # noqa: PLC0415
        from remindctl.report.console import data_console  # noqa: PLC0415

        show(data_console(), analyses, next_steps=_next_steps(side_files))


def _next_steps(side_files: Sequence[str]) -> list[tuple[str, str]]:
    """Return what to run next and what it is good for."""
    steps = [
        ("remindctl analyze FILE -o json", "the same numbers for a spreadsheet or script"),
        (
            "remindctl run CAMPAIGN --dry-run",
            "who would get a reminder, when, why and at what cost",
        ),
        ("remindctl analyze FILE --suggest DIR", "campaign files with these timings"),
        ("remindctl layouts", "the export formats that are understood"),
    ]
    if side_files:
        steps.append(
            ("remindctl run CAMPAIGN --dry-run", f"uses the carts in {', '.join(side_files)}")
        )
    return steps
