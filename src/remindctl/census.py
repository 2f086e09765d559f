"""Everyone of a store as of an instant: Profiles from orders alone, with segments and all."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

import polars as pl

from remindctl import segments
from remindctl.affinity import affinities
from remindctl.due import EXPECTED, OWN_PURCHASE_DAYS, windows
from remindctl.frames import Orders
from remindctl.intervals import curves_by_order, due_thresholds, purchase_days, waits
from remindctl.predict import (
    NEXT_ORDER_DATES,
    Histories,
    NotEnough,
    customer_forecasts,
    histories,
    next_order_dates,
    predict,
)
from remindctl.profiles import calendar_day, profiles
from remindctl.recommendations import recommendations

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from remindctl.frames import Customers
    from remindctl.intervals import PurchaseDays
    from remindctl.profiles import Profiles


def census(
    orders: Orders,
    customers: Customers,
    as_of: datetime,
    *,
    zone: str | None,
    currency: str,
    custom: Mapping[str, str],
) -> Profiles:
    """Describe and sort everyone; what was ordered later is as if it had not happened.

    Args:
        orders: as for ``profiles.profiles``, of any time.
        customers: who there is.
        as_of: the instant; where the zone is not known, ``profiles.end_of`` a day.
        zone: the store's time zone, None = not known.
        currency: what money is counted in.
        custom: the owner's segments, name → SQL expression, free of ``segments.problems``.

    Returns:
        every column of ``profiles.COLUMNS``, the further ones of ``customers``, segment, segments.
    """
    as_of = as_of.astimezone(UTC)
    today = calendar_day(as_of, zone)
    seen = Orders(orders.filter(pl.col("ordered_at") <= as_of))
    if zone is None:
        # ``as_of`` is the end of the day where it ends last; elsewhere the next one has begun.
        seen = Orders(seen.filter(pl.col("ordered_on") <= today))
    days = purchase_days(seen)
    by_order = curves_by_order(waits(days, today))
    people = profiles(
        seen,
        customers,
        as_of,
        zone=zone,
        currency=currency,
        thresholds=due_thresholds(by_order),
        windows=windows(by_order),
        forecasts=_forecasts(days, today),
        recommendations=recommendations(affinities(seen, today)),
    )
    return segments.assign(people, custom)


def _forecasts(days: PurchaseDays, today: date) -> pl.DataFrame | None:
    """Forecast each customer's orders: as seen now, and the next one as seen at the latest."""
    fitted = predict(days, today)
    if isinstance(fitted, NotEnough):
        return None
    known = histories(days, today)
    now = customer_forecasts(fitted, known).drop("expected_next_on")
    enough = known.filter(pl.col("x") + 1 >= OWN_PURCHASE_DAYS)
    # On the day of the latest order everyone was as old as at that order.
    at_latest = Histories(enough.with_columns(pl.col("t_x").alias("age")))
    waited = (enough["age"] - enough["t_x"]).alias("waited")
    back = pl.duration(days="waited")
    expected = (
        next_order_dates(fitted, at_latest)
        .with_columns(waited)
        .select(
            "person",
            *(
                (pl.col(q) - back).alias(name)
                for q, name in zip(NEXT_ORDER_DATES, EXPECTED, strict=True)
            ),
        )
    )
    return now.join(expected, on="person", how="left")
