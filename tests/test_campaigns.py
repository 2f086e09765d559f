from __future__ import annotations

from datetime import date, time
from decimal import Decimal
from pathlib import Path

import pytest

from remindctl.campaigns import load_campaigns, problems
from remindctl.errors import Refused
from remindctl.model import (
    Audience,
    Campaign,
    Channel,
    Due,
    Leg,
    Policy,
    Purpose,
    Span,
    Step,
    Store,
    Window,
)
from remindctl.render import Rendered, compile_leg

WINBACK = Path(__file__).parents[1] / "campaigns" / "winback.yaml"
SMALLEST = """\
campaign: {name}
purpose: advertising
steps:
  - id: one
    due: {{after: last_order, wait: 30d}}
    send: [{{channel: lms, text: 안녕하세요}}]
"""
GREEN = Store(
    key="green",
    name="초록상점",
    timezone="Asia/Seoul",
    country="KR",
    currency="KRW",
    url="https://shop.example",
    sender={"phone": "0212345678"},
    optout={"phone": "0808880000", "url": "https://shop.example/optout"},
    policy=Policy(preset="KR"),
)
SHOPIFY = Store(
    key="shopify",
    name="Green Shop",
    timezone="America/New_York",
    country="US",
    currency="USD",
    url="https://shop.example",
    sender={"address": "1 Main St, Springfield"},
    optout={"url": "https://shop.example/optout"},
    policy=Policy(preset="US"),
)


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
purpose: informational
basis: points earned by a purchase
stores: [green]
tags: [winback]
priority: 70
counts_for_caps: false
audience:
  segments: [one_time, at_risk]
  where: "orders >= 1 AND 등급 = 'gold'"
  exclude: [wholesale]
control: 10%
reentry: 90d
steps:
  - id: day30
    due: {after: first_order, wait: 1d12h, within: 7d, at: "16:00-17:00", until: never,
          night: skip, max_delay: 3d}
    send:
      - channel: alimtalk
        text: "{{ 등급 }}"
      - channel: email
        subject: s
        text: |

          t
        html: <p>t</p>
    fallback_within: 6h
"""
    campaign = load(tmp_path, text, "등급")
    places = [leg.places for leg in campaign.steps[0].legs]
    assert (places[0]["text"].line, places[1]["text"].line) == (21, 25)
    assert campaign == Campaign(
        name="winback_2026-봄",
        purpose=Purpose.INFORMATIONAL,
        basis="points earned by a purchase",
        stores=("green",),
        tags=("winback",),
        priority=70,
        counts_for_caps=False,
        audience=Audience(
            segments=("one_time", "at_risk"),
            where="orders >= 1 AND 등급 = 'gold'",
            exclude=("wholesale",),
        ),
        control=0.1,
        reentry=Span(days=90),
        steps=(
            Step(
                id="day30",
                due=Due(
                    after="first_order",
                    wait=Span(days=1, seconds=43200),
                    within=Span(days=7),
                    at=Window(time(16), time(17)),
                    until="never",
                    night="skip",
                    max_delay=Span(days=3),
                ),
                legs=(
                    Leg(channel=Channel.ALIMTALK, text="{{ 등급 }}", places=places[0]),
                    Leg(
                        channel=Channel.EMAIL,
                        subject="s",
                        text="\nt\n",
                        html="<p>t</p>",
                        places=places[1],
                    ),
                ),
                fallback_within=Span(seconds=21600),
            ),
        ),
        place=campaign.place,
        places=campaign.places,
    )


def test_all_problems_of_a_file_come_together_at_their_lines(tmp_path: Path) -> None:
    text = """\
campaign: win back
purpose: advertisement
facts: {stock: {max_age: 1h}}
audience:
  where: orderz >= 1
steps:
  - id: one
    due: {after: last_ordr, wait: cycle.median, per: line}
    if: {sent: one}
    coupon: {pool: a}
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
        variables: {}
  - id: two
    due: {after: delivered, wait: 3d}
    variants: []
