"""Write the files of ``examples/smartstore`` and count what a reader must find in them."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from pathlib import Path

from examples.generator.coupons import COUPON_COLUMNS, coupons
from examples.generator.smartstore_app import APP_EVENT_COLUMNS, UNTIL, app_events
from examples.generator.smartstore_contacts import (
    CONSENT_COLUMNS,
    EVENT_COLUMNS,
    consents,
    events,
    table,
)
from examples.generator.smartstore_deliveries import (
    CONFIRMED_UNTIL,
    SHIPPED_UNTIL,
    confirmed,
    shipped,
)
from examples.generator.smartstore_files import protect, resaved_csv, rows, workbook
from examples.generator.smartstore_members import (
    APP_CONSENT_COLUMNS,
    MEMBER_COLUMNS,
    accounts,
    app_consents,
    member_rows,
)
from examples.generator.smartstore_orders import COUNTED, Order, orders
from examples.generator.smartstore_shop import CUSTOMERS, SEOUL
from examples.generator.truth import repurchases

NAME = "스마트스토어_전체주문발주발송관리"
SHIPPED, CONFIRMED = "스마트스토어_전체주문배송현황", "스마트스토어_구매확정내역"
POOLS = ("welcome", "comeback", "cart10")
PASSWORD = "1234"  # noqa: S105 (of an example file, told in its README)
# Two downloads: what the older one shows of the months that both cover is out of date.
OLD_SINCE, OLD_UNTIL = datetime(2025, 5, 1, tzinfo=SEOUL), datetime(2026, 2, 28, 9, tzinfo=SEOUL)
NEW_SINCE, NEW_UNTIL = datetime(2025, 12, 1, tzinfo=SEOUL), datetime(2026, 10, 31, 9, tzinfo=SEOUL)


def write(folder: Path) -> dict[str, object]:
    """Write every file below ``folder`` and return the truth about them."""
    header = json.loads((Path(__file__).with_name("headers.json")).read_text(encoding="utf-8"))
    columns = header["smartstore_orders"]
    everything = orders()
    members = accounts(everything)
    old, new = rows(everything, OLD_SINCE, OLD_UNTIL), rows(everything, NEW_SINCE, NEW_UNTIL)
    plain = workbook(columns, new)
    newest = f"{NAME}_{NEW_UNTIL:%Y%m%d_%H%M}.xlsx"
    files = {
        f"{NAME}_{OLD_UNTIL:%Y%m%d_%H%M}.csv": resaved_csv(columns, old),
        newest: plain,
        "consents.csv": table(CONSENT_COLUMNS, consents(everything)),
        "events.csv": table(EVENT_COLUMNS, events()),
        "customers.csv": table(MEMBER_COLUMNS, member_rows(members)),
        "consents_app.csv": table(APP_CONSENT_COLUMNS, app_consents(members)),
        f"events_{UNTIL:%Y%m%d_%H%M}.csv": table(APP_EVENT_COLUMNS, app_events(members)),
        f"deliveries/{SHIPPED}_{SHIPPED_UNTIL:%Y%m%d_%H%M}.xlsx": workbook(
            header["smartstore_shipping"], shipped(everything), title="배송현황", notice={}
        ),
        f"deliveries/{CONFIRMED}_{CONFIRMED_UNTIL:%Y%m%d_%H%M}.xlsx": workbook(
            header["smartstore_confirmed"], confirmed(everything), title="구매확정내역", notice={}
        ),
        **{f"coupons/{pool}.csv": table(COUPON_COLUMNS, coupons(pool, 300)) for pool in POOLS},
    }
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    protect(folder / "protected" / newest, plain, PASSWORD)
    return _truth(everything)


def _truth(everything: list[Order]) -> dict[str, object]:
    """Count over both downloads together, each line as the newest download that has it shows it."""
    shown = [
        (order, line, line.at(NEW_UNTIL if order.ordered_at >= NEW_SINCE else OLD_UNTIL))
        for order in everything
        for line in order.lines
    ]
    both = [line for order, line, _ in shown if NEW_SINCE <= order.ordered_at <= OLD_UNTIL]
    kept = [(order, line, state) for order, line, state in shown if state.status in COUNTED]
    return {
        "true_customers": CUSTOMERS,
        "lines": {
            "csv": sum(order.ordered_at <= OLD_UNTIL for order, _, _ in shown),
            "xlsx": sum(order.ordered_at >= NEW_SINCE for order, _, _ in shown),
            "both": len(both),
            "both_with_an_older_status": sum(
                line.at(OLD_UNTIL).status != line.at(NEW_UNTIL).status for line in both
            ),
            "all": len(shown),
        },
        "orders": len(everything),
        "orders_without_a_usable_phone": sum(not order.identified for order in everything),
        "lines_by_status": dict(Counter(state.status for _, _, state in shown).most_common()),
        "persons": len({order.buyer_phone for order in everything if order.identified}),
        "amount": sum(line.total_of(state.quantity) for _, line, state in kept),
        **repurchases(
            (order.buyer_phone, order.ordered_at.date()) for order, _, _ in kept if order.identified
        ),
    }
