"""How far off the forecast would have been on this store's own past."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import altair as alt

from remindctl.report.analysis_html import look
from remindctl.report.console import number, percent

if TYPE_CHECKING:
    from collections.abc import Mapping

_ROW = 34

# Key of a forecast in ``calibration`` → what it assumes.
FORECASTS: Mapping[str, str] = {
    "bg/nbd": "the model (BG/NBD)",
    "nbd": "nobody ever leaves (NBD)",
    "average_rate": "all at the average rate",
}


def forecast_chart(prediction: Mapping[str, object]) -> look.Drawing | None:
    """Draw foretold orders beside those that came; None without a model."""
    if "calibration" not in prediction:
        return None
    calibration = cast("Mapping[str, Any]", prediction["calibration"])
    happened = calibration["orders"]
    rows = [{"label": "what happened", "orders": happened, "told": number(happened)}]
    rows += [
        {"label": label, "orders": calibration[key]["orders"], "told": foretold(calibration[key])}
        for key, label in FORECASTS.items()
    ]
    colours = (look.INK, look.ACCENT, look.BAR, look.BAR)
    legend = {row["label"]: colour for row, colour in zip(rows, colours, strict=True)}
    base = look.chart(rows).encode(
        y=alt.Y("label:N", sort=None, title=None, axis=look.axis(labelLimit=0)),
        tooltip=look.tooltip("label", "told"),
    )
    bars = base.mark_bar(height=18, cornerRadiusEnd=2).encode(
        x=alt.X(
            "orders:Q",
            title=f"orders in {calibration['days']} days",
            axis=look.axis(tickCount=5),
        ),
        color=look.colours(legend),
    )
    rule = base.mark_rule(color=look.INK, strokeDash=look.DASHED).encode(
        x=alt.datum(happened), y=alt.value(0), y2=alt.value(_ROW * len(rows))
    )
    chart = alt.layer(bars, rule).properties(width="container", height=_ROW * len(rows))
    return look.drawing(chart)


def foretold(forecast: Mapping[str, Any]) -> str:
    """Write a forecast's orders and how far they were off."""
    return f"{number(round(forecast['orders']))} ({too(forecast['error'])})"


def too(error: float | None) -> str:
    """Write the error of a forecast, forecast / actual - 1, in words."""
    if error is None:
        return "nothing to compare with"
    if abs(error) < 0.005:
        return "right to 1%"
    return f"{percent(abs(error))} too {'high' if error > 0 else 'low'}"
