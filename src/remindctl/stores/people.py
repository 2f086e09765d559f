"""From the rows that tell of a person to one row per person: names, addresses, consents."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from remindctl.frames import (
    ADDRESSES,
    CONSENTS,
    CUSTOMERS,
    PERSON,
    Addresses,
    Customers,
    conform,
    empty,
)
from remindctl.rows import sorted_rows, starts
from remindctl.stores.layout import CUSTOMER_FIELDS
from remindctl.stores.places import located
from remindctl.stores.query import EXTRA

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from remindctl.rows import Indices
    from remindctl.stores.layout import ConsentRule

_KINDS: Mapping[str, str] = {
    "phone": "phone",
    "email": "email",
    "customer_id": "shop_id",
    "push_token": "push_token",
}
_TOLD: Mapping[str, type[pl.DataType]] = {
    "person": PERSON,
    "kind": pl.String,
    "value": pl.String,
    "in_order": pl.Boolean,
}
_ADDRESS = ("country", "province")
_NOT_OF_PEOPLE = ("person", "at", "in_order", "customer_id")
_COMPOUND_SURNAMES = ("남궁", "황보", "제갈", "선우", "독고", "사공", "서문", "동방")


def addresses(mentions: pl.DataFrame) -> Addresses:
    """Return every identifier of every person once.

    Args:
        mentions: ``person``, ``in_order`` (an order says it of its buyer) and any of phone, email,
            customer_id and push_token, one row per mention.
    """
    parts = [
        mentions.select(
            "person", pl.lit(kind).alias("kind"), pl.col(column).alias("value"), "in_order"
        )
        for column, kind in _KINDS.items()
        if column in mentions.columns
    ]
    found = (
        pl.concat([pl.DataFrame(schema=dict(_TOLD)), *parts])
        .drop_nulls()
        .group_by("person", "kind", "value")
        .agg(pl.col("in_order").any())
        .sort("person", "kind", "value")
    )
    return Addresses(conform(found, ADDRESSES))


def customers(mentions: pl.DataFrame, known: Addresses) -> Customers:
    """Return one row per person with the latest that is known of each field.

    Args:
        mentions: ``person``, ``at`` (instant of the mention, null = how things stand today) and any
            customer fields; further columns are carried as they are.
        known: the people's identifiers, the devices too, sorted as :func:`addresses` does.
    """
    if not mentions.height:
        return Customers(empty(CUSTOMERS))
    if "phone" in mentions.columns:
        # In Korea only mobile numbers take texts; elsewhere a number does not tell.
        landline = pl.col("phone").str.starts_with("+82") & ~pl.col("phone").str.starts_with("+821")
        mentions = mentions.with_columns(pl.when(~landline).then("phone").alias("phone"))
    people = _latest(mentions)
    people = people.join(_keys(known), on="person", how="left", maintain_order="left")
    people = located(people)
    if "tags" in people.columns:
        people = people.with_columns(
            pl.col("tags").str.split(",").list.eval(pl.element().str.strip_chars())
        )
    people = conform(_named(people), CUSTOMERS, extra=True)
    carried = {c: c.removeprefix(EXTRA) for c in people.columns if c.startswith(EXTRA)}
    clash = [c for c, name in carried.items() if name in CUSTOMERS]
    return Customers(people.drop(clash).rename({c: carried[c] for c in carried if c not in clash}))


def _latest(mentions: pl.DataFrame) -> pl.DataFrame:
    """Return one row per person, ascending, with what was said of each field last."""
    times = mentions.select("at").with_row_index("row")
    in_time = times.sort("at", nulls_last=True, maintain_order=True)["row"].to_numpy()
    person, nth = sorted_rows(mentions["person"].to_numpy()[in_time], np.arange(len(in_time)))
    row, begins = in_time[nth], starts(person)

    def last(told: pl.Series) -> pl.Series:
        """Return the row of each person's last mention that tells something."""
        at = np.where(told.to_numpy()[row], np.arange(len(row)), -1)
        at = np.maximum.reduceat(at, begins)
        return pl.Series(row[at], dtype=pl.UInt32).set(pl.Series(at < 0), None)

    found = {"person": pl.Series(person[begins])}
    for name in mentions.columns:
        if name in _ADDRESS and "country" in mentions.columns:
            # Those of one address, or California would come to lie in Korea.
            found[name] = mentions[name].gather(last(mentions["country"].is_not_null()))
        elif name == "signed_up_at":
            found[name] = _earliest(mentions[name].gather(row), begins)
        elif name not in (*_ADDRESS, *_NOT_OF_PEOPLE):
            found[name] = mentions[name].gather(last(mentions[name].is_not_null()))
    return pl.DataFrame(found)


def _earliest(instants: pl.Series, begins: Indices) -> pl.Series:
    never = np.iinfo(np.int64).max
    first = np.minimum.reduceat(instants.to_physical().fill_null(never).to_numpy(), begins)
    known = pl.Series(first != never)
    return pl.Series(first).set(~known, None).cast(instants.dtype)


