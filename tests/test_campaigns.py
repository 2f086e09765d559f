from __future__ import annotations

from datetime import date, time
from typing import TYPE_CHECKING

import pytest

from remindctl.campaigns import load_campaigns
from remindctl.errors import Place, Refused
from remindctl.model import (
    Audience,
    Basis,
    Button,
    Campaign,
    Channel,
    Condition,
    Coupon,
    Due,
    KakaoCoupon,
    Leg,
    Purpose,
    Span,
    Statistic,
    Step,
    Variant,
    Window,
)

if TYPE_CHECKING:
    from pathlib import Path

SMALLEST = """\
campaign: {name}
purpose: advertising
steps:
  - id: one
    due: {{after: last_order, wait: 30d}}
    send: [{{channel: lms, text: 안녕하세요}}]
"""
JPEG = b"\xff\xd8\xff\xe0" + bytes(100)


def write(folder: Path, text: str, name: str = "a.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def load(folder: Path, text: str, *extra: str) -> Campaign:
    (campaign,) = load_campaigns([write(folder, text)], extra)
    return campaign


def refusals(*paths: Path) -> list[tuple[int, str, str]]:
    with pytest.raises(Refused) as refused:
        load_campaigns(paths)
    return [(p.place.line, p.what, p.hint) for p in refused.value.problems]


def test_every_key_of_a_campaign_arrives(tmp_path: Path) -> None:
    text = """\
version: 1
campaign: winback_2026-봄
purpose: advertising
basis: {text: a sale, ground: purchase, reason: 구매하셔서 보내드려요}
stores: [green]
tags: [winback]
priority: 70
counts_for_caps: no
data_age: 6h
audience:
  segments: one_time
  where: "orders >= 1 AND 등급 = 'gold'"
  exclude: [wholesale]
control: 10%
reentry: 90d
steps:
  - id: day30
    due: {after: confirmed, wait: 1d12h, within: 7d, at: 16:00-17:00, until: visit,
          night: skip, max_delay: 3d, per: line}
    variants:
      - id: seoul
        when: loyal
        send:
          - channel: brand_message
            text: "{{ 등급 }}"
            form: wide
            targeting: M
            image: images/new.jpg
            url: "{{ anchor.product_id }}"
            buttons:
              - {name: 보기, url: "{{ store.url }}"}
              - {name: 채널 추가, kind: add_channel}
            coupon: {title: 10% 할인 쿠폰, description: 이번 주까지, url: "{{ store.url }}"}
          - channel: push
            title: "{{ coupon.code }}"
            text: "{{ facts.stock }}"
            url: https://shop.example
      - id: rest
        weight: 2.5
        send:
          - channel: email
            subject: s
            text_file: letter.txt
            html_file: letter.html
            layout: page.html
    coupon: {pool: welcome, valid_for: 60d}
    facts: {stock: {max_age: 1h}}
    fallback_within: 6h
  - id: day60
    due: {after: message, wait: -1d}
    if: {ordered_since: day30}
    send: [{channel: onsite, title: t, text: t, show_for: 2d}]
    coupon: {code: SPRING, valid_until: 2026-12-31}
  - id: later
    due: {after: message, step: day30, wait: 3d}
    send: [{channel: sms, text: t}]
  - id: cycle
    due: {after: last_order, wait: cycle.p75}
    send: [{channel: sms, text: t}]
"""
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "new.jpg").write_bytes(JPEG)
    for name, content in {
        "letter.txt": "안녕",
        "letter.html": "<p>",
        "page.html": "{{ body }}",
    }.items():
        write(tmp_path, content, name)
    campaign = load(tmp_path, text, "등급")
    first, second, third, fourth = campaign.steps
    brand, push = first.variants[0].legs
    (email,) = first.variants[1].legs
    assert (brand.places["text"].line, push.places["subject"].line) == (25, 35)
    assert email.places["text"] == Place(str(tmp_path / "letter.txt"), 1)
    assert email.places["layout"] == Place(str(tmp_path / "page.html"), 1)
    assert [first.places[key].line for key in ("id", "due", "wait", "coupon")] == [17, 18, 18, 46]
    assert first.places["when.seoul"].line == 22
    assert "if" not in first.places
    assert campaign == Campaign(
        name="winback_2026-봄",
        purpose=Purpose.ADVERTISING,
        basis=Basis("a sale", "purchase", "구매하셔서 보내드려요"),
        stores=("green",),
        tags=("winback",),
        priority=70,
        counts_for_caps=False,
        data_age=Span(seconds=21600),
        audience=Audience(
            segments=("one_time",),
            where="orders >= 1 AND 등급 = 'gold'",
            exclude=("wholesale",),
        ),
        control=0.1,
        reentry=Span(days=90),
        steps=(
            Step(
                id="day30",
                due=Due(
                    after="confirmed",
                    per_line=True,
                    wait=Span(days=1, seconds=43200),
                    within=Span(days=7),
                    at=Window(time(16), time(17)),
                    until="visit",
                    night="skip",
                    max_delay=Span(days=3),
                ),
                variants=(
                    Variant(
                        id="seoul",
                        when="loyal",
                        legs=(
                            Leg(
                                channel=Channel.BRAND_MESSAGE,
                                text="{{ 등급 }}",
                                form="wide",
                                targeting="M",
                                image=str(tmp_path / "images" / "new.jpg"),
                                url="{{ anchor.product_id }}",
                                buttons=(
                                    Button(name="보기", url="{{ store.url }}"),
                                    Button(name="채널 추가", kind="add_channel"),
                                ),
                                coupon=KakaoCoupon(
                                    title="10% 할인 쿠폰",
                                    description="이번 주까지",
                                    url="{{ store.url }}",
                                ),
                                places=brand.places,
                            ),
                            Leg(
                                channel=Channel.PUSH,
                                text="{{ facts.stock }}",
                                subject="{{ coupon.code }}",
                                url="https://shop.example",
                                places=push.places,
                            ),
                        ),
                    ),
                    Variant(
                        id="rest",
                        weight=2.5,
                        legs=(
                            Leg(
                                channel=Channel.EMAIL,
                                text="안녕",
                                subject="s",
                                html="<p>",
                                layout="{{ body }}",
                                places=email.places,
                            ),
                        ),
                    ),
                ),
                coupon=Coupon(pool="welcome", valid_for=Span(days=60)),
                facts={"stock": Span(seconds=3600)},
                fallback_within=Span(seconds=21600),
                places=first.places,
            ),
            Step(
                id="day60",
                due=Due(after="message", step="day30", wait=Span(days=-1)),
                condition=Condition("ordered_since", "day30"),
                variants=(
                    Variant(
                        legs=(
                            Leg(
                                channel=Channel.ONSITE,
                                text="t",
                                subject="t",
                                show_for=Span(days=2),
                                places=second.legs[0].places,
                            ),
                        )
                    ),
                ),
                coupon=Coupon(code="SPRING", valid_until=date(2026, 12, 31)),
                places=second.places,
            ),
            Step(
                id="later",
                due=Due(after="message", step="day30", wait=Span(days=3)),
                variants=(
                    Variant(
                        legs=(Leg(channel=Channel.SMS, text="t", places=third.legs[0].places),)
                    ),
                ),
                places=third.places,
            ),
            Step(
                id="cycle",
                due=Due(after="last_order", wait=Statistic("cycle", "p75")),
                variants=(
                    Variant(
                        legs=(Leg(channel=Channel.SMS, text="t", places=fourth.legs[0].places),)
                    ),
                ),
                places=fourth.places,
            ),
        ),
        place=campaign.place,
        places=campaign.places,
    )


