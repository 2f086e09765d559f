"""The orders of an invented shop: who buys when, how many lines, and what became of each order."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Whole = NDArray[np.int64]

MAX_LINES = 31_000_000  # more would need more customers than there are invented phone numbers
_CLOSES = int(datetime(2026, 1, 1, 5, tzinfo=UTC).timestamp())  # midnight in New York
_DAY = 86_400
_PERIOD = 3 * 365 * _DAY

LINES_PER_ORDER = 2.2
_ORDERS_PER_CUSTOMER = 2.5
_ONE_TIMERS = 0.50
_LEAVES_AFTER_EACH = 0.30  # of those who came back once
_GAP_DAYS_MEDIAN = 50.0
_GAP_SIGMA = 0.9  # of ln(gap); half of the variance is the customer's own pace
_FORGOT_SOMETHING = 0.02  # of the returns: within hours

_WITHOUT_PHONE, _WITHOUT_EMAIL = 0.30, 0.03  # of the customers: never give it
_EMAIL_LEFT_OUT = 0.02  # of the orders of customers who give both
_NAMELESS = 0.002  # of the orders: neither, as from a till


class Outcome(NamedTuple):
    """What became of an order: its share of all, how the file says it, and what that means."""

    share: float
    financial_status: str
    means: str
    is_cancelled: bool = False


OUTCOMES = (
    Outcome(0.850, "paid", "paid"),
    Outcome(0.040, "partially_refunded", "paid"),
    Outcome(0.005, "partially_paid", "paid"),
    Outcome(0.005, "authorized", "paid"),
    Outcome(0.055, "refunded", "refunded"),
    Outcome(0.015, "paid", "cancelled", is_cancelled=True),
    Outcome(0.010, "voided", "cancelled"),
    Outcome(0.005, "expired", "cancelled"),
    Outcome(0.015, "pending", "unpaid"),
)


def history(lines: int, seed: int) -> pl.DataFrame:
    """Invent the orders of the last three years, as many as make ``lines`` lines.

    Half of the customers buy once; the others come back after lognormal gaps, each at an own pace,
    until they leave.

    Returns:
        One row per order, newest first: position (0, 1, …), customer (a number), seconds (Unix
        time), line_count, outcome (position in ``OUTCOMES``), has_email and has_phone (whether the
        order names the customer's). All named orders of one customer share an address.
    """
    if not 0 < lines <= MAX_LINES:
        raise ValueError(f"from 1 to {MAX_LINES:,} lines, not {lines:,}")
    rng = np.random.default_rng(seed)
    # A little more than needed: the oldest orders are cut off where the lines are complete.
    customers = 50 + int(1.1 * lines / LINES_PER_ORDER / _ORDERS_PER_CUSTOMER)
    customer, seconds = _visits(rng, customers)
    line_count = 1 + rng.poisson(LINES_PER_ORDER - 1, len(seconds))
    reached = np.cumsum(line_count)
    orders = int(np.searchsorted(reached, lines)) + 1
    line_count[orders - 1] -= reached[orders - 1] - lines
    newest = np.argsort(-seconds, kind="stable")[:orders]
    customer, seconds = customer[newest], seconds[newest]
    has_email, has_phone = _contacts(rng, customers, customer)
    limits = list(accumulate(one.share for one in OUTCOMES))[:-1]
    return pl.DataFrame(
        {
            "position": np.arange(orders),
            "customer": customer,
            "seconds": seconds,
            "line_count": line_count[:orders],
            "outcome": np.searchsorted(limits, rng.random(orders), side="right"),
            "has_email": has_email,
            "has_phone": has_phone,
        }
    )


def _visits(rng: np.random.Generator, customers: int) -> tuple[Whole, Whole]:
    """Return customer and Unix time of every order, customer by customer."""
    count = np.where(
        rng.random(customers) < _ONE_TIMERS, 1, 1 + rng.geometric(_LEAVES_AFTER_EACH, customers)
    )
    customer = np.repeat(np.arange(customers), count)
    spread = _GAP_SIGMA / np.sqrt(2.0)
    pace = rng.normal(np.log(_GAP_DAYS_MEDIAN * _DAY), spread, customers)
    gap = np.exp(pace[customer] + rng.normal(0.0, spread, len(customer)))
    soon = rng.random(len(gap)) < _FORGOT_SOMETHING
    gap[soon] = rng.uniform(600, 36_000, np.count_nonzero(soon))
    first = np.cumsum(count) - count
    gap[first] = rng.uniform(0, _PERIOD, customers)
    since_opening = np.cumsum(gap)
    since_opening -= np.repeat(since_opening[first] - gap[first], count)
    seen = since_opening < _PERIOD
    return customer[seen], _CLOSES - _PERIOD + since_opening[seen].astype(np.int64)


def _contacts(
    rng: np.random.Generator, customers: int, customer: Whole
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Say of each order whether it names the e-mail and the phone of its customer."""
    gives_phone = rng.random(customers) >= _WITHOUT_PHONE
    gives_email = (rng.random(customers) >= _WITHOUT_EMAIL) | ~gives_phone
    named = rng.random(len(customer)) >= _NAMELESS
    left_out = gives_phone[customer] & (rng.random(len(customer)) < _EMAIL_LEFT_OUT)
    return gives_email[customer] & named & ~left_out, gives_phone[customer] & named


def truth(orders: pl.DataFrame, zone: str) -> dict[str, int]:
    """Count what an analysis must find, from who really ordered rather than from addresses.

    Args:
        orders: of :func:`history`.
        zone: whose days count.

    Returns:
        rows, orders, customers, repeat_customers, purchase_days and gaps as ``analyze`` counts
        them, and the orders it leaves out: cancelled, refunded, unpaid, unidentified_orders.
    """
    instant = pl.from_epoch("seconds").dt.replace_time_zone("UTC")
    known = orders.select(
        "customer",
        instant.dt.convert_time_zone(zone).dt.date().alias("day"),
        pl.lit(pl.Series([one.means for one in OUTCOMES])).gather("outcome").alias("means"),
        pl.any_horizontal("has_email", "has_phone").alias("is_named"),
    )
    means = dict(known["means"].value_counts().iter_rows())
    kept = known.filter("is_named", pl.col("means") == "paid")
    days = kept.select("customer", "day").unique()
    per_customer = days.group_by("customer").len()["len"]
    return {
        "rows": orders["line_count"].sum(),
        "orders": kept.height,
        "customers": per_customer.len(),
        "repeat_customers": (per_customer > 1).sum(),
        "purchase_days": days.height,
        "gaps": days.height - per_customer.len(),
        **{name: means.get(name, 0) for name in ("cancelled", "refunded", "unpaid")},
        "unidentified_orders": means.get("paid", 0) - kept.height,
    }
