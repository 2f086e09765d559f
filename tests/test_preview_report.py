"""``preview`` without a browser: which messages are chosen, bubbles on a terminal, and JSON."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from remindctl.errors import Place, Problem
from remindctl.model import Channel, Policy, Store
from remindctl.report.preview import Preview, Shown, choose, choose_held, show, to_json
from remindctl.report.preview.words import length

GREEN = Store(
    key="green",
    name="초록상점",
    timezone="Asia/Seoul",
    country="KR",
    currency="KRW",
    policy=Policy(preset="KR"),
)
AT = datetime(2026, 11, 21, 7, 0, tzinfo=UTC)
KAKAO = Shown(
    campaign="winback",
    step="day30",
    variant="personal",
    channel=Channel.BRAND_MESSAGE,
    store=GREEN,
    customer_key="c-1",
    customer="김*수",
    to="010-****-1234",
    due_at=AT,
    zone="America/New_York",
    why="30d after last_order (2026-10-22)",
    text="민수님, 마지막 주문 이후 30일이 지났어요.\n\n새로 볶은 원두가 오늘 들어왔습니다.",
    units=48,
    most=1300,
    encoding="characters",
    cost=Decimal(15),
    code="SPRING",
    code_until=date(2026, 12, 31),
    labels=("sample", "segment loyal"),
    extras={
        "image": "/shop/images/새 원두.png",
        "buttons": [
            {"name": "보러 가기", "kind": "link", "url": "https://shop.example/new"},
            {"name": "+", "kind": "add_channel", "url": None},
        ],
        "coupon": {"title": "3000원 할인 쿠폰", "description": "이번 주말까지"},
    },
)
LETTER = replace(
    KAKAO, channel=Channel.EMAIL, variant=None, subject="가을 원두", text="안녕하세요.",
    html="<p>안녕하세요.</p>", extras={}, code=None, units=16, most=None, encoding="utf-8",
    labels=(), held_by="no_consent",
)  # fmt: skip
UNMADE = replace(
    LETTER, text="", html=None, subject=None, units=None, cost=None, held_by=None, due_at=None,
    problem=Problem(Place(), "`first_name` is missing", "give it a fallback"),
)  # fmt: skip
GOLDEN = """\

winback, 초록상점 (green), 2026-11-21 16:00 KST
  3 messages would be sent, 1 held; 2 shown, and 1 example held by content.
  Nobody is due.

  day30 · personal · Brand Message  [sample, segment loyal]
  to 김*수, 010-****-1234; due Sat 2026-11-21 02:00, America/New_York
  why: 30d after last_order (2026-10-22)
  ╭──────────────────────────────────────────────────────╮
  │ [image: 새 원두.png]                                 │
  │ 민수님, 마지막 주문 이후 30일이 지났어요.            │
  │                                                      │
  │ 새로 볶은 원두가 오늘 들어왔습니다.                  │
  │                                                      │
  │ [coupon] 3000원 할인 쿠폰                            │
  │ 이번 주말까지                                        │
  │                                                      │
  │                    [ 보러 가기 ]                     │
  │                   [ + 채널 추가 ]                    │
  ╰──────────────────────────────────────────────────────╯
  보러 가기: https://shop.example/new
  48 of 1,300 characters; 15 KRW; SPRING, until 2026-12-31

  day30 · E-mail
  to 김*수, 010-****-1234; due Sat 2026-11-21 02:00, America/New_York
  why: 30d after last_order (2026-10-22)
  held now: no recorded consent to advertising on this channel
  ╭──────────────────────────────────────────────────────╮
  │ 가을 원두                                            │
  │ 안녕하세요.                                          │
  │ [with HTML: see --html FILE]                         │
  ╰──────────────────────────────────────────────────────╯
  16 bytes; 15 KRW

Held by their content

  day30 · E-mail
  to 김*수, 010-****-1234; due never
  why: 30d after last_order (2026-10-22)
  held: `first_name` is missing
  hint: give it a fallback

