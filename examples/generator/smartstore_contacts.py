"""What 초록상점 keeps beside its orders: consents and visitors' events.

Smartstore has no download for either: they are the shop's own lists.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import StringIO
from random import Random
from typing import TYPE_CHECKING

from examples.generator.smartstore_shop import PRODUCTS, SEOUL, buyers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from examples.generator.smartstore_orders import Order

CONSENT_COLUMNS = [
    "phone",
    "email",
    "customer_id",
    "channel",
    "purpose",
    "granted",
    "at",
    "night",
    "source",
    "wording",
    "notice_sent_at",
]
EVENT_COLUMNS = [
    "event",
    "occurred_at",
    "event_id",
    "cart_id",
    "phone",
    "email",
    "customer_id",
    "push_token",
    "product_id",
    "product",
    "url",
    "price",
    "quantity",
    "stock",
]

EVENTS_UNTIL = datetime(2026, 10, 31, 16, 40, tzinfo=SEOUL)
EVENT_DAYS = 10
SESSIONS = 220

Row = dict[str, str]


def table(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> bytes:
    """Return a csv as Excel likes it: UTF-8 with BOM, CRLF."""
    text = StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("utf-8-sig")


def consents(orders: Iterable[Order]) -> list[Row]:
    """Return the consent list, oldest statement first, undated ones last.

    ``orders`` are taken oldest first: people consent just before their first one.
    """
    rows = [row for order in first_orders(orders) for row in statements(*member(order))]
    return sorted(rows, key=lambda row: (row["at"] == "", row["at"], row["phone"]))


def first_orders(orders: Iterable[Order]) -> list[Order]:
    """Return the first order of each buyer; ``orders`` are taken oldest first."""
    joined: dict[int, Order] = {}
    for order in orders:
        joined.setdefault(order.buyer.number, order)
    return list(joined.values())


@dataclass(frozen=True, slots=True)
class Member:
    """One buyer as the shop's lists knows him: how he is written there, and where he consented."""

    random: Random
    phone: str
    email: str
    source: str

    def said(
        self, channel: str, at: datetime | None, *, granted: bool = True, source: str | None = None
    ) -> Row:
        """Return one statement; without ``at`` nobody knows when it was made."""
        asked_for_night = granted and channel != "email"
        return {
            "phone": self.phone,
            "email": self.email if channel == "email" else "",
            "channel": channel,
            "purpose": "advertising",
            "granted": "yes" if granted else "no",
            "at": at.isoformat(timespec="seconds") if at else "",
            "night": "yes" if asked_for_night and self.random.random() < 0.12 else "no",
            "source": source or self.source,
            "wording": f"ad-{'2026-01' if at and at.year == 2026 else '2024-05'}"
            if granted
            else "",
            "notice_sent_at": self._notified(at) if at else "",
        }

    def said_on_texts(self, at: datetime) -> Iterator[Row]:
        """Yield a grant for text messages and what came after it."""
        dated = at if self.random.random() < 0.97 else None
        # The order page asks for each channel; the other forms ask for "text messages".
        for channel in ("sms", "lms") if self.source == "order_page" else ("text",):
            yield self.said(channel, dated)
        if dated is None or self.random.random() >= 0.07:
            return
        refused = self._later(dated)
        yield self.said("text", refused, granted=False, source="stop_080")
        if self.random.random() < 0.35:  # a later grant on the form lifts the refusal
            yield self.said("text", self._later(refused), source="signup_form")
        elif self.random.random() < 0.35:  # an undated one does not
            yield self.said("text", None, source="old_list")

    def _later(self, at: datetime) -> datetime:
        return at + (EVENTS_UNTIL - at) * self.random.uniform(0.1, 0.9)

    def _notified(self, at: datetime) -> str:
        """Return when the shop confirmed a statement or, after two years, reminded of it."""
        if self.random.random() < 0.1:
            return ""
        days = 715 if at.year < 2025 and self.random.random() < 0.5 else self.random.randint(1, 10)
        sent = at + timedelta(days=days)
        return sent.isoformat(timespec="seconds") if sent < EVENTS_UNTIL else ""


