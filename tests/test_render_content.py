from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from remindctl.errors import Place, Refused
from remindctl.model import (
    Basis,
    Button,
    Campaign,
    Channel,
    KakaoCoupon,
    Leg,
    Policy,
    Purpose,
    Span,
    Store,
)
from remindctl.render import compile_leg, international, korean, template_problems, warnings
from remindctl.render.filters import tagged
from remindctl.render.pages import as_html

GREEN = Store(
    key="green",
    name="초록상점",
    timezone="Asia/Seoul",
    country="KR",
    currency="KRW",
    url="https://shop.example",
    sender={"phone": "0212345678", "contact": "02-1234-5678", "email": "hi@shop.example"},
    optout={"phone": "0808880000", "url": "https://shop.example/o?c={id}&b=2"},
    policy=Policy(preset="KR"),
)
SHOPIFY = Store(
    key="shopify",
    name="Green Shop",
    timezone="America/New_York",
    country="US",
    currency="USD",
    sender={"address": "1 Main St, Springfield", "phone": "+12025550100"},
    optout={"url": "https://shop.example/o"},
    policy=Policy(preset="US"),
)
EUROPEAN = replace(SHOPIFY, key="eu", country="DE", policy=Policy(preset="EU"))
AD = Campaign(name="봄 소식", purpose=Purpose.ADVERTISING, steps=())
INFO = Campaign(name="order", purpose=Purpose.INFORMATIONAL, steps=())
Row = dict[str, Any]


def made(leg: Leg, store: Store = GREEN, campaign: Campaign = AD, *rows: Row) -> list[Row]:
    frame = pl.DataFrame([{"_": 0, **row} for row in rows or ({},)], infer_schema_length=None)
    return compile_leg(leg, store, campaign).render(frame).to_dicts()


def extras(leg: Leg, store: Store = GREEN, campaign: Campaign = AD, **row: Any) -> Row:
    (one,) = made(leg, store, campaign, row)
    assert one["problem"] is None, one
    found: Row = json.loads(one["extras"])
    return found


def why(leg: Leg, store: Store = GREEN, campaign: Campaign = AD, **row: Any) -> str:
    (one,) = made(leg, store, campaign, row)
    assert one["problem"] == "content"
    return str(one["problem_detail"])


def refused(leg: Leg, store: Store = GREEN, campaign: Campaign = AD) -> list[str]:
    with pytest.raises(Refused) as error:
        compile_leg(leg, store, campaign)
    return [str(problem) for problem in error.value.problems]


# Kakao -----------------------------------------------------------------------------------------

ORDERED = Leg(
    channel=Channel.ALIMTALK,
    template="ORDER_1",
    text="#{이름}님, 주문을 받았어요.\n\n\n번호: #{번호}  \n",
    variables={"이름": "{{ name | default('고객') }}", "번호": "{{ anchor.id }}"},
    buttons=(
        Button(name="채널 추가", kind="add_channel"),
        Button(name="보기", url="{{ store.url }}/orders/{{ anchor.id }}"),
    ),
)


def test_an_alimtalk_is_its_approved_wording_with_the_values_filled_in_and_nothing_else() -> None:
    name = '{{ x }}#{번호}"\\'
    (one,) = made(ORDERED, GREEN, INFO, {"name": name, "anchor": {"id": "2026-1"}})
    assert one["text"] == f"{name}님, 주문을 받았어요.\n\n\n번호: 2026-1  "
    assert (one["encoding"], one["units"], one["subject"]) == ("characters", len(one["text"]), None)
    assert json.loads(one["extras"]) == {
        "buttons": [
            {"name": "채널 추가", "kind": "add_channel"},
            {"name": "보기", "kind": "link", "url": "https://shop.example/orders/2026-1"},
        ],
        "template": "ORDER_1",
        "variables": {"이름": name, "번호": "2026-1"},
        "approved_text": ORDERED.text.strip("\n"),
    }


