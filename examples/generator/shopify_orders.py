"""The orders and abandoned checkouts of Green Goods; money in cents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

from examples.generator.market import Item
from examples.generator.shopify_shop import MARKET, NEW_YORK, PRODUCTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from examples.generator.shopify_shop import Person

WALK_INS = 2  # sales at a market stall, to nobody in particular
CHECKOUTS, RECENT_CHECKOUTS = 70, 16
# The checkouts were downloaded later than the orders.
EXPORTED = datetime(2026, 10, 31, 13, 30, tzinfo=NEW_YORK)


@dataclass(frozen=True, slots=True)
class Sale:
    """One order as it was placed, and what became of it.

    ``fate`` is paid, pending, voided, expired, cancelled, refunded, partially_refunded or abandoned
    (a checkout that never became an order).
    """

    number: int
    person: Person | None
    recipient: Person | None
    at: datetime
    items: tuple[Item, ...]
    email: str
    codes: tuple[str, ...]
    discount: int
    shipping: int
    fate: str

    @property
    def subtotal(self) -> int:
        """The goods, after discounts."""
        return sum(unit_price(item) * item.quantity for item in self.items) - self.discount

    @property
    def taxes(self) -> int:
        """Sales tax on the goods, not part of their prices."""
        rate = self.person.area.sales_tax if self.person else 0
        return round(self.subtotal * rate / 1000)

    @property
    def total(self) -> int:
        """All that is to be paid."""
        return self.subtotal + self.shipping + self.taxes

    @property
    def refunded(self) -> int:
        """What was paid back: all, a part of the first line's goods, or nothing."""
        if self.fate == "refunded":
            return self.total
        if self.fate != "partially_refunded":
            return 0
        return min(self.subtotal, unit_price(self.items[0])) // 2

    @property
    def counts(self) -> bool:
        """Whether it is a purchase."""
        return self.fate in {"paid", "partially_refunded"}


def unit_price(item: Item) -> int:
    """Return the price of one piece with its option."""
    return item.product.price + item.product.options[item.option][1]


def sales(known: Sequence[Person]) -> list[Sale]:
    """Return every order of the period, oldest first; a few visits are split into two orders."""
    placed: list[tuple[datetime, Person | None, tuple[Item, ...]]] = []
    for visit in MARKET.visits():
        random = Random(f"goods/split/{visit.customer}/{visit.at:%Y%m%d}")
        split = len(visit.items) > 1 and random.random() < 0.1
        parts = (visit.items[:1], visit.items[1:]) if split else (visit.items,)
        for n, items in enumerate(parts):
            at = visit.at + timedelta(minutes=6 * n)
            if at <= MARKET.closes:
                placed.append((at, known[visit.customer], items))
    for n in range(WALK_INS):
        at = datetime(2026, 6, 13 + 7 * n, 11, 20, tzinfo=NEW_YORK)
        placed.append((at, None, (Item(PRODUCTS[8], 0, 1 + n),)))
    placed.sort(key=lambda order: order[0])
    return [_sale(1001 + n, *order, known) for n, order in enumerate(placed)]


def _sale(
    number: int,
    at: datetime,
    person: Person | None,
    items: tuple[Item, ...],
    known: Sequence[Person],
) -> Sale:
    random = Random(f"goods/sale/{number}")
    if person and person.wholesale:
        items = tuple(Item(item.product, item.option, item.quantity * 12) for item in items)
    goods = sum(unit_price(item) * item.quantity for item in items)
    codes, discount = _discount(goods, on_sale=at.date() in MARKET.sales, random=random)
    email = person.email(at.date()) if person else ""
    if person and person.shy and random.random() < 0.5:
        email = ""
    elif random.random() < 0.06:
        email = email.title()  # the same address to a mail server, another one to a careless reader
    fate = random.choices(
        ("paid", "partially_refunded", "refunded", "cancelled", "voided", "expired"),
        (91.2, 3.2, 3.2, 1.4, 0.7, 0.3),
    )[0]
    if at > MARKET.closes - timedelta(days=3) and random.random() < 0.2:
        fate = "pending"
    if person is None or discount == goods:
        fate = "paid"
    free_shipping = goods >= 4000 or "FREESHIP" in codes or person is None or discount == goods
    return Sale(
        number=number,
        person=person,
        recipient=random.choice(known) if person and random.random() < 0.07 else person,
        at=at,
        items=items,
        email=email,
        codes=codes,
        discount=discount,
        shipping=0 if free_shipping else 595,
        fate=fate,
    )


def _discount(goods: int, *, on_sale: bool, random: Random) -> tuple[tuple[str, ...], int]:
    if random.random() < 0.006:
        return ("SORRY100",), goods
    codes: dict[str, int] = {}
    if on_sale:
        codes["SALE15"] = 15
    if random.random() < 0.12:
        codes[random.choice(("WELCOME10", "THANKS10", "REFILL10"))] = 10
    if random.random() < 0.02:
        codes["FREESHIP"] = 0
    return tuple(codes), goods * sum(codes.values()) // 100


def abandoned(known: Sequence[Person]) -> list[Sale]:
    """Return checkouts of the last weeks that were never paid, oldest first.

    The last days have some more, of people who may be written to about them.
    """
    random = Random("goods/abandoned")
    found = [
        _checkout(n, random.choice(known), random.randrange(60 * 24 * 3600), MARKET.closes, random)
        for n in range(CHECKOUTS)
    ]
    reachable = [person for person in known if person.accepts_email or person.accepts_sms]
    found += [
        _checkout(n, random.choice(reachable), random.randrange(4 * 24 * 3600), EXPORTED, random)
        for n in range(CHECKOUTS, CHECKOUTS + RECENT_CHECKOUTS)
    ]
    return sorted(found, key=lambda sale: sale.at)


def _checkout(n: int, person: Person, seconds_before: int, until: datetime, random: Random) -> Sale:
    at = until - timedelta(seconds=seconds_before)
    products = random.sample(PRODUCTS, random.choice((1, 1, 2, 3)))
    items = tuple(Item(product, random.randrange(len(product.options)), 1) for product in products)
    return Sale(
        number=31_000_000_000_000 + n * 1_237_911,
        person=person,
        recipient=person,
        at=at,
        items=items,
        email=person.email(at.date()),
        codes=(),
        discount=0,
        shipping=595,
        fate="abandoned",
    )
