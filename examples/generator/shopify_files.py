"""The exports of Green Goods as Shopify writes them: orders, abandoned checkouts, customers."""

from __future__ import annotations

import csv
from datetime import datetime, timedelta
from io import StringIO
from random import Random
from typing import TYPE_CHECKING

from examples.generator.shopify_orders import Sale, unit_price
from examples.generator.shopify_shop import MARKET, VENDOR, Person

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from examples.generator.market import Item

Row = dict[str, str]

_STATUS = {"cancelled": "paid", "abandoned": ""}  # fates that are not called so in the file
_PAID_AT = {"paid", "cancelled", "refunded"}  # a partial refund blanks "Paid at"
_NOTES = (
    "",
    "",
    "",
    "",
    "",
    "",
    "Please ring twice",
    'Leave by the door,\nnot in the "garden"\n\nThank you!',
)


def table(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> bytes:
    """Return a csv as Shopify writes it: UTF-8 without BOM, LF."""
    text = StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def order_rows(sales: Sequence[Sale]) -> Iterator[Row]:
    """Yield the rows of orders or checkouts, newest order first, one row a line.

    Only the first row of an order is full; the others repeat what names the order and its line.
    """
    for sale in reversed(sales):
        for n, item in enumerate(sale.items):
            line = _line(sale, item)
            yield {**_head(sale), **line} if n == 0 else line


def _line(sale: Sale, item: Item) -> Row:
    option = item.product.options[item.option][0]
    dear = Random(f"goods/compare/{sale.number}").random() < 0.1
    return {
        "Name": f"#{sale.number}",
        "Email": sale.email,
        "Created at": _written(sale.at),
        "Lineitem quantity": str(item.quantity),
        "Lineitem name": item.product.name + (f" - {option}" if option else ""),
        "Lineitem price": _money(unit_price(item)),
        "Lineitem compare at price": _money(unit_price(item) + 300) if dear else "",
        "Lineitem sku": item.product.code + (f"-{option[:3].upper()}" if option else ""),
        "Lineitem requires shipping": "true",
        "Lineitem taxable": "true",
        "Lineitem fulfillment status": "fulfilled" if _fulfilled(sale) else "pending",
        "Vendor": VENDOR,
        "Lineitem discount": "0.00",
        "Phone": _order_phone(sale),
    }


def _head(sale: Sale) -> Row:
    random = Random(f"goods/head/{sale.number}")
    person, recipient = sale.person, sale.recipient
    status = _STATUS.get(sale.fate, sale.fate)
    fulfilled = _fulfilled(sale)
    reference = f"r{random.randrange(36**6):010d}X" if status and sale.total else ""
    source = "web" if random.random() < 0.9 else "580111"
    if person is None:
        source = "pos"
    elif person.wholesale:
        source = "shopify_draft_order"
    means = random.choices(
        ("Shopify Payments", "PayPal Express Checkout", "Shopify Payments + Gift Card"), (80, 15, 5)
    )[0]
    row = {
        "Financial Status": status,
        "Paid at": _written(sale.at + timedelta(seconds=2)) if sale.fate in _PAID_AT else "",
        "Fulfillment Status": "" if not status else "fulfilled" if fulfilled else "unfulfilled",
        "Fulfilled at": _written(sale.at + timedelta(hours=random.randint(5, 40)))
        if fulfilled
        else "",
        "Accepts Marketing": "yes" if person and person.accepts_email else "no",
        "Currency": "USD",
        "Subtotal": _money(sale.subtotal),
        "Shipping": _money(sale.shipping),
        "Taxes": _money(sale.taxes),
        "Total": _money(sale.total),
        "Discount Code": " + ".join(sale.codes),
        "Discount Amount": _money(sale.discount),
        "Shipping Method": "Standard" if person else "",
        "Notes": random.choice(_NOTES),
        "Note Attributes": "gift: yes\nwrap: kraft paper" if recipient is not person else "",
        "Cancelled at": _written(sale.at + timedelta(hours=3))
        if sale.fate in {"cancelled", "voided"}
        else "",
        "Payment Method": means if reference else "",
        "Payment Reference": reference,
        "Refunded Amount": _money(sale.refunded),
        "Outstanding Balance": _money(sale.total if sale.fate == "pending" else 0),
        "Location": "" if person else "Saturday Market",
        "Id": str(5_900_000_000_000 + sale.number * 32_768 if status else sale.number),
        "Tags": "wholesale" if person and person.wholesale else "",
        "Risk Level": "Low",
        "Source": source,
        "Payment ID": reference,
        "Payment References": reference,
    }
    if person and person.area.sales_tax:
        row |= {
            "Tax 1 Name": f"{person.area.state_name} State Tax {person.area.sales_tax / 10:g}%",
            "Tax 1 Value": _money(sale.taxes),
        }
    for kind, who in (("Billing", person), ("Shipping", recipient)):
        if who is not None:
            row |= _address(kind, who, random)
    return row


def _address(kind: str, person: Person, random: Random) -> Row:
    phone = person.phone
    shapes = (
        f"({phone[2:5]}) {phone[5:8]}-{phone[8:]}",
        phone[2:],
        phone,
        f"'{phone[:2]} {phone[2:5]}-{phone[5:8]}-{phone[8:]}",
    )
    fields = {
        "Name": person.name,
        "Street": person.street,
        "Address1": person.street,
        "Company": f"{person.last_name} Pantry LLC" if person.wholesale else "",
        "City": person.town,
        "Zip": f"'{person.zip}",
        "Province": person.area.state,
        "Province Name": person.area.state_name,
        "Country": "US",
        "Phone": random.choice(shapes) if phone else "",
    }
    return {f"{kind} {name}": value for name, value in fields.items()}


def _order_phone(sale: Sale) -> str:
    """Return the order's own phone, blank on most orders that have an e-mail address."""
    person = sale.person
    if person is None:
        return ""
    # Who has several addresses, or leaves them out, stays one person by this number.
    known_by_phone = person.shy or len(person.emails) != 1
    return person.phone if known_by_phone or not sale.email else ""


def _fulfilled(sale: Sale) -> bool:
    done = sale.at < MARKET.closes - timedelta(days=2)
    return sale.person is None or (done and sale.fate in {"paid", "refunded", "partially_refunded"})


def customer_rows(known: Sequence[Person], sales: Iterable[Sale]) -> Iterator[Row]:
    """Yield the customer records; a person with two e-mail addresses has two of them."""
    placed: dict[tuple[int, str], list[Sale]] = {}
    for sale in sales:
        if sale.person:
            email = sale.email.lower() or sale.person.email(sale.at.date())
            placed.setdefault((sale.person.number, email), []).append(sale)
    for person in known:
        emails = [email for _, email in person.emails] or [""]
        for n, email in enumerate(emails):
            orders = placed.get((person.number, email), [])
            yield _customer(person, email, orders, second=n > 0)


def _customer(person: Person, email: str, orders: Sequence[Sale], *, second: bool) -> Row:
    spent = sum(sale.total - sale.refunded for sale in orders if sale.counts)
    phone = person.phone
    tags = (
        ["VIP"] * (spent >= 50_000)
        + ["wholesale"] * person.wholesale
        + ["newsletter"] * person.accepts_email
    )
    return {
        "Customer ID": f"'{7_100_000_000_000 + person.number * 4096 + second}",
        "First Name": person.first_name,
        "Last Name": person.last_name,
        "Email": email,
        "Accepts Email Marketing": "yes" if person.accepts_email and email else "no",
        "Default Address Company": f"{person.last_name} Pantry LLC" if person.wholesale else "",
        "Default Address Address1": person.street,
        "Default Address City": person.town,
        "Default Address Province Code": person.area.state,
        "Default Address Country Code": "US",
        "Default Address Zip": f"'{person.zip}",
        "Default Address Phone": f"({phone[2:5]}) {phone[5:8]}-{phone[8:]}" if phone else "",
        # Shopify gives a number to one record only.
        "Phone": f"'{phone}" if phone and not second else "",
        "Accepts SMS Marketing": "yes" if person.accepts_sms and not second else "no",
        "Total Spent": _money(spent),
        "Total Orders": str(len(orders)),
        "Note": "Allergic to nuts,\nask before sending samples" if person.number % 97 == 3 else "",
        "Tax Exempt": "yes" if person.wholesale else "no",
        "Tags": ", ".join(tags),
    }


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def _written(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S %z}"
