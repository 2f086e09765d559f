"""``preview`` from files and from a plan: what is chosen, masked, written and refused."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from tests.shop import Shop
from tests.world import DUE, World, campaign, step, store

from remindctl.model import (
    Audience,
    Button,
    Cap,
    Channel,
    Coupon,
    Leg,
    Purpose,
    Span,
    Variant,
)
from remindctl.plan import sample
from remindctl.policy import REASONS
from remindctl.report.preview import Preview, preview

if TYPE_CHECKING:
    from pathlib import Path

    from remindctl.model import Campaign, Store


@pytest.fixture
def shop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shop:
    return Shop(tmp_path, capsys)


def called(shop: Shop, *words: str | Path) -> dict[str, Any]:
    code, out, err = shop.call("preview", shop.folder / "winback.yaml", "-o", "json", *words)
    assert code == 0, err
    document: dict[str, Any] = json.loads(out)
    return document


def by(*legs: Leg, **more: object) -> Campaign:
    """Make a campaign of one step with this chain of channels."""
    steps = (replace(step(), variants=(Variant(legs=legs),)),)
    return campaign(steps=steps, **more)


def looked(world: World, of: Campaign, in_store: Store | None = None, n: int = 3) -> Preview:
    desk = world.desk(of, in_store)
    steps = [sample(desk, one) for one in of.steps]
    made = world.plan(of, in_store)
    return preview(made, pl.concat(steps, how="diagonal_relaxed"), desk.people, n)


def test_names_and_addresses_are_masked_wherever_they_are_shown(shop: Shop) -> None:
    page = shop.folder / "page.html"
    code, out, err = shop.call("preview", shop.folder / "winback.yaml", "--html", page)
    assert (code, err) == (0, f"{page}: the messages; open it in a browser\n")
    document = called(shop)
    shown = {(one["customer"], one["to"]) for one in document["messages"]}
    assert shown == {("김*수", "k***@example.com"), ("A** L**", "a***@example.com")}
    for told in (out, page.read_text(encoding="utf-8"), json.dumps(document)):
        assert "kim1@" not in told
        assert "k***@example.com" in told
    assert "김민수님, 수분 크림 어떠셨나요?" in out
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    assert not shop.state.exists()  # nothing is sent, and nothing remembered


def test_it_shows_what_comes_when_nobody_is_due(shop: Shop) -> None:
    text = (shop.folder / "winback.yaml").read_text(encoding="utf-8")
    later = text.replace("wait: 30d", "wait: 60d")
    (shop.folder / "winback.yaml").write_text(later, encoding="utf-8")
    document = called(shop, "--limit", "2")
    [about] = document["previews"]
    assert (about["planned"], about["held"]) == (0, 0)
    assert about["notes"][0].startswith("Nobody gets a message now: shown are members of the audie")
    samples = [one for one in document["messages"] if "sample" in one["labels"]]
    assert [one["held_by"] for one in samples] == ["not_yet", "not_yet"]
    (shop.folder / "winback.yaml").write_text(text.replace(">= 1", ">= 9"), encoding="utf-8")
    document = called(shop)
    assert document["messages"] == []
    assert "The audience is empty" in document["previews"][0]["notes"][0]


def test_a_page_is_written_over_a_page_only(shop: Shop) -> None:
    page = shop.folder / "page.html"
    for _ in range(2):
        called(shop, "--html", page)
    for name, text in (("letter.html", "<p>{{ name }}</p>"), ("orders.csv", None)):
        path = shop.folder / name
        if text is not None:
            path.write_text(text, encoding="utf-8")
        before = path.read_bytes()
        words = ("preview", shop.folder / "winback.yaml", "--html", path)
        code, out, err = shop.call(*words)
        assert (code, out) == (2, "")
        assert "is no page of remindctl" in err
        assert path.read_bytes() == before
    missing = shop.folder / "no" / "page.html"
    code, out, err = shop.call("preview", shop.folder / "winback.yaml", "--html", missing)
    assert (code, out) == (2, "")
    assert "cannot be written" in err


def test_each_message_is_told_with_its_form_its_reason_and_what_would_hold_it() -> None:
    world = World()
    world.person(DUE, email="kim@example.com")
    world.person(DUE, name="이가람", consent=False)
    world.person(timedelta(days=5), name="박하나", email="park@example.com")
    of = by(
        Leg(
            channel=Channel.BRAND_MESSAGE,
            text="{{ name }}님",
            form="wide",
            buttons=(Button(name="보기", url="https://shop.example/{{ customer_key }}"),),
        ),
        Leg(channel=Channel.SMS, text="{{ name }}님, 다시 만나요"),
        Leg(channel=Channel.EMAIL, subject="다시", text="{{ name }}님"),
    )
    seen = looked(world, of, n=9)
    assert (seen.campaign, seen.planned, seen.held, seen.notes) == ("winback", 1, 1, ())
    [first] = [one for one in seen.made if "sample" in one.labels]
    assert (first.channel, first.leg, first.held_by) == (Channel.BRAND_MESSAGE, 0, None)
    assert (first.units, first.most, first.encoding) == (4, 76, "characters")
    assert (first.to, first.customer, first.customer_key) == ("010-****-0000", "김*수", "c0")
    assert first.why == "30d after last_order (2025-05-31)"
    assert first.ground == "consent"
    assert first.extras["buttons"] == [
        {"name": "보기", "kind": "link", "url": "https://shop.example/c0"}
    ]
    by_channel = {one.channel: one for one in seen.made}
    text, email = by_channel[Channel.SMS], by_channel[Channel.EMAIL]
    assert (text.most, text.encoding, text.cost) == (90, "cp949", Decimal(18))
    assert (email.to, email.most) == ("k***@example.com", None)
    assert {text.held_by, email.held_by} == {"another_leg"}


def test_what_comes_behind_the_content_holds_too() -> None:
    world = World()
    for _ in range(3):
        world.person(DUE)
    capped = store(caps=(Cap(max=0, per=Span(days=7)),))
    seen = looked(world, campaign(), capped)
    assert (seen.planned, seen.held) == (0, 3)
    assert {one.held_by for one in seen.made} == {"cap"}


def test_messages_that_cannot_be_made_stand_apart_with_the_reason() -> None:
    world = World()
    world.person(DUE, first_name="민수")
    world.person(DUE, name="이가람")
    for channel in (Channel.SMS, Channel.BRAND_MESSAGE):
        seen = looked(world, by(Leg(channel=channel, text="{{ first_name }}님")))
        assert [one.customer_key for one in seen.made] == ["c0"]
        [unmade] = seen.unmade
        assert (unmade.customer_key, unmade.customer, unmade.text) == ("c1", "이*람", "")
        assert unmade.problem is not None
        assert "first_name" in unmade.problem.what


def test_a_pool_is_too_small_only_for_those_who_get_a_code_now() -> None:
    world = World()
    for ago in (DUE, DUE, timedelta(days=5)):
        world.person(ago)
    world.code("AAA")
    of = by(Leg(channel=Channel.SMS, text="{{ coupon.code }}"))
    of = replace(of, steps=(replace(of.steps[0], coupon=Coupon(pool="welcome")),))
    seen = looked(world, of)
    assert [(one.code, one.held_by) for one in seen.made] == [("AAA", None)]
    [unmade] = seen.unmade
    assert unmade.problem is not None
    assert (unmade.problem.what, unmade.customer_key) == (REASONS["coupon_pool_empty"], "c1")


def test_a_device_is_told_by_the_end_of_its_token() -> None:
    world = World()
    person = world.person(DUE)
    token = f"{'x' * 150}a1b2"
    world.addresses.append({"person": person, "kind": "push_token", "value": token})
    push = Leg(channel=Channel.PUSH, subject="새 소식", text="안녕하세요")
    [shown] = looked(world, by(push, purpose=Purpose.INFORMATIONAL)).messages
    assert shown.to == "…a1b2"
    assert shown.most == 3_000


def test_a_step_without_any_occasion_is_said() -> None:
    world = World()
    world.person(DUE)
    of = campaign(
        audience=Audience(where="orders >= 1"), steps=(step(), step("cart", after="cart"))
    )
    assert looked(world, of).notes == (
        "Nobody has an occasion for cart, past or to come: shown is an invented one.",
    )
