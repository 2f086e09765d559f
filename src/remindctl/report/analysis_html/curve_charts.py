"""Return curves: those of the order numbers with their bands, and a small one per item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt

from remindctl.report.analysis_html import look
from remindctl.report.console import number, percent
from remindctl.survival import ENOUGH_EVENTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remindctl.comparison import Comparison
    from remindctl.cycles import CurvePoint, ItemCycle, OrderStep

_HEIGHT = 320
_SMALL = {"width": 120, "height": 34}
_WEEK, _MONTH = 7, 30
_TOLD = ("of", "day", "share back", "95% interval", "observed and away before")


def drawn_steps(steps: Sequence[OrderStep]) -> tuple[OrderStep, ...]:
    """Choose whose curves are drawn: the first one, and the next few with enough returns.

    More than four bands hide one another.
    """
    chosen = (step for step in steps if step.enough or step.number == 1)
    return tuple(step for step in chosen if len(step.curve) > 1)[: len(look.SERIES)]


def return_chart(steps: Sequence[OrderStep]) -> look.Drawing | None:
    """Draw share back by day; None before anybody has been observed for a day."""
    drawn = drawn_steps(steps)
    if not drawn:
        return None
    return _curves(
        [(f"order {step.number} to {step.number + 1}", step.enough, step.curve) for step in drawn]
    )


def comparison_chart(found: Comparison | None) -> look.Drawing | None:
    """Draw two groups' curves; None where nothing was compared or nobody observed for a day."""
    if found is None or any(len(group.curve) < 2 for group in found.groups):
        return None
    return _curves(
        [(group.name, group.returned >= ENOUGH_EVENTS, group.curve) for group in found.groups]
    )


def _curves(named: Sequence[tuple[str, bool, Sequence[CurvePoint]]]) -> look.Drawing:
    """Draw curves with their bands, from (name, whether it has enough returns, points)."""
    legend = {
        name if enough else f"{name} (rough)": colour
        for (name, enough, _), colour in zip(named, look.SERIES, strict=False)
    }
    rows = [
        {"label": label, "of": name, "enough": enough, **_point(point)}
        for label, (name, enough, curve) in zip(legend, named, strict=True)
        for point in curve
    ]
    last = max(curve[-1].day for _, _, curve in named)
    marks = range(0, last + 1, _MONTH if last > 2 * _MONTH else _WEEK)
    share = look.axis(format=".0%", tickCount=5)
    base = look.chart(rows).encode(
        x=alt.X(
            "day:Q",
            title="days after the purchase",
            scale=alt.Scale(domain=[0, last], nice=False),
            axis=alt.Axis(values=list(marks), labelOverlap="greedy", grid=False),
        ),
        color=look.colours(legend),
    )
    band = base.mark_area(interpolate="step-after", opacity=0.16).encode(
        y=alt.Y("low:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=share), y2="high:Q"
    )
    line = base.mark_line(interpolate="step-after", strokeWidth=2.25).encode(
        y="back:Q",
        strokeDash=alt.condition("datum.enough", alt.value(look.SOLID), alt.value(look.DASHED)),
    )
    chart = alt.layer(band, line, *_pointed(base)).properties(width="container", height=_HEIGHT)
    return look.drawing(chart, legend)


def _point(point: CurvePoint) -> dict[str, Any]:
    low, high = point.interval or (None, None)
    return {
        "day": point.day,
        "back": point.back,
        "low": low,
        "high": high,
        "share back": percent(point.back, 1),
        "95% interval": f"{percent(low)} to {percent(high)}",
        "observed and away before": number(point.waiting),
    }


def _pointed(base: alt.Chart) -> list[alt.Chart]:
    """Mark the point under the pointer and say its numbers; the pointer need not be exact."""
    touched = alt.selection_point(
        on="pointerover", fields=["day", "label"], empty=False, clear="pointerout"
    )
    targets = base.mark_point(filled=True, size=260, opacity=0).encode(
        y="back:Q", tooltip=look.tooltip(*_TOLD)
    )
    shown = base.mark_point(filled=True, size=64).encode(
        y="back:Q", opacity=alt.when(touched).then(alt.value(1)).otherwise(alt.value(0))
    )
    return [shown, targets.add_params(touched)]


def small_charts(items: Sequence[ItemCycle]) -> dict[str, look.Drawing]:
    """Draw the curve of each item with a return; all share one scale of days and of shares."""
    last = max((item.curve[-1].day for item in items), default=0)
    return {
        f"item-{position}": _small(item, last)
        for position, item in enumerate(items)
        if len(item.curve) > 1 and item.returned
    }


def _small(item: ItemCycle, last: int) -> look.Drawing:
    rows = [
        {"day": point.day, "back": point.back, "share back": percent(point.back)}
        for point in item.curve
    ]
    colour = look.ACCENT if item.enough else look.MUTED
    base = look.chart(rows).encode(
        x=alt.X("day:Q", axis=None, scale=alt.Scale(domain=[0, last], nice=False)),
        y=alt.Y("back:Q", axis=None, scale=alt.Scale(domain=[0, 1])),
    )
    area = base.mark_area(interpolate="step-after", opacity=0.14, color=colour)
    line = base.mark_line(
        interpolate="step-after",
        strokeWidth=1.5,
        color=colour,
        strokeDash=look.SOLID if item.enough else look.DASHED,
    )
    # Invisible and as high as the picture, for the pointer to find.
    touched = base.mark_bar(opacity=0, width=4).encode(
        y=alt.value(0), y2=alt.value(_SMALL["height"]), tooltip=look.tooltip("day", "share back")
    )
    chart = alt.layer(area, line, touched).properties(padding=0, **_SMALL)
    return look.drawing(chart)
