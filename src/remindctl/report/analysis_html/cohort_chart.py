"""The cohort heat map: months of first orders down, days since then across."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import altair as alt

from remindctl.report.analysis_html import look
from remindctl.report.console import counted, percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remindctl.cycles import Cohort

# Older months stand in the table under the chart.
DRAWN_MONTHS = 24
_STEPS = (0.01, 0.02, 0.05, 0.10, 0.15)
_ROW = 26
# The colours from this one on take the other colour of text.
_DARK = 4


def cohort_chart(cohorts: Sequence[Cohort]) -> look.Drawing | None:
    """Draw the latest months' cells as far as anyone has been observed; None without any."""
    cells = [
        (cohort, cell)
        for cohort in cohorts[-DRAWN_MONTHS:]
        for cell in cohort.cells
        if cell.back is not None
    ]
    if not cells:
        return None
    rows = [
        {
            "month": f"{cohort.month} <" if cohort.left_truncated else cohort.month,
            "day": cell.days,
            "back": cell.back,
            "young": cell.young,
            "shown": percent(cell.back).rstrip("%"),
            "first order": f"{cohort.month}, {counted(cohort.customers, 'customer')}",
            "back within": f"{cell.days} days: {percent(cell.back, 1)}",
            "observed that long": "not all of them" if cell.young else "all of them",
        }
        for cohort, cell in cells
    ]
    limits = _limits(max(cell.back or 0.0 for _, cell in cells))
    base = look.chart(rows).encode(
        x=alt.X(
            "day:O",
            title="days since the first order",
            axis=look.axis(orient="top", labelAngle=0),
        ),
        y=alt.Y("month:O", title=None, axis=look.axis()),
        tooltip=look.tooltip("first order", "back within", "observed that long"),
    )
    cell = base.mark_rect(stroke=look.CARD, strokeWidth=2).encode(
        color=alt.Color(
            "back:Q",
            scale=alt.Scale(type="threshold", domain=limits, range=list(look.HEAT)),
            legend=None,
        ),
        opacity=alt.condition("datum.young", alt.value(0.45), alt.value(1)),
    )
    young = base.transform_filter("datum.young").mark_rect(
        filled=False, stroke=look.MUTED, strokeDash=[2, 2], strokeWidth=1
    )
    text = base.mark_text(fontSize=11).encode(
        text="shown:N",
        color=alt.condition(
            f"datum.back >= {limits[_DARK - 1]} && !datum.young",
            alt.value(look.HEAT_TEXT_HIGH),
            alt.value(look.HEAT_TEXT_LOW),
        ),
    )
    height = _ROW * len({cohort.month for cohort, _ in cells})
    chart = alt.layer(cell, young, text).properties(width="container", height=height)
    return look.drawing(chart, _legend(limits))


def _limits(highest: float) -> list[float]:
    """Choose the round shares between the colours so that most of them are used."""
    parts = len(look.HEAT)
    step = next((one for one in _STEPS if one * parts >= highest), _STEPS[-1])
    return [round(step * position, 2) for position in range(1, parts)]


def _legend(limits: Sequence[float]) -> dict[str, str]:
    edges = [f"{limit:.0%}" for limit in (0.0, *limits)]
    labels = [f"{low} to {high}" for low, high in pairwise(edges)]
    return dict(zip([*labels, f"{edges[-1]} or more"], look.HEAT, strict=True))
