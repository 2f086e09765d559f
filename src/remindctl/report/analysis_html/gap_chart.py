"""The histogram of completed gaps, with the store's quantiles and the benchmark as flags."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import altair as alt

from remindctl.report.analysis_html import look
from remindctl.report.console import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remindctl.analysis import Analysis, HistogramBar

_BARS_HEIGHT = 230
_FLAG_HEIGHT = 17
# Past this part of the axis a flag's text stands on the left of its pole.
_TURN = 0.7


@dataclass(frozen=True, slots=True)
class _Flag:
    day: float
    text: str
    benchmark: bool = False


def gap_chart(analysis: Analysis) -> look.Drawing | None:
    """Draw the bars and flags; None without a completed gap."""
    bars = analysis.histogram
    if not bars:
        return None
    flags = _flags(analysis)
    width = bars[0].to_days or 1
    last = max(bars[-1].from_days - 1 + width, *(flag.day for flag in flags)) + width / 2
    most = max(bar.gaps for bar in bars)
    step = most * _FLAG_HEIGHT / _BARS_HEIGHT
    top = most + step * len(flags)
    layers = (_bars(bars, width, last, top), *_poles(flags, last, top, step))
    height = _BARS_HEIGHT + _FLAG_HEIGHT * len(flags)
    return look.drawing(alt.layer(*layers).properties(width="container", height=height))


def _flags(analysis: Analysis) -> list[_Flag]:
    gaps = analysis.interval_days
    quantiles = ((gaps.p25, "25%"), (gaps.median, "half"), (gaps.p75, "75%"), (gaps.p90, "90%"))
    return [
        *(_Flag(day, f"{name}: {number(day)} d") for day, name in quantiles if day is not None),
        _Flag(analysis.benchmark_days, f"benchmark: {analysis.benchmark_days} d", benchmark=True),
    ]


def _bars(bars: Sequence[HistogramBar], width: int, last: float, top: float) -> alt.Chart:
    rows = [
        {
            # A gap of 7 whole days stands in the bar that ends at 7.
            "start": bar.from_days - 1,
            "end": bar.to_days or bar.from_days - 1 + width,
            "gaps": bar.gaps,
            "open": bar.to_days is None,
            "days": f"{bar.from_days} {f'to {bar.to_days}' if bar.to_days else 'or more'}",
            "repeat purchases": number(bar.gaps),
        }
        for bar in bars
    ]
    most = max(bar.gaps for bar in bars)
    # Vega puts halves between few whole numbers.
    counts = look.axis(values=list(range(most + 1))) if most < 5 else look.axis(tickCount=4)
    chart: alt.Chart = (
        look.chart(rows)
        .mark_bar(stroke=look.CARD, strokeWidth=1, cornerRadiusEnd=2)
        .encode(
            x=alt.X(
                "start:Q",
                title="days since the purchase before",
                scale=alt.Scale(domain=[0, last], nice=False),
                axis=alt.Axis(
                    values=[bar.from_days - 1 for bar in bars], grid=False, labelOverlap="greedy"
                ),
            ),
            x2="end:Q",
            y=alt.Y(
                "gaps:Q",
                title="repeat purchases",
                scale=alt.Scale(domain=[0, top], nice=False),
                axis=counts,
            ),
            y2=alt.datum(0),
            color=alt.condition("datum.open", alt.value(look.OPEN_BAR), alt.value(look.BAR)),
            tooltip=look.tooltip("days", "repeat purchases"),
        )
    )
    return chart


def _poles(flags: Sequence[_Flag], last: float, top: float, step: float) -> list[alt.Chart]:
    """Raise the flags so that no text crosses a pole: no later flag of its side is as high."""
    turning = sorted((flag for flag in flags if flag.day > _TURN * last), key=lambda one: -one.day)
    ahead = sorted((flag for flag in flags if flag.day <= _TURN * last), key=lambda one: one.day)
    rows = [
        {
            "day": flag.day,
            "top": top - step * position,
            "text": flag.text,
            "benchmark": flag.benchmark,
            "turned": position < len(turning),
        }
        for position, flag in enumerate([*turning, *ahead])
    ]
    base = look.chart(rows).encode(
        x="day:Q",
        y="top:Q",
        color=alt.condition("datum.benchmark", alt.value(look.BENCHMARK), alt.value(look.INK)),
    )
    dash = alt.condition("datum.benchmark", alt.value(look.DASHED), alt.value(look.SOLID))
    pole = base.mark_rule(strokeWidth=1.25).encode(y2=alt.datum(0), strokeDash=dash)
    text = base.mark_text(baseline="top", fontSize=12, align="left", dx=5).encode(text="text:N")
    turned_text = text.mark_text(baseline="top", fontSize=12, align="right", dx=-5)
    return [
        pole,
        text.transform_filter("!datum.turned"),
        turned_text.transform_filter("datum.turned"),
    ]
