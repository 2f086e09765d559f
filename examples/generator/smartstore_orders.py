"""The orders of 초록상점 and what became of every order line.

A line carries its whole history, so a download made at any instant shows the status of that
instant, as two downloads of the real shop do.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING

from examples.generator.market import Item, Product, Visit
from examples.generator.smartstore_shop import MARKET, PRODUCTS, SPOON, Buyer, buyers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

PLACEHOLDER_PHONE = "010-0000-0000"
COUNTED = ("결제완료", "발송대기", "배송중", "배송완료", "구매확정")  # the statuses of a purchase


@dataclass(frozen=True, slots=True)
class State:
    """What the shop shows for a line from ``since`` on; ``claimed`` = a claim on its quantity."""

    since: datetime
    status: str
    detail: str
    quantity: int
    claimed: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One order line with its history, oldest state first; money in won."""

    id: str
    product: Product
    option: str
    surcharge: int
    quantity: int
    discount: int
    states: tuple[State, ...]

    def at(self, instant: datetime) -> State:
        """Return the state that a download at ``instant`` shows."""
        return next(state for state in reversed(self.states) if state.since <= instant)

    def discount_of(self, quantity: int) -> int:
        """Return the discount on ``quantity`` pieces of the line."""
        return self.discount * quantity // self.quantity

    def total_of(self, quantity: int) -> int:
        """Return what ``quantity`` pieces of the line cost after the discount."""
        return (self.product.price + self.surcharge) * quantity - self.discount_of(quantity)


@dataclass(frozen=True, slots=True)
class Milestones:
    """When an order is paid, accepted, dispatched, delivered and closed if no claim comes."""

    paid: datetime
    accepted: datetime
    dispatched: datetime
    delivered: datetime
    closed: datetime


@dataclass(frozen=True, slots=True)
class Order:
    """One order; ``recipient`` and his phone and address are not the buyer's where it is a gift."""

    id: str
    buyer: Buyer
    buyer_name: str
    buyer_phone: str
    ordered_at: datetime
    gift: bool
    recipient: str
    recipient_phone: str
    address: tuple[str, str, str]
    milestones: Milestones | None  # None: never paid
    lines: tuple[Line, ...]

    @property
    def identified(self) -> bool:
        """Whether the order names a phone by which the buyer is known again."""
        return self.buyer_phone != PLACEHOLDER_PHONE and "*" not in self.buyer_phone


def orders() -> list[Order]:
    """Return every order of the period, oldest first; a few visits are split into two orders."""
    people = buyers()
    serials: dict[date, int] = {}
    found: list[Order] = []
    for visit in MARKET.visits():
        random = Random(f"green/orders/{visit.customer}/{visit.at:%Y%m%d}")
        split = len(visit.items) > 1 and random.random() < 0.1
        parts = (visit.items[:1], visit.items[1:]) if split else (visit.items,)
        for n, items in enumerate(parts):
            at = visit.at + timedelta(minutes=7 * n)
            if at > MARKET.closes:
                break
            serial = serials[at.date()] = serials.get(at.date(), 0) + random.randint(3, 90)
            found.append(_order(Visit(visit.customer, at, items), people, serial, random))
    return found


def _order(visit: Visit, people: list[Buyer], serial: int, random: Random) -> Order:
    buyer, day = people[visit.customer], visit.at.date()
    gift, elsewhere = random.random() < 0.06, random.random() < 0.08
    name, phone = buyer.name, buyer.phone(day)
    recipient, recipient_phone, address = name, phone, buyer.address
    if gift or elsewhere:
        # Often someone who shops here too: reading the recipient's phone would make two people one.
        other = random.choice(people)
        recipient, recipient_phone, address = other.name, other.phone(day), other.address
    if random.random() < 0.4:
        recipient_phone = f"0500-0{random.randrange(1, 1000):03d}-{random.randrange(10_000):04d}"
    if gift and random.random() < 0.08:
        recipient_phone = PLACEHOLDER_PHONE
    if gift and random.random() < 0.05:
        phone = PLACEHOLDER_PHONE
    elif random.random() < 0.002:
        name, phone = f"{name[0]}**", f"{phone[:9]}****"

    milestones = None if random.random() < 0.03 else _milestones(visit.at, random)
    return Order(
        id=f"{day:%Y%m%d}{serial * 10 + 50_000_001:08d}",
        buyer=buyer,
        buyer_name=name,
        buyer_phone=phone,
        ordered_at=visit.at,
        gift=gift,
        recipient=recipient,
        recipient_phone=recipient_phone,
        address=address,
        milestones=milestones,
        lines=tuple(_lines(visit, serial, milestones, random)),
    )


