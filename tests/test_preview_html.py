"""``preview --html``: messages as phones show them, with nothing let in or out."""

from __future__ import annotations

import json
import re
import struct
import zlib
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from remindctl.errors import Place, Problem
from remindctl.model import Channel, Policy, Store
from remindctl.report.preview import Preview, Shown, to_html
from remindctl.report.preview.pictures import LARGEST_BYTES, pictures

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver import Chrome

LIGHT, DARK = "light", "dark"
PHONE = 390
HOSTILE = "</script></iframe>\"'><script>window.top.ran = 1</script><img src=x onerror=ran=1>"
GREEN = Store(
    key="green",
    name="초록상점",
    timezone="Asia/Seoul",
    country="KR",
    currency="KRW",
    url="https://shop.example",
    sender={"phone": "0212345678", "email": "hello@shop.example"},
    policy=Policy(preset="KR"),
)
AT = datetime(2026, 11, 21, 7, 0, tzinfo=UTC)
PLAIN = Shown(
    campaign="winback",
    step="day30",
    channel=Channel.SMS,
    store=GREEN,
    customer_key="c-1",
    customer="김*수",
    to="010-****-1234",
    due_at=AT,
    zone="Asia/Seoul",
    zone_source="store",
    why="30d after last_order (2026-10-22)",
    text="(광고)초록상점 새 원두 https://shop.example/n\n무료수신거부 0808880000",
    units=82,
    most=90,
    encoding="cp949",
    cost=Decimal(18),
    segment="loyal",
    ground="consent",
    labels=("sample",),
)
LETTER = (
    "<style>h1 {color: rgb(29, 107, 67)}</style><h1>가을 원두</h1>"
    "<p style='font-size: 12px'><a href='https://shop.example/optout'>수신거부</a></p>"
)


def png(width: int, height: int) -> bytes:
    """Write a grey picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\x99" * width) * height)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", rows), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def jpeg(width: int, height: int) -> bytes:
    """Write what comes before a JPEG's pixels, a segment and padding included."""
    application = b"\xff\xe0\x00\x10JFIF\0" + bytes(9)
    frame = b"\xff\xff\xc2\x00\x0b\x08" + struct.pack(">HH", height, width) + b"\x01\x01\x11\0"
    return b"\xff\xd8" + application + frame


def one_of_each(image: str) -> list[Shown]:
    """Show a message on every channel, in two steps, and two that cannot be made."""
    kakao = replace(
        PLAIN,
        channel=Channel.BRAND_MESSAGE,
        variant="plain",
        text="김민수님, 마지막 주문 이후 30일이 지났어요.",
        units=26,
        most=1300,
        encoding="characters",
        labels=("sample", "variant plain"),
        code="WELCOME-7K2P",
        code_until=date(2026, 12, 31),
        extras={
            "image": image,
            "form": "image",
            "buttons": [
                {"name": "보러 가기", "kind": "link", "url": "https://shop.example/new"},
                {"name": "채널 추가", "kind": "add_channel", "url": None},
            ],
            "coupon": {"title": "3000원 할인 쿠폰", "description": "이번 주말까지"},
        },
    )
    alimtalk = replace(
        PLAIN,
        channel=Channel.ALIMTALK,
        text="[초록상점] 주문이 완료되었습니다.",
        units=21,
        most=1000,
        encoding="characters",
        extras={
            "template": "ORDER_01",
            "variables": {"이름": "김민수"},
            "buttons": [{"name": "채널 추가", "kind": "add_channel"}],
        },
    )
    email = replace(
        PLAIN,
        step="day60",
        channel=Channel.EMAIL,
        to="k***@example.com",
        subject="(광고) 가을 원두가 도착했습니다",
        html=LETTER,
        text="글로만 된 가을 원두 소식",
        encoding="utf-8",
        units=34,
        most=None,
        segment="at_risk",
    )
    push = replace(
        email, channel=Channel.PUSH, html=None, to="tok***", subject="(광고) 곧 품절돼요", leg=1,
        held_by="no_consent", due_at=None,
    )  # fmt: skip
    onsite = replace(push, channel=Channel.ONSITE, extras={"image": image, "url": "/cart"})
    held = replace(
        PLAIN,
        channel=Channel.LMS,
        text="",
        units=None,
        cost=None,
        labels=(),
        problem=Problem(Place(), "2,113 bytes, of 2,000 that an lms holds", "shorten it"),
    )
    return [
        kakao,
        alimtalk,
        PLAIN,
        replace(PLAIN, channel=Channel.LMS, subject="다시 만나요", labels=("longest",), most=2000),
        replace(PLAIN, channel=Channel.MMS, extras={"image": image}, segment=None),
        email,
        push,
        onsite,
        replace(email, channel=Channel.WEBHOOK, html=None, subject=None, text='{"a": 1}'),
        held,
        replace(held, step="day60", problem=Problem(Place(), "`facts.stock` is not known")),
    ]


