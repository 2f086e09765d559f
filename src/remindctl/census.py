"""Everyone of a store as of an instant: Profiles from orders alone, with segments and all."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

import polars as pl

from remindctl import segments
from remindctl.affinity import affinities, recommendations
from remindctl.due import windows
from remindctl.frames import Orders
from remindctl.intervals import curves_by_order, due_thresholds, purchase_days, waits
from remindctl.profiles import calendar_day, profiles

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from remindctl.frames import Customers
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
    by_order = curves_by_order(waits(purchase_days(seen), today))
    people = profiles(
        seen,
        customers,
        as_of,
        zone=zone,
        currency=currency,
        thresholds=due_thresholds(by_order),
        windows=windows(by_order),
        recommendations=recommendations(affinities(seen, today)),
    )
    return segments.assign(people, custom)
