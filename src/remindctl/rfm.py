"""Recency, frequency and money as scores from 1 to 5, and the six groups they make.

A score says how many fifths of the customers are *strictly* worse: 1 + that number. So equals
always share a score, and where most bought once, all of these score 1 for frequency.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping

SCORES = 5
DECILES = 10

# The gate of the large e-mail platforms: with fewer, each new customer moves everybody's score.
ENOUGH_CUSTOMERS = 500

_R, _F, _M = pl.col("recency_score"), pl.col("frequency_score"), pl.col("money_score")

# In this order, the first that holds.
GROUPS: Mapping[str, pl.Expr] = {
    "champions": (_R >= 4) & (_F >= 4) & (_M >= 4),
    "loyal": (_R >= 3) & (_F >= 3),
    "recent": _R >= 4,
    "needs_attention": _R == 3,
    "at_risk": _F >= 3,
    "inactive": _R <= 2,
}

MEANING: Mapping[str, str] = {
    "champions": "R, F and M are all 4 or 5: bought lately, often, and for much",
    "loyal": "R and F are 3 or more, and not all of R, F and M are 4 or 5",
    "recent": "R is 4 or 5, F is 1 or 2: bought lately, but not often",
    "needs_attention": "R is 3, F is 1 or 2: neither lately nor often",
    "at_risk": "R is 1 or 2, F is 3 or more: bought often, and not for a long time",
    "inactive": "R and F are 1 or 2: bought seldom, and not for a long time",
}


def tile(value: pl.Expr, count: int) -> pl.Expr:
    """Cut customers into ``count`` parts by value: 1 + how many such parts are strictly below.

    Equals share a part; a null has none and is not counted.
    """
    below = value.rank("min").cast(pl.Int64) - 1
    return (below * count // value.count() + 1).cast(pl.Int8)


def scored(people: pl.DataFrame) -> pl.DataFrame:
    """Add recency_score, frequency_score, money_score, rfm (the group) and value_decile.

    Args:
        people: purchase_days, days_since_last and spent of everyone; who has no purchase day gets
            no score and is not compared with.
    """
    bought = pl.col("purchase_days") > 0
    people = people.with_columns(
        tile(-pl.when(bought).then("days_since_last"), SCORES).alias("recency_score"),
        tile(pl.when(bought).then("purchase_days"), SCORES).alias("frequency_score"),
        tile(pl.when(bought).then("spent"), SCORES).alias("money_score"),
        tile(pl.when(bought).then("spent"), DECILES).alias("value_decile"),
    )
    group = pl.lit(None, dtype=pl.String)
    for name, condition in reversed(list(GROUPS.items())):
        group = pl.when(condition).then(pl.lit(name)).otherwise(group)
    return people.with_columns(group.alias("rfm"))
