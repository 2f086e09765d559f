"""What the model expects, and how far off it was when it could be checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from remindctl.report.console import counted, days, number, paragraph, percent, section

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from remindctl.analysis import Analysis


def forecast(console: Console, analysis: Analysis) -> None:
    """Print the expected orders, always beside the model's error on days it had not seen."""
    if "calibration" not in analysis.prediction:
        return
    said = cast("Mapping[str, Any]", analysis.prediction)
    expected, past = said["expected_orders"], said["calibration"]
    rest = past["average_rate"]
    section(console, "What to expect (BG/NBD model)")
    paragraph(
        console,
        f"About {number(round(expected['orders']))} orders of today's customers in the next "
        f"{days(expected['days'])}. Checked on the last {days(past['days'])}, which the model had "
        f"not seen: it expected {number(round(past['bg/nbd']['orders']))} orders, "
        f"{number(past['orders'])} came ({_off(past['bg/nbd']['error'])}). Were everybody to keep "
        f"their average rate, it would have been {counted(round(rest['orders']), 'order')} "
        f"({_off(rest['error'])}).",
    )


def _off(error: float) -> str:
    return f"{percent(abs(error))} too {'many' if error > 0 else 'few'}"
