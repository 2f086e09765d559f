"""How charts look: colours are names that the page's style sheet gives values to.

So a chart follows the reader's light or dark scheme, and paper, without being drawn again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import altair as alt

from remindctl.timings import STATES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

INK, MUTED, LINE, CARD = "var(--ink)", "var(--muted)", "var(--line)", "var(--card)"
ACCENT, BENCHMARK = "var(--accent)", "var(--benchmark)"
BAR, OPEN_BAR = "var(--bar)", "var(--bar-open)"
# One per order number; after Okabe and Ito, for colour-blind readers.
SERIES = tuple(f"var(--series-{position})" for position in range(1, 5))
HEAT = tuple(f"var(--heat-{position})" for position in range(1, 7))
SOLID, DASHED = [1, 0], [4, 3]
HEAT_TEXT_LOW, HEAT_TEXT_HIGH = "var(--heat-text-low)", "var(--heat-text-high)"
STATE_COLOURS: Mapping[str, str] = {
    state: f"var(--state-{state.replace('_', '-')})" for state in STATES
}

# Letters that come with the reader's system; named here too, because Vega measures text with them.
_FONT = (
    "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans KR', 'Noto Sans CJK KR', "
    "'Apple SD Gothic Neo', 'Malgun Gothic', sans-serif"
)


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart and its legend, which the page writes, as Vega's own does not wrap on a phone.

    Attributes:
        specification: for Vega-Lite, plain JSON.
        legend: (label, colour), in the order of the chart.
    """

    specification: Mapping[str, Any]
    legend: tuple[tuple[str, str], ...] = ()


def drawing(
    drawn: alt.Chart | alt.LayerChart | alt.FacetChart, legend: Mapping[str, str] | None = None
) -> Drawing:
    """Give a chart the look of the page."""
    specification: dict[str, Any] = drawn.to_dict()
    # The page carries its own Vega-Lite; the address of the schema is of no use offline.
    del specification["$schema"]
    specification["config"] = config()
    return Drawing(specification, tuple((legend or {}).items()))


def colours(legend: Mapping[str, str]) -> alt.Color:
    """Colour marks by their field ``label``."""
    return alt.Color(
        "label:N",
        sort=list(legend),
        scale=alt.Scale(domain=list(legend), range=list(legend.values())),
        legend=None,
    )


def chart(rows: Sequence[Mapping[str, Any]]) -> alt.Chart:
    """Start a chart of these rows."""
    return alt.Chart(alt.InlineData(values=list(rows)))


def axis(**options: Any) -> alt.Axis:
    """Show labels only, no line and no ticks, as many of them as there is room for."""
    return alt.Axis(domain=False, ticks=False, labelOverlap="greedy", **options)


def tooltip(*names: str) -> list[alt.Tooltip]:
    """Show these fields under their own names; they hold text, written as in the tables."""
    return [alt.Tooltip(field=name, type="nominal") for name in names]


def config() -> dict[str, Any]:
    """Return the Vega-Lite configuration that all charts share."""
    label = {"labelColor": MUTED, "labelFontSize": 12, "labelFont": _FONT}
    title = {"titleColor": MUTED, "titleFontSize": 12, "titleFont": _FONT}
    return {
        # The page describes each chart in one sentence; naming every mark would bury it.
        "aria": False,
        "background": "transparent",
        "font": _FONT,
        "view": {"stroke": None},
        "axis": {
            **label,
            **title,
            "titleFontWeight": "normal",
            "gridColor": LINE,
            "domainColor": LINE,
            "tickColor": LINE,
            "labelPadding": 6,
            "titlePadding": 8,
        },
    }
