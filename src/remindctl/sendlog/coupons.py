"""Which codes were given out and to whom: what the log knows, and what the pool files add to it.

The log keeps only keyed hashes of codes. A code can be read again while its pool file still has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NewType

import polars as pl

from remindctl.frames import COUPONS, INSTANT, Coupons, conform
from remindctl.model import State

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from remindctl.frames import Identifiers
    from remindctl.sendlog.keys import Hasher

Issued = NewType("Issued", pl.DataFrame)

ISSUED: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "pool": pl.String,  # null: one code for all
    "coupon": pl.Binary,  # keyed hash, see code_hash
    "key": pl.String,
    "state": pl.String,
    "issued_at": INSTANT,  # the latest attempt of the message
    "until": pl.Date,  # last day, as the customer was told
    "hmac": pl.Binary,  # one identifier of whom it was given to
}

_REACHED = (str(State.SENT), str(State.DELIVERED))


@dataclass(frozen=True, slots=True, eq=False)
class CouponBook:
    """Every code of a store, free or given out.

    Attributes:
        coupons: those given out first, the earliest first; then the free ones as in the files.
        lost: pool → how many codes were given out that its files no longer have: nobody can be
            given those back.
    """

    coupons: Coupons
    lost: Mapping[str, int]


def code_hash(hasher: Hasher, pool: str | None, code: str, store: str) -> bytes:
    """Return the keyed hash by which the log knows a code, in whichever case it is written.

    Args:
        hasher: of the log.
        pool: None for a code for all.
        code: as the customer reads it.
        store: whose coupon it is.
    """
    return hasher.hash("coupon", f"{pool or ''}\x1f{code.casefold()}", store)


def match_codes(
    files: pl.DataFrame,
    fixed: Collection[str],
    issued: Issued,
    identifiers: Identifiers,
    hasher: Hasher,
    store: str,
) -> CouponBook:
    """Join the codes that can be read with what the log says was given out.

    A code that was given to someone who is two people by now belongs to the one who was messaged
    last, else to the one who shares more of the identifiers it was given to.

    Args:
        files: pool, code and valid_until of every row of the pool files.
        fixed: the codes for all that campaigns name.
        issued: of this store.
        identifiers: of everyone who may hold one.
        hasher: of the log.
        store: its key.
    """
    alike = pl.DataFrame({"code": sorted(fixed)}, schema={"code": pl.String})
    readable = pl.concat([files.select("pool", "code", "valid_until"), alike], how="diagonal")
    hashes = [
        code_hash(hasher, pool, code, store)
        for pool, code in readable.select("pool", "code").iter_rows()
    ]
    code = ["pool", "coupon"]
    readable = readable.with_columns(pl.Series("coupon", hashes, dtype=pl.Binary)).unique(
        code, keep="first", maintain_order=True
    )
    given = _given(issued, identifiers)
    found = given.join(readable, on=code, how="inner", nulls_equal=True, maintain_order="left")
    free = readable.filter(pl.col("pool").is_not_null()).join(
        given, on=code, how="anti", maintain_order="left"
    )
    lost = given.filter(pl.col("pool").is_not_null()).join(readable, on=code, how="anti")
    told = found.with_columns(pl.col("until").alias("valid_until"))
    return CouponBook(
        Coupons(conform(pl.concat([told, free], how="diagonal"), COUPONS)),
        dict(lost.group_by("pool").len().sort("pool").iter_rows()),
    )


def _given(issued: Issued, identifiers: Identifiers) -> pl.DataFrame:
    """Return one row per code of a pool, and per person and key of a code for all."""
    known = identifiers.select("person", "hmac").unique()
    given = (
        issued.join(known, on="hmac", how="left")
        # Its message is the leg that reached them, else the last one that was tried.
        .sort(pl.col("state").is_in(_REACHED), "issued_at")
        .group_by("pool", "coupon", "key", "person")
        .agg(
            pl.col("state", "issued_at", "until").last(),
            pl.col("issued_at").max().alias("tried_at"),
            pl.col("hmac").n_unique().alias("shared"),
        )
        .sort("issued_at", "coupon", "person")
    )
    belongs = [pl.col("tried_at"), pl.col("person").is_not_null(), pl.col("shared")]
    one = (
        given.filter(pl.col("pool").is_not_null())
        .sort(*belongs, descending=True, maintain_order=True)
        .unique(["pool", "coupon"], keep="first", maintain_order=True)
    )
    each = given.filter(pl.col("pool").is_null(), pl.col("person").is_not_null())
    return pl.concat([one, each]).sort("issued_at", "coupon", "person")
