from __future__ import annotations

import json
from datetime import date, time
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import AfterValidator, Field

from remindctl.documents import (
    Finding,
    NameField,
    OneOrMore,
    PercentField,
    PositiveSpanField,
    SpanField,
    Strict,
    VersionField,
    WindowField,
    all_wrong,
    decode,
    each,
    parse,
    pick,
)
from remindctl.documents.jsonschema import json_schema
from remindctl.errors import Place, Problem, Refused
from remindctl.model import Span, Window

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def _no_bad_lines(text: str) -> str:
    lines = [n for n, line in enumerate(text.split("\n"), 1) if "bad" in line]
    if lines:
        raise all_wrong(Finding("holds bad words", line=n) for n in lines)
    return text


class Leg(Strict):
    channel: Literal["sms", "email"]
    text: Annotated[str, AfterValidator(_no_bad_lines)]


class Stamp(Strict):
    """A stamp, or a frank.

    Attributes:
        value: what it is worth,
            in cents.
        frank: printed by a machine.
    """

    value: int | None = None
    frank: NameField | None = None
    share: PercentField = 0.0
    kind: Literal["new", "used"] = "new"
    number: Annotated[float, Field(gt=0)] = 1
    legs: Annotated[tuple[Leg, ...], Field(min_length=1)] | None = None

    @classmethod
    def across(cls, given: Mapping[str, Any], context: Mapping[str, Any]) -> Iterator[Finding]:
        if given.get("value") is None and given.get("frank") is None:
            yield Finding("is missing", "or frank", ("value",))
        for number, leg in each(given, "legs"):
            if leg.get("channel") == "sms":
                yield Finding("carries no stamp", "", ("legs", number, "channel"))
        if given.get("kind") == "used" and "where" in context:
            yield Finding("was used", "", ("kind",), elsewhere=context["where"])


class Letter(Strict):
    stamps: tuple[Stamp, ...] = ()
    refused_keys: ClassVar = {"variants": "not before the next version"}

    version: VersionField = 1
    name: NameField = "x"
    phone: str = ""
    on: bool | None = None
    count: int = 0
    wait: SpanField = Span()
    within: PositiveSpanField | None = None
    at: WindowField | None = None
    share: PercentField = 0.0
    prices: dict[str, Decimal] = Field({})
    days: tuple[date, ...] = ()
    orders: OneOrMore = ()
    legs: Annotated[tuple[Leg, ...], Field(min_length=1)] = ()
    source: str = Field("", alias="from")


def read(text: str) -> Letter:
    return parse(text, "a.yaml", Letter).value


def problems(text: str) -> list[tuple[str, str, str]]:
    with pytest.raises(Refused) as refused:
        parse(text, "a.yaml", Letter)
    return [(str(p.place), p.what, p.hint) for p in refused.value.problems]


def test_the_model_decides_what_a_value_is_not_its_look() -> None:
    letter = read(
        "phone: 0212345678\non: no\ncount: 7\nwait: 1h30m\nat: 21:00-08:00\nshare: 10%\n"
        "prices: {on: 1.10, 21:00: 2}\ndays: [2026-12-31]\norders: a.csv\nfrom: 2026-12-31\n"
        "version: 1"
    )
    assert letter.phone == "0212345678"
    assert letter.on is False
    assert letter.count == 7
    assert letter.prices == {"on": Decimal("1.10"), "21:00": Decimal(2)}
    assert letter.days == (date(2026, 12, 31),)
    assert (letter.orders, letter.source) == (("a.csv",), "2026-12-31")
    assert (letter.wait, letter.share) == (Span(seconds=5400), 0.1)
    assert letter.at == Window(time(21), time(8))


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cn", "Cs", "Zl", "Zp"])))
def test_any_quoted_text_arrives_as_it_was_written(text: str) -> None:
    assert read(f"phone: {json.dumps(text, ensure_ascii=False)}").phone == text


# Words and signs of YAML, one blank apart; the blank and the line breaks follow.
_SIGNS = """a phone legs at : - ? { } [ ] , ' " | > &a *a !x # % @ --- ... << ~ \\"""
_PIECES = st.sampled_from([*_SIGNS.split(), " ", "\n", "\r", "\t", "- ", "? ", "\u2028"])


@given(st.lists(_PIECES, max_size=30).map("".join))
def test_any_text_is_read_or_refused_at_a_line_it_has(text: str) -> None:
    problems: tuple[Problem, ...] = ()
    try:
        read(text)
    except Refused as refused:
        problems = refused.problems
    # The end of a file without a last line break is a line of its own to YAML.
    assert all(problem.place.line <= len(text.splitlines()) + 1 for problem in problems)


@given(st.integers(0, 999), st.integers(0, 86399))
def test_a_duration_is_read_as_it_is_shown(days: int, seconds: int) -> None:
    assert read(f"wait: {Span(days, seconds)}").wait == Span(days, seconds)


