"""The page: templates filled, charts and the code that draws them put inside.

Nothing in the page can reach the network. Its content security policy names its own scripts and
style by hash and forbids all the rest, so that a product called ``<script>`` stays a name.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from remindctl import __version__
from remindctl.analysis import BENCHMARK_DAYS
from remindctl.errors import refuse
from remindctl.report.analysis_actions import due_groups, due_remark, span
from remindctl.report.analysis_table import LEFT_OUT, headline, outliers
from remindctl.report.console import counted, days, money, number, percent
from remindctl.report.self_contained import environment, inline, source_hash
from remindctl.segments import MEANING
from remindctl.survival import ENOUGH_EVENTS
from remindctl.timings import STATES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from remindctl.analysis import Analysis

_PACKAGE = "remindctl.report.analysis_html"
_DRAWS = "window.vegaEmbed = vegaEmbed;"


def require() -> None:
    """Check that the libraries of the extra ``report`` are there, before any work is done.

    Raises:
        Refused: they are not.
    """
    if not all(find_spec(name) for name in ("altair", "vl_convert")):
        raise refuse(
            "the charts of an HTML report need the extra 'report', which is not installed",
            "pip install 'remindctl[report]'; -o table, json and csv need no extra",
            path="--html",
        )


def to_html(analyses: Sequence[Analysis]) -> str:
    """Write the report of one or more stores; the same analyses give the same page.

    Raises:
        Refused: the extra ``report`` is not installed.
    """
    require()
    import vl_convert  # noqa: PLC0415 (an extra, and heavy)

    from remindctl.report.analysis_html import words  # noqa: PLC0415 (as above)
    from remindctl.report.analysis_html.charts import charts  # noqa: PLC0415 (as above)
    from remindctl.report.analysis_html.forecast_chart import FORECASTS  # noqa: PLC0415 (as above)

    filters: Mapping[str, Callable[..., Any]] = {
        "counted": counted,
        "days": days,
        "money": money,
        "number": number,
        "percent": percent,
        "span": span,
        "tally": dict.get,
    }
    templates = environment(_PACKAGE, filters)
    style = inline(_PACKAGE, "page.css")
    scripts = (Markup(vl_convert.javascript_bundle(_DRAWS)), inline(_PACKAGE, "page.js"))  # noqa: S704 (a library's own code)
    drawings = [charts(one) for one in analyses]
    return templates.get_template("page.html.j2").render(
        benchmark_days=BENCHMARK_DAYS,
        charts=drawings,
        due_groups=due_groups,
        due_remark=due_remark,
        enough=ENOUGH_EVENTS,
        forecasts=FORECASTS,
        headline=headline,
        left_out=LEFT_OUT,
        meaning=MEANING,
        outliers=outliers,
        policy=_policy(style, scripts),
        scripts=scripts,
        specifications=[
            {name: drawing.specification for name, drawing in one.items()} for one in drawings
        ],
        states=STATES,
        stores=analyses,
        style=style,
        version=__version__,
        words=words,
    )


def _policy(style: str, scripts: Sequence[str]) -> str:
    allowed = " ".join(source_hash(script) for script in scripts)
    return (
        f"default-src 'none'; script-src {allowed}; style-src {source_hash(style)}; "
        "base-uri 'none'; form-action 'none'"
    )
