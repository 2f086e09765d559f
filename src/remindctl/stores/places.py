"""Where a person's clock is: what they stated, else their address, else their phone number.

What is known of countries and zones stands beside this module in ``zones/``. A zone is told only
where every clock of the area shows the same time: half of a state is no answer.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

import polars as pl

# A calling code has one to three digits, one of North America with its area code four.
_PREFIX_DIGITS = (4, 3, 2, 1)


def located(people: pl.DataFrame) -> pl.DataFrame:
    """Tell country, zone and where the zone is known from.

    Args:
        people: any of timezone (as stated), country and province (codes of ISO 3166, of one
            address), phone (E.164).

    Returns:
        ``people`` without province, with timezone (IANA, null = not known), timezone_source
        (stated, address, phone; null without a zone) and country (of the address, else of the
        phone).
    """
    absent = [c for c in ("timezone", "country", "province", "phone") if c not in people.columns]
    people = people.with_columns(pl.lit(None, dtype=pl.String).alias(c) for c in absent)
    addresses = _of_addresses(people.select("country", "province"))
    phones = _of_phones(people["phone"])
    # Who lives in Spain with a British number is not on British time.
    elsewhere = (addresses["country"] != phones["country"]).fill_null(value=False)
    zones = pl.DataFrame(
        {
            "stated": _stated(people["timezone"]),
            "address": addresses["zone"],
            "phone": phones["zone"].set(elsewhere, None),
        }
    )
    sources = [pl.when(pl.col(c).is_not_null()).then(pl.lit(c)) for c in zones.columns]
    return people.drop("province").with_columns(
        zones.select(pl.coalesce(pl.all())).to_series().alias("timezone"),
        zones.select(pl.coalesce(sources)).to_series().alias("timezone_source"),
        pl.select(pl.coalesce(addresses["country"], phones["country"]))
        .to_series()
        .alias("country"),
    )


def _stated(zones: pl.Series) -> pl.Series:
    """Keep the names that are zones; another tells nothing."""
    known = {name: name for name in zones.drop_nulls().unique() if _is_zone(name)}
    return zones.replace_strict(known or {"": ""}, default=None, return_dtype=pl.String)


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _of_addresses(addresses: pl.DataFrame) -> pl.DataFrame:
    """Return country (null = no code of one) and zone of each address."""
    table = _table("addresses")
    countries = table.filter(pl.col("province").is_null()).select(
        "country", pl.col("country").alias("known"), pl.col("zone").alias("of_country")
    )
    code = pl.col("country", "province").str.strip_chars().str.to_uppercase()
    return (
        addresses.select(code)
        .join(countries, on="country", how="left", maintain_order="left")
        .join(table, on=["country", "province"], how="left", maintain_order="left")
        .select(pl.col("known").alias("country"), pl.coalesce("zone", "of_country").alias("zone"))
    )


def _of_phones(phones: pl.Series) -> pl.DataFrame:
    """Return country and zone of each number."""
    table = _table("phones")

    def by_prefix(column: str) -> pl.Expr:
        # No listed prefix begins with another one, so at most one of the lengths is found.
        known = dict(table.select("prefix", column).drop_nulls().iter_rows())
        found = [
            pl.col("phone").str.slice(1, digits).replace_strict(known, default=None)
            for digits in _PREFIX_DIGITS
        ]
        return pl.coalesce(found).alias(column)

    return phones.to_frame("phone").select(by_prefix("country"), by_prefix("zone"))


@cache
def _table(name: str) -> pl.DataFrame:
    file = resources.files("remindctl.stores") / "zones" / f"{name}.csv"
    return pl.read_csv(file.read_bytes(), comment_prefix="#", infer_schema=False)
