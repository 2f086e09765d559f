"""Due states as bars, one bar per number of orders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt

from remindctl.report.analysis_actions import due_groups
from remindctl.report.analysis_html import look
from remindctl.report.console import number
from remindctl.timings import STATES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remindctl.timings import DueStep

_ROW = 36


def due_chart(steps: Sequence[DueStep]) -> look.Drawing | None:
    """Draw how many customers are in each state; None while too few returned to have states."""
    groups = [(name, group) for name, group in due_groups(steps) if group[0].customers]
    if not groups:
        return None
    legend = {state.replace("_", " "): look.STATE_COLOURS[state] for state in STATES}
    rows = [
        {
            "orders": name,
            "label": label,
            "position": position,
            "count": (count := sum(step.customers.get(state, 0) for step in group)),
            "customers": f"{number(count)} {label}",
        }
        for name, group in groups
        for position, (state, label) in enumerate(zip(STATES, legend, strict=True))
    ]
    chart = (
        look.chart(rows)
        .mark_bar(stroke=look.CARD, strokeWidth=1.5)
        .encode(
            y=alt.Y("orders:N", sort=None, title="orders", axis=look.axis()),
            x=alt.X(
                "count:Q",
                title="customers",
                axis=look.axis(tickCount=6, tickMinStep=1),
            ),
            color=look.colours(legend),
            order=alt.Order("position:Q"),
            tooltip=look.tooltip("orders", "customers"),
        )
        .properties(width="container", height=_ROW * len(groups))
    )
    return look.drawing(chart, legend)
