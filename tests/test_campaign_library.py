"""The campaign library: every file finds people in the example shops and says what it should."""

from __future__ import annotations

import json
import re
import shutil
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from remindctl import clock
from remindctl.campaigns import load_campaigns
from remindctl.cli import line, world
from remindctl.cli.app import main
from remindctl.model import Channel, Purpose
from remindctl.sendlog import look

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from remindctl.plan import Plan

ROOT = Path(__file__).parents[1]
LIBRARY, EXAMPLES = ROOT / "campaigns", ROOT / "examples"
FILES = sorted(LIBRARY.glob("*.yaml"))
SHOPS = {
    "green": (EXAMPLES / "smartstore", "2026-10-31T16:30+09:00"),
    "shopify": (EXAMPLES / "shopify", "2026-10-31T14:00-04:00"),
}
# What a shop wants to say → the file that says it, and its step or variant.
MESSAGES = {
    "confirm the order, win a channel friend": ("order-confirmed", "received"),
    "ask for a review after the delivery": ("review-request", "ask"),
    "thank a first-time buyer": ("first-purchase-thanks", "thanks"),
    "care tips for the bought item": ("care-tips", "tips"),
    "new product, to frequent buyers": ("new-product", "first-to-know"),
    "new product, to those about to leave": ("new-product", "like-before"),
    "the cart may sell out": ("cart-last-pieces", "hour"),
    "ask for a review, for points": ("review-for-points", "week"),
    "welcome back after a long absence": ("welcome-back", "day90"),
    "discount day, plain": ("discount-day", "plain"),
    "discount day, personal": ("discount-day", "personal"),
    "rescue the cart with a coupon": ("cart-coupon", "coupon"),
    "remind of a refill": ("refill", "low"),
    "reach out to an estranged member": ("estranged-member", "reach-out"),
    "win back, free shipping": ("winback-us", "day30"),
    "win back, new arrivals": ("winback-us", "day60"),
    "complete the sign-up": ("sign-up", "half-hour"),
    "best seller with social proof": ("best-seller", "others-chose"),
    "few left in stock": ("low-stock", "few-left"),
    "why to buy now": ("cart-third-day", "day3"),
    "a coupon after the purchase": ("coupon-after-purchase", "thanks-again"),
    "a coupon is about to expire": ("coupon-expires", "three-days"),
    "announce an event": ("event-popup", "invite"),
}
# Nobody gets these before an earlier message has left.
LATER = {("winback-us", "day60"), ("coupon-expires", "three-days")}
# An unfilled place, an empty value, or both forms of a particle, as in 東京을(를).
UNFINISHED = re.compile(r"\{\{|\{%|#\{|None|null|\([은는이가을를과와로]\)")
ALIMTALK = {"order-confirmed", "review-request"}


def store_of(name: str) -> str:
    return "shopify" if name == "winback-us" else "green"


def planned(store: str, paths: list[Path], folder: Path) -> dict[str, Plan]:
    """Plan each campaign for itself, by the real line, on the example as it stands."""
    shop, as_of = SHOPS[store]
    settings = world.open_config(shop / "remindctl.yaml")
    read = world.gather(paths, settings, world.choose_stores(settings, [store]), as_of)[0]
    plans = {}
    with look(folder / "log.db", folder / "key", []) as logs:
        for campaign in read.campaigns:
            laid = line.lay_out(replace(read, campaigns=(campaign,)), logs)
            made = line.make_plans(laid, None)
            assert line.whole_run_problems([made]) == []
            plans[Path(campaign.place.path).stem if campaign.place else ""] = made.plans[0]
    return plans


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Plan]:
    folder = tmp_path_factory.mktemp("log")
    korean = [path for path in FILES if store_of(path.stem) == "green"]
    english = [path for path in FILES if store_of(path.stem) == "shopify"]
    return planned("green", korean, folder) | planned("shopify", english, folder)


