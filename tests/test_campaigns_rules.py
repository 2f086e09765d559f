"""What does not go together in a campaign, and what its messages may not say."""

from __future__ import annotations

import textwrap
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl
import pytest

from remindctl.campaigns import load_campaigns, problems
from remindctl.errors import Refused
from remindctl.model import Policy, Store

if TYPE_CHECKING:
    from pathlib import Path

JPEG, PNG = b"\xff\xd8\xff\xe0" + bytes(100), b"\x89PNG\r\n\x1a\n" + bytes(100)
ADD = "{name: 채널 추가, kind: add_channel}"
COUPON = "coupon: {title: 배송비 할인 쿠폰, description: d}"
GREEN = Store(
    key="green",
    name="초록상점",
    timezone="Asia/Seoul",
    country="KR",
    currency="KRW",
    url="https://shop.example",
    sender={"phone": "0212345678"},
    optout={"phone": "0808880000", "url": "https://shop.example/optout"},
    prices={},
    policy=Policy(preset="KR"),
)
ACORN = Store(
    key="acorn",
    name="Acorn",
    timezone="America/New_York",
    country="US",
    currency="USD",
    sender={"address": "1 Main St, Springfield"},
    optout={"url": "https://shop.example/optout"},
    policy=Policy(preset="US"),
)


def campaign(legs: str, *, purpose: str = "advertising", after: str = "last_order") -> str:
    basis = "basis: the customer ordered\n" if purpose == "informational" else ""
    return (
        f"campaign: a\npurpose: {purpose}\n{basis}steps:\n- id: one\n"
        f"  due: {{after: {after}, wait: 1d}}\n  send:\n{textwrap.indent(legs, '  ')}\n"
    )


def steps(*entries: str) -> str:
    """A campaign of steps that are written without their braces and their message."""
    send = "send: [{channel: sms, text: a}]"
    listed = "\n".join(f"- {{{entry}, {send}}}" for entry in entries)
    return f"campaign: a\npurpose: advertising\nsteps:\n{listed}"


def said(folder: Path, text: str) -> list[str]:
    path = folder / "a.yaml"
    path.write_text(text, encoding="utf-8")
    try:
        load_campaigns([path])
    except Refused as refused:
        return [problem.what for problem in refused.problems]
    return []


def checked(folder: Path, text: str, *stores: Store, **more: object) -> list[tuple[str, bool]]:
    path = folder / "a.yaml"
    path.write_text(text, encoding="utf-8")
    (found,) = load_campaigns([path])
    by_key = {store.key: store for store in stores or (GREEN,)}
    every = problems(found, by_key, **more)  # type: ignore[arg-type] # columns and events
    assert all(problem.place.path == str(path) and problem.place.line for problem in every)
    return [(problem.what, problem.warning) for problem in every]


