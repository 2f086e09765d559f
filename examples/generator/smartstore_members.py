"""Who has an account at 초록상점, on which devices, and what was agreed to there.

Most buyers have one; a few people signed up these days and have bought nothing yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

from examples.generator.smartstore_contacts import CONSENT_COLUMNS, first_orders, member
from examples.generator.smartstore_shop import CUSTOMERS, SEOUL, buyers, person_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from examples.generator.smartstore_contacts import Row
    from examples.generator.smartstore_orders import Order

MEMBER_COLUMNS = (
    "customer_id", "phone", "email", "name", "signed_up_at", "timezone", "birthday", "tier",
    "points",
)  # fmt: skip
APP_CONSENT_COLUMNS = (*CONSENT_COLUMNS, "push_token")

NOW = datetime(2026, 10, 31, 16, 30, tzinfo=SEOUL)
# Hours before now at which the newcomers signed up, the latest first.
_JOINED = (
    0.3,
    0.4,
    0.6,
    0.8,
    1.1,
    1.5,
    2,
    3,
    4,
    6,
    20,
    23,
    25,
    27,
    30,
    46,
    49,
    52,
    70,
    74,
    99,
    150,
)
VISITORS = 16  # devices of people who never signed up


@dataclass(frozen=True, slots=True)
class Account:
    """One account; ``token`` is that of the device with the shop's app, empty without one."""

    number: int
    phone: str
    email: str
    name: str
    signed_up: datetime
    born: date | None
    timezone: str = ""

    @property
    def id(self) -> str:
        """The shop's own name of the account."""
        return f"m-{self.number:04d}"

    @property
    def token(self) -> str:
        """The push token of the device with the shop's app, empty without one."""
        return f"example-app-token-{self.number:04d}" if self.number % 4 == 1 else ""


def accounts(orders: Iterable[Order]) -> list[Account]:
    """Return the accounts of buyers (four of five have one), then those of the newcomers."""
    return [*_of_buyers(orders), *newcomers()]


def _of_buyers(orders: Iterable[Order]) -> Iterator[Account]:
    for order in first_orders(orders):
        number = order.buyer.number
        if number % 5:
            known, signed_up = member(order)
            yield Account(
                number,
                order.buyer.phone(NOW.date()),
                known.email,
                order.buyer.name,
                signed_up,
                _born(number),
                # Two who moved away and still order for their parents.
                "America/Los_Angeles" if number in (201, 602) else "",
            )


def newcomers() -> list[Account]:
    """Return the people who signed up these days, the latest first."""
    taken = {phone for buyer in buyers() for _, phone in buyer.phones}
    found = []
    for n, hours in enumerate(_JOINED):
        number, random = CUSTOMERS + n, Random(f"green/newcomers/{n}")
        phone = next(p for p in _phones(random) if p not in taken)
        taken.add(phone)
        found.append(
            Account(
                number,
                phone,
                f"newcomer{n:02d}@example.com",
                person_name(random),
                NOW - timedelta(hours=hours),
                _born(number),
            )
        )
    return found


def _phones(random: Random) -> Iterator[str]:
    while True:
        number = random.randrange(10_000, 10_000_000)
        yield f"010-0{number // 10_000:03d}-{number % 10_000:04d}"


def _born(number: int) -> date | None:
    """Return a birthday; some fall on these very days, one on a leap day."""
    random = Random(f"green/birthdays/{number}")
    if number == 401:
        return date(1992, 2, 29)
    if random.random() < 0.1:
        return None
    born = date(1955, 1, 1) + timedelta(days=random.randrange(365 * 50))
    soon = {13: (10, 31), 26: (11, 3), 39: (11, 7)}.get(number % 65)
    return born.replace(month=soon[0], day=soon[1]) if soon else born


def member_rows(known: Iterable[Account]) -> Iterator[Row]:
    """Yield the shop's own list of its members."""
    for account in known:
        random = Random(f"green/members/{account.number}")
        yield {
            "customer_id": account.id,
            "phone": account.phone,
            "email": account.email,
            "name": account.name,
            "signed_up_at": account.signed_up.isoformat(timespec="seconds"),
            "timezone": account.timezone,
            "birthday": account.born.isoformat() if account.born else "",
            "tier": random.choices(("새싹", "잎새", "나무"), (60, 30, 10))[0],
            "points": str(random.randrange(0, 900) * 10),
        }


def app_consents(known: Iterable[Account]) -> list[Row]:
    """Return who allowed notifications on a device, and what the newcomers agreed to."""
    rows = []
    for account in known:
        random = Random(f"green/app/consents/{account.number}")
        if account.token and random.random() < 0.7:
            at = account.signed_up + timedelta(hours=random.randint(1, 90))
            rows.append(_push(account.token, min(at, NOW), granted=True))
            if random.random() < 0.08:
                rows.append(_push(account.token, NOW - timedelta(days=2), granted=False))
        if account.number >= CUSTOMERS:
            for channel, chance in (("text", 0.7), ("kakao", 0.6), ("email", 0.6)):
                if random.random() < chance:
                    rows.append(_agreed(account, channel))
    # A quarter of the browsers never asked; one was told no.
    rows += [
        _push(visitor(n), NOW - timedelta(minutes=70 + n), granted=n != 5)
        for n in range(VISITORS)
        if n % 4 != 3
    ]
    return sorted(rows, key=lambda row: (row["at"], row.get("push_token", ""), row["channel"]))


def visitor(number: int) -> str:
    """Return the push token of a browser whose user never signed up."""
    return f"example-web-token-{number:04d}"


def _push(token: str, at: datetime, *, granted: bool) -> Row:
    return _said("push", at, granted=granted) | {"push_token": token, "source": "device"}


def _agreed(account: Account, channel: str) -> Row:
    address = {"email": account.email} if channel == "email" else {"phone": account.phone}
    return _said(channel, account.signed_up, granted=True) | {"source": "signup_form"} | address


def _said(channel: str, at: datetime, *, granted: bool) -> Row:
    return {
        "channel": channel,
        "purpose": "advertising",
        "granted": "yes" if granted else "no",
        "at": at.isoformat(timespec="seconds"),
        "night": "no",
        "wording": "ad-2026-01" if granted else "",
        "notice_sent_at": at.isoformat(timespec="seconds") if granted else "",
    }