def test_a_variable_without_a_value_holds_the_message_by_its_name() -> None:
    assert why(ORDERED, GREEN, INFO, name="가") == "anchor.id is empty for this customer"
    empty = replace(ORDERED, variables={**ORDERED.variables, "이름": "{% if name %}x{% endif %}"})
    assert why(empty, GREEN, INFO, anchor={"id": "1"}) == "#{이름} is empty for this customer"
    jinja = replace(ORDERED, text="#{이름}\n{{ name }}", places={"text": Place("a.yaml", 3)})
    assert refused(jinja, GREEN, INFO) == ["a.yaml:4: `{{` has no place in an approved wording"]
    lacks = replace(ORDERED, variables={"번호": "1"}, places={"text": Place("a.yaml", 3)})
    assert refused(lacks, GREEN, INFO) == ["a.yaml:3: `#{이름}` of the text has no value"]


def test_an_alimtalk_longer_than_kakao_takes_is_held() -> None:
    long = replace(ORDERED, text="#{이름}#{번호}", buttons=())
    (fits,) = made(long, GREEN, INFO, {"name": "가" * 1299, "anchor": {"id": "1"}})
    assert fits["units"] == 1300
    held = why(long, GREEN, INFO, name="가" * 1298 + "😀", anchor={"id": "1"})
    assert held == "1301 characters, of 1300: shorten it"


BRAND = Leg(
    channel=Channel.BRAND_MESSAGE,
    text="{{ name }}님",
    form="image",
    image="/shop/new.jpg",
    url="{{ store.url }}",
    buttons=(Button(name="보기", url="{{ store.url | utm }}"),),
    coupon=KakaoCoupon(
        title="{{ orders }}% 할인 쿠폰", description="봄에만", url="https://s.example"
    ),
)


def test_a_brand_message_carries_its_form_target_coupon_and_image() -> None:
    assert extras(BRAND, name='가"\\', orders=10) == {
        "image": "/shop/new.jpg",
        "buttons": [
            {
                "name": "보기",
                "kind": "link",
                "url": "https://shop.example?utm_source=green&utm_medium=brand_message"
                "&utm_campaign=%EB%B4%84+%EC%86%8C%EC%8B%9D",
            }
        ],
        "url": "https://shop.example",
        "form": "image",
        "targeting": "I",
        "coupon": {
            "title": "10% 할인 쿠폰",
            "description": "봄에만",
            "url": "https://s.example",
        },
    }


@pytest.mark.parametrize(
    ("title", "taken"),
    [
        ("3000원 할인 쿠폰", True),
        ("3,000원 할인 쿠폰", True),
        ("99,999,999원 할인 쿠폰", True),
        ("0원 할인 쿠폰", False),
        ("100% 할인 쿠폰", True),
        ("101% 할인 쿠폰", False),
        ("배송비 할인 쿠폰", True),
        ("커피 한 잔 무료 쿠폰", True),
        ("여덟글자가 되는 무료 쿠폰", False),
        ("등급 UP 쿠폰", True),
        ("쿠폰", False),
    ],
)
def test_the_titles_that_kakao_takes_for_coupons(title: str, taken: bool) -> None:
    leg = replace(BRAND, coupon=KakaoCoupon(title="{{ title }}", description="봄"))
    (one,) = made(leg, GREEN, AD, {"name": "가", "title": title})
    assert (one["problem"] is None) == taken
    if not taken:
        assert one["problem_detail"] == f"`{title}` is not a title that Kakao takes for a coupon"


def test_each_form_of_a_brand_message_has_its_own_size() -> None:
    text = replace(BRAND, coupon=None)
    wide = replace(text, form="wide")
    assert why(wide, name="가" * 76) == "77 characters, of 76: shorten it"
    assert why(replace(wide, text="a\nb\nc")) == "2 line breaks, of 1 in the form wide"
    assert why(text, name="가" * 1300) == "1301 characters, of 1300: shorten it"
    assert "100 line breaks" in why(replace(text, text="a\n" * 100 + "b"))
    line = KakaoCoupon(title="배송비 할인 쿠폰", description="{{ name }}")
    assert "13 characters in the line" in why(replace(BRAND, coupon=line), name="가" * 13)
    assert extras(replace(BRAND, form="wide", coupon=line), name="가" * 18)


