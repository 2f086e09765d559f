from __future__ import annotations

import glob
from datetime import date, time
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from remindctl.config import Secret, default_preset, find_config, load_config, warnings
from remindctl.errors import Place, Refused
from remindctl.model import Calendar, Cap, Ceiling, Channel, Policy, Span, Store, Window

if TYPE_CHECKING:
    from pathlib import Path

SMALLEST = """\
stores:
  green:
    name: 초록상점
    timezone: Asia/Seoul
    country: KR
    currency: KRW
    sources: {orders: orders.csv}
"""

FULL = """\
version: 1
log: postgresql://shop@db.example/log
key_file: keys/log
optouts: /var/optouts.db
stores:
  green:
    name: 초록상점
    timezone: Asia/Seoul
    country: KR
    currency: KRW
    url: https://shop.example
    sender: {phone: 0212345678, email: hello@shop.example, contact: 02-1234-5678, address: 서울}
    optout: {phone: 0808880000, url: "https://shop.example/optout?to={id}"}
    optouts: own.db
    sources:
      orders: [exports/**/*.xlsx, /data/*.csv]
      customers: customers.csv
      consents: consents.csv
      events: events*.csv
      coupons: coupons/*.csv
      password: ${SHOP_PASSWORD}
      layout: layouts/mine.yaml
    max_data_age: 36h
    explicit_consent_sources: [signup_form]
    segments: {big_spender: "spent >= 300000"}
    channels: {lms: solapi, email: mail, push: outbox}
    prices: {lms: 45, sms: 18.5}
    brand_message_targets: [M]
    policy:
      preset: EU
      existing_customers: 6_months
      hours: {sms: "08:00-20:00"}
      holidays: [2026-02-17]
      caps:
        - {max: 2, per: 7d}
        - {max: 1, per: 1d, channel: brand_message}
        - {max: 1, per: week, tag: t}
      holdout: 5%
      ceiling: {recipients: 5000, cost: 500000}
      attribution: 14d
providers:
  solapi: {type: solapi, api_key: "${KEY}", api_secret: "${SECRET}", sender: 0212345678, rate: 10,
           certificate: 2026-0017, sender_registered: true}
  mail: {type: smtp, host: smtp.example, port: 587, username: "${USER}", timeout: 10s,
         signing_domain: Shop.example}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "remindctl.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(path: Path) -> list[tuple[int, str, str]]:
    with pytest.raises(Refused) as refused:
        load_config(path)
    return [(p.place.line, p.what, p.hint) for p in refused.value.problems]


def test_a_store_of_five_keys_works_and_needs_no_account(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, SMALLEST))
    assert config.log == tmp_path / ".remindctl/log.db"
    assert config.key_file == tmp_path / ".remindctl/key"
    assert sorted(config.providers) == ["console", "feed", "outbox"]
    green = config.stores["green"]
    assert green.optouts == tmp_path / ".remindctl/optouts.db"
    assert green.sources.orders == (str(tmp_path / "orders.csv"),)
    assert (green.sources.layout, green.sources.password) == ("auto", None)
    assert green.store == Store(
        key="green",
        name="초록상점",
        timezone="Asia/Seoul",
        country="KR",
        currency="KRW",
        policy=Policy(preset="KR"),
    )


def test_every_documented_key_arrives(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, FULL))
    assert config.log == "postgresql://shop@db.example/log"
    assert config.key_file == tmp_path / "keys/log"
    green = config.stores["green"]
    assert green.optouts == tmp_path / "own.db"
    assert green.sources.orders == (str(tmp_path / "exports/**/*.xlsx"), "/data/*.csv")
    assert green.sources.coupons == (str(tmp_path / "coupons/*.csv"),)
    assert green.store.brand_targets == {"M"}
    assert green.sources.layout == str(tmp_path / "layouts/mine.yaml")
    assert green.segment_places == {"big_spender": Place(str(config.path), 25, 29)}
    store = green.store
    assert store.sender == {
        "phone": "0212345678",
        "email": "hello@shop.example",
        "contact": "02-1234-5678",
        "address": "서울",
    }
    assert store.optout == {"phone": "0808880000", "url": "https://shop.example/optout?to={id}"}
    assert store.providers == {
        Channel.LMS: "solapi",
        Channel.EMAIL: "mail",
        Channel.PUSH: "outbox",
    }
    assert store.prices == {Channel.LMS: Decimal(45), Channel.SMS: Decimal("18.5")}
    assert store.max_data_age == Span(seconds=36 * 3600)
    assert store.policy == Policy(
        preset="EU",
        existing_customers="6_months",
        hours={Channel.SMS: Window(time(8), time(20))},
        holidays=frozenset({date(2026, 2, 17)}),
        caps=(
            Cap(2, Span(days=7)),
            Cap(1, Span(days=1), channel=Channel.BRAND_MESSAGE),
            Cap(1, Calendar.WEEK, tag="t"),
        ),
        holdout=0.05,
        ceiling=Ceiling(5000, Decimal(500000)),
        attribution=Span(days=14),
    )
    solapi, mail = config.providers["solapi"], config.providers["mail"]
    assert (solapi.type, solapi.rate, mail.timeout) == ("solapi", 10.0, Span(seconds=10))
    assert (solapi.certificate, solapi.sender_registered) == ("2026-0017", True)
    assert mail.signing_domain == "shop.example"
    assert sorted(solapi.settings) == ["api_key", "api_secret", "sender"]
    assert mail.settings["username"] == Secret("USER", Place(str(config.path), 44, 63))


def test_a_secret_is_read_when_it_is_needed_and_never_shown(tmp_path: Path) -> None:
    password = load_config(write(tmp_path, FULL)).stores["green"].sources.password
    assert password is not None
    assert password.read({"SHOP_PASSWORD": "hunter2"}) == "hunter2"
    with pytest.raises(Refused, match="SHOP_PASSWORD is not set"):
        password.read({"SHOP_PASSWORD": ""})
    literal = FULL.replace("${SHOP_PASSWORD}", "hunter2").replace('"${SECRET}"', "hunter2")
    literal = literal.replace("address: 서울", 'address: "${ADDRESS}"')
    literal = literal.replace("shop@db", "shop:hunter2@db").replace('"${USER}"', '"a${USER}"')
    found = problems(write(tmp_path, literal))
    assert [(line, what.split(": ", 1)[1]) for line, what, _ in found] == [
        (2, "a secret may not stand in a file"),
        (12, "is not a secret, so no environment variable is read here"),
        (21, "a secret may not stand in a file"),
        (42, "a secret may not stand in a file"),
        (44, "${…} must be the whole value"),
    ]
    assert "hunter2" not in str(found)


def test_all_problems_come_together_with_a_way_out(tmp_path: Path) -> None:
    text = """\