def told(messages: pl.DataFrame) -> list[str]:
    """What people read: titles, texts and pages."""
    columns = (messages[name].drop_nulls() for name in ("subject", "text", "html"))
    return [text for column in columns for text in column]


def test_every_message_has_a_campaign() -> None:
    """Each message of a shop's year is there, under a step or variant of its own."""
    steps = {
        (path.stem, name)
        for path in FILES
        for campaign in load_campaigns([path])
        for step in campaign.steps
        for name in (step.id, *(variant.id for variant in step.variants if variant.id))
    }
    assert len(MESSAGES) == len(set(MESSAGES.values())) == 23
    assert set(MESSAGES.values()) <= steps


@pytest.mark.parametrize(
    ("name", "part"), [each for each in MESSAGES.values() if each not in LATER]
)
def test_it_reaches_people_of_the_examples(name: str, part: str, plans: Mapping[str, Plan]) -> None:
    messages = plans[name].messages
    column = "variant" if part in messages["variant"].to_list() else "step"
    assert part in messages[column].to_list()


def test_only_the_order_and_its_review_go_as_information(plans: Mapping[str, Plan]) -> None:
    """Everything else invites to buy, so Alimtalk does not carry it."""
    campaigns = load_campaigns([LIBRARY])
    informational = {one.name for one in campaigns if one.purpose is Purpose.INFORMATIONAL}
    alimtalk = {
        one.name
        for one in campaigns
        if any(leg.channel is Channel.ALIMTALK for step in one.steps for leg in step.legs)
    }
    assert informational == alimtalk == ALIMTALK
    for name in ALIMTALK:
        assert set(plans[name].messages["channel"]) == {"alimtalk"}
    first = json.loads(plans["order-confirmed"].messages["extras"][0])
    assert first["buttons"][0] == {"name": "채널 추가", "kind": "add_channel"}
    assert "#{" not in "".join(plans["order-confirmed"].messages["text"])


def test_texts_are_whole_and_in_the_words_of_their_country(plans: Mapping[str, Plan]) -> None:
    """No placeholder and no unfilled place is left, and no Korean text has a bare particle."""
    for name, plan in plans.items():
        for text in told(plan.messages):
            assert not UNFINISHED.search(text), name
            assert (re.search("[가-힣]", text) is not None) == (store_of(name) == "green")


def test_labels_are_the_programs_own() -> None:
    """The law's lines are added when a message is made, and never stand in a file."""
    for path in [*FILES, *LIBRARY.glob("**/*.html")]:
        lines = path.read_text(encoding="utf-8").splitlines()
        written = "\n".join(each for each in lines if not each.lstrip().startswith("#"))
        assert not re.search(r"광고|수신\s*거부|무료\s*거부|STOP|unsubscribe", written), path.name


def test_korean_advertising_carries_them_once(plans: Mapping[str, Plan]) -> None:
    for name, plan in plans.items():
        if store_of(name) == "shopify" or name in ALIMTALK:
            continue
        for channel, subject, text in plan.messages.select("channel", "subject", "text").rows():
            if channel in ("sms", "lms", "push"):
                assert text.startswith("(광고)초록상점")
                assert text.count("(광고)") == text.count("무료수신거부 0800000000") == 1
                assert channel == "sms" or str(subject).startswith("(광고)")


def test_coupons_stand_in_the_text_with_their_last_day(plans: Mapping[str, Plan]) -> None:
    """Many read on one device and pay on another, so a code only behind a link is lost."""
    for name, plan in plans.items():
        rows = plan.messages.select("text", "coupon_code", "coupon_until").drop_nulls().rows()
        for text, code, until in rows:
            shown = f"{until:%b} {until.day}" if store_of(name) == "shopify" else f"{until.day}일"
            assert code in text, name
            assert shown in text, name


