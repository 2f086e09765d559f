"""What is wrong with an audience or a due rule, before anyone is messaged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remindctl.audience.anchors import ANCHORS, MESSAGE
from remindctl.audience.coupons import COUPON_USED, tells_use
from remindctl.audience.events import WELL_KNOWN
from remindctl.audience.occasions import COUPONS
from remindctl.audience.people import date_columns, named_day, read_dates
from remindctl.audience.waits import unreached
from remindctl.documents import did_you_mean
from remindctl.errors import Place, Problem
from remindctl.model import Statistic
from remindctl.segments import BUILT_IN, is_segment
from remindctl.segments import problems as condition_problems

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import polars as pl

    from remindctl.audience.sources import Sources
    from remindctl.model import Audience, Step


def problems(
    audience: Audience, custom: Mapping[str, str], place: Place, extra: Sequence[str] = ()
) -> list[Problem]:
    """Say what is wrong with an audience: segments that do not exist, a ``where`` that fails.

    Args:
        audience: as the campaign states it.
        custom: the store's own segments.
        place: where the audience stands.
        extra: further columns of the store's customer file.
    """
    hint = f"the segments are: {', '.join((*BUILT_IN, *custom))}; and tag:NAME"
    found = [
        Problem(place, f"no segment {name!r}", hint)
        for name in (*audience.segments, *audience.exclude)
        if not is_segment(name, custom)
    ]
    if audience.where is not None:
        found += condition_problems(audience.where, place, extra)
    return found


def due_problems(
    step: Step,
    columns: Mapping[str, pl.DataType | type[pl.DataType]],
    events: Collection[str],
) -> list[Problem]:
    """Say which names of a due rule name nothing in the store's files.

    Args:
        step: as the campaign states it.
        columns: of the store's customers.
        events: every name in the store's events file; empty = the store has none.
    """
    return [*_after(step, columns, events), *_until(step, columns, events)]


def wait_problems(sources: Sources, step: Step) -> list[Problem]:
    """Say what the store's data cannot tell of what a due rule counts on.

    A statistic that is not reached is a problem. A date column whose values are no dates, and files
    that do not tell which coupons were used, are warnings.
    """
    due = step.due
    found: list[Problem] = []
    missing = isinstance(due.wait, Statistic) and unreached(sources, due.wait)
    if missing:
        found.append(Problem(_place(step, "wait"), missing, "write a duration: 30d"))
    if due.after in COUPONS and not tells_use(sources):
        what = "the files do not tell which coupons were used: an order after the issue counts"
        hint = f"add discount codes to the orders, or {COUPON_USED} events with a code"
        found.append(Problem(_place(step, "after"), what, hint, warning=True))
    if due.after in date_columns(sources.profiles.schema) and due.after not in WELL_KNOWN:
        values = sources.profiles[due.after].drop_nulls()
        day = read_dates(values, sources.store.timezone)[2]
        unread = day.null_count()
        if unread:
            what = f"{unread} of {len(values)} values of `{due.after}` are no dates"
            hint = "write them like 1990-02-09, or 02-09 without a year"
            some = unread < len(values)
            found.append(Problem(_place(step, "after"), what, hint, warning=some))
    return found


def _after(
    step: Step,
    columns: Mapping[str, pl.DataType | type[pl.DataType]],
    events: Collection[str],
) -> list[Problem]:
    name, place = step.due.after, _place(step, "after")
    if name in (*ANCHORS, MESSAGE) or named_day(name):
        return []
    if name in WELL_KNOWN and name not in events:
        what = f"no {name!r} in the events file: nobody can be due"
        return [Problem(place, what, did_you_mean(name, events), warning=True)]
    dated = date_columns(columns)
    if name in events or name in dated:
        return []
    what = f"{name!r} is no anchor, no event of the events file and no date of the customers' file"
    return [
        Problem(place, what, did_you_mean(name, {*ANCHORS, MESSAGE, *WELL_KNOWN, *events, *dated}))
    ]


def _until(
    step: Step,
    columns: Mapping[str, pl.DataType | type[pl.DataType]],
    events: Collection[str],
) -> list[Problem]:
    name, place = step.due.until, _place(step, "until")
    stated = name == "signup" and "signed_up_at" in columns
    if name in ("order", "never") or name in events or stated:
        return []
    known = {"order", "never", *WELL_KNOWN, *events}
    if name in WELL_KNOWN:
        what = f"no {name!r} in the events file: nothing ends the occasion"
        return [Problem(place, what, did_you_mean(name, known - {name}), warning=True)]
    return [Problem(place, f"no event {name!r} in the events file", did_you_mean(name, known))]


def _place(step: Step, key: str) -> Place:
    """Return where a key of the step stands, or the nearest that is known."""
    return next((step.places[name] for name in (key, "due", "id") if name in step.places), Place())
