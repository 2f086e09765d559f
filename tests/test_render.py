from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remindctl.errors import Place, Refused
from remindctl.model import Campaign, Channel, Leg, Policy, Purpose, Store
from remindctl.render import (
    NAMES,
    RENDERED,
    compile_leg,
    korean,
    outside_cp949,
    sms_bytes,
    template_problems,
)

Row = dict[str, Any]

GREEN = Store(
    key="green",
    name="초록상점",
    timezone="Asia/Seoul",
    country="KR",
    currency="KRW",
    url="https://shop.example",
    sender={"phone": "0212345678", "contact": "02-1234-5678", "email": "hi@shop.example"},
    optout={"phone": "0808880000", "url": "https://shop.example/o?a=1&b=2"},
    policy=Policy(preset="KR"),
)
SHOPIFY = Store(
    key="shopify",
    name="Green Shop",
    timezone="America/New_York",
    country="US",
    currency="USD",
    sender={"address": "1 Main St, Springfield"},
    optout={"url": "https://shop.example/o"},
    policy=Policy(preset="US"),
)


def campaign(purpose: Purpose) -> Campaign:
    return Campaign(name="winback", purpose=purpose, steps=())


def rendered(leg: Leg, store: Store, purpose: Purpose, rows: list[dict[str, Any]]) -> list[Row]:
    """Render rows, each a mapping of the names that it has values for."""
    compiled = compile_leg(leg, store, campaign(purpose))
    frame = pl.DataFrame([{"_": 0, **row} for row in rows], infer_schema_length=None)
    made = compiled.render(frame)
    assert dict(made.schema) == dict(RENDERED)
    return made.to_dicts()


def one(
    text: str,
    store: Store = GREEN,
    channel: Channel = Channel.LMS,
    purpose: Purpose = Purpose.ADVERTISING,
    row: dict[str, Any] | None = None,
    **fields: Any,
) -> Row:
    leg = Leg(channel=channel, text=text, **fields)
    (result,) = rendered(leg, store, purpose, [row or {}])
    return result


def message(*args: Any, **kwargs: Any) -> Row:
    result = one(*args, **kwargs)
    assert result["problem"] is None, result
    return result


def body(template: str, **row: object) -> str:
    return str(message(template, purpose=Purpose.INFORMATIONAL, row=row)["text"])


def why(*args: Any, **kwargs: Any) -> str:
    result = one(*args, **kwargs)
    assert result["problem"] == "content"
    assert all(result[name] is None for name in RENDERED if not name.startswith("problem"))
    return str(result["problem_detail"])


def held(template: str, **row: object) -> str:
    return why(template, purpose=Purpose.INFORMATIONAL, row=row)


def refused(
    text: str, store: Store = GREEN, channel: Channel = Channel.LMS, **fields: Any
) -> list[str]:
    leg = Leg(channel=channel, text=text, places={"text": Place("a.yaml", 10, 3)}, **fields)
    with pytest.raises(Refused) as error:
        compile_leg(leg, store, campaign(Purpose.ADVERTISING))
    return [str(problem) for problem in error.value.problems]


# The form the law wants -------------------------------------------------------------------------


def test_korean_text_gets_label_sender_and_free_refusal_around_it() -> None:
    sent = message("{{ first_name }}님", row={"first_name": "수민"}, subject="안녕하세요")
    assert sent["text"] == "(광고)초록상점\n수민님\n무료수신거부 0808880000"
    assert sent["subject"] == "(광고)안녕하세요"
    assert (sent["encoding"], sent["units"], sent["parts"]) == ("cp949", sms_bytes(sent["text"]), 1)
    other = replace(GREEN, sender={"phone": "0212345678", "contact": "1588-0000"})
    assert message("가", other)["text"].startswith("(광고)초록상점 1588-0000\n가\n")
    assert body("가") == "가"


def test_a_preset_does_not_take_a_korean_store_out_of_korean_law() -> None:
    assert message("가", replace(GREEN, policy=Policy(preset="US")))["text"].startswith("(광고)")


def test_korean_email_is_labelled_in_its_subject_and_says_who_and_how_to_refuse() -> None:
    sent = message("가", channel=Channel.EMAIL, subject="새 소식", html="<body><p>가</p></body>")
    assert sent["subject"] == "(광고) 새 소식"
    assert sent["text"] == (
        "가\n--\n초록상점 | 02-1234-5678 | hi@shop.example\n"
        "무료수신거부(Unsubscribe): https://shop.example/o?a=1&b=2"
    )
    link = "https://shop.example/o?a=1&amp;b=2"
    assert sent["html"] is not None
    assert sent["html"].endswith(f'(Unsubscribe): <a href="{link}">{link}</a></p></body>')


