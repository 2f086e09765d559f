"""Write the files of ``examples/shopify`` and count what a reader must find in them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from examples.generator.coupons import COUPON_COLUMNS, coupons
from examples.generator.shopify_files import customer_rows, order_rows, table
from examples.generator.shopify_orders import Sale, abandoned, sales
from examples.generator.shopify_shop import CUSTOMERS, people
from examples.generator.truth import repurchases

POOLS = ("freeship", "back15")


def write(folder: Path) -> dict[str, object]:
    """Write every file below ``folder`` and return the truth about them."""
    header = json.loads((Path(__file__).with_name("headers.json")).read_text(encoding="utf-8"))
    known = people()
    orders, checkouts = sales(known[:CUSTOMERS]), abandoned(known)
    files = {
        "orders_export_1.csv": table(header["shopify_orders"], order_rows(orders)),
        "checkouts_export_1.csv": table(header["shopify_checkouts"], order_rows(checkouts)),
        "customers_export.csv": table(header["shopify_customers"], customer_rows(known, orders)),
        **{f"coupons/{pool}.csv": table(COUPON_COLUMNS, coupons(pool, 200)) for pool in POOLS},
    }
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return _truth(orders, checkouts)


def _truth(orders: list[Sale], checkouts: list[Sale]) -> dict[str, object]:
    kept = [sale for sale in orders if sale.counts]
    cents = sum(sale.subtotal - sale.refunded for sale in kept)
    return {
        "true_customers": CUSTOMERS,
        "lines": sum(len(sale.items) for sale in orders),
        "orders": len(orders),
        "orders_without_a_usable_address": sum(sale.person is None for sale in orders),
        "orders_by_fate": dict(Counter(sale.fate for sale in orders).most_common()),
        "checkouts": len(checkouts),
        "persons": len({sale.person.number for sale in orders if sale.person}),
        "amount": f"{cents // 100}.{cents % 100:02d}",
        **repurchases((sale.person.number, sale.at.date()) for sale in kept if sale.person),
    }