def test_an_approved_template_arrives_with_its_variables(tmp_path: Path) -> None:
    text = """\
campaign: a
purpose: informational
basis: the customer ordered
steps:
  - id: one
    due: {after: ordered, wait: 1m}
    send:
      - channel: alimtalk
        template: ORDER_01
        text: "#{이름}님, #{번호} 주문을 받았어요."
        variables: {이름: "{{ name }}", 번호: "{{ anchor.id }}"}
"""
    (leg,) = load(tmp_path, text).steps[0].legs
    assert (leg.template, dict(leg.variables)) == (
        "ORDER_01",
        {"이름": "{{ name }}", "번호": "{{ anchor.id }}"},
    )


def test_an_image_without_a_form_makes_the_brand_message_one_with_an_image(tmp_path: Path) -> None:
    (tmp_path / "new.jpg").write_bytes(JPEG)
    text = SMALLEST.format(name="a").replace("lms", "brand_message, image: new.jpg")
    assert load(tmp_path, text).steps[0].legs[0].form == "image"


def test_all_problems_of_a_file_come_together_at_their_lines(tmp_path: Path) -> None:
    text = """\
campaign: win back
purpose: advertisement
facts: {stock: {max_age: 1h}}
audience:
  where: orderz >= 1
steps:
  - id: one
    due: {after: last ordr, wait: cycle.medain, per: line}
    if: {sent: one}
    coupon: {pool: a, valid_until: 2026-12-31}
    send:
      - channel: friendtalk
        text: |
          {{ first_name }}님
          {{ frist_name }} {{ store.nam }}

          {% if orders %}
      - channel: lms
        text: |
          안녕하세요

          무료수신거부 080-000-0000
        buttons: []
        imgae: a.jpg
      - channel: email
        text: >
          a

          {{ b }}
        html_file: gone.html
  - id: one
    due: {after: message, step: two, wait: 3d}
    variants: []
"""
    unclosed = (
        "Unexpected end of template. Jinja was looking for the following tags: 'elif' or 'else' or "
        "'endif'. The innermost block that needs to be closed is 'if'."
    )
    lines = [(line, what) for line, what, _ in refusals(write(tmp_path, text))]
    assert lines == [
        (1, "`campaign`: 'win back' is not a usable name"),
        (2, "`purpose`: 'advertisement' is not known here"),
        (3, "unknown key `facts`"),
        (5, "`where`: no column 'orderz' in Profiles"),
        (8, "`after`: 'last ordr' is not a usable name"),
        (8, "`wait`: there is no statistic 'cycle.medain'"),
        (8, "`per`: 'last ordr' has no order lines"),
        (9, "`sent`: there is no earlier step 'one'"),
        (10, "`valid_until`: is for one code for all"),
        (12, "`channel`: 'friendtalk' no longer exists"),
        (17, f"`text`: not a template: {unclosed}"),
        (22, "`text`: `무료수신거부` is written by hand"),
        (23, "`buttons`: lms has none"),
        (24, "unknown key `imgae`"),
        (25, "`subject`: is missing: an e-mail needs one"),
        (29, "`text`: `b` is not known in templates"),
        (30, "`html_file`: there is no file 'gone.html'"),
        (31, "`id`: 'one' is there twice"),
        (32, "`step`: there is no earlier step 'two'"),
        (33, "`variants` needs at least 1"),
    ]


