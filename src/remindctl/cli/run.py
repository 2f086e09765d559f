"""``run``: plan campaigns and send them, or only show what would be sent."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003 (typer reads the annotations as they run)
from typing import TYPE_CHECKING, Annotated

import typer

from remindctl.cli.options import NoCache, Output

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import ExitStack

    import polars as pl

    from remindctl.cli.world import Shop
    from remindctl.config import Config
    from remindctl.model import Span
    from remindctl.plan import Plan
    from remindctl.report.run import Run
    from remindctl.sendlog import OpenEnd, SendingLogs

SOME_FAILED, REFUSED, INTERRUPTED = 1, 2, 130


def run(  # noqa: PLR0917 (each is an option; typer names them)
    campaigns: Annotated[list[Path], typer.Argument(help="Campaign files, or folders of them.")],
    dry_run: Annotated[  # noqa: FBT002 (a flag)
        bool, typer.Option("--dry-run", help="Show who would get what; send and record nothing.")
    ] = False,
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Send the N longest due at most.")
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Look from this instant; with --dry-run only."),
    ] = None,
    store: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this store; repeatable.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="The remindctl.yaml to use.")] = None,
    horizon: Annotated[
        str,
        typer.Option(
            metavar="SPAN", help="With --dry-run: how far ahead to count who will be due."
        ),
    ] = "14d",
    messages: Annotated[
        Path | None,
        typer.Option(metavar="FILE.ndjson", help="Write each planned message, one JSON a line."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before sending.")] = False,  # noqa: FBT002 (a flag)
    new_log: Annotated[  # noqa: FBT002 (a flag)
        bool, typer.Option("--new-log", help="Start anew where the log or opt-outs are gone.")
    ] = False,
    ping: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            envvar="REMINDCTL_PING",
            help="Tell a monitor when the run has ended: GET URL, or URL/fail.",
        ),
    ] = None,
    output: Annotated[
        Output, typer.Option("--output", "-o", help="Form of the answer.")
    ] = Output.TABLE,
    no_cache: NoCache = False,  # noqa: FBT002 (a flag)
) -> None:
    """Plan campaigns and send what is due: each message once, in open hours, with consent."""
    from contextlib import ExitStack  # noqa: PLC0415

    from remindctl.cli import world  # noqa: PLC0415
    from remindctl.errors import refuse  # noqa: PLC0415
    from remindctl.report.progress import working  # noqa: PLC0415
    from remindctl.report.stream import write_warnings  # noqa: PLC0415

    with ExitStack() as stack:
        # A dry run says nothing of whether messages still go out.
        if ping is not None and not dry_run:
            from remindctl.cli.ping import pinging  # noqa: PLC0415

            stack.enter_context(pinging(ping))
        ahead = world.span(horizon, "--horizon")
        if as_of is not None and not dry_run:
            raise refuse("looking back is for --dry-run only", "add --dry-run", path="--as-of")
        settings = world.open_config(config, campaigns[0], cache=not no_cache)
        stores = world.choose_stores(settings, store or [])
        with working("Reading"):
            shops = world.gather(campaigns, settings, stores, as_of)
        write_warnings(dict.fromkeys(one for shop in shops for one in shop.warnings))
        if dry_run:
            _look(stack, settings, shops, limit, messages, output, ahead)
        else:
            _send(stack, settings, shops, limit, messages, output, yes=yes, new_log=new_log)


def _look(
    stack: ExitStack,
    settings: Config,
    shops: Sequence[Shop],
    limit: int | None,
    messages: Path | None,
    output: Output,
    horizon: Span,
) -> None:
    from remindctl.cli import line  # noqa: PLC0415
    from remindctl.errors import Refused  # noqa: PLC0415
    from remindctl.plan import calendar  # noqa: PLC0415
    from remindctl.report.progress import working  # noqa: PLC0415
    from remindctl.report.run import Run  # noqa: PLC0415
    from remindctl.report.stream import write_talk  # noqa: PLC0415
    from remindctl.sendlog import look  # noqa: PLC0415

    paths = [shop.config.optouts for shop in shops]
    logs = stack.enter_context(look(settings.log, settings.key_file, paths))
    for path in logs.missing:
        write_talk(f"warning: {path} is gone; a sending run will be refused")
    with working("Planning"):
        planned = line.plan_all(shops, logs, limit)
        coming = {
            (desk.campaign.name, desk.store.key): calendar(desk, horizon)
            for one in planned
            for desk in one.laid.desks
            if output is Output.TABLE
        }
    plans = [plan for one in planned for plan in one.plans]
    _write_messages(messages, plans)
    runs = [Run(plan, dry_run=True, states={}) for plan in plans]
    _show(runs, output, coming, dry_run=True)
    if problems := line.whole_run_problems(planned):
        raise Refused(problems)


def _send(
    stack: ExitStack,
    settings: Config,
    shops: Sequence[Shop],
    limit: int | None,
    messages: Path | None,
    output: Output,
    *,
    yes: bool,
    new_log: bool,
) -> None:
    from remindctl import clock  # noqa: PLC0415
    from remindctl.cli import line  # noqa: PLC0415
    from remindctl.errors import Refused  # noqa: PLC0415
    from remindctl.report.progress import working  # noqa: PLC0415
    from remindctl.report.run import Run, write_summary  # noqa: PLC0415
    from remindctl.report.stream import write_talk  # noqa: PLC0415
    from remindctl.sendlog import open_logs  # noqa: PLC0415

    name = line.new_run()
    with line.refused_by_log():
        paths = [shop.config.optouts for shop in shops]
        opened = open_logs(settings.log, settings.key_file, paths, now=clock.now(), new_log=new_log)
        logs = stack.enter_context(opened)
        # Held from before the plans are made until they are sent, so that no other run changes
        # what they rest on.
        locks = {
            shop.config.store.key: stack.enter_context(logs.log.lock(shop.config.store.key))
            for shop in shops
        }
        with working("Planning"):
            dead = sum(logs.log.take_over(key, name, clock.now()) for key in locks)
            for shop in shops:
                if ends := line.open_ends(shop.config, shop.campaigns, logs.log):
                    _look_up(settings, shop, ends, logs)
            planned = line.plan_all(shops, logs, limit)
    if dead:
        write_talk(
            f"warning: a run before this one died; {dead:,} of its messages may have been sent and"
            " will not be sent again\n  hint: remindctl log show --state unknown"
        )
    if problems := line.whole_run_problems(planned):
        raise Refused(problems)
    plans = [plan for one in planned for plan in one.plans]
    if not any(len(plan.messages) or len(plan.control) for plan in plans):
        _write_messages(messages, plans)
        _show([Run(plan, dry_run=False, states={}) for plan in plans], output, {}, dry_run=False)
        return
    # What sends is loaded only now: mostly nothing is due, and cron asks every few minutes.
    from remindctl.cli import accounts, delivery  # noqa: PLC0415

    senders = stack.enter_context(accounts.Senders(settings, line.needed_providers(planned)))
    _write_messages(messages, plans)
    _ask(plans, yes=yes)
    done = delivery.deliver(planned, logs, locks, name, senders.by_name)
    _show(done.runs, output, {}, dry_run=False)
    for path in senders.files:
        write_talk(f"outbox: {path}")
    write_summary(done.runs)
    if done.interrupted:
        raise typer.Exit(INTERRUPTED)
    if done.broken or any(run.in_trouble for run in done.runs):
        raise typer.Exit(SOME_FAILED)


def _look_up(settings: Config, shop: Shop, ends: Sequence[OpenEnd], logs: SendingLogs) -> None:
    from remindctl.cli import lookups  # noqa: PLC0415
    from remindctl.report.run import write_looked_up  # noqa: PLC0415

    addresses = shop.snapshot.addresses
    told = lookups.settle(settings, shop.config, ends, addresses, logs.log, logs.hasher)
    write_looked_up(told, shop.config.store.key)


def _ask(plans: Sequence[Plan], *, yes: bool) -> None:
    """Ask a person at a terminal; a run from cron has nobody to ask."""
    total = sum(len(plan.messages) for plan in plans)
    if yes or not total or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return
    from remindctl.report.console import talk_console  # noqa: PLC0415
    from remindctl.report.plans import show_plans  # noqa: PLC0415

    show_plans(talk_console(), plans, dry_run=False)
    # Not typer's question: that one writes to stdout, which belongs to the data.
    typer.echo(f"Send {total:,} message{'' if total == 1 else 's'}? [y/N] ", nl=False, err=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        typer.echo("nothing was sent", err=True)
        raise typer.Exit(REFUSED)


def _write_messages(path: Path | None, plans: Sequence[Plan]) -> None:
    import os  # noqa: PLC0415

    from remindctl.errors import refuse  # noqa: PLC0415
    from remindctl.report.run import write_messages  # noqa: PLC0415

    if path is None:
        return
    try:
        # It holds names and addresses: for its owner only.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            write_messages(file, plans)
    except OSError as error:
        raise refuse(f"cannot be written: {error.strerror}", path=str(path)) from error


def _show(
    runs: Sequence[Run],
    output: Output,
    coming: Mapping[tuple[str, str], pl.DataFrame],
    *,
    dry_run: bool,
) -> None:
    if output is Output.JSON:
        from remindctl.report.run import to_json  # noqa: PLC0415
        from remindctl.report.stream import write_data  # noqa: PLC0415

        write_data(to_json(runs))
        return
    from remindctl.report.console import data_console  # noqa: PLC0415
    from remindctl.report.run import show_results  # noqa: PLC0415

    if dry_run:
        from remindctl.report.plans import show_plans  # noqa: PLC0415

        plans = [run.plan for run in runs]
        show_plans(data_console(), plans, dry_run=True, calendars=coming)
    else:
        show_results(data_console(), runs)
