"""What happened in the app and on the website of 초록상점 around the afternoon of 31 October 2026.

Made so that every event a reminder may count from finds people at 16:30: each :class:`Moment` says
what some people did, and how long before that.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

from examples.generator.smartstore_contacts import EVENT_COLUMNS
from examples.generator.smartstore_members import NOW, VISITORS, newcomers, visitor
from examples.generator.smartstore_shop import CUSTOMERS, PRODUCTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from examples.generator.market import Product
    from examples.generator.smartstore_contacts import Row
    from examples.generator.smartstore_members import Account

APP_EVENT_COLUMNS = (*EVENT_COLUMNS, "code")
UNTIL = NOW + timedelta(minutes=10)
HOUR, DAY = 60, 24 * 60

# Pieces left of each product that afternoon.
STOCK = dict(zip((p.id for p in PRODUCTS), (64, 41, 38, 55, 4, 29, 47, 33, 3, 5), strict=True))


@dataclass(frozen=True, slots=True)
class Moment:
    """Some people who all did one thing between two points of time.

    Attributes:
        minutes: how long before 16:30, from and to.
        people: how many.
        of: how they are known: ``account``, or ``device`` (a token whose owner another event
            names).
        what: which products it may be, all of them without.
        bought: the share of them who buy it ten minutes later.
    """

    event: str
    minutes: tuple[int, int]
    people: int
    of: str = "account"
    what: Callable[[Product], bool] | None = None
    bought: float = 0.0
    url: str = ""


def _nearly_gone(product: Product) -> bool:
    return STOCK[product.id] <= 5


MOMENTS = (
    Moment("visit", (1 * HOUR, 6 * DAY), 40, url="https://shop.example/events/autumn"),
    Moment("search", (2 * HOUR, 3 * HOUR), 10, url="https://shop.example/search?q=커피"),
    Moment("product_view", (185, 235), 15),
    Moment("product_view", (12, 58), 24, of="device"),
    Moment("wishlist", (2 * HOUR, 9 * DAY), 24, what=_nearly_gone),
    Moment("wishlist", (2 * HOUR, 5 * HOUR), 12, of="device", what=_nearly_gone),
    Moment("cart", (41, 59), 16, bought=0.2),
    Moment("cart", (41, 59), 8, what=_nearly_gone),
    Moment("cart", (1 * DAY + 5, 1 * DAY + 350), 18, bought=0.1),
    Moment("checkout", (60, 150), 12, bought=0.2),
    Moment("purchase", (1 * HOUR, 7 * HOUR), 14),
)  # fmt: skip


def app_events(known: Sequence[Account]) -> list[Row]:
    """Return every event, oldest first; half of the accounts with a device used it before."""
    devices = [account for account in known if account.token and account.number < CUSTOMERS]
    rows = [
        *_introductions(devices),
        *_visitors(),
        *_signups(),
        *(row for n, moment in enumerate(MOMENTS) for row in _happen(n, moment, known, devices)),
        *_glances(devices[0]),
    ]
    rows.sort(key=lambda row: (row["occurred_at"], row["event"]))
    return [row | {"event_id": f"app-{n:04d}"} for n, row in enumerate(rows)]


def _introductions(devices: Sequence[Account]) -> Iterator[Row]:
    """Yield the visits that tell whose each device is, and one of a device that was handed on."""
    for account in devices:
        random = Random(f"green/app/device/{account.number}")
        at = NOW - timedelta(minutes=random.randint(9 * DAY, 30 * DAY))
        yield _event("visit", at, customer_id=account.id, push_token=account.token)
    old, new = devices[:2]
    at = NOW - timedelta(days=8)
    yield _event("visit", at, customer_id=new.id, push_token=old.token)


def _visitors() -> Iterator[Row]:
    """Yield visits of people without an account, half an hour to an hour ago."""
    for n in range(VISITORS):
        at = NOW - timedelta(minutes=32 + n * 27 // VISITORS)
        home = "https://shop.example/"
        yield _event("visit", at, push_token=visitor(n), url=home)
        yield _event("product_view", at + timedelta(minutes=1), push_token=visitor(n)) | _product(
            PRODUCTS[n % len(PRODUCTS)]
        )


def _signups() -> Iterator[Row]:
    """Yield each newcomer's sign-up and its coupon; two had been visitors of the last hour."""
    for n, account in enumerate(newcomers()):
        token = visitor(n) if n < 2 else account.token
        who = {"customer_id": account.id, "phone": account.phone, "push_token": token}
        code = f"HELLO-{account.number:04d}"
        yield _event("signup", account.signed_up, **who)
        yield _event("signup_coupon", account.signed_up + timedelta(seconds=1), code=code, **who)
        if n % 6 == 5:
            yield _event("coupon_used", account.signed_up + timedelta(minutes=10), code=code, **who)


def _happen(
    number: int, moment: Moment, known: Sequence[Account], devices: Sequence[Account]
) -> Iterator[Row]:
    random = Random(f"green/app/{number}/{moment.event}")
    bought_before = [account for account in known if account.number < CUSTOMERS]
    for account in random.sample(
        bought_before if moment.of == "account" else devices, moment.people
    ):
        at = NOW - timedelta(minutes=random.randint(*moment.minutes))
        who = (
            {"customer_id": account.id} if moment.of == "account" else {"push_token": account.token}
        )
        fields: Row = {"url": moment.url}
        if not moment.url:
            fields = _product(random.choice([p for p in PRODUCTS if (moment.what or bool)(p)]))
        if moment.event in ("cart", "checkout", "purchase"):
            fields["cart_id"] = f"app-cart-{number:02d}-{account.number:04d}"
            fields["quantity"] = str(random.randint(1, 2))
        yield _event(moment.event, at, **who) | fields
        if random.random() < moment.bought:
            yield _event("purchase", at + timedelta(minutes=10), **who) | fields


def _glances(account: Account) -> Iterator[Row]:
    """Yield a look at every product just before 16:30, which tells how many of each are left."""
    for n, product in enumerate(PRODUCTS):
        at = NOW - timedelta(minutes=3, seconds=-n)
        yield _event("product_view", at, customer_id=account.id) | _product(product)


def _event(name: str, at: datetime, **fields: str) -> Row:
    return {"event": name, "occurred_at": at.isoformat(timespec="seconds"), **fields}


def _product(product: Product) -> Row:
    return {
        "product_id": product.id,
        "product": product.name,
        "url": f"https://shop.example/products/{product.id}",
        "price": str(product.price),
        "stock": str(STOCK[product.id]),
    }