def test_a_statistic_or_a_column_that_is_nearly_right_gets_a_proposal(tmp_path: Path) -> None:
    text = SMALLEST.format(name="a").replace("30d", "cycle.medain").replace("lms", "emial")
    assert [hint for _, _, hint in refusals(write(tmp_path, text))] == [
        "did you mean `cycle.median`?",
        "did you mean `email`?",
    ]


def test_undefined_names_are_found_at_their_line_of_a_block_with_a_proposal(tmp_path: Path) -> None:
    text = SMALLEST.format(name="a").replace(
        "[{channel: lms, text: 안녕하세요}]",
        "\n    - channel: lms\n      text: |\n        a\n\n        {{ frist_name }}\n",
    )
    assert refusals(write(tmp_path, text)) == [
        (11, "`text`: `frist_name` is not known in templates", "did you mean `first_name`?")
    ]


@pytest.mark.parametrize(
    ("after", "step", "unknown"),
    [
        ("last_order", "", ["anchor.cart_id", "coupon", "facts"]),
        ("cart", "", ["coupon", "facts"]),
        ("signup", "", ["anchor.cart_id", "anchor.product", "coupon", "facts"]),
        ("coupon_expires", "", ["anchor.cart_id", "anchor.product", "facts"]),
        ("birthday", "coupon: {code: A, valid_for: 1d}", ["facts"]),
        ("cart", "facts: {stock: {max_age: 1h}}", ["coupon", "facts.viewers"]),
    ],
)
def test_a_step_knows_the_names_of_its_own_anchor_coupon_and_facts(
    tmp_path: Path, after: str, step: str, unknown: list[str]
) -> None:
    known = (
        "first_name segments recommended store.optout.url campaign.name anchor.on"
        " anchor.cart_id anchor.product coupon.days_left facts.stock facts.viewers"
    )
    text = "\n".join(f"{{{{ {name} }}}}" for name in known.split())
    path = write(
        tmp_path,
        f"""\
campaign: a
purpose: advertising
steps:
  - id: one
    due: {{after: {after}, wait: 1h}}
    send:
      - channel: lms
        text: |
          {text.replace(chr(10), chr(10) + "          ")}
    {step}
  - id: two
    due: {{after: message, wait: 1d}}
    send: [{{channel: lms, text: "{{{{ anchor.cart_id }}}}"}}]
""",
    )
    second = "anchor.cart_id" in unknown
    assert [what.split("`")[3] for _, what, _ in refusals(path)] == [
        *unknown,
        *(["anchor.cart_id"] if second else []),
    ]