def test_kakao_labels_by_itself() -> None:
    assert message("가", channel=Channel.BRAND_MESSAGE)["text"] == "가"


def test_american_text_names_the_brand_once_and_how_to_stop() -> None:
    sent = message("Hi!", SHOPIFY, Channel.LMS, subject="no title abroad")
    assert (sent["text"], sent["subject"]) == ("Green Shop: Hi!\nReply STOP to opt out", None)
    named = message("Hi from Green Shop", SHOPIFY, Channel.SMS)["text"]
    assert named == "Hi from Green Shop\nReply STOP to opt out"
    european = replace(SHOPIFY, country="DE", policy=Policy(preset="EU"))
    assert message("Hi", european, Channel.SMS)["text"].endswith(
        "\nOpt out: https://shop.example/o"
    )


def test_american_email_carries_the_postal_address_and_a_link() -> None:
    sent = message("Hi", SHOPIFY, Channel.EMAIL, subject="News")
    assert sent["subject"] == "News"
    assert sent["text"] == (
        "Hi\n--\nThis is an advertisement from Green Shop | 1 Main St, Springfield\n"
        "Unsubscribe: https://shop.example/o"
    )


def test_missing_sender_and_refusal_settings_are_refused_by_the_names_of_their_keys() -> None:
    bare = replace(GREEN, sender={}, optout={})
    assert refused("가", bare) == [
        "advertising by lms needs `stores.green.optout.phone` (the free refusal)",
        "advertising by lms needs `stores.green.sender.contact` (whom to reach)",
    ]
    assert [problem.split("`")[1] for problem in refused("가", bare, Channel.EMAIL)] == [
        "stores.green.optout.url",
        "stores.green.sender.contact",
    ]
    abroad = replace(SHOPIFY, sender={}, optout={})
    assert [problem.split("`")[1] for problem in refused("Hi", abroad, Channel.EMAIL)] == [
        "stores.shopify.optout.url",
        "stores.shopify.sender.address",
    ]


@pytest.mark.parametrize(
    "written",
    ["(광고) 안녕", "(광 고)안녕", "(광.고) 안녕", "[광고] 안녕", "안녕 (광/고)", "광고 안녕"],
)
def test_labels_written_by_hand_are_refused_in_every_spelling(written: str) -> None:
    assert "written by hand" in refused(written)[0]


def test_what_only_looks_like_a_label_is_not_one_and_a_built_one_is_held() -> None:
    assert "광고주님" in message("광고주님")["text"]
    assert why("{{ first_name }}", row={"first_name": "[광고]"}) == "`[광고]` is written by hand"
    assert "written by hand" in why("{{ a }}{{ b }}", row={"a": "무료", "b": "거부"})
    assert refused("안녕\n\n무료 거부 080")[0].startswith("a.yaml:12: `무료 거부`")
    assert refused("{{ '(광고)' }}")


# The sandbox ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "what"),
    [
        ("{{ ''['__class__'] }}", ".__class__ may not be used"),
        ("{{ name.format() }}", ".format may not be used"),
        ("{{ name.encode() }}", ".encode may not be used"),
        ("{{ {}.update({1: 2}) }}", ".update may not be used"),
        ("{% for i in range(10 ** 9) %}x{% endfor %}", "`**` is only for numbers"),
        ("{% for i in range(1001) %}{% endfor %}", "range() goes to 1,000 at most"),
        (
            "{% for i in range(1000) %}{% for j in range(1000) %}{% endfor %}{% endfor %}",
            "the loops go more than 10,000 steps",
        ),
        (
            "{% for i in range(999) %}{{ '" + "x" * 101 + "' }}{% endfor %}",
            "the text grows over 100,000 characters",
        ),
        (
            "{% set a %}{{ name }}{% endset %}"
            + "{% set a %}{{ a }}{{ a }}{% endset %}" * 40
            + "{{ a | length }}",
            "the text grows over 100,000 characters",
        ),
        ("{% set a = [1] %}" + "{% set a = [a, a] %}" * 40 + "{{ a }}", "may not hold a list"),
        ("{% set a = [1] %}{{ a + a }}", "`+` is only for numbers"),
        (
            "{% set a = name | length %}" + "{% set a = a * a %}" * 40 + "{{ a }}",
            "the number grows beyond all bounds",
        ),
        ("{{ ('a' * 300000) | length }}", "`*` is only for numbers"),
        ("{{ ('%300000d' % 1) | length }}", "`%` is only for numbers"),
        (
            "{% set a = 'aaaaaaaaaa' %}" + "{% set a = a ~ a %}" * 14 + "{{ a | length }}",
            "grows over",
        ),
        ("{{ range(1000) | join(name ~ '-' ~ range(100) | join) | length }}", "grows over"),
        ("{{ (range(500) | join) | replace('', range(500) | join) | length }}", "grows over"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ name + 1 }}", "concatenate"),
        ("{{ name | date }}", "isoformat"),
        ("{{ name | money }}", "'김수민' is not a number"),
        ("{{ name | josa('도/도') }}", "'도/도' is unknown"),
        ("{{ 3 | date }}", "3 is not a date"),
        ("{{ '2026-01-01' | date('%Q') }}", "%Q is not supported"),
    ],
)
def test_what_a_template_may_not_or_cannot_do_holds_the_message(template: str, what: str) -> None:
    assert what in held(template, name="김수민")


