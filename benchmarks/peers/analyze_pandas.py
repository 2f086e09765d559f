"""What ``remindctl analyze`` tells of a Shopify orders export, in pandas.

Run as ``python -m benchmarks.peers.analyze_pandas FILE``; it writes a part of the document of
``analyze -o json``. The file is read once; only the columns that are needed are kept; keys are
numbers; no loop is over rows. The C engine reads, as the quicker one refuses line breaks in cells.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from benchmarks.peers import curves
from benchmarks.peers.curves import Waits

if TYPE_CHECKING:
    from collections.abc import Hashable

COLUMNS = {
    "Name": "str", "Created at": "str", "Financial Status": "category", "Cancelled at": "str",
    "Email": "str", "Phone": "str", "Billing Phone": "str", "Lineitem name": "category",
}  # fmt: skip
MEANS = {
    "paid": "paid", "partially_refunded": "paid", "partially_paid": "paid", "authorized": "paid",
    "refunded": "refunded", "voided": "cancelled", "expired": "cancelled", "pending": "unpaid",
}  # fmt: skip
MOST_ITEMS, SUPPORT, LISTED = 50, 5, 20
PAIR = ("item", "next_item", "buyers", "both", "share", "lift")


def analysis(path: str) -> dict[str, Any]:
    """Return the sections of the document."""
    file = pd.read_csv(path, usecols=list(COLUMNS), dtype=COLUMNS)
    file["order"] = file["Name"].str.slice(1).astype("int64")
    lines = file[["order", "Lineitem name"]].set_axis(["order", "product"], axis=1)
    # The status stands on an order's first row only.
    orders = _orders(file[file["Financial Status"].notna()])
    del file
    as_of = orders["day"].max()
    paid = orders[orders["status"] == "paid"]
    bought = paid[paid["person"].notna()].astype({"person": "int64"})
    waits = _waits(bought[["person", "day"]].drop_duplicates(), ["person"], as_of)
    gaps = waits.loc[waits["returned"], "wait"]
    quantiles = gaps.quantile([0.1, 0.25, 0.5, 0.75, 0.9]).tolist()
    status = orders["status"].value_counts()
    by_number = _grouped(waits, ["number"])
    first = waits[waits["number"] == 1]
    sold = _sold(lines, bought)
    return {
        "period": {
            "first": str(paid["day"].min().date()), "last": str(paid["day"].max().date()),
            "days": (paid["day"].max() - paid["day"].min()).days,
        },
        "counts": {
            "rows": len(lines), "orders": len(bought), "customers": len(first),
            "repeat_customers": int((waits["number"] == 2).sum()), "purchase_days": len(waits),
            "gaps": len(gaps),
        },
        "excluded": {
            **{name: int(status.get(name, 0)) for name in ("cancelled", "refunded", "unpaid")},
            "unidentified_orders": len(paid) - len(bought),
        },
        "interval_days": {
            "n": len(gaps), "mean": float(gaps.mean()), "max": int(gaps.max()),
            **dict(zip(("p10", "p25", "median", "p75", "p90"), quantiles, strict=True)),
        },
        "by_order_number": curves.by_order_number(by_number),
        "due": curves.due(by_number),
        "cohorts": curves.cohorts(
            _grouped(first.assign(month=first["day"].dt.strftime("%Y-%m")), ["month"])
        ),
        "products": curves.products(_products(sold, as_of)),
        "affinity": _affinity(sold),
    }  # fmt: skip


def _orders(first_rows: pd.DataFrame) -> pd.DataFrame:
    means = first_rows["Financial Status"].astype("str").map(MEANS)
    phone = first_rows["Phone"].fillna(first_rows["Billing Phone"])
    digits = phone.str.replace(r"\D", "", regex=True)
    orders = pd.DataFrame({
        "order": first_rows["order"],
        "day": pd.to_datetime(first_rows["Created at"].str.slice(0, 10), format="%Y-%m-%d"),
        "status": means.mask(first_rows["Cancelled at"].notna(), "cancelled"),
        "email": first_rows["Email"].str.lower(),
        "phone": digits.str.slice(-10).where(digits.str.len() >= 10),
    })  # fmt: skip
    # A person is the first order that a chain of e-mails and phones leads to.
    keys = [pd.factorize(orders[name])[0] for name in ("email", "phone")]
    named = (keys[0] >= 0) | (keys[1] >= 0)
    person = np.arange(len(orders))
    while True:
        before = person
        for key in keys:
            lowest = np.full(key.max() + 2, len(person))
            np.minimum.at(lowest, key, person)
            person = np.where(key >= 0, np.minimum(person, lowest[key]), person)
        if np.array_equal(person, before):
            break
    return orders.assign(person=pd.Series(person, orders.index).where(named))


def _waits(days: pd.DataFrame, each: list[str], as_of: pd.Timestamp) -> pd.DataFrame:
    """Add number, wait and returned to the days of each person (and item)."""
    days = days.sort_values([*each, "day"], ignore_index=True)
    keys = [days[name] for name in each]
    starts = np.logical_or.reduce([key.ne(key.shift()) for key in keys])
    row = pd.Series(np.arange(len(days)))
    same = np.logical_and.reduce([key.eq(key.shift(-1)) for key in keys])
    following = days["day"].shift(-1).where(same)
    return days.assign(
        number=row - row.where(starts).ffill().astype("int64") + 1,
        wait=(following.fillna(as_of) - days["day"]).dt.days,
        returned=same,
    )


def _sold(lines: pd.DataFrame, bought: pd.DataFrame) -> pd.DataFrame:
    """Return person, day, order and product of each line that names one."""
    return lines.dropna().merge(bought[["order", "person", "day"]], on="order")


def _products(sold: pd.DataFrame, as_of: pd.Timestamp) -> dict[Any, list[Waits]]:
    often = sold["product"].value_counts().rename_axis("product").reset_index()
    often = often.astype({"product": "str"})
    listed = often.sort_values(["count", "product"], ascending=[False, True])["product"][:LISTED]
    those = sold[sold["product"].isin(listed)].astype({"product": "str"})
    of_day = those.groupby(["product", "person", "day"], as_index=False)["order"].nunique()
    waits = _waits(of_day, ["product", "person"], as_of)
    totals = waits.groupby("product").agg(
        buyers=("number", lambda number: int((number == 1).sum())),
        orders=("order", "sum"),
        repeat_buyers=("number", lambda number: int((number == 2).sum())),
    )
    waits = waits.drop(columns="order").merge(totals, on="product")
    return _grouped(waits, ["product", "buyers", "orders", "repeat_buyers"])


def _affinity(sold: pd.DataFrame) -> list[dict[str, object]]:
    """Return which products go together, the strongest pairs first."""
    names = sold["product"].cat.categories.sort_values()
    item = sold["product"].cat.set_categories(names).cat.codes
    owned = sold.assign(item=item).groupby(["person", "item"], as_index=False)["day"].agg(
        ["min", "max"]
    )  # fmt: skip
    buyers = owned["item"].value_counts()
    several = owned[owned["item"].map(buyers) >= SUPPORT]
    several = several[several["person"].duplicated(keep=False)]
    several = several.sort_values(["person", "max", "item"], ascending=[True, False, True])
    several = several[several.groupby("person").cumcount() < MOST_ITEMS]
    both = several[["person", "item", "min"]].merge(
        several[["person", "item", "max"]].rename(columns={"item": "next"}), on="person"
    )
    both = both[(both["item"] != both["next"]) & (both["max"] >= both["min"])]
    pairs = both.groupby(["item", "next"]).size().rename("both").reset_index()
    pairs = pairs[pairs["both"] >= SUPPORT].assign(buyers=lambda one: one["item"].map(buyers))
    share = pairs["both"] / pairs["buyers"]
    lift = share * owned["person"].nunique() / pairs["next"].map(buyers)
    pairs = pairs.assign(share=share, lift=lift)[lift > 1]
    order = ["lift", "both", "item", "next"]
    best = pairs.sort_values(order, ascending=[False, False, True, True])[:LISTED]
    shown = best.assign(item=names[best["item"]], next_item=names[best["next"]])
    return [dict(zip(PAIR, row, strict=True)) for row in shown[list(PAIR)].itertuples(index=False)]


def _grouped(waits: pd.DataFrame, by: list[str]) -> dict[Any, list[Waits]]:
    counted = waits.groupby([*by, "wait", "returned"]).size().reset_index()
    found: dict[Hashable, list[Waits]] = defaultdict(list)
    for *key, wait, returned, count in counted.itertuples(index=False, name=None):
        found[tuple(key) if len(key) > 1 else key[0]].append(Waits(wait, returned, count))
    return found


if __name__ == "__main__":
    print(json.dumps(analysis(sys.argv[1])))