@pytest.mark.parametrize(
    ("leg", "found"),
    [
        ("channel: sms, text: a, subject: b", ["`subject`: sms has none"]),
        ("channel: sms, text: a, text_file: t.txt", ["`text_file`: says the same as `text`"]),
        ("channel: sms", ["`text`: is missing"]),
        ("channel: sms, text: ' '", ["`text`: has no text"]),
        ("channel: lms, text: a, html: b, layout: l.html", [
            "`html`: lms has none", "`layout`: lms has none",
        ]),
        ("channel: lms, text: a, image: a.jpg", ["`image`: lms has none"]),
        ("channel: mms, text: a", ["`image`: is missing: an mms has one"]),
        ("channel: mms, text: a, image: big.jpg", [
            "`image`: 201 kB, of 200 that an mms holds",
        ]),
        ("channel: mms, text: a, image: a.png", []),
        ("channel: push, text: a, image: big.jpg, subject: a, title: b", [
            "`title`: says the same as `subject`",
        ]),
        ("channel: push, text: a", ["`subject`: is missing: a push has one"]),
        ("channel: onsite, text: a, title: b, url: c, show_for: 1d", []),
        ("channel: onsite, text: a", [
            "`show_for`: is missing: an on-site message ends",
            "`subject`: is missing: an on-site message has one",
        ]),
        ("channel: push, text: a, title: b, show_for: 1d", ["`show_for`: push has none"]),
        ("channel: email, text: a, title: b", ["`title`: email has none"]),
        ("channel: email, text: a, subject: b, image: a.jpg", ["`image`: email has none"]),
        ("channel: email, text: a, subject: b, layout: l.html", []),
        ("channel: email, text: '{{ name | qr }}', subject: b, html: '{{ name | qr }}'", [
            "`text`: a text cannot show a QR code",
        ]),
        ("channel: email, text: a, subject: b, html: c, layout: t.txt", [
            "`layout`: t.txt has no place for the message",
        ]),
        ("channel: email, text: a, subject: b, html: c, html_file: t.txt", [
            "`html_file`: says the same as `html`",
        ]),
        ("channel: webhook, text: a, subject: b", []),
        ("channel: friendtalk, text: a", ["`channel`: 'friendtalk' no longer exists"]),
        ("channel: 친구톡, text: a", ["`channel`: '친구톡' no longer exists"]),
        ("channel: sms, text: a, buttons: [{name: b, url: c}]", ["`buttons`: sms has none"]),
        ("channel: sms, text: a, targeting: I, form: text", [
            "`targeting`: sms has none", "`form`: sms has none",
        ]),
        ("channel: alimtalk, text: a, template: T", [
            "`channel`: alimtalk may not carry advertising",
        ]),
    ],
)  # fmt: skip
def test_a_channel_carries_what_it_can_and_needs_what_it_must(
    tmp_path: Path, leg: str, found: list[str]
) -> None:
    (tmp_path / "a.jpg").write_bytes(JPEG)
    (tmp_path / "a.png").write_bytes(PNG)
    (tmp_path / "big.jpg").write_bytes(JPEG + bytes(201_000))
    (tmp_path / "t.txt").write_text("a")
    (tmp_path / "l.html").write_text("{{ body }}")
    assert said(tmp_path, campaign(f"- {{{leg}}}")) == found


@pytest.mark.parametrize(
    ("leg", "found"),
    [
        ("", []),
        ("buttons: [{name: 보기}]", ["`url`: is missing: a button leads somewhere"]),
        ("buttons: [{name: 채널 추가, kind: add_channel, url: a}]", [
            "`url`: a button that adds the channel has no address",
        ]),
        ("buttons: [{name: '{{ name }}', url: a}]", [
            "`name`: is the same for everyone: it takes no variables",
        ]),
        ("buttons: [{name: 열다섯자나되는긴이름이랍니다요요, url: a}]", [
            "`name`: '열다섯자나되는긴이름이랍니다요요' has 16 characters, of 14",
        ]),
        (f"buttons: [{', '.join(['{name: b, url: c}'] * 6)}]", [
            "`buttons`: 6 of them, and 5 fit",
        ]),
        (f"buttons: [{', '.join(['{name: b, url: c}'] * 5)}]", []),
        (f"{COUPON}, buttons: [{', '.join(['{name: b, url: c}'] * 5)}]", [
            "`buttons`: 5 of them, and 4 fit",
        ]),
        (f"form: wide, image: a.jpg, buttons: [{', '.join(['{name: b, url: c}'] * 3)}]", [
            "`buttons`: 3 of them, and 2 fit",
        ]),
        ("form: wide, image: a.jpg, buttons: [{name: 아홉글자인이름이다, url: a}]", [
            "`name`: '아홉글자인이름이다' has 9 characters, of 8",
        ]),
        (f"buttons: [{{name: a, url: b}}, {ADD}]", [
            "`name`: the button that adds the channel stands first",
        ]),
        (f"form: wide, image: a.jpg, buttons: [{ADD}, {{name: a, url: b}}]", [
            "`name`: the button that adds the channel stands last",
        ]),
        (f"buttons: [{ADD}, {ADD}]", [
            "`name`: one button that adds the channel is enough",
        ]),
        ("form: wide", ["`form`: wide needs an image"]),
        ("form: text, image: a.jpg", ["`form`: text holds no image"]),
        ("url: a", ["`url`: leads from an image, and there is none"]),
        ("image: a.jpg, url: a", []),
        ("targeting: X", ["`targeting`: 'X' is not known here"]),
        ("variables: {a: b}", ["`variables`: belong to an approved template"]),
        ("template: T, form: wide, variables: {}", []),
        ("template: T, text_file: t.txt", ["`variables`: lacks a value for #{이름} of the text"]),
        ("coupon: {title: 10% 할인, description: d}", [
            "`title`: '10% 할인' is not a title that Kakao takes",
        ]),
        ("coupon: {title: 10% 할인 쿠폰, description: 열세글자보다조금더긴설명}", []),
        ("coupon: {title: 10% 할인 쿠폰, description: 열세글자보다조금더긴설명임}", [
            "`description`: '열세글자보다조금더긴설명임' has 13 characters, of 12",
        ]),
        (f"form: wide, image: a.jpg, {COUPON.replace('d}', '열세글자보다조금더긴설명임}')}", []),
        ("coupon: {title: '{{ name }}', description: '{{ nam }}'}", [
            "`description`: `nam` is not known in templates",
        ]),
    ],
)  # fmt: skip
def test_a_brand_message_keeps_to_the_limits_of_its_form(
    tmp_path: Path, leg: str, found: list[str]
) -> None:
    (tmp_path / "a.jpg").write_bytes(JPEG)
    (tmp_path / "t.txt").write_text("#{이름}", encoding="utf-8")
    text = "" if "text_file" in leg else "text: a, "
    assert said(tmp_path, campaign(f"- {{channel: brand_message, {text}{leg}}}")) == found


