"""Apply plans: every message through its provider, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from remindctl import clock
from remindctl.cli.interrupts import counted_interrupts
from remindctl.cli.watch import OrderWatch
from remindctl.dispatch import Dispatcher
from remindctl.report.run import Run, sending
from remindctl.report.stream import write_talk
from remindctl.sendlog import LogError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from remindctl.channels import Sender
    from remindctl.cli.line import Planned
    from remindctl.sendlog import SendingLogs, StoreLock


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of the plans of a run.

    Attributes:
        interrupted: someone asked for its end before it came.
        broken: the log failed; the plan that it failed in and those after it are missing.
    """

    runs: Sequence[Run]
    interrupted: bool
    broken: bool


def deliver(
    planned: Sequence[Planned],
    logs: SendingLogs,
    locks: Mapping[str, StoreLock],
    name: str,
    senders: Mapping[str, Sender],
) -> Delivered:
    """Send the plans of every shop, and say on stderr how it goes.

    Args:
        planned: by shop, in the order of the run.
        logs: open.
        locks: of each shop's part of the log, by its key; held.
        name: of the run.
        senders: the providers that the plans name.
    """
    runs: list[Run] = []
    broken = False
    total = sum(len(plan.messages) for one in planned for plan in one.plans)
    with counted_interrupts(write_talk) as interrupted:
        try:
            with sending(total) as progress:
                for one in planned:
                    lock = locks[one.laid.shop.config.store.key]
                    runs += _apply(one, logs, lock, name, senders, progress, interrupted)
        except LogError as error:
            broken = True
            hint = "what was being sent is settled as unknown by the next run, and not sent again"
            write_talk(f"{error}\n  hint: {hint}")
    return Delivered(runs, interrupted() > 0, broken)


def _apply(
    planned: Planned,
    logs: SendingLogs,
    lock: StoreLock,
    run: str,
    senders: Mapping[str, Sender],
    progress: Callable[[int], None],
    interrupted: Callable[[], int],
) -> list[Run]:
    """Send the plans of one shop, in their order; after one that had to stop, no other."""
    dispatcher = Dispatcher(
        run=run,
        log=logs.log,
        lock=lock,
        hasher=logs.hasher,
        optouts=logs.optouts[planned.laid.shop.config.optouts],
        identifiers=planned.laid.identifiers,
        suppressions=planned.laid.suppressions,
        last_word=planned.laid.last_word,
        senders=senders,
        now=clock.now,
        progress=progress,
        interrupted=interrupted,
        ordered=OrderWatch(planned.laid.shop, logs.hasher),
    )
    runs: list[Run] = []
    for one in planned.plans:
        if runs and runs[-1].stopped:
            runs.append(Run(one, dry_run=False, states={}, stopped=runs[-1].stopped))
            continue
        done = dispatcher.dispatch(one)
        runs.append(Run(done.plan, dry_run=False, states=done.states, stopped=done.stopped))
    return runs
