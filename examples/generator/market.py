"""Who buys what and when in an invented market: refills, habits, churn, hours, growth, sales.

Every number is drawn from a generator seeded with the market's name and the customer's number, so a
change to one customer leaves the others as they are, and no clock is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import accumulate
from math import ceil
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from zoneinfo import ZoneInfo

# Orders by hour of the day: quiet nights, a first peak after lunch, a higher one in the evening.
HOURS = (2, 1, 1, 0, 0, 1, 2, 3, 5, 7, 9, 10, 9, 12, 13, 12, 10, 8, 8, 10, 13, 15, 12, 6)
# New customers by month of the year, January first.
MONTHS = (1.1, 0.9, 1.0, 1.0, 1.1, 0.9, 0.8, 0.8, 1.0, 1.1, 1.4, 1.2)

LEAVES_AFTER_FIRST = 0.46  # chance that a first order is the last
FORGOT_SOMETHING = 0.04  # chance that a first order is followed by another within three days
ADOPTS = 0.12  # chance per visit that a customer takes up one more product for good
IMPULSE = 0.13  # chance per visit that something is bought just once
BASKET_LINES = 4
FETCH_AHEAD = timedelta(days=4)  # what is due soon goes into the same basket
SALE_PULL = timedelta(days=8)  # a purchase due this long after a sale is made on the sale


@dataclass(frozen=True, slots=True)
class Product:
    """One product with its refill rhythm.

    Attributes:
        code: the shop's own code (sku).
        price: in the smallest unit of the currency.
        refill_days: median days until one unit is used up.
        share: weight among the first products that new customers buy.
        options: the option texts to choose from, each with its surcharge.
    """

    id: str
    code: str
    name: str
    price: int
    refill_days: int
    share: float
    options: tuple[tuple[str, int], ...] = (("", 0),)


@dataclass(frozen=True, slots=True)
class Item:
    """A product as it stands in a basket; ``option`` indexes ``product.options``."""

    product: Product
    option: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Visit:
    """One purchase occasion: at most one per customer and day."""

    customer: int
    at: datetime
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Market:
    """What is simulated: a catalogue, a period in a zone, and a number of customers."""

    name: str
    zone: ZoneInfo
    opens: date
    closes: datetime
    customers: int
    products: tuple[Product, ...]
    sales: tuple[date, ...]

    def visits(self) -> list[Visit]:
        """Return every visit of every customer up to ``closes``, in the order they happen."""
        days = [
            self.opens + timedelta(days=n)
            for n in range((self.closes.date() - self.opens).days + 1)
        ]
        weights = [
            (1 + 1.3 * n / len(days)) * MONTHS[day.month - 1] * (1.8 if day in self.sales else 1)
            for n, day in enumerate(days)
        ]
        cumulated = list(accumulate(weights))
        found: list[Visit] = []
        for customer in range(self.customers):
            random = Random(f"{self.name}/visits/{customer}")
            # A last joiner of this morning may draw an hour that has not come yet: draw again.
            while True:
                joined = random.choices(days, cum_weights=cumulated)[0]
                visits = list(self._life(customer, joined, random))
                if visits:
                    break
            found.extend(visits)
        return sorted(found, key=lambda visit: (visit.at, visit.customer))

    def _life(self, customer: int, joined: date, random: Random) -> Iterator[Visit]:
        """Yield the visits of one customer who first buys on ``joined``."""
        pace = random.lognormvariate(0, 0.25)  # some people drink more coffee than others
        home_hour = random.choices(range(24), HOURS)[0]
        leaves = random.betavariate(1.2, 7)
        day, first = joined, True
        due = {self._pick(random, self.products): day}
        while True:
            at = self._at(day, home_hour, random)
            if at > self.closes:
                return
            items = []
            ahead = day + (SALE_PULL if day in self.sales else FETCH_AHEAD)
            for product in sorted((p for p in due if due[p] <= ahead), key=lambda p: p.id):
                item = _item(product, random)
                items.append(item)
                days = product.refill_days * item.quantity * pace * random.lognormvariate(0, 0.22)
                due[product] = day + timedelta(days=max(2, ceil(days)))
            others = [product for product in self.products if product not in due]
            if random.random() < IMPULSE:
                items.append(_item(self._pick(random, others), random))
            yield Visit(customer, at, tuple(items[:BASKET_LINES]))

            if first and random.random() < FORGOT_SOMETHING:
                due[self._pick(random, others)] = day + timedelta(days=random.randint(1, 3))
            elif random.random() < (LEAVES_AFTER_FIRST if first else leaves):
                return
            elif len(due) < 3 and random.random() < ADOPTS:
                due[self._pick(random, others)] = min(due.values())
            day, first = self._next_day(day, min(due.values())), False

    def _next_day(self, day: date, due: date) -> date:
        """Move a purchase that is due shortly after a sale forward to the sale."""
        return next(
            (sale for sale in self.sales if day + FETCH_AHEAD < sale <= due <= sale + SALE_PULL),
            due,
        )

    def _at(self, day: date, home_hour: int, random: Random) -> datetime:
        habitual = random.random() < 0.6
        hour = home_hour if habitual else random.choices(range(24), HOURS)[0]
        return datetime.combine(
            day, time(hour, random.randrange(60), random.randrange(60)), tzinfo=self.zone
        )

    @staticmethod
    def _pick(random: Random, products: Sequence[Product]) -> Product:
        return random.choices(products, [product.share for product in products])[0]


def _item(product: Product, random: Random) -> Item:
    quantity = random.choices((1, 2, 3), (84, 13, 3))[0]
    return Item(product, random.randrange(len(product.options)), quantity)
