"""Orders as the rows of a Shopify orders export: contiguous, totals on an order's first row only.

Everything is invented: the e-mail domain is reserved, and nobody has the area code 555.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from benchmarks.history import OUTCOMES

if TYPE_CHECKING:
    from collections.abc import Sequence

_PHONES_FROM, _PHONES = 2_000_000, 7_999_999  # seven digits after the area code
_NOBODYS = 5_555_555  # with the area code, a placeholder
ZONE = "America/New_York"
_FIRST_ID = 5_000_000_000_000
_PRODUCTS = 400
_TAX = 0.08875

_KINDS = ("Green Tea", "Oat Soap", "Cat Litter", "Vitamin C", "Coffee Beans", "Sun Cream", "Honey",
          "Dog Food", "Contact Lenses", "Razor Blades", "Shampoo", "Pomme d'Été")  # fmt: skip
_SIZES = ("250 g", "500 ml", "1 kg", '12" roll', "30 pieces, refill", "Travel")
_GIVEN = ("Ada", "Ben", "Chloé", "Dmitri", "Eun", "Farah", "Grace", "Hugo", "Ines", "Jun", "Kofi",
          "Lena", "Milan", "Noor", "Olga", "Paul", "Rosa", "Sami", "Tara", "Yuki")  # fmt: skip
_FAMILY = ("Abbott", "Baker", "Chen", "Díaz", "Evans", "Fischer", "Garcia", "Haddad", "Ivanov",
           "Jones", "Kim", "Larsen", "Moreau", "Novak", "Okafor", "Park", "Rossi")  # fmt: skip
_STREETS = ("Example Street", "Sample Avenue", "Specimen Road", "Placeholder Lane", "Test Square")
_CITIES = ("New York", "Boston", "Chicago", "Austin", "Portland")
_PROVINCES = ("NY", "MA", "IL", "TX", "OR")
_PROVINCE_NAMES = ("New York", "Massachusetts", "Illinois", "Texas", "Oregon")
_ZIPS = ("'10001", "'02108", "'60601", "'78701", "'97201")  # Excel's apostrophe, as Shopify writes
_CODES = ("WELCOME10", "SPRING + VIP10")
_NOTES = ("Please ring\nthe bell, twice", 'She calls it "the good one".\nNo invoice', "Fragile")
# What a required field gets from people who give no phone; an export of this size is never clean.
_NO_PHONES = ("n/a", "see e-mail", "555-0123")
_ATTRIBUTES = """locale: en-US
landing_page: /collections/refills?sort_by=best-selling&filter.v.price.gte=5
utm_source: newsletter
utm_medium: email
utm_campaign: refill-reminder-spring
referrer: https://shop.example/
gift_wrap: no
delivery_window: 09:00-12:00"""

# What chance decides for each order, as numbers between 0 and 1.
_DRAWS = ("discounted", "by_code", "marketing", "noted", "note", "attributed", "tagged", "given",
          "shouted", "spelling")  # fmt: skip


def rows(orders: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Return what the file holds of some consecutive orders of a history.

    Args:
        orders: as ``history`` gives them.
        seed: with the first order's position, it decides everything left to chance.

    Returns:
        One row per order line, all cells as text; columns that are always blank are absent.
    """
    rng = np.random.default_rng((seed, orders["position"][0]))
    draws = rng.random((len(_DRAWS), orders.height))
    lines = _lines(orders, rng)
    gross = lines.group_by("position", maintain_order=True).agg(pl.col("gross").sum())
    orders = orders.with_columns(
        gross["gross"],
        *(pl.Series(name, draw) for name, draw in zip(_DRAWS, draws, strict=True)),
        *_outcomes(),
    )
    first = pl.col("position").ne_missing(pl.col("position").shift(1))
    return (
        lines.with_columns(pl.when(first).then("position").alias("first"))
        .join(orders.select("position", *_everywhere()), on="position", maintain_order="left")
        .join(
            orders.select(pl.col("position").alias("first"), *_first_only()),
            on="first", how="left", maintain_order="left",
        )
    )  # fmt: skip