@pytest.mark.parametrize(
    ("url", "channel", "good"),
    [
        ("https://shop.example/가?a=1#b", Channel.BRAND_MESSAGE, True),
        ("http://shop.example", Channel.BRAND_MESSAGE, True),
        ("shop.example", Channel.BRAND_MESSAGE, False),
        ("https://", Channel.BRAND_MESSAGE, False),
        ("https://shop.example/a b", Channel.BRAND_MESSAGE, False),
        ("app://cart", Channel.BRAND_MESSAGE, False),
        ("app://cart", Channel.PUSH, True),
        ("javascript://%0aalert(1)", Channel.PUSH, False),
        ("javascript:alert(1)", Channel.ONSITE, False),
        ("https://shop.example/" + "a" * 500, Channel.ONSITE, True),
        ("https://shop.example/" + "a" * 500, Channel.BRAND_MESSAGE, False),
    ],
)
def test_addresses_lead_somewhere(url: str, channel: Channel, good: bool) -> None:
    leg = Leg(channel=channel, text="가", subject="나", url="{{ url }}")
    (one,) = made(leg, GREEN, AD, {"url": url})
    assert (one["problem"] is None) == good, one


# Push, on-site, MMS ----------------------------------------------------------------------------


def test_a_push_and_a_popup_carry_title_address_picture_and_how_long() -> None:
    popup = Leg(
        channel=Channel.ONSITE,
        subject="{{ name }}님",
        text="새 소식",
        image="/shop/a.png",
        url="{{ anchor.url | default(store.url) | utm }}",
        show_for=Span(days=1, seconds=60),
    )
    (one,) = made(popup, GREEN, AD, {"name": "가"})
    assert (one["subject"], one["text"], one["encoding"]) == ("가님", "새 소식", "utf-8")
    found = extras(popup, name="가")
    assert found["show_for"] == 86_460
    assert found["url"].startswith("https://shop.example?utm_source=green&utm_medium=onsite&")
    push = Leg(channel=Channel.PUSH, subject="{{ name }}", text="가", url="{{ store.url }}")
    assert made(push, GREEN, AD, {"name": "나"})[0]["subject"] == "(광고) 나"
    assert "of 3000 that a push holds" in why(push, name="가" * 1000)


def test_an_mms_has_its_image_and_other_texts_have_nothing_beside() -> None:
    assert extras(Leg(channel=Channel.MMS, text="가", image="/a.jpg")) == {"image": "/a.jpg"}
    assert made(Leg(channel=Channel.LMS, text="가"))[0]["extras"] is None


# E-mail ----------------------------------------------------------------------------------------

LAYOUT = "<html><body><h1>{{ store.name }} {{ name }}</h1>{{ body }}</body></html>"
LETTER = Leg(channel=Channel.EMAIL, subject="소식", text="안녕 {{ name }}", layout=LAYOUT)


def test_html_stands_inside_its_layout_and_both_are_templates() -> None:
    leg = replace(LETTER, html="<p>{{ name }}</p>{{ 'https://s.example' | qr | length }}")
    (one,) = made(leg, GREEN, INFO, {"name": "<b>"})
    start, _, rest = one["html"].partition("</p>")
    assert start == "<html><body><h1>초록상점 &lt;b&gt;</h1><p>&lt;b&gt;"
    assert rest.endswith("</body></html>")
    assert leg.layout is not None
    assert "body" not in compile_leg(leg, GREEN, INFO).names


def test_a_text_with_a_layout_becomes_html() -> None:
    leg = replace(LETTER, text="안녕 {{ name }}\n둘\n\n{{ store.url }}.")
    (one,) = made(leg, GREEN, INFO, {"name": "<b>"})
    link = '<a href="https://shop.example">https://shop.example</a>'
    assert f"<p>안녕 &lt;b&gt;<br>둘</p>\n<p>{link}.</p></body>" in one["html"]
    assert as_html('a "b"\n\n\n\n') == "<p>a &quot;b&quot;</p>"