"""


def preview(*messages: Shown, **given: Any) -> Preview:
    about = {"campaign": "winback", "purpose": "advertising", "store": GREEN, "as_of": AT}
    return Preview(**{**about, "planned": 3, "held": 1, "messages": messages, **given})


def printed(*messages: Shown, **given: Any) -> str:
    """Print on a terminal of 80 columns, and leave out the blanks at the ends of lines."""
    console = Console(file=io.StringIO(), width=80, highlight=False, markup=False, emoji=False)
    show(console, [preview(*messages, **given)])
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().split("\n"))


def rows(*given: tuple[str, str, str | None, int, int, str | None]) -> pl.DataFrame:
    """Build messages from (step, channel, variant, person, units, held_by)."""
    schema = {
        "step": pl.String, "channel": pl.String, "variant": pl.String, "person": pl.UInt32,
        "units": pl.UInt32, "held_by": pl.String,
    }  # fmt: skip
    return pl.DataFrame(given, schema=schema, orient="row")


def segments(**of: str) -> pl.DataFrame:
    people = [int(name.removeprefix("p")) for name in of]
    schema = {"person": pl.UInt32, "segment": pl.String}
    return pl.DataFrame({"person": people, "segment": list(of.values())}, schema=schema)


def chosen(found: pl.DataFrame) -> dict[int, list[str]]:
    return dict(found.select("person", "labels").iter_rows())


def test_bubbles_close_on_a_terminal() -> None:
    assert printed(KAKAO, LETTER, UNMADE, notes=("Nobody is due.",)) == GOLDEN


@settings(deadline=None)
@given(st.text(max_size=300), st.text(max_size=60))
def test_no_text_breaks_a_bubble_or_steers_the_terminal(text: str, name: str) -> None:
    shown = replace(KAKAO, text=text, subject=name, customer=name, variant=name, labels=(name,))
    said = printed(shown, notes=(name,))
    assert all(letter.isprintable() or letter == "\n" for letter in said)
    edges = [line for line in said.split("\n") if line.startswith("  │ ")]
    assert {cell_len(line) for line in edges} == {58}
    assert max(cell_len(line) for line in said.split("\n")) <= 80


@pytest.mark.parametrize(
    ("channel", "units", "most", "parts", "encoding", "said"),
    [
        (Channel.SMS, 74, 90, 1, "cp949", "74 of 90 bytes"),
        (Channel.SMS, 181, None, 2, "gsm-7", "181 GSM-7 characters in 2 segments"),
        (Channel.SMS, 1, None, 1, "ucs-2", "1 UCS-2 character in 1 segment"),
        (Channel.EMAIL, 1024, None, 1, "utf-8", "1,024 bytes"),
        (Channel.ALIMTALK, 61, 1000, 1, "characters", "61 of 1,000 characters"),
        (Channel.SMS, None, 90, 1, "cp949", ""),
    ],
)
def test_a_length_is_said_in_the_unit_of_its_network(
    channel: Channel, units: int | None, most: int | None, parts: int, encoding: str, said: str
) -> None:
    shown = replace(KAKAO, channel=channel, units=units, most=most, parts=parts, encoding=encoding)
    assert length(shown) == said


def test_the_document_tells_all_of_a_message() -> None:
    document = json.loads(to_json([preview(KAKAO, UNMADE, notes=("Nobody is due.",))]))
    assert document["schema"] == "remindctl.preview/1"
    assert document["previews"] == [
        {
            "campaign": "winback",
            "store": "green",
            "as_of": "2026-11-21T16:00:00+09:00",
            "planned": 3,
            "held": 1,
            "notes": ["Nobody is due."],
        }
    ]
    made, unmade = document["messages"]
    assert made == {
        "campaign": "winback", "store": "green", "step": "day30", "variant": "personal",
        "segment": None, "labels": ["sample", "segment loyal"], "channel": "brand_message",
        "leg": 0, "customer_key": "c-1", "customer": "김*수", "to": "010-****-1234",
        "due_at": "2026-11-21T02:00:00-05:00", "zone": "America/New_York", "zone_source": None,
        "why": "30d after last_order (2026-10-22)", "held_by": None, "ground": None,
        "subject": None, "text": KAKAO.text, "html": None, "extras": KAKAO.extras,
        "coupon": {"code": "SPRING", "until": "2026-12-31"}, "encoding": "characters",
        "units": 48, "most": 1300, "parts": 1, "cost": {"amount": 15, "currency": "KRW"},
        "problem": None,
    }  # fmt: skip
    assert unmade["problem"] == {"what": "`first_name` is missing", "hint": "give it a fallback"}
    assert (unmade["due_at"], unmade["cost"]["amount"], unmade["coupon"]) == (None, None, None)


def test_a_sample_the_extremes_and_one_of_each_are_chosen() -> None:
    messages = rows(
        ("a", "sms", "x", 0, 50, None),
        ("a", "sms", "x", 1, 40, None),
        ("a", "sms", "x", 2, 70, None),
        ("a", "sms", "y", 3, 60, "no_consent"),
        ("a", "sms", "y", 4, 60, None),
        ("a", "lms", "x", 5, 60, "another_leg"),
        ("b", "sms", None, 6, 60, "expired"),
        ("b", "sms", None, 7, 60, "not_yet"),
        ("b", "sms", None, 8, 60, "expired"),
    )
    people = segments(p0="loyal", p2="loyal", p3="new", p5="new", p7="new", p8="new")
    found = choose(messages, people, 1)
    assert chosen(found) == {
        0: ["sample", "variant x", "segment loyal", "channel sms"],
        1: ["shortest"],
        2: ["longest"],
        # Held now, but the only ones of their segment and channel; one that goes out comes first.
        3: ["segment new"],
        4: ["variant y"],
        5: ["channel lms"],
        # Nobody of this step gets it now: someone who will comes first.
        7: ["sample", "segment new"],
    }
    assert found.columns == [*messages.columns, "segment", "labels"]


MESSAGES = st.lists(
    st.tuples(
        st.sampled_from("ab"),
        st.sampled_from(["sms", "email"]),
        st.sampled_from(["x", "y", None]),
        st.integers(0, 9),
        st.integers(0, 200),
        st.sampled_from([None, None, "cap", "expired"]),
    ),
    max_size=40,
)


@settings(deadline=None)
@given(MESSAGES, st.integers(0, 12))
def test_every_kind_is_there_and_the_sample_is_as_large_as_asked(
    given_rows: list[tuple[str, str, str | None, int, int, str | None]], n: int
) -> None:
    messages = rows(*given_rows)
    people = segments(**{f"p{person}": "even" for person in range(0, 10, 2)})
    found = choose(messages, people, n)
    for [step], of_step in messages.group_by("step"):
        mine = found.filter(pl.col("step") == step)
        now = of_step["held_by"].null_count()
        open_ones = of_step.filter(pl.col("held_by").is_null() | (pl.col("held_by") != "expired"))
        sample = mine.filter(pl.col("labels").list.contains("sample"))
        assert len(sample) == min(n, now or len(open_ones) or len(of_step))
        assert not now or sample["held_by"].null_count() == len(sample)
        for column in ("variant", "channel"):
            assert n == 0 or set(mine[column]) >= set(of_step[column].drop_nulls())
        for [_], of_channel in of_step.group_by("channel"):
            picked = mine.join(of_channel.select("channel").unique(), on="channel")["units"]
            if of_channel["units"].n_unique() > 1:
                assert picked.min() == of_channel["units"].min()
                assert picked.max() == of_channel["units"].max()
    labels = found["labels"]
    assert all(len(set(of)) == len(of) > 0 for of in labels)


def test_examples_of_what_cannot_be_made_differ() -> None:
    held = pl.DataFrame(
        {
            "step": ["a", "a", "a", *["b"] * 9],
            "reason": ["content", "content", "stale_fact", *["content"] * 9],
            "detail": ["too long", "too long", "too long", *map(str, range(9))],
            "person": range(12),
        }
    )
    assert choose_held(held)["person"].to_list() == [0, 2, 3, 4, 5, 6, 7]