@pytest.mark.parametrize(
    "title",
    ["1원 할인 쿠폰", "99999999원 할인 쿠폰", "100% 할인 쿠폰",
     "배송비 할인 쿠폰", "첫구매배송비 무료 쿠폰", "적립금 UP 쿠폰"],
)  # fmt: skip
def test_the_five_forms_of_a_coupons_title_are_taken(tmp_path: Path, title: str) -> None:
    leg = f"{{channel: brand_message, text: a, coupon: {{title: '{title}', description: d}}}}"
    assert said(tmp_path, campaign(f"- {leg}")) == []


@pytest.mark.parametrize(
    "title",
    ["0원 할인 쿠폰", "100000000원 할인 쿠폰", "101% 할인 쿠폰",
     "0% 할인 쿠폰", "여덟글자짜리이름 무료 쿠폰", " UP 쿠폰", "10% 할인쿠폰"],
)  # fmt: skip
def test_other_titles_of_a_coupon_are_not(tmp_path: Path, title: str) -> None:
    leg = f"{{channel: brand_message, text: a, coupon: {{title: '{title}', description: d}}}}"
    assert said(tmp_path, campaign(f"- {leg}")) == [
        f"`title`: {title!r} is not a title that Kakao takes"
    ]


@pytest.mark.parametrize(
    ("leg", "found"),
    [
        ("text: '#{이름}님', template: T, variables: {이름: '{{ name }}'}", []),
        ("text: a", ["`template`: is missing: Alimtalk sends approved templates only"]),
        ("text: '#{이름} #{번호}', template: T, variables: {이름: a, 이릅: b}", [
            "`variables`: lacks a value for #{번호} of the text",
            "`이릅`: #{이릅} is not in the text",
        ]),
        ("text_file: t.txt, template: T", ["`variables`: lacks a value for #{이름} of the text"]),
        ("text: '{{ name }}', template: T", ["`text`: `{{` has no place in an approved wording"]),
        ("text: a, template: T, buttons: [{name: 채널추가, kind: add_channel}]", [
            "`name`: the button that adds the channel is called 채널 추가",
        ]),
        ("text: a, template: T, form: text", ["`form`: alimtalk has none"]),
        ("text: a, template: T, variables: {a: '{{ x }}'}", ["`a`: `x` is not known in templates"]),
    ],
)  # fmt: skip
def test_an_alimtalk_is_its_approved_wording_with_its_variables(
    tmp_path: Path, leg: str, found: list[str]
) -> None:
    (tmp_path / "t.txt").write_text("#{이름}", encoding="utf-8")
    text = campaign(f"- {{channel: alimtalk, {leg}}}", purpose="informational")
    assert said(tmp_path, text) == found


def test_information_states_its_ground_and_takes_no_brand_message(tmp_path: Path) -> None:
    text = campaign("- {channel: brand_message, text: a}", purpose="informational")
    given = "basis: the customer ordered"
    assert said(tmp_path, text.replace(given, "basis: {ground: purchase}")) == [
        "`text` is missing",
        "`reason`: is missing",
        "`channel`: a brand message is always advertising",
    ]
    assert said(tmp_path, text.replace(given, "basis: ''"))[0] == "`text`: has no text"
    missing = "`basis`: is missing: an informational campaign states its ground"
    assert said(tmp_path, text.replace(given, ""))[0] == missing