def test_every_problem_of_the_file_comes_at_once_at_its_place_with_a_way_out() -> None:
    text = """\
nmae: green
variants: []
phone: [a]
on: maybe
count: many
wait: 30
within: -1d
at: 9:00-9:00
share: 0.1
days: [2026-02-30]
prices: {sms: x}
name: 초록 상점
version: 2
legs:
  - channel: smss
    text: |
      good
      bad
      {{ bad }}
  - text:
"""
    assert problems(text) == [
        ("a.yaml:1:1", "unknown key `nmae`", "did you mean `name`?"),
        ("a.yaml:2:1", "`variants`: not before the next version", ""),
        ("a.yaml:3:8", "`phone` must be text, not a list", ""),
        ("a.yaml:4:5", "`on` must be true or false, not 'maybe'", ""),
        ("a.yaml:5:8", "`count` must be a whole number, not 'many'", ""),
        (
            "a.yaml:6:7",
            "`wait`: '30' is not a duration",
            "a number with its unit: 30d, 2w, 1h, 1h30m, -3d",
        ),
        ("a.yaml:7:9", "`within`: '-1d' must be longer than nothing", "for example 7d or 6h"),
        (
            "a.yaml:8:5",
            "`at`: '9:00-9:00' opens and closes at the same time",
            "two times of day, such as 16:00-17:00",
        ),
        (
            "a.yaml:9:8",
            "`share`: '0.1' is not a percentage",
            "a number from 0 to 100 with its sign: 10%",
        ),
        ("a.yaml:10:8", "`days` must be a date such as 2026-12-31, not '2026-02-30'", ""),
        ("a.yaml:11:15", "`sms` must be a number, not 'x'", ""),
        (
            "a.yaml:12:7",
            "`name`: '초록 상점' is not a usable name",
            "up to 64 of A-Z a-z 0-9 가-힣 _ -",
        ),
        (
            "a.yaml:13:10",
            "`version`: this program reads version 1, not '2'",
            "a newer remindctl may read it",
        ),
        ("a.yaml:15:14", "`channel`: 'smss' is not known here", "did you mean `sms`?"),
        ("a.yaml:18:7", "`text`: holds bad words", ""),
        ("a.yaml:19:7", "`text`: holds bad words", ""),
        ("a.yaml:20:5", "`channel` is missing", ""),
        ("a.yaml:20:5", "`text` has no value", ""),
    ]


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ("", "a.yaml", "the file is empty"),
        ("# nothing", "a.yaml", "the file is empty"),
        ("- a", "a.yaml:1:1", "the file must be a list of `key: value` lines at its top"),
        ("legs:\n\t- a", "a.yaml:2:1", "a tab where spaces belong"),
        ("phone: {{ x }}", "a.yaml:1:9", "a key must be one word"),
        ("phone: a: b", "a.yaml:1:9", "a second `: ` in one value"),
        ("phone: a\nphone: b", "a.yaml:2:1", "`phone` is there twice"),
        ("phone: *b", "a.yaml:1:8", "*b names nothing"),
        ("phone: &b [*b]", "a.yaml:1:12", "*b names nothing"),
        ("phone: !!str 3", "a.yaml:1:8", "the tag tag:yaml.org,2002:str is not supported"),
        ("phone: a\n---\nphone: b", "a.yaml:2:1", "a second document begins"),
        ("phone: a\x07b", "a.yaml:1:9", "an invisible control character (U+0007)"),
        ('phone: "a\\ab"', "a.yaml:1:8", "an invisible control character (U+0007)"),
        ('phone: "a', "a.yaml:1:8", "a quote is not closed"),
        ("[" * 100_000, "a.yaml:1:34", "nested deeper than 32 levels"),
        ("at: 9-25", "a.yaml:1:5", "`at`: '9-25' is not a window of hours"),
        ("at: 9:00-25:00", "a.yaml:1:5", "`at`: '9:00-25:00' holds a time that no clock shows"),
        ("legs: []", "a.yaml:1:7", "`legs` needs at least 1"),
        ("phone: " + "a" * 1_000_000, "a.yaml", "the file is longer than 1,000,000 characters"),
    ],
)
def test_a_file_that_yaml_or_we_cannot_take_is_refused_in_plain_words(
    text: str, place: str, what: str
) -> None:
    assert (place, what) in [problem[:2] for problem in problems(text)]