lgo: x
stores:
  my shop: {}
  green:
    name: a
    timezone: asia/soul
    country: UK
    currency: won
    url: shop.example
    sender: {phone: 050-1234-5678, email: me}
    optout: {url: "http://shop.example"}
    sources: {}
    segments: {loyal: orders > 3}
    channels: {friend: x}
    policy: {holdout: 120%, caps: [{max: 0, per: 1d}]}
providers:
  a: {type: solapy, rate: 0, base_url: http://api.example}
  b: {type: webhook, base_url: http://127.0.0.1:8080}
"""
    assert problems(write(tmp_path, text)) == [
        (1, "unknown key `lgo`", "did you mean `log`?"),
        (3, "`country` is missing", ""),
        (3, "`currency` is missing", ""),
        (3, "`my shop`: 'my shop' is not a usable name", "up to 64 of A-Z a-z 0-9 가-힣 _ -"),
        (3, "`name` is missing", ""),
        (3, "`sources` is missing", ""),
        (3, "`timezone` is missing", ""),
        (6, "`timezone`: there is no time zone 'asia/soul'", "did you mean `Asia/Seoul`?"),
        (7, "`country`: 'UK' is not a country code", "did you mean `GB`?"),
        (8, "`currency`: 'won' is not a currency code", "did you mean `KRW`?"),
        (9, "`url`: 'shop.example' is not a web address", "https://shop.example"),
        (
            10,
            "`phone`: 050 numbers cannot send messages",
            "a number registered for sending, such as 02-… or 1588-…",
        ),
        (10, "`email`: 'me' is not an e-mail address", ""),
        (11, "`url`: plain http is only for this machine itself", "use https://"),
        (12, "`orders` is missing", ""),
        (13, "`loyal`: is the name of a built-in segment", "choose another name"),
        (
            14,
            "'friend' is not known here",
            "known: alimtalk, brand_message, email, lms, mms, onsite, push, sms, webhook",
        ),
        (15, "`holdout`: '120%' is not a percentage", "a number from 0 to 100 with its sign: 10%"),
        (15, "`max` should be greater than or equal to 1", ""),
        (17, "`type`: 'solapy' is no provider", "did you mean `solapi`?"),
        (17, "`rate` should be greater than 0", ""),
        (17, "`base_url`: plain http is only for this machine itself", "use https://"),
    ]


def test_a_channel_of_an_unknown_provider_is_refused_where_it_stands(tmp_path: Path) -> None:
    path = write(tmp_path, FULL.replace("lms: solapi", "lms: soalpi"))
    assert problems(path) == [
        (26, "`lms`: there is no provider 'soalpi'", "did you mean `solapi`?")
    ]


def test_the_search_goes_from_the_option_over_the_environment_upward(tmp_path: Path) -> None:
    inner = tmp_path / "shop" / "campaigns"
    inner.mkdir(parents=True)
    outside, shop = write(tmp_path, SMALLEST), write(tmp_path / "shop", SMALLEST)
    other = tmp_path / "other.yaml"
    other.write_text(SMALLEST, encoding="utf-8")
    campaign = inner / "a.yaml"
    assert find_config(other, {"REMINDCTL_CONFIG": str(shop)}, campaign, tmp_path) == other
    assert find_config(None, {"REMINDCTL_CONFIG": "shop/remindctl.yaml"}, None, tmp_path) == shop
    assert find_config(None, {}, campaign, tmp_path) == shop
    assert find_config(None, {}, None, inner.parent) == shop
    assert find_config(None, {}, None, tmp_path) == outside
    with pytest.raises(Refused, match="no such configuration file"):
        find_config(None, {"REMINDCTL_CONFIG": "gone.yaml"}, None, tmp_path)
    with pytest.raises(Refused) as refused:
        find_config(None, {}, None, tmp_path.parents[-1])
    assert "--config FILE" in refused.value.problems[0].hint
    with pytest.raises(Refused, match="cannot be read"):
        load_config(tmp_path)


def test_a_folder_named_like_a_pattern_still_finds_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "shop [2026]"
    folder.mkdir()
    (folder / "orders.csv").write_text("", encoding="utf-8")
    (pattern,) = load_config(write(folder, SMALLEST)).stores["green"].sources.orders
    found = glob.glob(pattern, recursive=True)  # noqa: PTH207 (the pattern is made for it)
    assert found == [str(folder / "orders.csv")]


def test_a_country_without_a_preset_of_its_own_gets_prior_consent() -> None:
    assert [default_preset(country) for country in ("KR", "US", "DE", "JP")] == [
        "KR",
        "US",
        "EU",
        "EU",
    ]


@pytest.mark.parametrize(
    ("country", "hours", "limit"),
    [
        ("KR", "{sms: 07:00-21:00}", "08:00-21:00"),
        ("KR", "{brand_message: 08:00-21:00}", "08:00-20:50"),
        ("KR", "{push: 20:00-24:00}", "08:00-21:00"),
        ("US", "{lms: 08:00-20:00}", "09:00-20:00"),
        ("FR", "{sms: 07:30-22:00}", "08:00-22:00"),
        ("DE", "{mms: 21:00-08:00}", "08:00-21:00"),
    ],
)
def test_own_hours_may_only_be_narrower_than_the_law(
    tmp_path: Path, country: str, hours: str, limit: str
) -> None:
    text = (
        SMALLEST.replace("country: KR", f"country: {country}") + f"    policy: {{hours: {hours}}}\n"
    )
    ((line, what, hint),) = problems(write(tmp_path, text))
    assert (line, what.partition(" is ")[2]) == (8, "wider than the law allows")
    assert hint == f"own hours may only be narrower than {limit}"
    narrow = text.replace(hours, "{sms: 10:00-18:00, email: 22:00-06:00, onsite: 00:00-23:59}")
    assert Channel.EMAIL in load_config(write(tmp_path, narrow)).stores["green"].store.policy.hours


def test_the_calendar_of_a_cap_and_the_place_in_an_optout_link_are_checked(tmp_path: Path) -> None:
    text = SMALLEST + (
        "    policy: {caps: [{max: 1, per: year}]}\n"
        '    optout: {url: "https://shop.example/{code}"}\n'
        "    brand_message_targets: [I]\n"
        "providers: {a: {type: smtp, signing_domain: shop, sender_registered: maybe}}\n"
    )
    assert [(line, what) for line, what, _ in problems(write(tmp_path, text))] == [
        (8, "`per`: 'year' is not a duration"),
        (9, "`url`: 'https://shop.example/{code}' has a place that is not known"),
        (10, "`brand_message_targets`: 'I' is not known here"),
        (11, "`signing_domain`: 'shop' is not a domain"),
        (11, "`sender_registered` must be true or false, not 'maybe'"),
    ]


def test_what_the_owner_should_know_of_providers_is_told_and_stops_nothing(tmp_path: Path) -> None:
    assert warnings(load_config(write(tmp_path, FULL))) == []
    text = FULL.replace("certificate: 2026-0017, sender_registered: true", "")
    text = text.replace("signing_domain: Shop.example", "signing_domain: other.example")
    found = warnings(load_config(write(tmp_path, text)))
    assert [(problem.place.line, problem.what) for problem in found] == [
        (42, "`solapi` has no certificate as a bulk sender (전송자격인증) noted"),
        (42, "the sending number is not marked as registered with `solapi`"),
        (44, "mail from shop.example is signed by `mail` as other.example"),
    ]
    assert all(problem.warning for problem in found)
    abroad = text.replace("country: KR", "country: DE").replace(
        "other.example", "mail.shop.example"
    )
    assert warnings(load_config(write(tmp_path, abroad))) == []