def _keys(known: Addresses) -> pl.DataFrame:
    """Name each person after an identifier, so that the name outlives the load."""
    # Devices come and go: only who is nothing else is named after one.
    first = known.sort("person", pl.col("kind") == "push_token", maintain_order=True)
    first = first.unique("person", keep="first", maintain_order=True)
    names = first.select(pl.concat_str("kind", pl.lit(":"), "value")).to_series()
    keys = [hashlib.blake2b(name.encode(), digest_size=8).hexdigest() for name in names.to_list()]
    return first.select("person", pl.Series("customer_key", keys, dtype=pl.String))


def _named(people: pl.DataFrame) -> pl.DataFrame:
    has = {c for c in CUSTOMER_FIELDS if c in people.columns}
    absent = [
        pl.lit(None, dtype=pl.String).alias(c)
        for c in ("name", "first_name", "last_name")
        if c not in has
    ]
    people = people.with_columns(absent)
    joined = pl.concat_str("first_name", "last_name", separator=" ", ignore_nulls=True)
    people = people.with_columns(
        pl.coalesce("name", pl.when(joined != "").then(joined)).alias("name")
    )
    hangul = pl.col("name").str.contains(r"^[가-힣]{2,5}$")
    compound = pl.col("name").str.slice(0, 2).is_in(_COMPOUND_SURNAMES) & (
        pl.col("name").str.len_chars() > 2
    )
    given = (
        # A given name of one syllable is not used alone.
        pl.when(hangul & (pl.col("name").str.len_chars() == 2)).then(pl.col("name"))
        .when(hangul & compound).then(pl.col("name").str.slice(2))
        .when(hangul).then(pl.col("name").str.slice(1))
        .otherwise(pl.col("name").str.split(" ").list.first())
    )  # fmt: skip
    return people.with_columns(pl.coalesce("first_name", given).alias("first_name")).drop(
        "last_name"
    )


def consents(
    mentions: pl.DataFrame, rules: Sequence[ConsentRule], *, source: str, refusals: bool
) -> pl.DataFrame:
    """Read the consent columns of one table.

    Args:
        mentions: ``at`` (instant of the row, or null), email, phone, ``consent0`` … as text.
        rules: the layout's, in the order of those columns.
        source: what to call where this was seen.
        refusals: whether ``no`` is a refusal (a customer file, which shows how things stand) or
            only means that this order brought no consent.

    Returns:
        Rows of ``CONSENTS``; of several rows for one address the latest counts.
    """
    found = [pl.DataFrame(schema=dict(CONSENTS))]
    for i, rule in enumerate(rules):
        column = f"consent{i}"
        address = "email" if rule.channel == "email" else "phone"
        if column not in mentions.columns or address not in mentions.columns:
            continue
        said = pl.col(column).str.to_lowercase()
        granted = (
            pl.when(said.is_in([y.casefold() for y in rule.yes])).then(statement=True)
            .when(said.is_in([n.casefold() for n in rule.no])).then(statement=False)
        )  # fmt: skip
        latest = (
            mentions.select("at", pl.col(address).alias("value"), granted.alias("granted"))
            .drop_nulls(["value", "granted"])
            .sort("at", nulls_last=False, maintain_order=True)
            .unique("value", keep="last", maintain_order=True)
        )
        if not refusals:
            latest = latest.filter("granted")
        said_so = latest.select(
            pl.lit(address).alias("kind"),
            "value",
            pl.lit(rule.channel).alias("channel"),
            pl.lit(rule.purpose).alias("purpose"),
            "granted",
            pl.lit(value=False).alias("night"),
            pl.lit(source).alias("source"),
        )
        found.append(conform(said_so, CONSENTS))
    return pl.concat(found)


def ledger(statements: pl.DataFrame) -> pl.DataFrame:
    """Read a consent ledger: one row per statement and address it names.

    Args:
        statements: phone, email, customer_id, push_token, channel, purpose, granted, at, night,
            source, wording, notice_sent_at, as far as the file has them.

    Returns:
        Rows of ``CONSENTS``. A statement about a channel belongs to the address of that channel;
        one that names a customer id alone belongs to the id.
    """
    yes = ["yes", "true", "1", "y", "o", "동의", "수신동의"]
    text = {
        name: pl.col(name) if name in statements.columns else pl.lit(None, dtype=pl.String)
        for name in ("channel", "purpose", "granted", "night", "source", "wording")
    }
    shared = [
        text["channel"].str.to_lowercase().alias("channel"),
        pl.coalesce(text["purpose"].str.to_lowercase(), pl.lit("advertising")).alias("purpose"),
        text["granted"].str.to_lowercase().is_in(yes).fill_null(value=False).alias("granted"),
        text["night"].str.to_lowercase().is_in(yes).fill_null(value=False).alias("night"),
        text["source"].alias("source"),
        text["wording"].alias("wording"),
        *(c for c in ("at", "notice_sent_at") if c in statements.columns),
    ]
    found = [
        conform(
            statements.select(pl.lit(kind).alias("kind"), pl.col(column).alias("value"), *shared)
            .drop_nulls("value"),
            CONSENTS,
        )
        for column, kind in _KINDS.items()
        if column in statements.columns
    ]  # fmt: skip
    return pl.concat([pl.DataFrame(schema=dict(CONSENTS)), *found])
