"""One row per customer as of an instant: the words that segments, conditions and templates share.

Only paid lines ordered up to the instant count; cancelled, refunded, exchanged and unpaid ones
never do. An order that comes later therefore never changes what was said of an earlier instant.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, NamedTuple, NewType
from zoneinfo import ZoneInfo

import polars as pl

from remindctl.due import EXPECTED, dated
from remindctl.frames import INSTANT, MONEY, PERSON, conform, empty
from remindctl.habits import (
    HOUR_WEIGHT,
    code_shares,
    favourites,
    habitual_hours,
    last_products,
    median_gaps,
    rhythm,
    totals,
)
from remindctl.purchases import purchases
from remindctl.rfm import scored

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from remindctl.due import Window
    from remindctl.frames import Customers, Orders
    from remindctl.intervals import DueThresholds

Profiles = NewType("Profiles", pl.DataFrame)

DUE_STATES = ("not_due", "due", "late", "lapsed", "one_time")

# West of every shop: where the store's clock is not known, a day that is over here is over there.
_LAST_ZONE = "Etc/GMT+12"


class Column(NamedTuple):
    """A column of Profiles: its dtype, and what it means in one sentence."""

    dtype: pl.DataType | type[pl.DataType]
    meaning: str


COLUMNS: Mapping[str, Column] = {
    "person": Column(PERSON, "Number of the person within this load; of no meaning outside it."),
    "customer_key": Column(pl.String, "The person's name in output and log."),
    "name": Column(pl.String, "Full name as the shop knows it."),
    "first_name": Column(pl.String, "The name to address the person by."),
    "email": Column(pl.String, "E-mail address, lower case."),
    "phone": Column(pl.String, "Phone number, E.164."),
    "locale": Column(pl.String, "Language tag, as the shop states it."),
    "timezone": Column(pl.String, "The person's own time zone; null = not known."),
    "timezone_source": Column(
        pl.String, "Where the zone is known from: stated, address or phone; null = not known."
    ),
    "country": Column(pl.String, "Country (ISO 3166) of the address, else of the phone number."),
    "signed_up_at": Column(INSTANT, "Instant of the person's first sign-up, as the shop tells it."),
    "tags": Column(pl.List(pl.String), "Tags the shop gave the person."),
    "orders": Column(pl.Int64, "Number of paid orders."),
    "purchase_days": Column(pl.Int64, "Number of dates with a paid order."),
    "spent": Column(MONEY, "What was paid for all orders, in the store's currency."),
    "first_at": Column(INSTANT, "Instant of the first order."),
    "last_at": Column(INSTANT, "Instant of the latest order."),
    "first_on": Column(pl.Date, "Date of the first order, on the shop's calendar."),
    "last_on": Column(pl.Date, "Date of the latest order, on the shop's calendar."),
    "first_order_id": Column(pl.String, "The shop's id of the first order."),
    "last_order_id": Column(pl.String, "The shop's id of the latest order."),
    "days_since_last": Column(pl.Int64, "Days since the date of the latest order."),
    "gap_days_median": Column(
        pl.Float64, "Median of the days between two purchase days; null before the second."
    ),
    "last_products": Column(pl.List(pl.String), "Products of the latest order, each once."),
    "favourite_category": Column(
        pl.String, "The category of most orders; of equals, the one bought last."
    ),
    "favourite_category_share": Column(
        pl.Float64, "Share of the person's orders with a category that hold the favourite one, 0-1."
    ),
    "category_count": Column(pl.Int64, "Number of different categories bought."),
    "favourite_product": Column(
        pl.String, "The product of most orders; of equals, the one bought last."
    ),
    "habitual_hour": Column(
        pl.Int8,
        "Hour of the day (0-23, store's zone) at which the person is most likely to order; "
        f"the store's own hours weigh as much as {HOUR_WEIGHT} orders.",
    ),
    "code_share": Column(
        pl.Float64, "Share of the orders with a discount code, 0-1; null = the files name no codes."
    ),
    "currency": Column(pl.String, "Currency of `spent`."),
    "recency_score": Column(
        pl.Int8, "1-5: how many fifths of the customers ordered longer ago, plus 1; equals share."
    ),
    "frequency_score": Column(
        pl.Int8, "1-5: how many fifths of the customers bought on fewer days, plus 1."
    ),
    "money_score": Column(pl.Int8, "1-5: how many fifths of the customers spent less, plus 1."),
    "rfm": Column(
        pl.String,
        "Group by the three scores: champions, loyal, recent, needs_attention, at_risk, inactive.",
    ),
    "value_decile": Column(
        pl.Int8, "1-10: how many tenths of the customers spent less, plus 1; 10 = spent most."
    ),
    "due_state": Column(
        pl.String,
        "Where the person stands on the store's return curve: not_due, due, late or lapsed; "
        "one_time = bought on one day and the curve cannot say; null = no order, or it cannot say.",
    ),
    "expected_next_from": Column(
        pl.Date, "Date by which the next order had come with chance 0.25, seen from the latest one."
    ),
    "expected_next_on": Column(
        pl.Date,
        "Date of the next order (median) as expected at the latest one; it stands while the "
        "person waits. By the person's own forecast, else among those who come back at all.",
    ),
    "expected_next_until": Column(pl.Date, "As expected_next_from, with chance 0.75."),
    "next_on_p25": Column(
        pl.Date,
        "Date by which the next order has come with chance 0.25, as seen now; null = never that "
        "likely, or too little data for a forecast.",
    ),
    "next_on_median": Column(pl.Date, "As next_on_p25, with chance 0.5."),
    "next_on_p75": Column(pl.Date, "As next_on_p25, with chance 0.75."),
    "p_alive": Column(
        pl.Float64,
        "Probability of still being a customer; null = no forecast, or one purchase day.",
    ),
    "expected_orders_90d": Column(pl.Float64, "Expected number of orders in the next 90 days."),
    "p_none_90d": Column(
        pl.Float64, "Probability of no order in the next 90 days, the churn risk."
    ),
    "order_value": Column(pl.Float64, "Expected amount of one future order."),
    "value": Column(
        pl.Float64, "Amounts expected within 365 days, discounted to now at 10% a year."
    ),
    "recommended": Column(
        pl.List(pl.String),
        "Products that others bought with or after this person's, best first, without those owned "
        "already unless they are used up; null = nothing stands out.",
    ),
}


# What a forecast may bring.
FORECAST = (
    *EXPECTED, "next_on_p25", "next_on_median", "next_on_p75", "p_alive", "expected_orders_90d",
    "p_none_90d", "order_value", "value",
)  # fmt: skip


def calendar_day(at: datetime, zone: str | None) -> date:
    """Return the day of an instant on the store's calendar; the inverse of :func:`end_of`."""
    return at.astimezone(ZoneInfo(zone or _LAST_ZONE)).date()