def test_texts_fit(plans: Mapping[str, Plan]) -> None:
    """A Korean SMS holds 90 bytes, and an English text of these is one part."""
    short = plans["low-stock"].messages
    assert max(short.filter(short["channel"] == "sms")["units"]) <= 90
    english = plans["winback-us"].messages
    assert set(english.select("encoding", "parts").rows()) == {("gsm-7", 1)}


def test_scarcity_is_said_of_what_is_scarce(plans: Mapping[str, Plan]) -> None:
    said = [re.findall(r"(\d+)개 남았", text) for text in plans["low-stock"].messages["text"]]
    assert said
    assert all(1 <= int(number) <= 5 for (number,) in said)
    counted = re.findall(r"(\d+)분이 골라", " ".join(plans["best-seller"].messages["text"]))
    assert len(counted) == len(plans["best-seller"].messages)
    assert all(int(number) >= 3 for number in counted)


def test_the_two_arms_of_the_discount_day_are_alike_in_size(plans: Mapping[str, Plan]) -> None:
    arms = plans["discount-day"].messages["variant"].to_list()
    plain = arms.count("plain") / len(arms)
    assert 0.4 < plain < 0.6


class World:
    """A copy of an example shop whose clock can be set, and whose messages go to its outbox."""

    def __init__(self, store: str, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.patch = folder / "shop", patch
        shutil.copytree(SHOPS[store][0], self.folder, ignore=shutil.ignore_patterns(".remindctl"))
        self.as_of = SHOPS[store][1]

    def call(self, *words: str | Path) -> None:
        config = self.folder / "remindctl.yaml"
        self.patch.setattr(sys, "argv", ["remindctl", *map(str, words), "--config", str(config)])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 0

    def send(self, name: str, at: str) -> list[dict[str, str]]:
        instant = datetime.fromisoformat(at).astimezone(UTC)
        self.patch.setattr(clock, "now", lambda: instant)
        self.call("run", LIBRARY / f"{name}.yaml", "--yes", "--new-log")
        lines = (self.folder / ".remindctl" / "outbox.ndjson").read_text(encoding="utf-8")
        return [json.loads(each) for each in lines.splitlines()]

    def plan(self, name: str) -> list[dict[str, str]]:
        written = self.folder / "planned.ndjson"
        path = LIBRARY / f"{name}.yaml"
        self.call("run", path, "--dry-run", "--as-of", self.as_of, "--messages", written)
        lines = written.read_text(encoding="utf-8").splitlines()
        return [json.loads(each) for each in lines]


def test_a_second_win_back_goes_to_those_who_got_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = World("shopify", tmp_path, monkeypatch)
    first = {each["to"] for each in shop.send("winback-us", "2026-10-01T14:00-04:00")}
    second = [each for each in shop.plan("winback-us") if each["step"] == "day60"]
    assert second
    assert {each["to"] for each in second} <= first
    assert all("15% off" in each["text"] for each in second)


def test_a_coupon_that_was_given_is_remembered_before_it_expires(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = World("green", tmp_path, monkeypatch)
    given = " ".join(each["text"] for each in shop.send("welcome-back", "2026-10-19T16:30+09:00"))
    reminded = [re.findall(r"COMEBACK-\w+", each["text"]) for each in shop.plan("coupon-expires")]
    assert reminded
    assert all(code in given for (code,) in reminded)


def test_the_editors_schema_is_the_programs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in FILES:
        first = path.read_text(encoding="utf-8").splitlines()[0]
        assert first == "# yaml-language-server: $schema=schemas/campaign.json"
    monkeypatch.setattr(sys, "argv", ["remindctl", "schema", "campaign"])
    with pytest.raises(SystemExit):
        main()
    kept = (LIBRARY / "schemas" / "campaign.json").read_text(encoding="utf-8")
    assert json.loads(kept) == json.loads(capsys.readouterr().out)


def test_every_file_is_in_the_table() -> None:
    table = (LIBRARY / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| \[([\w-]+)\]\(\1\.yaml\)", table, re.MULTILINE)
    assert sorted(listed) == sorted(path.stem for path in FILES)