@pytest.mark.parametrize(
    ("step", "found"),
    [
        ("id: a, due: {after: message, wait: 1d}", ["`after`: there is no earlier step"]),
        ("id: a, due: {after: cart, step: a, wait: 1d}", [
            "`step`: is for `after: message` only",
        ]),
        ("id: a, due: {after: cart, per: line, wait: 1d}", ["`per`: 'cart' has no order lines"]),
        ("id: a, due: {after: delivered, per: lines, wait: 1d}", [
            "`per`: 'lines' is not known here",
        ]),
        ("id: a, due: {after: cart, wait: product_cycle.median}", [
            "`wait`: product_cycle.median counts days since an order, not after 'cart'",
        ]),
        ("id: a, due: {after: signup, wait: customer_cycle}", [
            "`wait`: customer_cycle counts days since an order, not after 'signup'",
        ]),
        ("id: a, due: {after: delivered, per: line, wait: product_cycle.median}", [
            "`wait`: product_cycle.median counts days since an order, not after 'delivered'",
        ]),
        ("id: a, due: {after: ordered, wait: product_cycle.p90}", []),
        ("id: a, due: {after: ordered, wait: cycle}", ["`wait`: there is no statistic 'cycle'"]),
        ("id: a, due: {after: ordered, wait: 30}", ["`wait`: '30' is not a duration"]),
        ("id: a, due: {after: 생일, wait: 0d}", []),
        ("id: a, due: {after: cart.left, wait: 0d, until: checkout}", []),
        ("id: a, due: {after: last_order}", ["`wait` is missing"]),
        ("id: a, DUE, coupon: {}", ["`pool`: is missing"]),
        ("id: a, DUE, coupon: {pool: p, code: c}", [
            "`code`: stands beside `pool`",
        ]),
        ("id: a, DUE, coupon: {code: c}", [
            "`valid_until`: is missing",
        ]),
        ("id: a, DUE, coupon: {pool: p}", []),
        ("id: a, DUE, facts: {price: {max_age: 1h}}", [
            "`price`: there is no fact 'price'",
        ]),
        ("id: a, DUE, facts: {stock: {}}", [
            "`max_age` is missing",
        ]),
        ("id: a, DUE, if: {sent: a, control: b}", [
            "`sent`: there is no earlier step 'a'",
            "`control`: stands beside `sent`",
            "`control`: there is no earlier step 'b'",
        ]),
        ("id: a, DUE, if: {}", [
            "`sent`: is missing: the earlier step",
        ]),
    ],
)  # fmt: skip
def test_a_step_is_whole_and_of_one_piece(tmp_path: Path, step: str, found: list[str]) -> None:
    assert said(tmp_path, steps(step.replace("DUE", "due: {after: last_order, wait: 1d}"))) == found


def test_a_condition_asks_of_an_earlier_step_on_the_same_occasion(tmp_path: Path) -> None:
    first = "id: first, due: {after: cart, wait: 1d}"
    apart = "id: second, due: {after: last_order, wait: 1d}, if: {sent: first}"
    follows = "id: second, due: {after: message, wait: 1d}, if: {not_sent: first}"
    orders = "id: third, due: {after: delivered, wait: 1d}, if: {sent: second}"
    assert said(tmp_path, steps(first, apart, orders)) == [
        "`sent`: 'first' and this step never have one occasion in common"
    ]
    assert said(tmp_path, steps(first, follows)) == []
    assert (
        said(tmp_path, steps(follows, first))[-1] == "`not_sent`: there is no earlier step 'first'"
    )