def preview(*messages: Shown, **given: Any) -> Preview:
    about = {"campaign": "winback", "purpose": "advertising", "store": GREEN, "as_of": AT}
    return Preview(**{**about, "planned": 128, "held": 9, "messages": messages, **given})


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    image = folder / "새 원두.png"
    image.write_bytes(png(60, 40))
    path = folder / "미리보기.html"
    path.write_text(to_html([preview(*one_of_each(str(image)))]), encoding="utf-8")
    return path


def opened(browser: Chrome, page: Path, *, scheme: str = LIGHT, width: int = 1280) -> None:
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width <= PHONE},
    )
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": features})
    browser.get("about:blank")
    for log in ("browser", "performance"):
        logged(browser, log)  # what came before is not this page's
    browser.get(page.as_uri())


def asked(browser: Chrome, script: str) -> Any:
    return browser.execute_script(f"return {script}")


def logged(browser: Chrome, log: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = browser.get_log(log)  # type: ignore[no-untyped-call]
    return entries


def requests(browser: Chrome) -> set[str]:
    """Return what was asked for since the last time, the page's own parts left out."""
    events = (json.loads(entry["message"])["message"] for entry in logged(browser, "performance"))
    return {
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
        and not event["params"]["request"]["url"].startswith("data:")
    }


def visible(browser: Chrome) -> list[str]:
    """Return channel and step of each message that is to be seen."""
    found: list[str] = asked(
        browser,
        """[...document.querySelectorAll("article h3")].filter(e => e.checkVisibility())
            .map(e => e.innerText.replaceAll("\\n", " "))""",
    )
    return found


def choose(browser: Chrome, name: str, value: str) -> None:
    from selenium.webdriver.common.by import By  # noqa: PLC0415 (may be absent)
    from selenium.webdriver.support.select import Select  # noqa: PLC0415 (as above)

    Select(browser.find_element(By.NAME, name)).select_by_value(value)


def counted(browser: Chrome) -> str:
    said: str = asked(browser, "document.querySelector('output').innerText")
    return said


class Links(HTMLParser):
    """Collect whatever could make a browser load something."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.found += [given[name] for name in ("src", "href", "srcset", "data") if name in given]
        assert tag not in {"img", "link", "object", "base", "embed"}
        if tag == "iframe":
            assert given["sandbox"] == ""


def test_the_file_holds_every_part_and_points_nowhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = Links()
    links.feed(text)
    inside = [link for link in links.found if link.startswith(("#", "data:image/png;base64,"))]
    assert links.found == inside
    assert sum(link.startswith("data:") for link in links.found) == 1  # though three show it
    assert text.count('href="#picture-1"') == 3


def test_the_same_messages_give_the_same_page() -> None:
    assert to_html([preview(PLAIN)]) == to_html([preview(PLAIN)])


@pytest.mark.parametrize("scheme", [LIGHT, DARK])
def test_every_channel_is_shown_without_an_error_or_a_request(
    browser: Chrome, page: Path, scheme: str
) -> None:
    opened(browser, page, scheme=scheme)
    assert visible(browser) == [
        "Brand Message day30 · plain", "Alimtalk day30", "SMS day30", "LMS day30", "MMS day30",
        "E-mail day60", "Push day60 leg 2", "On-site day60 leg 2", "Webhook day60",
        "LMS day30", "LMS day60",
    ]  # fmt: skip
    assert logged(browser, "browser") == []
    assert requests(browser) <= {page.as_uri(), "about:srcdoc"}
    seen = asked(browser, "document.body.innerText")
    for part in (
        "128 messages would be sent, 9 held; 9 shown, and 2 examples held by content.",
        "알림톡 도착", "채널 추가", "보러 가기", "3000원 할인 쿠폰", "WELCOME-7K2P", "2026-12-31",
        "82 of 90 bytes", "18 KRW", "Sat 2026-11-21 16:00, Asia/Seoul", "김*수, 010-****-1234",
        "30d after last_order (2026-10-22)", "the customer's consent",
        "held now: no recorded consent to advertising on this channel",
        "2,113 bytes, of 2,000 that an lms holds", "shorten it",
    ):  # fmt: skip
        assert part in seen


def test_filters_and_search_change_what_is_seen(browser: Chrome, page: Path) -> None:
    from selenium.webdriver.common.by import By  # noqa: PLC0415 (may be absent)

    opened(browser, page)
    assert counted(browser) == "11 messages"
    for name, value, count in (
        ("step", "day60", 5),
        ("variant", "plain", 1),
        ("channel", "LMS", 3),
        ("segment", "loyal", 6),
        ("label", "longest", 1),
    ):
        choose(browser, name, value)
        assert len(visible(browser)) == count
        assert counted(browser) == f"{count} of 11 messages"
        choose(browser, name, "")
    choose(browser, "step", "day30")
    search = browser.find_element(By.NAME, "text")
    search.send_keys("원두 BYTES")
    assert visible(browser) == ["SMS day30", "LMS day30", "MMS day30"]
    headings = asked(browser, "[...document.querySelectorAll('h2')].map(e => e.checkVisibility())")
    assert headings == [True, False, False]
    search.clear()
    search.send_keys("어디에도 없는 말")
    assert (visible(browser), counted(browser)) == ([], "0 of 11 messages")
    browser.find_element(By.ID, "again").click()
    assert counted(browser) == "11 messages"


def test_it_is_driven_by_keyboard(browser: Chrome, page: Path) -> None:
    from selenium.webdriver.common.keys import Keys  # noqa: PLC0415 (may be absent)

    def press(*keys: str) -> None:
        for key in keys:
            browser.switch_to.active_element.send_keys(key)

    opened(browser, page)
    press("/", "알림톡", Keys.TAB, "day30")
    assert asked(browser, "document.activeElement.name") == "step"
    assert visible(browser) == ["Alimtalk day30"]
    press(Keys.ESCAPE)
    assert counted(browser) == "11 messages"
    # The e-mail's forms are one stop: its arrow keys change what is shown.
    asked(browser, "document.querySelector('[value=html]').focus()")
    press(Keys.ARROW_RIGHT)
    frame, text = "document.querySelector('iframe')", "document.querySelector('iframe ~ .text')"
    shown = f"[{frame}.checkVisibility(), {text}.checkVisibility()]"
    assert asked(browser, shown) == [False, True]
    unnamed = """[...document.querySelectorAll("input, select, button, iframe")].filter(e =>
        !(e.labels?.length || e.title || e.innerText))"""
    assert asked(browser, unnamed) == []


def test_an_email_looks_as_it_is_written(browser: Chrome, page: Path) -> None:
    from selenium.webdriver.common.by import By  # noqa: PLC0415 (may be absent)

    opened(browser, page)
    frame = browser.find_element(By.TAG_NAME, "iframe")
    browser.execute_script("arguments[0].scrollIntoView()", frame)
    browser.switch_to.frame(frame)
    try:
        title = browser.find_element(By.TAG_NAME, "h1")
        assert title.text == "가을 원두"
        assert title.value_of_css_property("color") == "rgba(29, 107, 67, 1)"
        small = browser.find_element(By.TAG_NAME, "p")
        assert small.value_of_css_property("font-size") == "12px"
    finally:
        browser.switch_to.default_content()


@pytest.fixture
def outside() -> Iterator[tuple[str, list[str]]]:
    """Serve pages on this machine; give the address and what was asked for."""
    asked_for: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked_for.append(self.path)
            self.send_error(404)

        do_POST = do_GET  # noqa: N815 (the name the library calls)

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002 (as above)
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked_for
        server.shutdown()
        thread.join()


def test_what_customers_and_templates_hold_does_nothing(
    browser: Chrome, tmp_path: Path, outside: tuple[str, list[str]]
) -> None:
    from selenium.webdriver.common.by import By  # noqa: PLC0415 (may be absent)

    site, asked_for = outside
    letter = (
        f"{HOSTILE}<meta http-equiv=refresh content='0;url={site}/moved'><script src={site}/x.js>"
        f"</script><img src={site}/x.png><link rel=stylesheet href={site}/x.css>"
        f"<style>@import url({site}/y.css); p {{background: url({site}/z.png)}}</style><p>text"
        f"<iframe src={site}/frame></iframe><a href={site}/link>link</a>"
        f"<form action={site}/form><button>send</button></form>"
    )
    other = replace(GREEN, name=HOSTILE, url=HOSTILE, sender={"email": HOSTILE, "phone": HOSTILE})
    extras = {
        "image": HOSTILE,
        "template": HOSTILE,
        "variables": {HOSTILE: HOSTILE},
        "buttons": [{"name": HOSTILE, "url": HOSTILE}],
        "coupon": {"title": HOSTILE, "description": HOSTILE, "url": "javascript:ran=1"},
        "unsubscribe": f"{site}/{HOSTILE}",
        "until": HOSTILE,
    }
    hostile = replace(
        PLAIN, store=other, step=HOSTILE, variant=HOSTILE, segment=HOSTILE, customer=HOSTILE,
        to=HOSTILE, customer_key=HOSTILE, why=HOSTILE, subject=HOSTILE,
        text=f"{site}/{HOSTILE}", labels=(HOSTILE,), code=HOSTILE, extras=extras,
    )  # fmt: skip
    messages = [replace(hostile, channel=channel) for channel in Channel]
    messages += [replace(hostile, channel=Channel.EMAIL, html=letter)]
    messages += [replace(hostile, problem=Problem(Place(), HOSTILE, HOSTILE))]
    path = tmp_path / "hostile.html"
    notes = (HOSTILE,)
    whole = preview(*messages, store=other, campaign=HOSTILE, purpose=HOSTILE, notes=notes)
    path.write_text(to_html([whole]), encoding="utf-8")
    opened(browser, path)
    asked(browser, "document.querySelectorAll('details').forEach(e => e.open = true)")
    for tag, count in (("script", 1), ("iframe", 1), ("img", 0), ("link", 0)):
        assert asked(browser, f"document.querySelectorAll('{tag}').length") == count
    assert HOSTILE in asked(browser, "document.body.innerText")
    assert "1 picture from the network, not loaded" in asked(browser, "document.body.innerText")
    browser.switch_to.frame(browser.find_element(By.TAG_NAME, "iframe"))
    try:
        assert browser.find_element(By.TAG_NAME, "p").is_displayed()
        for name in ("a", "button"):
            browser.find_element(By.TAG_NAME, name).click()
    finally:
        browser.switch_to.default_content()
    # Even code that got into the page would not run.
    asked(browser, "document.body.insertAdjacentHTML('beforeend', '<i onclick=\"window.ran=1\">')")
    asked(browser, "document.querySelector('body > i').click()")
    assert asked(browser, "window.ran") is None
    assert browser.current_url == path.as_uri()
    assert len(browser.window_handles) == 1
    browser.set_script_timeout(30)
    outcome = browser.execute_async_script(
        """const [site, done] = arguments;
        fetch(site).then(() => done("sent"), () => done("refused"))""",
        site,
    )
    assert outcome == "refused"
    assert asked_for == []
    choose(browser, "channel", "E-mail")
    assert counted(browser) == "2 of 11 messages"


def test_it_fits_a_phone(browser: Chrome, page: Path) -> None:
    opened(browser, page, width=PHONE)
    asked(browser, "document.querySelectorAll('details').forEach(e => e.open = true)")
    assert asked(browser, "document.documentElement.scrollWidth") == PHONE
    wide = "[...document.querySelectorAll('.phone *')].filter(e => e.scrollWidth > innerWidth)"
    assert asked(browser, wide) == []


@pytest.mark.parametrize("scheme", [LIGHT, DARK])
def test_letters_stand_out_from_their_ground(browser: Chrome, page: Path, scheme: str) -> None:
    opened(browser, page, scheme=scheme)
    asked(browser, "document.querySelectorAll('details').forEach(e => e.open = true)")
    found = asked(
        browser,
        """[...document.querySelectorAll("body *")].filter(e => e.checkVisibility()
              && [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())
        ).map(e => {
            let ground = e;
            const css = g => getComputedStyle(g);
            while (css(ground).backgroundColor === "rgba(0, 0, 0, 0)"
                   && css(ground).backgroundImage === "none") ground = ground.parentElement;
            const shade = css(ground).backgroundImage.match(/rgb[^)]+\\)/g);
            const flat = css(ground).backgroundColor !== "rgba(0, 0, 0, 0)";
            return [e.className + " " + e.textContent.trim().slice(0, 30), css(e).color,
                    flat ? [css(ground).backgroundColor] : shade];
        })""",
    )
    assert len(found) > 100
    weak = [
        (what, letters, ground)
        for what, letters, grounds in found
        for ground in grounds
        if contrast(letters, ground) < 4.5
    ]
    assert weak == []


def contrast(one: str, other: str) -> float:
    """Return the ratio of two colours' luminances (WCAG 2.2)."""

    def luminance(colour: str) -> float:
        parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