def _lines(
    visit: Visit, serial: int, milestones: Milestones | None, random: Random
) -> Iterator[Line]:
    day, items = visit.at.date(), list(visit.items)
    if items[0].product is PRODUCTS[0] and len(items) < 4 and random.random() < 0.08:
        items.append(Item(SPOON, 0, 1))
    for_free, cancelled = random.random() < 0.006, random.random() < 0.03
    for n, item in enumerate(items):
        option, surcharge = item.product.options[item.option]
        price = (item.product.price + surcharge) * item.quantity
        discount = _discount(price, on_sale=day in MARKET.sales, random=random)
        fate = "cancelled" if cancelled else _fate(item.quantity, random)
        yield Line(
            id=f"{day:%Y%m%d}{serial * 10 + n + 10_000_000:08d}",
            product=item.product,
            option=option,
            surcharge=surcharge,
            quantity=item.quantity,
            discount=price if for_free else discount,
            states=tuple(_states(visit.at, milestones, fate, item.quantity, random)),
        )


def _discount(price: int, *, on_sale: bool, random: Random) -> int:
    percent = 15 if on_sale else random.choices((0, 5, 10), (75, 10, 15))[0]
    return price * percent // 1000 * 10


def _milestones(ordered: datetime, random: Random) -> Milestones:
    def later(since: datetime, least: float, most: float) -> datetime:
        return since + timedelta(minutes=round(random.uniform(least, most) * 60))

    by_transfer = random.random() < 0.08
    paid = (
        later(ordered, 1, 30)
        if by_transfer
        else ordered + timedelta(seconds=random.randint(20, 120))
    )
    accepted = later(paid, 4, 20)
    dispatched = later(accepted, 5, 24)
    delivered = later(dispatched, 20, 60)
    return Milestones(paid, accepted, dispatched, delivered, later(delivered, 20, 24 * 8))


def _fate(quantity: int, random: Random) -> str:
    fates = {
        "cancelled": 1.2,
        "returned": 1.8,
        "exchanged": 0.9,
        "cancel withdrawn": 0.6,
        "return withdrawn": 0.6,
    }
    if quantity > 1:
        fates |= {"partly cancelled": 5, "returned in pieces": 2}
    kept = 100 - sum(fates.values())
    return random.choices(["kept", *fates], [kept, *fates.values()])[0]


def _states(
    ordered: datetime, passed: Milestones | None, fate: str, quantity: int, random: Random
) -> Iterator[State]:
    yield State(ordered, "결제대기", "결제대기", quantity)
    if passed is None:
        yield State(ordered + timedelta(days=3), "미결제취소", "미결제취소", quantity)
        return
    yield State(passed.paid, "결제완료", "신규주문", quantity)
    if fate == "cancelled":
        yield State(passed.accepted, "취소", "구매취소", quantity)
        return
    withdrawn = "취소철회" if fate == "cancel withdrawn" else ""
    claimed = fate == "partly cancelled"
    left = quantity - 1 if claimed else quantity
    yield State(passed.accepted, "발송대기", withdrawn or "발주확인", left, claimed)
    yield State(passed.dispatched, "배송중", withdrawn or "배송중", left, claimed)
    yield State(passed.delivered, "배송완료", withdrawn or "배송완료", left, claimed)
    claim = passed.delivered + timedelta(hours=random.randint(20, 150))
    if fate == "returned":
        yield State(claim, "반품", "반품완료", left)
    elif fate == "returned in pieces":
        yield State(claim, "반품", "반품완료", 0, claimed=True)
    elif fate == "exchanged":
        yield State(claim, "교환", "교환완료", left)
    else:
        withdrawn = withdrawn or ("반품철회" if fate == "return withdrawn" else "")
        yield State(passed.closed, "구매확정", withdrawn or "구매확정", left, claimed)