@pytest.mark.parametrize(
    ("template", "line", "what"),
    [
        ("a\n{% if name %}b", 2, "not a template"),
        ("a\n\n{{ name | jossa }}", 3, "No filter named 'jossa'"),
        ("a\n{{ nmae }}", 2, "`nmae` is not known in templates"),
        ("{{ name }}\n{{ store.urll }}", 2, "`store.urll` is not known"),
        ("{{ store.sender.fax }}", 1, "`store.sender.fax` is not known"),
        ("{{ name.__class__ }}", 1, "`.__class__` may not be used"),
        ("a\n{% macro m() %}{% endmacro %}", 2, "`{% macro %}` may not be used"),
        ("{% include 'x' %}", 1, "`{% include %}` may not be used"),
        ("{% autoescape false %}{% endautoescape %}", 1, "`{% autoescape %}` may not be used"),
        ("{{ caller }}", 1, "`caller` is not known"),
        ("{{ self }}", 1, "`self` is not known"),
        ("{{ lipsum() }}", 1, "`lipsum` is not known"),
        ("{% for a in tags recursive %}{% endfor %}", 1, "loops may not be recursive"),
        (
            "{% for a in tags %}{% for b in a %}{% for c in b %}" + "{% endfor %}" * 3,
            1,
            "loops may not be recursive or more than 2 deep",
        ),
    ],
)
def test_what_is_wrong_with_a_template_is_found_without_data(
    template: str, line: int, what: str
) -> None:
    found = list(template_problems(template, {"name": None, "tags": None, **NAMES}))
    assert any(problem.line == line and what in problem.what for problem in found), found


# Words and signs of Jinja, one blank apart; the blank and the line break follow.
_SIGNS = """{{ }} {% %} {# #} name if for in endif endfor ( ) [ ] ' | date josa ~ + * ** % 1 99999
    range set = .b ._c not is defined macro loop None , - print (광고) self with raw endraw"""
_PIECES = st.sampled_from([*_SIGNS.split(), " ", "\n"])


@settings(deadline=None)
@given(st.lists(_PIECES, max_size=20).map("".join))
def test_any_text_is_a_template_or_has_problems_and_never_breaks_the_run(text: str) -> None:
    if list(template_problems(text, {"name": None, **NAMES})):
        return
    leg = Leg(channel=Channel.LMS, text=text)
    assert len(rendered(leg, GREEN, Purpose.INFORMATIONAL, [{"name": "가"}, {"name": None}])) == 2


def test_a_template_nested_beyond_reason_is_a_problem_not_a_crash() -> None:
    for deep in ("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}", "{{ 1" + "+1" * 400 + " }}"):
        (problem,) = template_problems(deep)
        assert problem.what == "not a template: it is nested too deeply"


def test_ordinary_templates_have_no_problems() -> None:
    template = (
        "{% for p in tags %}{{ loop.index }}. {{ p | upper }}{% if not loop.last %}, {% endif %}"
        "{% endfor %} {{ store.sender.phone }} {{ anchor.on | date('%m/%d') }} "
        "{{ name.upper() ~ '!' }}{# note #}"
    )
    assert list(template_problems(template, {"name": None, "tags": None, **NAMES})) == []
    row: dict[str, object] = {"name": "kim", "tags": ["a", "b"], "anchor": {"on": date(2026, 3, 5)}}
    assert body(template, **row) == "1. A, 2. B 0212345678 03/05 KIM!"