@pytest.mark.parametrize(
    ("variants", "found"),
    [
        ("variants: [{id: a, send: S}, {id: b, when: loyal, send: S}]", []),
        ("variants: [{id: a, send: S}, {id: a, send: S}]", ["`id`: 'a' is there twice"]),
        (
            "variants: [{weight: 0, send: S}]",
            ["`id` is missing", "`weight` should be greater than 0"],
        ),
        ("variants: [{id: a, weight: 1, when: b, send: S}]", ["`weight`: stands beside `when`"]),
        ("variants: [{id: a}]", ["`send` is missing"]),
        ("variants: [{id: a, send: []}]", ["`send` needs at least 1"]),
        ("send: S, variants: [{id: a, send: S}]", ["`send`: stands beside `variants`"]),
        ("coupon: {pool: a}", ["`send`: is missing: the channels, in order"]),
    ],
)
def test_a_step_has_one_message_or_variants_that_can_be_told_apart(
    tmp_path: Path, variants: str, found: list[str]
) -> None:
    step = f"{{id: one, due: {{after: last_order, wait: 1d}}, {variants}}}"
    text = f"campaign: a\npurpose: advertising\nsteps: [{step}]"
    assert said(tmp_path, text.replace("S", "[{channel: sms, text: a}]")) == found


def test_files_come_from_the_campaigns_folder_only(tmp_path: Path) -> None:
    inside = tmp_path / "shop"
    (inside / "texts").mkdir(parents=True)
    (tmp_path / "secret.txt").write_text("secret")
    (inside / "link.txt").symlink_to(tmp_path / "secret.txt")
    (inside / "texts" / "a.txt").write_text("a", encoding="utf-8")
    (inside / "texts" / "same.txt").symlink_to("a.txt")
    (inside / "korean.txt").write_bytes("a\n초록".encode("cp949"))
    (inside / "long.txt").write_text("a" * 400_001)
    (inside / "typo.txt").write_text("a\n{{ frist_name }}")
    (inside / "blank.txt").write_text("\n")
    (inside / "wordy.txt").write_text("a" * 100_001)
    (inside / "not.jpg").write_text("GIF89a")
    (inside / "png.jpg").write_bytes(PNG)
    outside = "lies outside of the campaign's folder"
    texts = {
        "texts/a.txt": [],
        "texts/same.txt": [],
        "../secret.txt": [f"`text_file`: '../secret.txt' {outside}"],
        str(tmp_path / "secret.txt"): [f"`text_file`: {str(tmp_path / 'secret.txt')!r} {outside}"],
        "link.txt": [f"`text_file`: 'link.txt' {outside}"],
        "texts": ["`text_file`: there is no file 'texts'"],
        "korean.txt": ["`text_file`: the file is not UTF-8 text"],
        "long.txt": ["`text_file`: the file is larger than 400 kB"],
        "typo.txt": ["`text_file`: `frist_name` is not known in templates"],
        "blank.txt": ["`text_file`: has no text"],
        "wordy.txt": ["`text_file`: is longer than 100,000 characters, more than a message holds"],
    }
    for name, found in texts.items():
        assert said(inside, campaign(f"- {{channel: sms, text_file: '{name}'}}")) == found
    images = {
        "not.jpg": ["`image`: not.jpg is neither JPEG nor PNG"],
        "png.jpg": ["`image`: png.jpg is not what its name says"],
    }
    for name, found in images.items():
        leg = f"- {{channel: push, title: a, text: a, image: {name}}}"
        assert said(inside, campaign(leg)) == found


def test_a_problem_in_a_file_of_its_own_stands_at_that_files_line(tmp_path: Path) -> None:
    for name, content in {"typo.txt": b"a\n{{ frist_name }}", "korean.txt": b"a\n\xc3\xca"}.items():
        (tmp_path / name).write_bytes(content)
        (tmp_path / "a.yaml").write_text(campaign(f"- {{channel: sms, text_file: {name}}}"))
        with pytest.raises(Refused) as refused:
            load_campaigns([tmp_path])
        assert str(refused.value.problems[0].place) == f"{tmp_path / name}:2"


def alimtalk(text: str, basis: str = "basis: the customer ordered") -> str:
    legs = f"- {{channel: alimtalk, template: T, text: '{text}'}}"
    return campaign(legs, purpose="informational").replace("basis: the customer ordered", basis)


EARNED = "basis: {text: a, ground: purchase, reason: 구매하신 분께 드려요}"