NO_PICTURE = "no JPEG or PNG picture"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (png(60, 40), (60, 40)),
        (jpeg(640, 480), (640, 480)),
        (png(60, 40) + bytes(LARGEST_BYTES), "larger than 2 MB"),
        (png(60, 40)[:20], NO_PICTURE),
        (png(60, 0), NO_PICTURE),
        (jpeg(640, 480)[:20], NO_PICTURE),
        (b"\xff\xd8\xff\xe0" + bytes(40), NO_PICTURE),
        (b"<svg onload=alert(1)>", NO_PICTURE),
        (b"", NO_PICTURE),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_pictures_are_known_by_what_they_hold(
    tmp_path: Path, data: bytes | None, expected: tuple[int, int] | str
) -> None:
    path = tmp_path / "picture.png"  # whatever it holds
    if data is not None:
        path.write_bytes(data)
    [found] = pictures([str(path), str(path)]).values()
    if isinstance(expected, str):
        assert (found.address, found.lacks) == (None, expected)
    else:
        assert (found.width, found.height) == expected
        assert found.address is not None


def test_without_messages_it_says_so(browser: Chrome, tmp_path: Path) -> None:
    path = tmp_path / "empty.html"
    path.write_text(to_html([preview(planned=0, held=0)]), encoding="utf-8")
    opened(browser, path)
    assert logged(browser, "browser") == []
    seen = asked(browser, "document.body.innerText")
    assert "There is no message to show." in seen
    assert "0 messages would be sent; none to show." in seen
    assert not asked(browser, "document.getElementById('filters').checkVisibility()")