def member(order: Order) -> tuple[Member, datetime]:
    """Return who placed his first order, and when he signed up."""
    buyer = order.buyer
    random = Random(f"green/consents/{buyer.number}")
    signed_up = order.ordered_at - timedelta(minutes=random.randint(2, 20))
    if random.random() < 0.03:
        # From before the period, so that the notice due every two years has come up.
        signed_up = datetime(2024, 6, 1, 14, tzinfo=SEOUL) + timedelta(hours=random.randrange(2880))
    domain = random.choice(("example.com", "example.net", "example.org"))
    found = Member(
        random=random,
        phone=_written(buyer.phones[0][1], random),
        email=f"buyer{buyer.number:03d}@{domain}",
        source=random.choices(("signup_form", "order_page", "paper_form"), (60, 30, 10))[0],
    )
    return found, signed_up


def statements(member: Member, signed_up: datetime) -> Iterator[Row]:
    """Yield what one buyer said about advertising, channel by channel."""
    random = member.random
    if random.random() < 0.62:
        yield from member.said_on_texts(signed_up)
    elif random.random() < 0.15:
        yield member.said("text", signed_up, granted=False)
    if random.random() < 0.42:
        yield member.said("kakao", signed_up)
    if random.random() < 0.3:
        yield member.said("email", signed_up)


def _written(phone: str, random: Random) -> str:
    """Return a phone in one of the ways in which shops' own lists hold it."""
    digits = phone.replace("-", "")
    ways = (
        phone,
        digits,
        f"+82 {phone[1:]}",
        digits[1:],
    )  # the last one went through Excel as a number
    return random.choices(ways, (70, 20, 7, 3))[0]


def events() -> list[Row]:
    """Return the website's events of the last days, some of visitors known by a device only."""
    people = buyers()
    rows: list[Row] = []
    for session in range(SESSIONS):
        random = Random(f"green/events/{session}")
        at = EVENTS_UNTIL - timedelta(seconds=random.randrange(EVENT_DAYS * 24 * 3600))
        who = (
            {"push_token": f"example-push-token-{session:04d}"}
            if random.random() < 0.25
            else {"phone": random.choice(people).phone(at.date())}
        )
        rows.extend(_session(session, at, who, random))
    rows.sort(key=lambda row: (row["occurred_at"], row["event_id"]))
    return rows


def _session(session: int, at: datetime, who: Row, random: Random) -> Iterator[Row]:
    product = random.choice(PRODUCTS)
    viewed = {
        "product_id": product.id,
        "product": product.name,
        "url": f"https://shop.example/products/{product.id}",
        "price": str(product.price),
        "stock": str(random.choice((3, 5, 12, 40, 120))),
    }
    cart = {"cart_id": f"cart-{session:04d}", "quantity": str(random.randint(1, 2))}
    stages: list[tuple[str, float, Row]] = [
        ("visit", 1.0, {"url": "https://shop.example/"}),
        ("signup", 0.06, {}),
        ("product_view", 0.85, viewed),
        ("wishlist", 0.2, viewed),
        ("cart", 0.5, viewed | cart),
        ("checkout", 0.4, viewed | cart),
    ]
    reached_cart = False
    for n, (event, chance, fields) in enumerate(stages):
        if event == "signup" and "push_token" in who:
            continue
        if random.random() >= chance or (event == "checkout" and not reached_cart):
            continue
        reached_cart = reached_cart or event == "cart"
        at += timedelta(seconds=random.randint(5, 90))
        if at > EVENTS_UNTIL:
            return
        yield {
            "event": event,
            "occurred_at": at.isoformat(timespec="seconds"),
            "event_id": f"ev-{session:04d}-{n}",
            **who,
            **fields,
        }
