"""The canonical frames: the columns and dtypes that every stage of the line agrees on.

An edge (``stores``, ``sendlog``) builds a frame, passes it through :func:`conform` and only then
hands it to the core. A stage that needs less may be given fewer columns, never other names or
dtypes.

Frames:
    ORDERS: one row per order line.
    CUSTOMERS: one row per person; further columns of the shop's own file follow as strings.
    ADDRESSES: one row per person and identifier, the ways a person is known and reached.
    EVENTS: one row per event of a visitor or customer.
    CONSENTS: one row per statement of consent or refusal, as the shop recorded it.
    COUPONS: one row per code, free or issued; a code for all once per person it was issued to.
    IDENTIFIERS: one row per person and keyed hash of one of their identifiers.
    HISTORY: one row per person and message of theirs in the send log.
    SUPPRESSIONS: one row per person and standing opt-out of one of their addresses.

``person`` numbers the people of one load from 0. It joins frames of the same load and means nothing
outside it. What may be stored or printed is ``customer_key``: stable for as long as the person's
identifiers do not merge or split.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NewType

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

Orders = NewType("Orders", pl.DataFrame)
Customers = NewType("Customers", pl.DataFrame)
Addresses = NewType("Addresses", pl.DataFrame)
Events = NewType("Events", pl.DataFrame)
Consents = NewType("Consents", pl.DataFrame)
Coupons = NewType("Coupons", pl.DataFrame)
Identifiers = NewType("Identifiers", pl.DataFrame)
History = NewType("History", pl.DataFrame)
Suppressions = NewType("Suppressions", pl.DataFrame)

INSTANT = pl.Datetime("us", "UTC")
# Four decimals hold every currency in use (three at most) and the tenths of a cent of bulk prices.
MONEY = pl.Decimal(18, 4)
PERSON = pl.UInt32

STATUSES = ("paid", "pending", "cancelled", "refunded", "exchanged")
STATUS = pl.Enum(STATUSES)

ORDERS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "store": pl.String,
    "order_id": pl.String,
    "line_id": pl.String,  # unique within the store
    "person": PERSON,  # null: the order names no one we could recognise again
    "ordered_at": INSTANT,
    "ordered_on": pl.Date,  # the local date as the shop wrote it
    "status": STATUS,
    "delivered_at": INSTANT,
    "confirmed_at": INSTANT,
    "cancelled_at": INSTANT,
    "product_id": pl.String,
    "product": pl.String,
    "option": pl.String,
    "sku": pl.String,
    "category": pl.String,
    "quantity": pl.Int64,
    "amount": MONEY,  # what was paid for the line, discounts and refunds taken off
    "currency": pl.String,
    "discount_code": pl.String,
    "source_row": pl.UInt32,
}

CUSTOMERS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "person": PERSON,
    "customer_key": pl.String,
    "name": pl.String,
    "first_name": pl.String,
    "email": pl.String,
    "phone": pl.String,  # E.164, a number that can be messaged
    "locale": pl.String,
    "timezone": pl.String,
    "timezone_source": pl.String,  # stated | address | phone
    "country": pl.String,  # ISO 3166, of the address, else of the phone
    "signed_up_at": INSTANT,
    "tags": pl.List(pl.String),
}

ADDRESS_KINDS = ("phone", "email", "shop_id", "push_token")

ADDRESSES: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "person": PERSON,
    "kind": pl.Enum(ADDRESS_KINDS),
    "value": pl.String,  # normalised: E.164, lower-case e-mail, id as the shop writes it
    "in_order": pl.Boolean,  # the buyer gave it in an order of this store
}

EVENTS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "person": PERSON,
    "event": pl.String,
    "occurred_at": INSTANT,
    "event_id": pl.String,
    "cart_id": pl.String,
    "push_token": pl.String,
    "product_id": pl.String,
    "product": pl.String,
    "url": pl.String,
    "quantity": pl.Int64,
    "value": MONEY,
    "stock": pl.Int64,
    "code": pl.String,  # of a coupon that was used
}

CONSENTS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "kind": pl.Enum(ADDRESS_KINDS),
    "value": pl.String,  # the address that was consented for, normalised as in ADDRESSES
    "channel": pl.String,  # a channel (sms, email, …) or a family (text, kakao, email, push)
    "purpose": pl.String,  # advertising | informational
    "granted": pl.Boolean,
    "at": INSTANT,  # null: undated, never lifts a refusal
    "night": pl.Boolean,
    "source": pl.String,
    "wording": pl.String,
    "notice_sent_at": INSTANT,
}

COUPONS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "pool": pl.String,  # null: one code for all, from a campaign
    "code": pl.String,
    "valid_until": pl.Date,  # last day; of an issued one as the customer was told
    "person": PERSON,  # whom it was issued to; null: free, or to no one of this load
    "key": pl.String,  # the message it was issued with; null: free
    "issued_at": INSTANT,
    "state": pl.String,  # of that message, see model.State
}

IDENTIFIERS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "person": PERSON,
    "kind": pl.Enum(ADDRESS_KINDS),
    "value": pl.String,
    "hmac": pl.Binary,
}

HISTORY: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "person": PERSON,  # found through any identifier that the message was claimed with
    "campaign": pl.String,
    "step": pl.String,
    "key": pl.String,  # store, campaign, step and occasion
    "entry": pl.String,  # store, campaign and occasion: one start of the campaign
    "leg": pl.UInt8,
    "channel": pl.String,
    "state": pl.String,  # see model.State
    "claimed_at": INSTANT,  # the latest attempt
    "tags": pl.List(pl.String),
    "counts": pl.Boolean,  # whether it counts for frequency caps
    "arm": pl.String,  # treated | control; null: the campaign held no one out then
    "store_arm": pl.String,  # treated | holdout; null: the store held no one out then
    "variant": pl.String,
}

SUPPRESSIONS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "person": PERSON,
    "kind": pl.Enum(ADDRESS_KINDS),
    "value": pl.String,
    "family": pl.String,  # see model.Family
    "scope": pl.String,  # advertising | all
    "at": INSTANT,
}


def conform(
    frame: pl.DataFrame,
    schema: Mapping[str, pl.DataType | type[pl.DataType]],
    *,
    extra: bool = False,
) -> pl.DataFrame:
    """Give ``frame`` the columns of ``schema`` in their order and dtypes, absent ones as nulls.

    Args:
        frame: any frame whose columns of these names hold castable values.
        schema: one of the mappings of this module.
        extra: keep further columns, after the canonical ones.

    Raises:
        polars.exceptions.InvalidOperationError: a value does not fit its dtype. The edge that
            built the frame must have rejected such a row before.
    """
    if not frame.columns:
        # Selecting constants from nothing would make a row of nulls.
        return empty(schema)
    wanted = [
        (
            pl.col(name).cast(dtype)
            if name in frame.columns
            else pl.lit(None, dtype=dtype).alias(name)
        )
        for name, dtype in schema.items()
    ]
    rest = [name for name in frame.columns if name not in schema] if extra else []
    return frame.select(*wanted, *rest)


def empty(schema: Mapping[str, pl.DataType | type[pl.DataType]]) -> pl.DataFrame:
    """Return a frame of ``schema`` without rows."""
    return pl.DataFrame(schema=dict(schema))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything one store's files say, as the edge read it and the core may use it.

    Attributes:
        orders, customers, addresses, events, consents: canonical frames of one load.
        known_until: source name (orders, customers, consents, events) → the instant up to which
            that source is known: its export time, never its newest row.
    """

    orders: Orders
    customers: Customers
    addresses: Addresses
    events: Events
    consents: Consents
    known_until: Mapping[str, datetime]
