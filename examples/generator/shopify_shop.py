"""The invented shop Green Goods: its catalogue, its market and its customers; money in cents.

Who is one person is known here, however many e-mail addresses or shop records that person has.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

from examples.generator.market import Market, Product

NEW_YORK = ZoneInfo("America/New_York")
CUSTOMERS = 800
SUBSCRIBERS = 40  # known to the shop, never bought
VENDOR = "Green Goods"

_GRIND = (("Whole Bean", 0), ("Filter", 0), ("Espresso", 0), ("Decaf", 150))
_TASTE = (("Salmon", 0), ("Duck", 200))
_SCENT = (("Lemon", 0), ("Unscented", 0))
PRODUCTS = (
    Product("901", "CF-12", "Morning Coffee 12 oz", 1690, 26, 3.0, _GRIND),
    Product("902", "TE-50", "Loose Leaf Tea 50 g", 1250, 40, 1.0),
    Product("903", "DG-5", "Dog Food 5 lb", 2899, 35, 2.4, _TASTE),
    Product("904", "CT-10", "Cat Litter 10 lb", 2199, 30, 1.8),
    Product("905", "VT-90", "Daily Vitamins 90 ct", 2450, 90, 1.6),
    Product("906", "PB-30", "Probiotics 30 ct", 2795, 30, 1.1),
    Product("907", "HW-16", "Hand Wash Refill 16 oz", 999, 45, 1.3, _SCENT),
    Product("908", "LD-64", "Laundry Refill 64 oz", 1575, 60, 1.1),
    Product("909", "SB-4", "Shampoo Bar", 1100, 50, 0.8),
    Product("910", "TB-4", "Bamboo Toothbrush 4-Pack", 895, 75, 0.6),
)
MARKET = Market(
    name="goods",
    zone=NEW_YORK,
    opens=date(2025, 5, 1),
    closes=datetime(2026, 10, 31, 8, 59, 59, tzinfo=NEW_YORK),
    customers=CUSTOMERS,
    products=PRODUCTS,
    sales=(date(2025, 7, 4), date(2025, 11, 28), date(2026, 4, 22), date(2026, 7, 4)),
)


class Area(NamedTuple):
    """Where a phone's area code lies; ``sales_tax`` in tenths of a percent."""

    code: str
    state: str
    state_name: str
    sales_tax: int


AREAS = (
    Area("206", "WA", "Washington", 100),
    Area("212", "NY", "New York", 80),
    Area("215", "PA", "Pennsylvania", 60),
    Area("303", "CO", "Colorado", 75),
    Area("305", "FL", "Florida", 70),
    Area("312", "IL", "Illinois", 90),
    Area("415", "CA", "California", 85),
    Area("503", "OR", "Oregon", 0),
    Area("512", "TX", "Texas", 82),
    Area("602", "AZ", "Arizona", 80),
    Area("617", "MA", "Massachusetts", 62),
)
_FIRST = [
    "Alder",
    "Ash",
    "Aspen",
    "Basil",
    "Briar",
    "Cedar",
    "Clover",
    "Dahlia",
    "Elm",
    "Fern",
    "Flora",
    "Hazel",
    "Heath",
    "Holly",
    "Iris",
    "Ivy",
    "Jasper",
    "Juniper",
    "Laurel",
    "Linden",
    "Maple",
    "Marigold",
    "Olive",
    "Poppy",
    "Reed",
    "Rosemary",
    "Rowan",
    "Rue",
    "Sage",
    "Sorrel",
    "Tansy",
    "Violet",
    "Willow",
    "Yarrow",
]
_LAST = [
    beginning + ending
    for beginning in [
        "Apple",
        "Brook",
        "Copper",
        "Dew",
        "Ember",
        "Frost",
        "Glen",
        "Harvest",
        "Lark",
        "Moss",
    ]
    for ending in ["bank", "dale", "field", "gate", "hurst", "ley", "mere", "wick"]
]
_STREETS = ("Fernleaf Lane", "Acorn Street", "Mill Race Road", "Thistle Court", "Old Orchard Way")
_TOWNS = ("Mossbrook", "Little Acre", "Pinehollow", "Sunny Fork", "Quill Harbor")


@dataclass(frozen=True, slots=True)
class Person:
    """One true customer; ``emails`` holds each address with the day from which it is used.

    ``phone`` is E.164 or empty. ``shy`` people gave no e-mail address at the checkout now and then.
    """

    number: int
    first_name: str
    last_name: str
    emails: tuple[tuple[date, str], ...]
    phone: str
    shy: bool
    wholesale: bool
    street: str
    town: str
    zip: str
    area: Area
    accepts_email: bool
    accepts_sms: bool

    @property
    def name(self) -> str:
        """The full name."""
        return f"{self.first_name} {self.last_name}"

    def email(self, day: date) -> str:
        """Return the address in use on ``day``, empty for people who never gave one."""
        return next((email for since, email in reversed(self.emails) if since <= day), "")


def people() -> list[Person]:
    """Invent the customers, then the subscribers.

    Phones are 555-0100 to 555-0199, which every area code keeps for fiction.
    """
    random = Random("goods/people")
    lines = random.sample(range(len(AREAS) * 100), CUSTOMERS + SUBSCRIBERS)
    found = []
    for n, line in enumerate(lines):
        area = AREAS[line // 100]
        first, last = random.choice(_FIRST), random.choice(_LAST)
        domain = random.choice(("example.com", "example.net", "example.org"))
        emails = [(date.min, f"{first}.{last}{n}@{domain}".lower())]
        shy, moved, phone_only = n % 40 == 7, n % 60 == 21, n % 29 == 5
        if moved:
            emails.append(
                (
                    date(2026, 3, 1) + timedelta(days=random.randrange(150)),
                    f"{first}{n}@example.org",
                )
            )
        has_phone = shy or moved or phone_only or random.random() < 0.7
        found.append(
            Person(
                number=n,
                first_name=first,
                last_name=last,
                emails=()
                if phone_only
                else tuple((since, email.lower()) for since, email in emails),
                phone=f"+1{area.code}55501{line % 100:02d}" if has_phone else "",
                shy=shy,
                wholesale=n % 70 == 33,
                street=f"{random.randint(1, 99)} {random.choice(_STREETS)}",
                town=random.choice(_TOWNS),
                zip=f"000{random.randrange(100):02d}",  # 000xx is given to no place
                area=area,
                accepts_email=not phone_only and random.random() < 0.6,
                accepts_sms=has_phone and random.random() < 0.35,
            )
        )
    return found
