"""The analysis as one HTML file that opens offline, on paper, on a phone, in light and dark."""

from remindctl.report.analysis_html.page import require, to_html

__all__ = ["require", "to_html"]