@settings(deadline=None)
@given(st.text(max_size=30))
def test_a_customers_value_is_data_on_one_line_whatever_it_holds(value: str) -> None:
    result = one(
        "[{{ name | default('-') }}]", SHOPIFY, purpose=Purpose.INFORMATIONAL, row={"name": value}
    )
    text = result["text"]
    assert "\n" not in text
    marks = {unicodedata.category(char) for char in text if char != "\u200d"}
    assert not marks & {"Cc", "Cf", "Cs", "Zl", "Zp"}


def test_template_syntax_and_writing_marks_in_a_name_do_nothing() -> None:
    name = "{{ 7*7 }}{% if %}\u202e\x00\r\n둘"
    assert body("{{ name }}", name=name) == "{{ 7*7 }}{% if %} 둘"
    sent = message(
        "x", channel=Channel.EMAIL, subject="{{ n }}", html="{{ n }}", row={"n": "a\nb<i>"}
    )
    assert sent["subject"] == "(광고) a b<i>"
    assert (sent["html"] or "").startswith("a b&lt;i&gt;")


def test_a_missing_value_is_false_has_a_default_and_otherwise_holds_the_message() -> None:
    assert body(
        "{{ name | default('고객') }}/{{ name or 'B' }}/{% if name %}x{% endif %}", name=None
    ) == ("고객/B/")
    assert held("{{ name }}님", name="  ") == "name is empty for this customer"
    assert held("{{ anchor.on }}", anchor={"on": None}) == "anchor.on is empty for this customer"
    assert held("{% if name %}x{% endif %}") == "the text is empty"


def test_each_row_gets_its_own_answer_in_order() -> None:
    leg = Leg(channel=Channel.LMS, text="{{ name }}")
    names = compile_leg(leg, GREEN, campaign(Purpose.ADVERTISING)).names
    assert names == {"name", "country"}
    rows: list[Row] = [{"name": "가"}, {"name": None}, {"name": "😀"}, {"name": "나"}]
    results = rendered(leg, GREEN, Purpose.INFORMATIONAL, rows)
    assert [result["text"] for result in results] == ["가", None, None, "나"]


def test_conditions_leave_no_blanks_behind() -> None:
    text = "가 \n{% if name %}x{% endif %}\n\n \n\t\n나\r\n　\n\n다 \n\n"
    assert body(text) == "가\n\n나\n\n다"
    sent = message("가", subject=" {% if name %}\n{% endif %} 새\n  소식 ", channel=Channel.LMS)
    assert sent["subject"] == "(광고)새 소식"


def test_values_are_written_as_people_write_them() -> None:
    assert (
        body(
            "{{ a }} {{ b }} {{ c }} {{ d }}", a=Decimal("39000.0000"), b=30.0, c=["가", "나"], d=3
        )
        == "39000 30 가, 나 3"
    )


# Lengths ----------------------------------------------------------------------------------------


def test_the_bytes_of_korean_messages() -> None:
    assert sms_bytes("가" * 45) == korean("가" * 45).units == 90
    assert sms_bytes("똠뷁펲a") == 7
    assert outside_cp949("가€☎–é😀a😀") == "–é😀"
    fits = "가" * 45
    assert message(fits, channel=Channel.SMS, purpose=Purpose.INFORMATIONAL)["units"] == 90
    assert "91 bytes, of 90" in why(fits + "a", GREEN, Channel.SMS, Purpose.INFORMATIONAL)
    assert message("가" * 1000, purpose=Purpose.INFORMATIONAL)["units"] == 2000
    assert "2001 bytes, of 2000" in held("가" * 1000 + "a")
    long = why("가", purpose=Purpose.INFORMATIONAL, subject="a" * 41)
    assert long == "41 bytes in the subject, of 40: shorten it"
    assert held("{{ 5 + n | int }}{{ n | money('GBP') }}", n=3).endswith("cannot carry `£`")
    assert held("😀") == "Korean text messages cannot carry `😀`"


def test_the_label_counts() -> None:
    text = "가" * 26
    assert "bytes, of 90" in why(text, channel=Channel.SMS)
    assert message(text, channel=Channel.SMS, purpose=Purpose.INFORMATIONAL)["units"] == 52


def test_dates_and_money_follow_the_store() -> None:
    late = datetime(2026, 3, 4, 16, 0, tzinfo=UTC)
    assert body("{{ d | date }} {{ 5 | money }}", d=late) == "2026년 3월 5일 5원"
    abroad = message(
        "{{ d | date }} {{ 5 | money }}", SHOPIFY, purpose=Purpose.INFORMATIONAL, row={"d": late}
    )
    assert abroad["text"] == "March 4, 2026 $5.00"