def test_texts_that_yaml_would_read_as_something_else_stay_texts(tmp_path: Path) -> None:
    text = """\
campaign: 2026
purpose: advertising
steps:
  - id: on
    due: {after: no, wait: 30m, at: 21:00-08:00}
    send: [{channel: sms, text: 21:00}]
"""
    campaign = load(tmp_path, text)
    assert (campaign.name, campaign.steps[0].id, campaign.steps[0].due.after) == (
        "2026",
        "on",
        "no",
    )
    assert campaign.steps[0].legs[0].text == "21:00"


def test_folders_are_read_by_name_and_every_file_once(tmp_path: Path) -> None:
    paths = [write(tmp_path, SMALLEST.format(name=name), f"{name}.yaml") for name in ("b", "a")]
    write(tmp_path, "not: a campaign", "notes.txt")
    assert [each.name for each in load_campaigns([tmp_path, *paths])] == ["a", "b"]
    assert [each.name for each in load_campaigns(paths)] == ["b", "a"]
    empty = tmp_path / "empty"
    empty.mkdir()
    assert [what for _, what, _ in refusals(empty, tmp_path / "gone.yaml")] == [
        "there is no campaign in this folder",
        "there is no such file or folder",
    ]


def test_problems_of_several_files_come_together_and_a_name_belongs_to_one_file(
    tmp_path: Path,
) -> None:
    first = write(tmp_path, SMALLEST.format(name="a"), "1.yaml")
    second = write(tmp_path, "# again\n" + SMALLEST.format(name="a"), "2.yaml")
    third = write(tmp_path, "", "3.yaml")
    with pytest.raises(Refused) as refused:
        load_campaigns([tmp_path])
    assert [str(problem) for problem in refused.value.problems] == [
        f"{third}: the file is empty",
        f"{second}:2:1: the campaign `a` is in {first}:1:1 as well",
    ]


@pytest.mark.parametrize(
    ("size", "what"),
    [
        (10_000_000, "the file is larger than 5 MB"),
        (1_000_000, "the file is longer than 1,000,000 characters"),
    ],
)
def test_a_file_of_megabytes_is_refused_without_being_parsed(
    tmp_path: Path, size: int, what: str
) -> None:
    long = SMALLEST.format(name="a") + "# " + "-" * size
    assert refusals(write(tmp_path, long)) == [(0, what, "")]