def test_what_is_wrong_across_keys_comes_beside_what_is_wrong_with_each() -> None:
    text = """\
stamps:
  - {}
  - value: many
    frank: a b
    share: 1
    kind: old
    number: -1
    colour: red
    legs:
      - channel: sms
        text: bad
      - {channel: fax}
  - {value: 1, kind: used}
"""
    with pytest.raises(Refused) as refused:
        parse(text, "a.yaml", Letter, {"where": Place("b.yaml", 7)})
    assert [(str(p.place), p.what) for p in refused.value.problems] == [
        ("a.yaml:2:5", "`value`: is missing"),
        ("a.yaml:3:12", "`value` must be a whole number, not 'many'"),
        ("a.yaml:4:12", "`frank`: 'a b' is not a usable name"),
        ("a.yaml:5:12", "`share`: '1' is not a percentage"),
        ("a.yaml:6:11", "`kind`: 'old' is not known here"),
        ("a.yaml:7:13", "`number` should be greater than 0"),
        ("a.yaml:8:5", "unknown key `colour`"),
        ("a.yaml:10:18", "`channel`: carries no stamp"),
        ("a.yaml:11:15", "`text`: holds bad words"),
        ("a.yaml:12:9", "`text` is missing"),
        ("a.yaml:12:19", "`channel`: 'fax' is not known here"),
        ("b.yaml:7", "`kind`: was used"),
    ]


def test_what_was_read_is_picked_by_keys_whatever_its_shape() -> None:
    given = {"a": [{"b": "c"}, "d", {"b": None}]}
    assert pick(given, "a", 0, "b") == "c"
    for keys in (("a", "b"), ("a", 1, "b"), ("a", 7), ("x", "y"), ("a", 2, "b", "c")):
        assert pick(given, *keys) is None
    assert [number for number, _ in each(given, "a")] == [0, 2]
    assert list(each("text", "a")) == list(each(given, "a", 1)) == []


def test_an_alias_bomb_is_refused_and_an_honest_alias_is_not() -> None:
    assert read("phone: &p 02-123\nfrom: *p").source == "02-123"
    bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 6)
    )
    many = "the file holds more than 10,000 values, its aliases written out"
    assert problems(bomb)[-1][1] == many
    assert problems("orders:\n" + "- a\n" * 10_000)[-1][1] == many


def test_what_is_said_of_a_long_value_is_short() -> None:
    assert problems(f"wait: {'9' * 900_000}d")[0][1].endswith("...")
    assert max(len(what) for _, what, _ in problems("x" * 999 + f": 1\nname: {'a' * 9999}")) < 450


def test_a_line_inside_of_a_text_is_found_in_every_style_of_yaml() -> None:
    text = """\
legs:
  - channel: sms
    text: |

      one
        two
  - channel: email
    text: >-
      one
      still one

      two
  - channel: email
    text: "one

      two"
"""
    found = parse(text, "a.yaml", Letter)
    lines = [found.place("legs", leg, "text", line=n).line for leg in range(3) for n in (1, 2, 3)]
    # The folded and the quoted one have two lines; past the end stands the value's own line.
    assert lines == [4, 5, 6, 9, 12, 8, 14, 16, 14]
    assert found.place("legs", 0, "text", line=3) == Place("a.yaml", 6, 9)
    assert found.key_place("legs", 1, "text") == Place("a.yaml", 8, 5)
    assert found.place("legs", 7, "nothing") == Place("a.yaml", 2, 3)


def test_bytes_that_are_not_utf8_are_refused_at_their_line() -> None:
    assert decode("\ufeff이름".encode(), "a.yaml") == "이름"
    with pytest.raises(Refused) as refused:
        decode("name: a\nphone: 초록".encode("cp949"), "a.yaml")
    assert str(refused.value) == "a.yaml:2: the file is not UTF-8 text"


def test_a_midnight_window_and_the_schema_of_the_fields() -> None:
    assert read("at: 16:00 - 24:00").at == Window(time(16), time(0))
    properties = Letter.model_json_schema()["properties"]
    assert properties["version"]["const"] == 1
    assert properties["wait"]["type"] == "string"


def test_the_schema_says_what_the_docstring_says_and_takes_what_an_editor_reads() -> None:
    schema = json_schema(Stamp, "a stamp")
    assert schema["title"] == "a stamp"
    assert schema["description"] == "A stamp, or a frank."
    properties = schema["properties"]
    assert properties["value"]["description"] == "what it is worth, in cents."
    assert properties["share"] == {"type": "string", "pattern": r"^\d{1,3}(\.\d+)?\s*%$"}
    assert properties["kind"]["default"] == "new"
    valid = Draft202012Validator(json_schema(Letter, "a letter")).is_valid
    assert valid({"phone": 212345678, "on": "no", "version": 1, "orders": "a", "name": 2026})
    assert valid({"orders": ["a", 1], "at": "21:00-08:00", "wait": "1h 30m", "on": True})
    for wrong in ({"wait": 30}, {"on": "maybe"}, {"share": 0.1}, {"nmae": "x"}, {"name": "a b"}):
        assert not valid(wrong)