UNEARNED = "without saying how the customer earned it"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (alimtalk("주문을 받았어요"), []),
        (alimtalk("포인트가 쌓였어요"), [f"an Alimtalk tells of `포인트` {UNEARNED}"]),
        (alimtalk("쿠폰을 드려요", EARNED), [
            "the reason line of `basis` does not stand in the text",
        ]),
        (alimtalk("쿠폰이에요. 구매하신  분께 드려요.", EARNED), []),
        (alimtalk("a").replace("wait: 1d}", "wait: 1d}\n  coupon: {pool: p}"), [
            f"an Alimtalk tells of a coupon {UNEARNED}",
        ]),
        (alimtalk("a").replace("after: last_order", "after: coupon_expires"), [
            f"an Alimtalk tells of a coupon {UNEARNED}",
        ]),
        (campaign("- {channel: lms, text: 쿠폰이에요}", purpose="informational"), []),
    ],
)  # fmt: skip
def test_an_alimtalk_tells_of_no_benefit_that_nobody_earned(
    tmp_path: Path, text: str, found: list[str]
) -> None:
    assert [what for what, warning in checked(tmp_path, text) if not warning] == found


def test_doubtful_words_come_as_warnings(tmp_path: Path) -> None:
    text = campaign("- {channel: lms, text: 할인 소식이에요}", purpose="informational")
    assert checked(tmp_path, text) == [("`할인` in an informational message", True)]
    assert checked(tmp_path, text.replace("informational", "advertising")) == []


def test_what_only_the_stores_can_tell_is_said_at_the_campaigns_lines(tmp_path: Path) -> None:
    text = (
        campaign("- {channel: lms, text: a}") + "stores: [green, acron]\naudience: {segments: vip}"
    )
    bare = Store(
        key="green",
        name="초록상점",
        timezone="Asia/Seoul",
        country="KR",
        currency="KRW",
        sender={"phone": "0212345678"},
        policy=Policy(preset="KR"),
        prices={"lms": Decimal(45)},  # type: ignore[dict-item] # a channel is a text
    )
    path = tmp_path / "a.yaml"
    path.write_text(text, encoding="utf-8")
    (found,) = load_campaigns([path])
    assert [
        (p.place.line, p.what, p.hint) for p in problems(found, {"green": bare, "acorn": ACORN})
    ] == [
        (8, "there is no store `acron` in the configuration", "did you mean `acorn`?"),
        (9, "no segment 'vip'", problems(found, {"green": bare})[1].hint),
        # Told once of the store, not for each of its campaigns.
        (
            0,
            "advertising by lms needs `stores.green.optout.phone` (the free refusal)",
            'add it: optout: {phone: "0808880000"}',
        ),
    ]


def test_targets_need_kakaos_approval_as_the_store_notes_it(tmp_path: Path) -> None:
    text = campaign("- {channel: brand_message, text: a, targeting: M}")
    assert checked(tmp_path, text) == [("Kakao has not approved target M for `green`", False)]
    approved = Store(
        key="green",
        name="초록상점",
        timezone="Asia/Seoul",
        country="KR",
        currency="KRW",
        brand_targets=frozenset({"M"}),
        policy=Policy(preset="KR"),
    )
    assert checked(tmp_path, text, approved) == []


def test_variants_that_reach_nobody_and_segments_that_are_none_are_told(tmp_path: Path) -> None:
    send = "send: [{channel: lms, text: a}]"
    text = (
        "campaign: a\npurpose: advertising\nsteps:\n- id: one\n"
        "  due: {after: last_order, wait: 1d}\n  fallback_within: 6h\n  variants:\n"
        f"  - {{id: a, when: loyal, {send}}}\n  - {{id: b, when: loayl, {send}}}\n"
    )
    assert checked(tmp_path, text) == [
        ("there is no second channel that could follow within this time", True),
        ("every variant is for a segment, so whoever is in none of them gets nothing", True),
        ("no segment 'loayl'", False),
    ]


def test_korean_networks_carry_no_png(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    text = campaign("- {channel: mms, text: a, image: a.png}")
    assert checked(tmp_path, text) == [("Korean networks carry JPEG images only", False)]
    assert checked(tmp_path, text, ACORN) == []


def test_an_anchor_must_be_something_that_the_stores_files_have(tmp_path: Path) -> None:
    text = campaign("- {channel: lms, text: a}", after="brithday")
    columns = {"birthday": pl.Date()}
    assert checked(tmp_path, text) == []
    ((what, warning),) = checked(tmp_path, text, columns=columns, events=["cart"])
    assert "'brithday' is no anchor" in what
    assert not warning