def test_advertising_by_email_has_a_link_of_its_own_for_each_customer() -> None:
    (one,) = made(LETTER, GREEN, AD, {"name": "가", "customer_key": "a b&c"})
    link = "https://shop.example/o?c=a+b%26c&b=2"
    assert one["text"].endswith(f"무료수신거부(Unsubscribe): {link}")
    escaped = link.replace("&", "&amp;")
    assert one["html"].endswith(f'<a href="{escaped}">{escaped}</a></p></body></html>')
    assert json.loads(one["extras"]) == {"unsubscribe": link}
    assert "customer_key" in compile_leg(LETTER, GREEN, AD).names
    assert why(LETTER, name="가") == "customer_key is empty for this customer"
    assert made(LETTER, GREEN, INFO, {"name": "가"})[0]["extras"] is None


def test_a_link_to_refuse_must_be_https() -> None:
    store = replace(GREEN, optout={"url": "http://shop.example/o"})
    (what,) = refused(LETTER, store)
    assert (
        what
        == "advertising by email needs `stores.green.optout.url` (a link that begins with https://)"
    )


def test_addresses_are_tagged_once_and_keep_what_they_have() -> None:
    assert tagged("https://s.example/a?x=1&utm_source=me#top", "green", "lms", "a&b") == (
        "https://s.example/a?x=1&utm_source=me&utm_medium=lms&utm_campaign=a%26b#top"
    )


def test_a_qr_code_is_for_html_and_short() -> None:
    (problem,) = template_problems("a\n{{ name | qr }}", html=False)
    assert (problem.line, problem.what) == (2, "a text cannot show a QR code")
    assert not list(template_problems("{{ name | qr }}"))
    leg = replace(LETTER, html='<img src="{{ name | qr }}">')
    (one,) = made(leg, GREEN, INFO, {"name": "https://shop.example"})
    assert '<img src="data:image/png;base64,iVBOR' in one["html"]
    assert "too many for a QR code" in why(leg, GREEN, INFO, name="a" * 1001)
    assert "a text cannot show a QR code" in refused(replace(LETTER, text="{{ name | qr }}"))[0]


# The recipient's country -----------------------------------------------------------------------


def test_a_text_abroad_says_what_both_countries_ask_for() -> None:
    leg = Leg(channel=Channel.LMS, subject="제목", text="안녕 {{ name }}")
    rows = [{"name": "가", "country": country} for country in ("KR", None, "US", "DE", "KR")]
    at_home, unknown, american, european, last = made(leg, GREEN, AD, *rows)
    assert at_home == unknown == last
    assert at_home["text"] == "(광고)초록상점\n안녕 가\n무료수신거부 0808880000"
    assert at_home["subject"] == "(광고)제목"
    stop = "(광고)초록상점\n안녕 가\nReply STOP to opt out\n무료수신거부 0808880000"
    assert (american["text"], american["subject"]) == (stop, None)
    assert (american["encoding"], american["parts"]) == international(stop)[::2]
    assert "Opt out: https://shop.example/o" in european["text"]
    assert (at_home["encoding"], at_home["units"]) == korean(at_home["text"])[:2]


def test_the_limits_of_a_network_are_for_those_whom_it_reaches() -> None:
    leg = Leg(channel=Channel.SMS, text="{{ name }}")
    rows = [{"name": "가" * 40, "country": country} for country in ("KR", "US")]
    here, abroad = made(leg, GREEN, AD, *rows)
    assert "bytes, of 90" in here["problem_detail"]
    assert (abroad["problem"], abroad["encoding"], abroad["parts"]) == (None, "ucs-2", 2)


def test_texts_from_abroad_to_korea_carry_the_korean_lines_or_are_held() -> None:
    leg = Leg(channel=Channel.SMS, text="Hi {{ name }}")
    store = replace(SHOPIFY, optout={**SHOPIFY.optout, "phone": "0808880000"})
    home, korea, german = made(
        leg, store, AD, *({"name": "Kim", "country": country} for country in ("US", "KR", "DE"))
    )
    assert home["text"] == "Green Shop: Hi Kim\nReply STOP to opt out"
    assert korea["text"].startswith("(광고)Green Shop\nHi Kim\n")
    assert korea["text"].endswith("\nReply STOP to opt out\n무료수신거부 0808880000")
    assert german["text"].endswith("\nReply STOP to opt out\nOpt out: https://shop.example/o")
    held = why(leg, SHOPIFY, AD, name="Kim", country="KR")
    assert held.startswith("advertising by sms to KR needs `stores.shopify.optout.phone`")
    (only,) = made(leg, SHOPIFY, INFO, {"name": "Kim", "country": "KR"})
    assert only["text"] == "Hi Kim"


