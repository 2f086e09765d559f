"""What an analysis of a Shopify orders export must count, worked out in the plainest way.

Run as ``python -m benchmarks.expected FILE COLUMN…``; it shares no code with remindctl and looks at
the given columns only. Its JSON has the keys of ``History.truth``.
"""

import json
import sys

import polars as pl

MEANS = {
    "paid": "paid",
    "partially_refunded": "paid",
    "partially_paid": "paid",
    "authorized": "paid",
    "refunded": "refunded",
    "voided": "cancelled",
    "expired": "cancelled",
    "pending": "unpaid",
}


def counts(lines: pl.LazyFrame) -> dict[str, int]:
    """Count from the lines of a file in which every order has a financial status."""
    means = pl.col("Financial Status").replace_strict(MEANS, return_dtype=pl.String)
    # The status stands on an order's first row only.
    orders = (
        lines.filter(pl.col("Financial Status").is_not_null())
        .select(
            pl.col("Created at").str.head(10).alias("day"),
            pl.when(pl.col("Cancelled at").is_null()).then(means).otherwise(pl.lit("cancelled"))
            .alias("means"),
            pl.col("Email").str.to_lowercase().alias("email"),
            # Ten digits after whatever stands for the country; with fewer it is no phone.
            pl.coalesce("Phone", "Billing Phone").str.replace_all(r"\D", "")
            .str.extract(r"(\d{10})$").alias("phone"),
        )
        .collect(engine="streaming")
    )  # fmt: skip
    paid = _with_person(orders).filter(pl.col("means") == "paid")
    kept = paid.filter(pl.any_horizontal(pl.col("email", "phone").is_not_null()))
    days = kept.select("person", "day").unique()
    per_person = days.group_by("person").len()["len"]
    left_out = dict(orders["means"].value_counts().iter_rows())
    return {
        "rows": lines.select(pl.len()).collect(engine="streaming").item(),
        "orders": kept.height,
        "customers": per_person.len(),
        "repeat_customers": int((per_person > 1).sum()),
        "purchase_days": days.height,
        "gaps": days.height - per_person.len(),
        **{name: left_out.get(name, 0) for name in ("cancelled", "refunded", "unpaid")},
        "unidentified_orders": paid.height - kept.height,
    }


def _with_person(orders: pl.DataFrame) -> pl.DataFrame:
    """Name each order after the first order that a chain of e-mails and phones leads to."""
    orders = orders.with_columns(pl.int_range(pl.len()).alias("person"))
    while True:
        before = orders["person"]
        for key in ("email", "phone"):
            first = pl.col("person").min().over(key)
            orders = orders.with_columns(
                pl.when(pl.col(key).is_null()).then("person").otherwise(first).alias("person")
            )
        if orders["person"].equals(before):
            return orders


if __name__ == "__main__":
    path, *columns = sys.argv[1:]
    print(json.dumps(counts(pl.scan_csv(path, infer_schema=False).select(columns))))
