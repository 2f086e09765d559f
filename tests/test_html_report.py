"""``analyze --html``: one file that opens offline, in a real browser, on a phone and on paper."""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remindctl.analysis import Accounting, Analysis, analyse
from remindctl.comparison import question
from remindctl.errors import Place
from remindctl.frames import Orders
from remindctl.intervals import purchase_days
from remindctl.predict import document, predict
from remindctl.report.analysis_table import headline

if TYPE_CHECKING:
    from collections.abc import Iterable

    from selenium.webdriver import Chrome

ROOT = Path(__file__).parents[1]
START = date(2025, 1, 6)
LIGHT, DARK = "light", "dark"
PHONE = 390
# A4 with the style sheet's margins, in CSS pixels.
PAPER = (688, 1016)
COFFEE, HOSTILE = "초록 원두커피 500g", "</script><img src=https://example.com/x onerror=alert(1)>"

if importlib.util.find_spec("altair") is None or importlib.util.find_spec("vl_convert") is None:
    if os.environ.get("CI") == "true":
        raise ImportError("the extra 'report' is not installed, and CI must test it")
    pytest.skip("needs pip install 'remindctl[report]'", allow_module_level=True)

from remindctl.report.analysis_html import to_html  # noqa: E402 (only with the extra)
from remindctl.report.analysis_html.charts import charts  # noqa: E402 (as above)
from remindctl.report.analysis_html.forecast_chart import foretold  # noqa: E402 (as above)


def lines(rows: Iterable[tuple[int | None, int, str]]) -> Orders:
    """Build purchases of 12,000 won each from (person, day after START, product)."""
    people, days, products = zip(*rows, strict=True)
    return Orders(
        pl.DataFrame(
            {
                "person": people,
                "ordered_on": [START + timedelta(day) for day in days],
                "order_id": [str(place) for place in range(len(people))],
                "status": ["paid"] * len(people),
                "amount": [Decimal(12_000)] * len(people),
                "quantity": [1] * len(people),
                "product": products,
            },
            schema_overrides={"person": pl.UInt32},
        )
    )


def analysed(orders: Orders, store: str, as_of: int, compared: str = "") -> Analysis:
    return analyse(
        orders,
        Accounting(len(orders), duplicate_lines=3),
        START + timedelta(as_of),
        store=store,
        layout="smartstore-orders",
        currency="KRW",
        timezone="Asia/Seoul",
        compared=question(compared, Place("--compare")) if compared else None,
    )


def shop() -> Analysis:
    """Give a shop of 600 customers over a year, with something for every chart."""
    rows = [
        (person, day, (COFFEE, HOSTILE)[person % 9 == 0])
        for person in range(600)
        for place in range(1 + person % 5)
        if (day := person % 340 + sum(17 + (person * 7 + n) % 31 for n in range(place))) <= 365
    ]
    orders = lines(rows)
    forecast = predict(purchase_days(orders), START + timedelta(365))
    found = analysed(orders, "초록상점", 365, "month=2025-01,2025-03")
    return replace(found, prediction=document(forecast))


def thin() -> list[Analysis]:
    return [
        analysed(lines([(1, 0, COFFEE)]), "한 사람", 40),
        analysed(lines([(1, 0, COFFEE), (1, 9, COFFEE)]), "한 번 더", 40),
        analysed(lines([(1, 0, COFFEE)]), "오늘", 0),
        analysed(lines([(None, 0, COFFEE)]), "아무도 <b>&", 40),
    ]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "보고서.html"
    path.write_text(to_html([shop(), *thin()]), encoding="utf-8")
    return path


def opened(
    browser: Chrome, page: Path, *, scheme: str = LIGHT, media: str = "", width: int = 1280
) -> None:
    """Open the page as such a reader would, and wait for its charts."""
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width <= PHONE},
    )
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})
    browser.get("about:blank")
    for log in ("browser", "performance"):
        logged(browser, log)  # what came before is not this page's
    browser.get(page.as_uri())
    browser.set_script_timeout(60)
    browser.execute_async_script(
        """const done = arguments[0], root = document.documentElement;
        const look = () => root.dataset.charts === "drawn" && done();
        new MutationObserver(look).observe(root, {attributes: true}); look();"""
    )


def asked(browser: Chrome, script: str) -> Any:
    return browser.execute_script(f"return {script}")


def logged(browser: Chrome, log: str) -> list[dict[str, Any]]:
    """Take what was logged since the last time."""
    entries: list[dict[str, Any]] = browser.get_log(log)  # type: ignore[no-untyped-call]
    return entries


def requests(browser: Chrome) -> list[str]:
    events = (json.loads(entry["message"])["message"] for entry in logged(browser, "performance"))
    return [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    ]


def rgb(browser: Chrome, element: str, colour: str) -> list[int]:
    computed = asked(browser, f"getComputedStyle({element}).{colour}")
    return [int(part) for part in re.findall(r"\d+", computed)[:3]]