def test_a_preset_adds_to_what_the_stores_country_asks_for() -> None:
    leg = Leg(channel=Channel.SMS, text="Hi")
    korean = replace(SHOPIFY, policy=Policy(preset="KR"), optout={"phone": "0808880000"})
    (one,) = made(leg, korean)
    assert one["text"].splitlines()[2:] == ["Reply STOP to opt out", "무료수신거부 0808880000"]
    (one,) = made(leg, replace(SHOPIFY, policy=Policy(preset="EU")))
    assert one["text"] == "Green Shop: Hi\nReply STOP to opt out"


def test_no_country_decides_the_form_of_other_channels() -> None:
    leg = Leg(channel=Channel.PUSH, subject="소식", text="가")
    assert made(leg, GREEN, AD, {"country": "US"}) == made(leg, GREEN, AD, {})


# Words -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "품절 임박!",
        "곧 매진됩니다",
        "{{ anchor.quantity }}개 남았어요",
        "이제 3개만 남았습니다",
        "남은 수량 확인",
        "Only {{ anchor.quantity }} left!",
        "only a few left",
        "Selling fast",
        "오늘만 12명이 구매했어요",
        "{{ orders }}분이 골라 가셨어요",
        "27 people bought this today",
        "마감 임박",
        "{% if name %}\n\n품절  임박{% endif %}",
    ],
)
def test_scarcity_and_social_proof_need_a_fact(text: str) -> None:
    leg = Leg(
        channel=Channel.BRAND_MESSAGE, text="가\n" + text, places={"text": Place("a.yaml", 5)}
    )
    (what,) = refused(leg)
    assert "is said without a" in what
    assert what.startswith("a.yaml:6:" if "\n" not in text else "a.yaml:8:")
    compile_leg(replace(leg, text=text + "{{ facts.stock }}"), GREEN, AD)


def test_ordinary_words_and_deadlines_that_the_data_tells_are_no_claims() -> None:
    for text in (
        "{{ name }}님, 두 개 남기신 후기 고맙습니다",
        "3일 남았어요. {{ coupon.until | date }} 마감 임박",
        "곧 도착합니다. 5명까지 앉는 소파",
        "The only thing left to say: thank you",
    ):
        compile_leg(Leg(channel=Channel.BRAND_MESSAGE, text=text), GREEN, AD)


def test_what_a_person_should_look_at_is_a_warning_with_its_place() -> None:
    places = {"text": Place("a.yaml", 4), "variables": Place("a.yaml", 9)}
    leg = replace(
        ORDERED,
        text="#{이름}#{번호}님\n앱을 설치하고 쿠폰을 받으세요\nhttps://bit.ly/x",
        variables={"이름": "할인", "번호": "1"},
        places=places,
    )
    found = warnings(leg, GREEN, INFO)
    assert all(problem.warning for problem in found)
    assert [str(problem) for problem in found] == [
        "a.yaml:5: `앱을 설치` in an Alimtalk",
        "a.yaml:5: `쿠폰` in an informational message",
        "a.yaml:6: `bit.ly/` in a link",
        "a.yaml:9: `할인` in an informational message",
    ]
    earned = replace(INFO, basis=Basis("구매 적립", ground="purchase", reason="구매로 드려요"))
    assert not any("`쿠폰`" in problem.what for problem in warnings(leg, GREEN, earned))
    assert warnings(Leg(channel=Channel.LMS, text="할인 쿠폰"), GREEN, AD) == []
    titled = Leg(channel=Channel.LMS, text="Hi", subject="News")
    assert "left out" in warnings(titled, SHOPIFY, AD)[0].what
    assert warnings(titled, GREEN, AD) == []
