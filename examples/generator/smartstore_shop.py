"""The invented shop 초록상점: its catalogue, its market and its buyers; money in won."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from examples.generator.market import Market, Product

SEOUL = ZoneInfo("Asia/Seoul")
CUSTOMERS = 800

_GRIND = (
    ("분쇄도: 홀빈", 0),
    ("분쇄도: 핸드드립용", 0),
    ("분쇄도: 에스프레소용", 0),
    ("분쇄도: 디카페인 홀빈", 2000),
)
_TASTE = (("맛: 연어", 0), ("맛: 오리", 1000))
_SCENT = (("향: 레몬", 0), ("향: 무향", 0))
PRODUCTS = (
    Product("8100000101", "CF-500", "초록 원두커피 500g", 18900, 28, 3.0, _GRIND),
    Product("8100000102", "CF-D20", "초록 드립백 커피 20개입", 14900, 24, 1.0),
    Product("8100000201", "DG-2K", "든든 강아지 사료 2kg", 32000, 35, 2.5, _TASTE),
    Product("8100000202", "CT-SND", "먼지 적은 고양이 모래 6L 3개", 27000, 30, 2.0),
    Product("8100000301", "VT-90", "하루한알 비타민 90정", 24900, 90, 1.6),
    Product("8100000302", "PB-30", "매일 유산균 30포", 29000, 30, 1.2),
    Product("8100000401", "HW-R2", "핸드워시 리필 500ml 2개", 11900, 45, 1.3, _SCENT),
    Product("8100000402", "LD-R2L", "세탁세제 리필 2L", 13900, 60, 1.0),
    Product("8100000403", "SB-100", "샴푸바 100g", 9900, 50, 0.8),
    Product("8100000404", "TB-4", "대나무 칫솔 4개입", 8900, 75, 0.6),
)
# An add-on of the coffee, never bought alone; it comes as an order line of its own.
SPOON = Product("8100000109", "CF-SPN", "계량스푼 (추가구성)", 1500, 999, 0.0)

MARKET = Market(
    name="green",
    zone=SEOUL,
    opens=date(2025, 5, 1),
    closes=datetime(2026, 10, 31, 8, 59, 59, tzinfo=SEOUL),
    customers=CUSTOMERS,
    products=PRODUCTS,
    sales=tuple(
        date.fromisoformat(day)
        for day in ("2025-09-25", "2025-11-10", "2026-02-05", "2026-06-18", "2026-09-17")
    ),
)


@dataclass(frozen=True, slots=True)
class Buyer:
    """One true customer; ``phones`` holds each number with the day from which it is used."""

    number: int
    name: str
    masked_id: str
    phones: tuple[tuple[date, str], ...]
    address: tuple[str, str, str]

    def phone(self, day: date) -> str:
        """Return the number in use on ``day``."""
        return next(phone for since, phone in reversed(self.phones) if since <= day)


def buyers() -> list[Buyer]:
    """Invent the buyers; a few share one phone, as couples do, and a few change their number.

    All numbers are 010-0xxx, a range that no operator hands out: when dialled without the 010 they
    would be taken for 070 and the like.
    """
    random = Random("green/buyers")
    numbers = random.sample(range(10_000, 10_000_000), CUSTOMERS * 2)
    phones = [f"010-0{number // 10_000:03d}-{number % 10_000:04d}" for number in numbers]
    found: list[Buyer] = []
    for n in range(CUSTOMERS):
        held = [(date.min, phones[n])]
        if n % 65 == 12:
            held.append(
                (date(2026, 4, 1) + timedelta(days=random.randrange(120)), phones[CUSTOMERS + n])
            )
        if n % 160 == 99:
            held = list(found[-1].phones)
        found.append(
            Buyer(n, person_name(random), _masked_id(random), tuple(held), _address(random))
        )
    return found


def person_name(random: Random) -> str:
    """Invent a name of three syllables."""
    surname = random.choice("강고권김노문박배서손송신안양오유윤이임장전정조차최한허황")
    return (
        surname
        + random.choice("가나다라마보새소아여예이자차하해")
        + random.choice("늘람래루리빛솔솜슬온울은찬")
    )


def _masked_id(random: Random) -> str:
    shown = "".join(random.choice("bdghjklmnprstwy") + random.choice("aeiou") for _ in range(2))
    return shown + "*" * random.randint(3, 8)


def _address(random: Random) -> tuple[str, str, str]:
    """Return an address of an invented town: base, detail, postcode (some with a leading zero)."""
    town = random.choice(
        ("초록시 새싹구", "초록시 이끼구", "푸른시 바람구", "푸른시 노을구", "들꽃군 샘물면")
    )
    street = random.choice(("나무로", "단풍길", "도토리길", "물결로", "솔방울길", "햇살로"))
    base = f"{town} {street} {random.randint(1, 240)}"
    detail = f"{random.randint(101, 120)}동 {random.randint(1, 20)}{random.randint(1, 4):02d}호"
    return base, detail, f"{random.randrange(1000, 9000):05d}"
