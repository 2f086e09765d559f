"""The charts of one store; one that the data cannot fill is absent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remindctl.report.analysis_html.cohort_chart import cohort_chart
from remindctl.report.analysis_html.curve_charts import comparison_chart, return_chart, small_charts
from remindctl.report.analysis_html.due_chart import due_chart
from remindctl.report.analysis_html.forecast_chart import forecast_chart
from remindctl.report.analysis_html.gap_chart import gap_chart

if TYPE_CHECKING:
    from remindctl.analysis import Analysis
    from remindctl.report.analysis_html.look import Drawing


def charts(analysis: Analysis) -> dict[str, Drawing]:
    """Draw the charts that the store has data for: name → drawing."""
    found = {
        "curves": return_chart(analysis.by_order_number),
        "comparison": comparison_chart(analysis.comparison),
        "gaps": gap_chart(analysis),
        "due": due_chart(analysis.due),
        "cohorts": cohort_chart(analysis.cohorts),
        "forecast": forecast_chart(analysis.prediction),
        **small_charts(analysis.items),
    }
    return {name: drawing for name, drawing in found.items() if drawing is not None}
