"""A store in frames, made one person at a time, for tests of the line from frames to a plan."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import polars as pl

from remindctl.frames import (
    ADDRESSES,
    CONSENTS,
    COUPONS,
    CUSTOMERS,
    EVENTS,
    HISTORY,
    ORDERS,
    SUPPRESSIONS,
    Addresses,
    Consents,
    Coupons,
    Customers,
    Events,
    History,
    Orders,
    Snapshot,
    Suppressions,
    conform,
)
from remindctl.model import (
    Campaign,
    Channel,
    Due,
    Leg,
    Policy,
    Purpose,
    Span,
    State,
    Step,
    Store,
    Variant,
)
from remindctl.plan import Desk, Plan, describe, desks_for, plan

# 16:30 in Seoul, 30 days after the orders of most people here.
NOW = datetime(2025, 6, 30, 7, 30, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=90)


def store(**policy: object) -> Store:
    more = {"preset": "KR", **policy}
    return Store(
        key="green",
        name="초록상점",
        timezone="Asia/Seoul",
        country="KR",
        currency="KRW",
        sender={"phone": "0212345678", "contact": "02-1234-5678"},
        optout={"phone": "0808880000", "url": "https://shop.example/optout"},
        prices={Channel.SMS: Decimal(18), Channel.BRAND_MESSAGE: Decimal(15)},
        policy=Policy(**more),  # type: ignore[arg-type]
    )


def campaign(**more: object) -> Campaign:
    values: dict[str, object] = {
        "name": "winback",
        "purpose": Purpose.ADVERTISING,
        "steps": (step(),),
        **more,
    }
    return Campaign(**values)  # type: ignore[arg-type]


def step(
    name: str = "day30", *, channels: tuple[Channel, ...] = (Channel.SMS,), **due: object
) -> Step:
    rule: dict[str, object] = {
        "after": "last_order",
        "wait": Span(days=30),
        "within": Span(days=7),
        **due,
    }
    legs = tuple(Leg(channel=channel, text="{{ name }}님, 다시 만나요") for channel in channels)
    return Step(id=name, due=Due(**rule), variants=(Variant(legs=legs),))  # type: ignore[arg-type]


class World:
    """A store's frames, one person at a time."""

    def __init__(self) -> None:
        self.people: list[dict[str, object]] = []
        self.addresses: list[dict[str, object]] = []
        self.orders: list[dict[str, object]] = []
        self.consents: list[dict[str, object]] = []
        self.suppressions: list[dict[str, object]] = []
        self.past: list[dict[str, object]] = []
        self.events: list[dict[str, object]] = []
        self.codes: list[dict[str, object]] = []
        self.known_until = NOW

    def person(self, *waited: timedelta, consent: bool = True, **more: object) -> int:
        """Add a person who ordered that long ago, by default with everything it takes."""
        n = len(self.people)
        row = {
            "person": n,
            "customer_key": f"c{n}",
            "name": "김민수",
            "phone": f"+8210900{n:05}",
            **more,
        }
        self.people.append(row)
        for kind in ("phone", "email"):
            if row.get(kind):
                address = {"person": n, "kind": kind, "value": row[kind]}
                self.addresses.append({**address, "in_order": bool(waited)})
        for index, ago in enumerate(waited):
            at = NOW - ago
            day = (at + timedelta(hours=9)).date()
            line = {
                "store": "green",
                "order_id": f"o{n}-{index}",
                "line_id": f"{n}-{index}",
                "person": n,
            }
            self.orders.append(
                line
                | {"ordered_at": at, "ordered_on": day, "status": "paid", "amount": Decimal(10)}
            )
        if consent:
            for family in ("text", "kakao"):
                self.consent(n, family)
        return n

    def consent(self, n: int, channel: str, **more: object) -> None:
        self.consents.append(
            {"kind": "phone", "value": self.people[n]["phone"], "channel": channel, "granted": True}
            | {
                "purpose": "advertising",
                "at": LONG_AGO,
                "night": False,
                "source": "signup_form",
                **more,
            }
        )

    def sent(self, made: Plan, state: State = State.SENT, ago: timedelta = timedelta()) -> None:
        """Put the messages of a plan into the log."""
        rows = made.history().with_columns(
            pl.lit(str(state)).alias("state"), pl.lit(NOW - ago).alias("claimed_at")
        )
        self.past += rows.to_dicts()

    def snapshot(self) -> Snapshot:
        return Snapshot(
            orders=Orders(frame(self.orders, ORDERS)),
            customers=Customers(frame(self.people, CUSTOMERS, extra=True)),
            addresses=Addresses(frame(self.addresses, ADDRESSES)),
            events=Events(frame(self.events, EVENTS)),
            consents=Consents(frame(self.consents, CONSENTS)),
            known_until={"orders": self.known_until, "events": NOW},
        )

    def plan(self, of: Campaign, in_store: Store | None = None, **more: object) -> Plan:
        shop, files = in_store or store(), self.snapshot()
        as_of = more.pop("as_of", NOW)
        people = describe(files, shop, as_of)  # type: ignore[arg-type]
        history = History(frame(self.past, HISTORY))
        optouts = Suppressions(frame(self.suppressions, SUPPRESSIONS))
        coupons = Coupons(frame(self.codes, COUPONS))
        return plan(of, shop, people, files, history, optouts, as_of, coupons=coupons, **more)  # type: ignore[arg-type]

    def desk(self, of: Campaign, in_store: Store | None = None) -> Desk:
        shop, files = in_store or store(), self.snapshot()
        [desk] = desks_for(
            [of],
            shop,
            describe(files, shop, NOW),
            files,
            NOW,
            History(frame(self.past, HISTORY)),
            Suppressions(frame(self.suppressions, SUPPRESSIONS)),
            Coupons(frame(self.codes, COUPONS)),
        )
        return desk

    def event(self, n: int, name: str, ago: timedelta, **more: object) -> None:
        self.events.append({"person": n, "event": name, "occurred_at": NOW - ago, **more})

    def code(self, code: str, **more: object) -> None:
        self.codes.append({"pool": "welcome", "code": code, **more})


def frame(rows: list[dict[str, object]], schema: object, *, extra: bool = False) -> pl.DataFrame:
    return conform(pl.DataFrame(rows, infer_schema_length=None), schema, extra=extra)  # type: ignore[arg-type]


def held(made: Plan) -> dict[int, str]:
    return dict(made.held.select("person", "reason").iter_rows())


DUE = timedelta(days=30, hours=1)