class Links(HTMLParser):
    """Collect whatever could make a browser load something."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.found += [given[name] for name in ("src", "href", "srcset", "data") if name in given]
        assert tag not in {"img", "link", "iframe", "object", "base"}


def test_the_file_holds_every_part_and_points_nowhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = Links()
    links.feed(text)
    assert links.found
    assert [link for link in links.found if not link.startswith("#")] == []
    ids = set(re.findall(r'id="([^"]+)"', text))
    assert {link[1:] for link in links.found} <= ids
    parts = (
        "back",
        "took",
        "compared",
        "who",
        "segments",
        "items",
        "months",
        "forecast",
        "left-out",
    )
    assert [part for part in parts if f"store-0-{part}" not in ids] == []
    assert headline(shop()) in text
    assert all(one.store.replace("<b>&", "&lt;b&gt;&amp;") in text for one in thin())
    assert len(text.encode()) < 2_000_000


def test_the_same_analysis_gives_the_same_page() -> None:
    one = thin()[1]
    assert to_html([one]) == to_html([one])


def test_chart_and_table_say_the_same() -> None:
    for step in shop().by_order_number:
        drawn = {point.day: point for point in step.curve}
        for day, share in step.returned_within.items():
            if day in drawn:
                assert drawn[day].back == share
                assert drawn[day].interval == step.returned_within_ci[day]
    for cohort in shop().cohorts:
        cells = {cell.days: cell for cell in cohort.cells}
        assert {day: cells[day].back for day in cohort.returned_within} == cohort.returned_within
        assert cohort.young == cells[180].young


def test_tooltips_are_written_as_the_tables_are() -> None:
    curves = json.dumps(charts(shop())["curves"].specification)
    assert '"share back": "0.0%"' in curves
    assert foretold({"orders": 90.4, "error": -0.1}) == "90 (10% too low)"
    assert foretold({"orders": 100.0, "error": None}) == "100 (nothing to compare with)"


def test_thin_curves_are_marked_and_the_store_is_told(page: Path) -> None:
    (label, _), *_ = charts(thin()[1])["curves"].legend
    assert label == "order 1 to 2 (rough)"
    assert "Dashed: fewer than 30 returns" in page.read_text(encoding="utf-8")
    assert charts(thin()[3]) == {}


@settings(max_examples=10, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 800), st.sampled_from([COFFEE, HOSTILE])),
        min_size=1,
        max_size=30,
    )
)
def test_any_history_gives_charts_that_are_plain_json(rows: list[tuple[int, int, str]]) -> None:
    for drawing in charts(analysed(lines(rows), "초록상점", 800)).values():
        json.dumps(drawing.specification, allow_nan=False)


@pytest.mark.parametrize("scheme", [LIGHT, DARK])
def test_it_draws_without_an_error_or_a_request(browser: Chrome, page: Path, scheme: str) -> None:
    opened(browser, page, scheme=scheme)
    assert logged(browser, "browser") == []
    assert requests(browser) == [page.as_uri()]
    places = "[...document.querySelectorAll('.chart, .spark')]"
    assert asked(browser, f"{places}.length") > 10
    assert asked(browser, f"{places}.filter(e => !e.querySelector('svg path[d]'))") == []
    assert browser.title.startswith("How often customers come back: 초록상점")
    assert "초록 원두커피 500g" in asked(browser, "document.body.innerText")
    ground = sum(rgb(browser, "document.body", "backgroundColor"))
    letters = sum(rgb(browser, "document.body", "color"))
    line = sum(rgb(browser, "document.querySelector('#store-0-chart-curves text')", "fill"))
    assert (ground > letters) == (scheme == LIGHT)
    assert (ground > line) == (scheme == LIGHT)


def test_nothing_gets_out_and_no_name_becomes_code(browser: Chrome, page: Path) -> None:
    opened(browser, page)
    outcome = browser.execute_async_script(
        """const done = arguments[0];
        fetch("https://example.com/").then(() => done("sent"), () => done("refused"))"""
    )
    assert outcome == "refused"
    assert any("Content Security Policy" in one["message"] for one in logged(browser, "browser"))
    asked(browser, "document.body.insertAdjacentHTML('beforeend', '<i onclick=\"window.ran=1\">')")
    asked(browser, "document.querySelector('body > i').click()")
    assert asked(browser, "window.ran") is None
    assert HOSTILE in asked(browser, "document.querySelector('#store-0-items').innerText")


def test_it_fits_a_phone(browser: Chrome, page: Path) -> None:
    opened(browser, page, width=PHONE)
    assert asked(browser, "document.documentElement.scrollWidth") == PHONE
    wide = "[...document.querySelectorAll('.chart svg')].filter(e => e.clientWidth > innerWidth)"
    assert asked(browser, wide) == []
    # Tables that are wider scroll by themselves.
    scrolls = "[...document.querySelectorAll('.wide')].filter(e => e.scrollWidth > e.clientWidth)"
    assert asked(browser, f"{scrolls}.every(e => e.tabIndex === 0)")


def test_paper_cuts_no_chart(browser: Chrome, page: Path) -> None:
    opened(browser, page, scheme=DARK)
    width, height = PAPER
    # A printer gets what was drawn for the screen: no window has changed its size.
    dark = [{"name": "prefers-color-scheme", "value": DARK}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": dark})
    browser.execute_script("document.body.style.width = arguments[0] + 'px'", width)
    boxes = asked(
        browser,
        """[...document.querySelectorAll('.chart, .chart svg')].map(e => {
            const box = e.getBoundingClientRect(), css = getComputedStyle(e.closest('.chart'));
            return [box.left, box.right, box.height, css.breakInside]; })""",
    )
    assert boxes
    assert all(left >= 0 and right <= width + 1 for left, right, _, _ in boxes)
    assert all(tall < height and inside == "avoid" for _, _, tall, inside in boxes)
    assert asked(browser, "getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert sum(rgb(browser, "document.body", "color")) < 3 * 128
    printed = browser.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})
    assert base64.b64decode(printed["data"]).startswith(b"%PDF-")


def test_every_chart_has_words_numbers_and_a_place_in_the_tab_order(
    browser: Chrome, page: Path
) -> None:
    from selenium.webdriver.common.keys import Keys  # noqa: PLC0415 (may be absent)

    opened(browser, page)
    described = """[...document.querySelectorAll('.chart, .spark')].filter(e =>
        e.getAttribute('role') !== 'img' || !(e.getAttribute('aria-label').length > 20)
        || !e.closest('section').querySelector('table td'))"""
    assert asked(browser, described) == []
    browser.execute_script("[...document.querySelectorAll('#store-0 nav a')].at(-1).focus()")
    for id_or_tag in ("store-0-chart-curves", "SUMMARY"):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        here = asked(browser, "document.activeElement.id || document.activeElement.tagName")
        assert here == id_or_tag
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    assert "1 to 2" in asked(browser, "document.querySelector('#store-0-back table').innerText")


def test_the_pointer_is_told_the_numbers(browser: Chrome, page: Path) -> None:
    from selenium.webdriver import ActionChains  # noqa: PLC0415 (may be absent)
    from selenium.webdriver.common.by import By  # noqa: PLC0415 (as above)
    from selenium.webdriver.support.expected_conditions import visibility_of_element_located  # noqa: PLC0415 (as above)
    from selenium.webdriver.support.wait import WebDriverWait  # noqa: PLC0415 (as above)

    shown = visibility_of_element_located((By.ID, "vg-tooltip-element"))
    opened(browser, page)
    for mark, told in (
        ("#store-0-chart-curves .mark-symbol path", "95% interval"),
        ("#store-0-chart-gaps .mark-rect path", "repeat purchases"),
        ("#store-0-chart-cohorts .mark-rect path", "back within"),
        ("#store-0-chart-cohorts .role-mark text", "observed that long"),
    ):
        target = browser.find_elements(By.CSS_SELECTOR, mark)[-1]
        browser.execute_script(
            "arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", target
        )
        ActionChains(browser).move_to_element(target).perform()
        tooltip = WebDriverWait(browser, 10).until(shown).text
        assert told in tooltip
        assert "undefined" not in tooltip


def analyze(folder: Path, *words: str, without: str = "") -> subprocess.CompletedProcess[str]:
    """Run ``analyze``, as if the library ``without`` were not installed."""
    (folder / "orders.csv").write_text(
        "order,day,who,sum\n1,2026-01-05,a,10\n2,2026-02-05,a,10\n", encoding="utf-8"
    )
    fields = ("order_id=order", "ordered_at=day", "customer_id=who", "amount=sum")
    given = ["analyze", "orders.csv", *(word for field in fields for word in ("--map", field))]
    block = f"sys.modules[{without!r}] = None; " if without else ""
    start = f"import sys; {block}from remindctl.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", start, *given, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def test_the_command_writes_the_file_beside_its_answer(tmp_path: Path) -> None:
    done = analyze(tmp_path, "--html", "r.html", "-o", "json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["stores"][0]["counts"]["customers"] == 1
    assert "r.html" in done.stderr
    assert (tmp_path / "r.html").read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize("missing", ["altair", "vl_convert"])
def test_without_the_extra_it_says_which_one_adds_it(tmp_path: Path, missing: str) -> None:
    done = analyze(tmp_path, "--html", "r.html", without=missing)
    assert done.returncode == 2
    assert "pip install 'remindctl[report]'" in done.stderr
    assert done.stdout == ""
    assert not (tmp_path / "r.html").exists()
    assert analyze(tmp_path, without=missing).returncode == 0


def test_it_is_not_written_over_what_was_read(tmp_path: Path) -> None:
    done = analyze(tmp_path, "--html", "orders.csv")
    assert (done.returncode, done.stdout) == (2, "")
    assert (tmp_path / "orders.csv").read_text(encoding="utf-8").startswith("order,day")


def test_a_path_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    done = analyze(tmp_path, "--html", "no/such/folder/r.html")
    assert (done.returncode, done.stdout) == (2, "")
    assert "cannot be written" in done.stderr