"""
    later = "is not supported by this version"
    unclosed = (
        "Unexpected end of template. Jinja was looking for the following tags: 'elif' or 'else' or "
        "'endif'. The innermost block that needs to be closed is 'if'."
    )
    lines = [(line, what) for line, what, _ in refusals(write(tmp_path, text))]
    assert lines == [
        (1, "`campaign`: 'win back' is not a usable name"),
        (2, "`purpose`: 'advertisement' is not known here"),
        (3, f"`facts`: {later}"),
        (5, "`where`: no column 'orderz' in Profiles"),
        (8, "`after`: there is no anchor 'last_ordr'"),
        (8, f"`wait`: a wait taken from a statistic {later}"),
        (8, f"`per`: {later}"),
        (9, f"`if`: {later}"),
        (10, f"`coupon`: {later}"),
        (12, "`channel`: 'friendtalk' no longer exists"),
        (17, f"`text`: not a template: {unclosed}"),
        (22, "`text`: `무료수신거부` is written by hand"),
        (23, f"`buttons`: {later}"),
        (24, "unknown key `imgae`"),
        (25, "`subject`: is missing: an e-mail needs one"),
        (29, "`text`: `b` is not known in templates"),
        (30, f"`variables`: {later}"),
        (31, "`send` is missing"),
        (32, f"`after`: the anchor 'delivered' {later}"),
        (33, f"`variants`: {later}"),
    ]


def test_undefined_names_are_found_at_their_line_of_a_block_with_a_proposal(tmp_path: Path) -> None:
    text = SMALLEST.format(name="a").replace(
        "[{channel: lms, text: 안녕하세요}]",
        "\n    - channel: lms\n      text: |\n        a\n\n        {{ frist_name }}\n",
    )
    assert refusals(write(tmp_path, text)) == [
        (11, "`text`: `frist_name` is not known in templates", "did you mean `first_name`?")
    ]


def test_kinds_of_messages_that_the_law_or_the_channel_does_not_allow(tmp_path: Path) -> None:
    smallest = SMALLEST.format(name="a")
    alimtalk = smallest.replace("lms", "alimtalk")
    assert refusals(write(tmp_path, alimtalk)) == [
        (
            6,
            "`channel`: alimtalk may not carry advertising",
            "use brand_message, lms or email; Alimtalk takes informational campaigns only",
        )
    ]
    informational = alimtalk.replace("advertising", "informational")
    assert refusals(write(tmp_path, informational))[0][1].startswith("`basis`: is missing")
    assert load(tmp_path, informational + "basis: an order").purpose is Purpose.INFORMATIONAL
    titled = smallest.replace("lms", "sms, subject: a")
    assert refusals(write(tmp_path, titled))[0][1] == "`subject`: an sms has none"
    html = smallest.replace("lms", "lms, html: <p>")
    assert refusals(write(tmp_path, html))[0][1] == "`html`: only e-mail has HTML"
    twice = smallest + smallest.partition("steps:\n")[2]
    assert refusals(write(tmp_path, twice)) == [
        (7, "`id`: 'one' is there twice", "the log tells steps apart by it")
    ]


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


def test_what_only_the_stores_can_tell_is_said_at_the_campaigns_lines(tmp_path: Path) -> None:
    text = SMALLEST.format(name="a") + "stores: [green, shopfy]\naudience: {segments: [vip]}\n"
    campaign = load(tmp_path, text)
    bare = Store(
        key="green",
        name="초록상점",
        timezone="Asia/Seoul",
        country="KR",
        currency="KRW",
        sender={"phone": "0212345678"},
        policy=Policy(preset="KR"),
    )
    found = [
        (p.place.line, p.what) for p in problems(campaign, {"green": bare, "shopify": SHOPIFY})
    ]
    assert found == [
        (6, "advertising by lms needs `stores.green.optout.phone` (the free refusal)"),
        (7, "there is no store `shopfy` in the configuration"),
        (8, "no segment 'vip'"),
    ]


@pytest.mark.parametrize(
    ("store", "texts"),
    [
        (
            GREEN,
            (
                "(광고)초록상점\n수민님, 그동안 잘 지내셨나요?\n\n지난번에 고르신 콜라겐 (30포)은 ",
                "수민님, 안녕하세요. 초록상점입니다.\n\n1월 2일에 데려가신 콜라겐 (30포)은 ",
            ),
        ),
        (
            SHOPIFY,
            (
                "Hi 수민, Green Shop here. It's been a while! Enjoying your 콜라겐 (30포)? See",
                "Hi 수민,\n\nHow are you getting on with your 콜라겐 (30포)?",
            ),
        ),
    ],
)
def test_the_shipped_winback_speaks_to_both_shops_also_about_little_known_customers(
    store: Store, texts: tuple[str, str]
) -> None:
    (campaign,) = load_campaigns([WINBACK])
    assert problems(campaign, {store.key: store}) == []
    (step,) = campaign.steps
    assert (step.due.after, step.due.wait, campaign.reentry) == (
        "last_order",
        Span(days=30),
        Span(days=90),
    )
    known: dict[str, object] = {
        "first_name": "수민",
        "days_since_last": 31,
        "last_on": date(2026, 1, 2),
        "last_products": ["콜라겐 (30포)"],
        "spent": Decimal("39000.0000"),
    }
    for leg, text in zip(step.legs, texts, strict=True):
        results = compile_leg(leg, store, campaign.purpose).render(
            [known, {"days_since_last": 30, "last_on": date(2026, 1, 2)}]
        )
        sent = [result for result in results if isinstance(result, Rendered)]
        assert len(sent) == 2, results
        assert sent[0].text.startswith(text)
        assert "  " not in sent[1].text
        assert "None" not in sent[1].text
