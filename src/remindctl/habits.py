"""What customers did and usually do: totals, rhythm, favourites, hours; one row per person each.

Lines are sorted by what is to be counted; what belongs together then stands together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from remindctl.rows import (
    lengths,
    minor_units,
    numbered,
    of_minor_units,
    run_sums,
    sorted_rows,
    starts,
)

if TYPE_CHECKING:
    from remindctl.purchases import Purchases
    from remindctl.rows import Indices, Ints

# How many orders of one's own outweigh the store's hours: with fewer, the store's curve decides.
HOUR_WEIGHT = 5


def totals(bought: Purchases) -> pl.DataFrame:
    """Return orders (how many), spent, and instant and id of the first and the latest one."""
    begins = starts(bought.person)
    first, last = bought.row[begins], bought.row[bought.latest_lines()]
    at, order_id = bought.seen["ordered_at"], bought.seen["order_id"]
    _, orders = _runs(bought.person[starts(bought.order)])
    return pl.DataFrame(
        {
            "person": bought.person[begins],
            "orders": orders,
            "spent": of_minor_units(run_sums(minor_units(bought.column("paid")), begins)),
            "first_at": at.gather(first),
            "last_at": at.gather(last),
            "first_order_id": order_id.gather(first),
            "last_order_id": order_id.gather(last),
        }
    )


def rhythm(bought: Purchases) -> pl.DataFrame:
    """Return purchase_days (how many), first_on, last_on."""
    person, day = _days(bought)
    begins, sizes = _runs(person)
    return pl.DataFrame(
        {
            "person": person[begins],
            "purchase_days": sizes,
            "first_on": pl.Series(day[begins]).cast(pl.Date),
            "last_on": pl.Series(day[begins + sizes - 1]).cast(pl.Date),
        }
    )


def median_gaps(bought: Purchases) -> pl.DataFrame:
    """Return gaps (how many), gap_days_median, gap_days_max: of days between purchase days."""
    person, day = _days(bought)
    again = person[1:] == person[:-1]
    person, gap = sorted_rows(person[1:][again], np.diff(day)[again])
    begins, sizes = _runs(person)
    low, high = gap[begins + (sizes - 1) // 2], gap[begins + sizes // 2]
    return pl.DataFrame(
        {
            "person": person[begins],
            "gaps": sizes,
            "gap_days_median": (low + high) / 2.0,
            "gap_days_max": gap[begins + sizes - 1].astype(np.int64),
        }
    )


def _days(bought: Purchases) -> tuple[Ints, Ints]:
    """Return person and day of each purchase day, sorted."""
    person, day = bought.person, bought.column("ordered_on").to_physical().to_numpy()
    # The lines of an order are neighbours, so that few are left to sort.
    some = starts(person, day)
    person, day = sorted_rows(person[some], day[some])
    each = starts(person, day)
    return person[each], day[each]


def last_products(bought: Purchases) -> pl.DataFrame:
    """Return last_products: those of the order of the latest line, each once."""
    _, sizes = _runs(bought.person)
    latest = bought.order[bought.latest_lines()]
    lines = np.flatnonzero(bought.order == np.repeat(latest, sizes))
    lines = lines[bought.column("product").gather(lines).is_not_null().to_numpy()]
    person, products = bought.person[lines], bought.column("product").gather(lines)
    nth = np.arange(len(lines))
    of_one, code, nth = sorted_rows(person, products.to_physical().to_numpy(), nth)
    once = np.sort(nth[starts(of_one, code)])
    listed = pl.DataFrame(
        {"person": person[once], "last_products": products.gather(once).cast(pl.String)}
    )
    return listed.group_by("person", maintain_order=True).agg("last_products")


def favourites(bought: Purchases, column: str) -> pl.DataFrame:
    """Return favourite_X, its share of the orders that name an X, and X_count (distinct ones)."""
    texts = bought.column(column)
    lines = texts.is_not_null().arg_true().to_numpy()
    names, item = numbered(texts.gather(lines))
    order, item, moment = sorted_rows(bought.order[lines], item, bought.moments()[lines])
    # An item counts once in an order.
    each = starts(order, item)
    order, item, moment = order[each], item[each], np.maximum.reduceat(moment, each)
    person = bought.person[starts(bought.order)][order]
    _, orders = _runs(person[starts(order)])
    person, item, moment = sorted_rows(person, item, moment)
    each, times = _runs(person, item)
    person, item, moment = person[each], item[each], np.maximum.reduceat(moment, each)
    begins, kinds = _runs(person)
    rank = times.astype(np.uint64) << np.uint64(32) | moment
    best = np.flatnonzero(rank == np.repeat(np.maximum.reduceat(rank, begins), kinds))
    # Of equals the first one by name.
    best = best[starts(person[best])]
    return pl.DataFrame(
        {
            "person": person[begins],
            f"favourite_{column}": names.gather(item[best]),
            f"{column}_count": kinds,
            f"favourite_{column}_share": times[best] / orders,
        }
    )


def code_shares(bought: Purchases) -> pl.DataFrame:
    """Return code_share: the share of orders with a discount code; no rows if no file names any."""
    has = bought.column("discount_code").is_not_null().to_numpy()
    if not has.any():
        return pl.DataFrame({"person": bought.person[:0], "code_share": []})
    each = starts(bought.order)
    person = bought.person[each]
    begins, orders = _runs(person)
    coded = np.add.reduceat(np.logical_or.reduceat(has, each), begins, dtype=np.int64)
    return pl.DataFrame({"person": person[begins], "code_share": coded / orders})


def habitual_hours(bought: Purchases, zone: str) -> pl.DataFrame:
    """Take the hour h with the largest n_h + w·π_h, own orders and the store's share of orders."""
    each = starts(bought.order)
    at = bought.seen["ordered_at"].gather(bought.row[each])
    hours = at.dt.convert_time_zone(zone).dt.hour().to_numpy()
    weight = HOUR_WEIGHT * (np.bincount(hours, minlength=24) / max(len(hours), 1))
    person, hour = sorted_rows(bought.person[each], hours)
    each, own = _runs(person, hour)
    person, hour = person[each], hour[each]
    score = own + weight[hour]
    begins, kinds = _runs(person)
    highest = np.maximum.reduceat(score, begins)
    best = np.flatnonzero(score == np.repeat(highest, kinds))
    # Of equals the earliest one.
    hour = hour[best[starts(person[best])]]
    busiest = np.argmax(weight)
    untried = weight[busiest]
    rather = (highest < untried) | ((highest == untried) & (hour > busiest))
    return pl.DataFrame(
        {"person": person[begins], "habitual_hour": np.where(rather, busiest, hour)}
    )


def _runs(*columns: Ints) -> tuple[Indices, Ints]:
    """Return where the runs of equal rows begin, and how long they are."""
    begins = starts(*columns)
    return begins, lengths(begins, len(columns[0]))
