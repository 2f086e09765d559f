"""How long customers take to come back: purchase days, gaps, return curves and due thresholds.

Two answers that must not be mixed up. *Gaps* are completed waits; they leave out everyone who is
still waiting, so their median is shorter than what a customer takes. *Return curves* count the
waiting ones too and say which share is back by which day.

All times are whole days in the store's zone; day 0 is the purchase that starts the wait.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NewType

import numpy as np
import polars as pl

from remindctl.frames import MONEY
from remindctl.rows import minor_units, of_minor_units, run_sums, sorted_rows, starts
from remindctl.survival import ReturnCurve, curves, pool

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from remindctl.frames import Orders
    from remindctl.rows import Ints

PurchaseDays = NewType("PurchaseDays", pl.DataFrame)
Waits = NewType("Waits", pl.DataFrame)

# Each order number has its own curve up to the 20th; the next number's curve holds all later ones.
LAST_ORDER_NUMBER = 20
LATER_ORDERS = LAST_ORDER_NUMBER + 1

# Lines that are merged at a time, so that no second frame of all lines is in memory.
_LINES = 1 << 19
# A slip of the keyboard must not make a sum of units overflow.
_MOST_UNITS = 1_000_000


def purchase_days(orders: Orders, *, each: str | None = None) -> PurchaseDays:
    """Merge the paid lines of recognised customers into one row per person and local date.

    Same-day orders become one purchase day, so that neither split orders nor order lines look like
    a return.

    Args:
        orders: needs person, ordered_on, status and order_id (any dtype; quickest where its column
            is flagged as ascending); amount and quantity as far as the file has them; more is
            ignored.
        each: a column of whole numbers, say of items, each of which is looked at as if nothing else
            were sold.

    Returns:
        ``each``, person, on (date), orders (distinct order ids) and, where there is an amount or a
        quantity, amount (unknown ones count as 0) and units (a line without one, or with less than
        1, counts as 1), sorted by ``each``, person and on.
    """
    who = ["person"] if each is None else [each, "person"]
    columns = ("order_id", *who, "ordered_on", "status", "amount", "quantity")
    lines = orders.select(name for name in columns if name in orders.columns)
    if not orders["order_id"].flags["SORTED_ASC"]:
        lines = lines.sort("order_id")
    # The lines of an order stand together: first one row per order, then one sort of these.
    lines = lines.with_columns(pl.col("order_id").rle_id())
    parts = [_orders(part, who) for part in lines.iter_slices(_LINES)] or [_orders(lines, who)]
    of_orders = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    del lines, parts
    order, *keys = (of_orders.pop(name) for name in ("order_id", *who, "on"))
    *keys, row = sorted_rows(*keys, np.arange(len(order)))
    day = starts(*keys)
    # Lines of one order that its other lines part are still neighbours among those of one day.
    another = np.zeros(len(row), dtype=np.int64)
    another[starts(order[row], *keys)] = 1
    days = dict(zip((*who, "on"), (key[day] for key in keys), strict=True))
    sums = {name: run_sums(of_orders.pop(name)[row], day) for name in tuple(of_orders)}
    money = [of_minor_units(sums.pop("amount")).alias("amount")] if "amount" in sums else []
    return PurchaseDays(
        pl.DataFrame({**days, "orders": run_sums(another, day).astype(np.uint32)}).with_columns(
            pl.col("on").cast(pl.Date), *money, **{name: pl.Series(sums[name]) for name in sums}
        )
    )


def _orders(lines: pl.DataFrame, who: Sequence[str]) -> dict[str, Ints]:
    """Merge the paid lines of each order: order_id, ``who``, on, and sums of amount and units."""
    paid = lines.filter(
        pl.col("status") == "paid",
        pl.col("person").is_not_null(),
        pl.col("ordered_on").is_not_null(),
    )
    keys = {
        "order_id": paid["order_id"].to_numpy(),
        **{name: paid[name].to_numpy() for name in who},
        "on": paid["ordered_on"].to_physical().to_numpy(),
    }
    first = starts(*keys.values())
    sums = {}
    if "amount" in paid.columns:
        sums["amount"] = run_sums(minor_units(paid["amount"].cast(MONEY).fill_null(0)), first)
    if "quantity" in paid.columns:
        units = paid["quantity"].fill_null(1).clip(1, _MOST_UNITS)
        sums["units"] = run_sums(units.to_numpy(), first)
    return {name: key[first] for name, key in keys.items()} | sums


def waits(days: PurchaseDays, as_of: date) -> Waits:
    """Say of each purchase day how long its customer then waited, as known on ``as_of``.

    Returns:
        the rows of ``days`` up to ``as_of`` with number (1 = the customer's first purchase day),
        wait (days to the next one, or to ``as_of``) and returned (whether there was a next one).
    """
    who = [pl.col(name) for name in days.columns[: days.columns.index("on")]]
    row = pl.int_range(pl.len(), dtype=pl.Int64)
    first = pl.any_horizontal(one.ne_missing(one.shift(1)) for one in who)
    last = pl.any_horizontal(one.ne_missing(one.shift(-1)) for one in who)
    until = pl.when(last).then(pl.lit(as_of)).otherwise(pl.col("on").shift(-1))
    return Waits(
        days.filter(pl.col("on") <= as_of).with_columns(
            (row - pl.when(first).then(row).forward_fill() + 1).alias("number"),
            (until - pl.col("on")).dt.total_days().alias("wait"),
            (~last).alias("returned"),
        )
    )


@dataclass(frozen=True, slots=True)
class GapStatistics:
    """Completed gaps in days, quantiles by linear interpolation; all None when there is no gap."""

    n: int
    mean: float | None
    p10: float | None
    p25: float | None
    median: float | None
    p75: float | None
    p90: float | None
    max: int | None


def gaps(waiting: Waits) -> pl.Series:
    """Return the completed waits in days."""
    return waiting.filter("returned")["wait"].rename("gap")


def gap_statistics(gap: pl.Series) -> GapStatistics:
    """Describe completed gaps: not the repurchase cycle, because whoever still waits is absent."""
    if gap.is_empty():
        return GapStatistics(0, None, None, None, None, None, None, None)
    p10, p25, median, p75, p90 = np.quantile(
        gap.to_numpy(), [0.10, 0.25, 0.50, 0.75, 0.90]
    ).tolist()
    mean, longest = float(gap.to_numpy().mean()), int(gap.to_numpy().max())
    return GapStatistics(len(gap), mean, p10, p25, median, p75, p90, longest)


def curves_by(waiting: Waits, group: pl.Series) -> dict[int, ReturnCurve]:
    """Estimate one curve per group.

    Args:
        waiting: the waits to split.
        group: a small whole number, 0 or more, for each row of ``waiting``.
    """
    return curves(
        group.to_numpy().astype(np.int64),
        waiting["wait"].to_numpy(),
        waiting["returned"].to_numpy(),
    )


def curves_by_order(waiting: Waits) -> dict[int, ReturnCurve]:
    """Estimate the curve from each order to the next.

    Returns:
        order number → curve, while there are customers; ``LATER_ORDERS`` holds all numbers from
        there on together.
    """
    return curves_by(waiting, waiting["number"].clip(upper_bound=LATER_ORDERS))


def return_curves(days: PurchaseDays, as_of: date) -> dict[int, ReturnCurve]:
    """Estimate the curve from each order to the next, as known on ``as_of``.

    Returns:
        as :func:`curves_by_order`.
    """
    return curves_by_order(waits(days, as_of))


@dataclass(frozen=True, slots=True)
class DueThresholds:
    """From which day of waiting a customer is due and late, and after which one lapsed.

    Attributes:
        due_days, late_days, lapsed_days: ascending; all None when the store has too few returns.
        basis: whose curve: ``order_number``, ``later_orders`` (all from the second on), ``store``
            (all orders) or ``none``.
        horizon_days: the last day up to which that curve is trusted.
        returned: the share back by then, of which the thresholds are quantiles.
    """

    due_days: int | None
    late_days: int | None
    lapsed_days: int | None
    basis: str
    horizon_days: int | None
    returned: float | None


def thresholds_of(
    wait: ReturnCurve,
    basis: str,
    *,
    due: float = 0.40,
    late: float = 0.75,
    lapsed: float = 0.90,
) -> DueThresholds | None:
    """Set the thresholds of one curve, None while too few have come back.

    A quantile of all customers often lies beyond what a curve reaches, as most first-time buyers
    never come back, and where only one of the three exists their order breaks. So all three are
    quantiles among those who do come back within the curve's horizon: the days on which 40, 75 and
    90% of the share that is back at the horizon are back. Where nearly everybody returns, these are
    close to the plain quantiles.

    Args:
        wait: the curve.
        basis: what to call it.
        due: quantile of the first threshold.
        late: quantile of the second.
        lapsed: quantile of the third.
    """
    if not wait.enough:
        return None
    reach = 1.0 - float(wait.survival[wait.horizon])
    days = [wait.quantile(share * reach) for share in (due, late, lapsed)]
    return DueThresholds(days[0], days[1], days[2], basis, wait.horizon, reach)


def due_thresholds(by_order: Mapping[int, ReturnCurve]) -> dict[int, DueThresholds]:
    """Set the thresholds of every order number, from the narrowest curve with enough returns.

    Args:
        by_order: order number → curve, as :func:`return_curves` gives it.

    Returns:
        one entry for each number from 1 to ``LATER_ORDERS``; larger numbers share the last one.
    """
    none = DueThresholds(None, None, None, "none", None, None)
    store = thresholds_of(pool(by_order.values()), "store") or none
    later = thresholds_of(later_orders(by_order), "later_orders") or store
    thresholds = {}
    for number in range(1, LATER_ORDERS + 1):
        own = by_order.get(number)
        wider = store if number == 1 else later
        thresholds[number] = (own and thresholds_of(own, "order_number")) or wider
    return thresholds


def later_orders(by_order: Mapping[int, ReturnCurve]) -> ReturnCurve:
    """Pool the curves of all orders from the second on."""
    return pool(wait for number, wait in by_order.items() if number > 1)


def timing(number: pl.Expr, waited: pl.Expr, thresholds: Mapping[int, DueThresholds]) -> pl.Expr:
    """Name where waiting customers stand: not_due, due, late, lapsed; null without thresholds.

    Args:
        number: the customer's purchase days so far.
        waited: days since the last one.
        thresholds: as :func:`due_thresholds` gives them.
    """
    place = number.clip(upper_bound=LATER_ORDERS)

    def of_number(days: Mapping[int, int | None]) -> pl.Expr:
        by_number = [days.get(key) for key in range(LATER_ORDERS + 1)]
        return pl.lit(pl.Series(by_number, dtype=pl.Int64)).gather(place)

    due = of_number({key: one.due_days for key, one in thresholds.items()})
    late = of_number({key: one.late_days for key, one in thresholds.items()})
    lapsed = of_number({key: one.lapsed_days for key, one in thresholds.items()})
    return (
        pl.when(waited > lapsed)
        .then(pl.lit("lapsed"))
        .when(waited >= late)
        .then(pl.lit("late"))
        .when(waited >= due)
        .then(pl.lit("due"))
        .when(due.is_not_null())
        .then(pl.lit("not_due"))
    )