def end_of(day: date, zone: str | None) -> datetime:
    """Return the last instant of a day on the store's calendar; without a zone, of anyone's."""
    clock = ZoneInfo(zone or _LAST_ZONE)
    midnight = datetime.combine(day + timedelta(days=1), time(), tzinfo=clock)
    return midnight.astimezone(UTC) - timedelta(microseconds=1)


def profiles(
    orders: Orders,
    customers: Customers,
    as_of: datetime,
    *,
    zone: str | None,
    currency: str,
    thresholds: Mapping[int, DueThresholds] | None = None,
    windows: Mapping[int, Window] | None = None,
    forecasts: pl.DataFrame | None = None,
    recommendations: pl.DataFrame | None = None,
) -> Profiles:
    """Describe every person of ``customers`` as of an instant.

    Args:
        orders: order lines; those without a person are no one's.
        customers: who there is; further columns of the shop's file follow the canonical ones.
        as_of: the instant, with its zone.
        zone: the store's time zone, for dates and hours; None = not known, so no hours are told
            and ``as_of`` should be :func:`end_of` a day.
        currency: what ``spent`` adds up; lines in another currency count as orders, not as money.
        thresholds: from ``intervals.due_thresholds``; without them the store's curve is silent.
        windows: from ``due.windows``, for the expected next order.
        forecasts: person and any of the columns from ``expected_next_from`` to ``value``, where the
            expected ones are as seen at the latest order; none without.
        recommendations: person and recommended; none without.

    Returns:
        the columns of :data:`COLUMNS`, then the further columns of ``customers``; sorted by person.
    """
    as_of = as_of.astimezone(UTC)
    today = calendar_day(as_of, zone)
    bought = purchases(orders, as_of, currency)
    parts = [
        totals(bought),
        rhythm(bought),
        median_gaps(bought),
        last_products(bought),
        favourites(bought, "category"),
        favourites(bought, "product").select("person", "favourite_product"),
        code_shares(bought),
        habitual_hours(bought, zone) if zone else _nobody("habitual_hour"),
        _nobody(*FORECAST) if forecasts is None else _forecast(forecasts),
        _nobody("recommended") if recommendations is None else recommendations,
    ]
    people = customers.sort("person")
    for part in parts:
        found = _placed(part, people["person"])
        people = people.drop(found.columns, strict=False).hstack(found)
    waited = (pl.lit(today) - pl.col("last_on")).dt.total_days().clip(lower_bound=0)
    bought_once = pl.col("orders") > 0
    people = people.with_columns(
        pl.col("orders", "purchase_days").fill_null(0),
        pl.col("spent").fill_null(0),
        pl.when(bought_once).then(pl.col("last_products").fill_null([])),
        waited.alias("days_since_last"),
        pl.lit(currency or None, dtype=pl.String).alias("currency"),
    )
    people = dated(people, today, thresholds or {}, windows or {})
    people = scored(people).drop("gaps", "gap_days_max")
    schema = {name: column.dtype for name, column in COLUMNS.items()}
    return Profiles(conform(people, schema, extra=True))


def _placed(found: pl.DataFrame, people: pl.Series) -> pl.DataFrame:
    """Give each person the row of ``found`` that is theirs, or nulls."""
    count = 1 + max(_highest(found["person"]), _highest(people))
    row = pl.int_range(len(found), dtype=pl.UInt32, eager=True)
    rows = pl.repeat(None, count, dtype=pl.UInt32(), eager=True).scatter(found["person"], row)
    return found.drop("person").select(pl.all().gather(rows.gather(people)))


def _highest(people: pl.Series) -> int:
    highest = people.max()
    return highest if isinstance(highest, int) else -1


def _forecast(forecasts: pl.DataFrame) -> pl.DataFrame:
    return conform(forecasts, {name: COLUMNS[name].dtype for name in ("person", *FORECAST)})


def _nobody(*columns: str) -> pl.DataFrame:
    return empty({name: COLUMNS[name].dtype for name in ("person", *columns)})