def _lines(orders: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Return what belongs to the line: position, gross (cents) and the columns of the file."""
    position = np.repeat(orders["position"].to_numpy(), orders["line_count"].to_numpy())
    popularity = np.cumsum(1.0 / np.arange(1, _PRODUCTS + 1))
    product = np.searchsorted(popularity, rng.random(len(position)) * popularity[-1])
    quantity = 1 + rng.poisson(0.3, len(position))
    number = pl.int_range(_PRODUCTS, eager=True).alias("number")
    price = 390 + number * 7919 % 9600 // 10 * 10
    catalogue = pl.select(
        price.alias("price"),
        pl.concat_str(_chosen(_KINDS, number), pl.lit(" No. "), number, pl.lit(" - "),
                      _chosen(_SIZES, number)).alias("Lineitem name"),
        _money(price).alias("Lineitem price"),
        pl.when(number % 5 == 0).then(_money(price * 5 // 4)).alias("Lineitem compare at price"),
        pl.concat_str(pl.lit("SKU-"), 1000 + number).alias("Lineitem sku"),
        pl.concat_str(_chosen(_FAMILY, number), pl.lit(" & Sons")).alias("Vendor"),
    )  # fmt: skip
    return catalogue[pl.Series(product)].select(
        pl.Series("position", position),
        (pl.col("price") * pl.Series(quantity)).alias("gross"),
        pl.exclude("price"),
        pl.Series("Lineitem quantity", quantity).cast(pl.String),
        pl.lit("true").alias("Lineitem requires shipping"),
        pl.lit("true").alias("Lineitem taxable"),
        pl.lit("fulfilled").alias("Lineitem fulfillment status"),
        pl.lit("0.00").alias("Lineitem discount"),
    )


def _outcomes() -> list[pl.Expr]:
    status = pl.Series([one.financial_status for one in OUTCOMES])
    cancelled = pl.Series([one.is_cancelled for one in OUTCOMES])
    return [
        pl.lit(status).gather("outcome").alias("status"),
        pl.lit(cancelled).gather("outcome").alias("cancelled"),
    ]


def _everywhere() -> list[pl.Expr]:
    """Return what belongs to the order and stands on each of its rows."""
    customer = pl.col("customer")
    name = pl.concat_str(_chosen(_GIVEN, customer), pl.lit("."), _chosen(_FAMILY, customer))
    email = pl.concat_str(name.str.to_lowercase(), customer, pl.lit("@example.com"))
    written = pl.when(pl.col("shouted") < 0.005).then(email.str.to_uppercase()).otherwise(email)
    # The order's own phone is known where the customer typed it in place of an address.
    typed = pl.col("has_phone") & (~pl.col("has_email") | (customer % 3 == 0))
    return [
        # Counted down from a number that no file reaches: the newest order has the highest.
        pl.concat_str(pl.lit("#"), 20_000_000 - pl.col("position")).alias("Name"),
        pl.when("has_email").then(written).alias("Email"),
        pl.when(typed).then(pl.concat_str(pl.lit("+1555"), _phone())).alias("Phone"),
        _time(0).alias("Created at"),
    ]


def _first_only() -> list[pl.Expr]:
    """Return what belongs to the order and stands on its first row alone."""
    customer = pl.col("customer")
    recipient = customer + (pl.col("given") < 0.07)
    return [
        pl.col("status").alias("Financial Status"),
        pl.when(pl.col("status").is_in(["paid", "refunded"])).then(_time(0)).alias("Paid at"),
        pl.lit("fulfilled").alias("Fulfillment Status"),
        _time(93_784).alias("Fulfilled at"),
        pl.when(pl.col("marketing") < 0.4).then(pl.lit("yes")).otherwise(pl.lit("no"))
        .alias("Accepts Marketing"),
        pl.lit("USD").alias("Currency"),
        *_amounts(),
        pl.lit("Standard Shipping").alias("Shipping Method"),
        *_address("Billing", customer),
        *_address("Shipping", recipient),
        pl.when("has_phone").then(_spelled_phone())
        .when(pl.col("has_email") & (pl.col("spelling") < 0.005))
        .then(_chosen(_NO_PHONES, customer)).alias("Billing Phone"),
        pl.when(pl.col("noted") < 0.07).then(_chosen(_NOTES, pl.col("note") * 3)).alias("Notes"),
        pl.when(pl.col("attributed") < 0.7).then(pl.lit(_ATTRIBUTES)).alias("Note Attributes"),
        pl.when("cancelled").then(_time(5_025)).alias("Cancelled at"),
        pl.lit("Shopify Payments").alias("Payment Method"),
        _id("c", 7919).alias("Payment Reference"),
        _id("r", 104_729).alias("Payment ID"),
        _id("r", 104_729).alias("Payment References"),
        _id("", 1).alias("Id"),
        pl.when(pl.col("tagged") < 0.3).then(pl.lit("newsletter, returning")).alias("Tags"),
        pl.lit("Low").alias("Risk Level"),
        pl.lit("web").alias("Source"),
    ]  # fmt: skip


def _amounts() -> list[pl.Expr]:
    discounted = pl.col("discounted") < 0.12
    discount = pl.when(discounted).then(pl.col("gross") // 10).otherwise(0)
    subtotal = pl.col("gross") - discount
    shipping = pl.when(subtotal < 5000).then(590).otherwise(0)
    tax = (subtotal * _TAX).round().cast(pl.Int64)
    total = subtotal + shipping + tax
    refunded = (
        pl.when(pl.col("status") == "refunded").then(total)
        .when(pl.col("status") == "partially_refunded").then(total // 4)
        .otherwise(0)
    )  # fmt: skip
    return [
        _money(subtotal).alias("Subtotal"),
        _money(shipping).alias("Shipping"),
        _money(tax).alias("Taxes"),
        _money(total).alias("Total"),
        pl.when(discounted).then(_chosen(_CODES, pl.col("by_code") * 2)).alias("Discount Code"),
        _money(discount).alias("Discount Amount"),
        _money(refunded).alias("Refunded Amount"),
        pl.lit("0.00").alias("Outstanding Balance"),
        pl.lit("New York State Tax 8.875%").alias("Tax 1 Name"),
        _money(tax).alias("Tax 1 Value"),
    ]


def _address(whose: str, person: pl.Expr) -> list[pl.Expr]:
    house = 1 + person * 37 % 980
    street = pl.concat_str(house, pl.lit(" "), _chosen(_STREETS, person))
    flat = pl.concat_str(pl.lit("Apt "), 1 + person % 40)
    cells = {
        "Name": pl.concat_str(_chosen(_GIVEN, person), pl.lit(" "), _chosen(_FAMILY, person)),
        "Street": pl.concat_str(street, pl.lit(", "), flat),
        "Address1": street,
        "Address2": flat,
        "City": _chosen(_CITIES, person),
        "Zip": _chosen(_ZIPS, person),
        "Province": _chosen(_PROVINCES, person),
        "Country": pl.lit("US"),
        "Province Name": _chosen(_PROVINCE_NAMES, person),
    }
    return [cell.alias(f"{whose} {column}") for column, cell in cells.items()]


def _phone() -> pl.Expr:
    """Return seven digits, other ones for every customer."""
    number = _PHONES_FROM + pl.col("customer") * 1_299_709 % _PHONES
    return (number + (number >= _NOBODYS)).cast(pl.String)


def _spelled_phone() -> pl.Expr:
    """Return the phone as people type it, each time another way."""
    office, line = _phone().str.head(3), _phone().str.tail(4)
    spelling = pl.col("spelling")
    return (
        pl.when(spelling < 0.2).then(pl.concat_str(pl.lit("(555) "), office, pl.lit("-"), line))
        .when(spelling < 0.4).then(pl.concat_str(pl.lit("555"), office, line))
        .when(spelling < 0.6).then(pl.concat_str(pl.lit("+1555"), office, line))
        .otherwise(pl.concat_str(pl.lit("'+1 555-"), office, pl.lit("-"), line))
    )  # fmt: skip


def _time(later: int) -> pl.Expr:
    """Return when the order was made, or so many seconds later, as the shop's clock shows it."""
    instant = pl.from_epoch(pl.col("seconds") + later).dt.replace_time_zone("UTC")
    return instant.dt.convert_time_zone(ZONE).dt.strftime("%Y-%m-%d %H:%M:%S %z")


def _id(prefix: str, factor: int) -> pl.Expr:
    return pl.concat_str(pl.lit(prefix), (_FIRST_ID - pl.col("position")) * factor)


def _money(cents: pl.Expr | pl.Series) -> pl.Expr:
    cents = pl.lit(cents) if isinstance(cents, pl.Series) else cents
    return pl.concat_str(cents // 100, pl.lit("."), (cents % 100).cast(pl.String).str.zfill(2))


def _chosen(texts: Sequence[str], number: pl.Expr | pl.Series) -> pl.Expr:
    number = pl.lit(number) if isinstance(number, pl.Series) else number
    return pl.lit(pl.Series(texts)).gather(number.cast(pl.Int64) % len(texts))
