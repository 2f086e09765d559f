"""What ``remindctl analyze`` tells of a Shopify orders export, in DuckDB's SQL.

Run as ``python -m benchmarks.peers.analyze_duckdb FILE``; it writes a part of the document of
``analyze -o json``. The file is read once; only the columns that are needed are kept; keys are
numbers.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import duckdb

from benchmarks.peers import curves
from benchmarks.peers.curves import Waits

if TYPE_CHECKING:
    from collections.abc import Hashable

LINES = """
CREATE TEMP TABLE lines AS
SELECT substr("Name", 2)::INTEGER AS order_id, left("Created at", 10)::DATE AS day,
       "Financial Status" AS status, "Cancelled at" IS NOT NULL AS cancelled,
       lower("Email") AS email, coalesce("Phone", "Billing Phone") AS phone,
       "Lineitem name" AS product
FROM read_csv(?, all_varchar = true, header = true)
"""
# The status stands on an order's first row only.
ORDERS = r"""
CREATE TEMP TABLE orders AS
SELECT order_id, day, email,
       nullif(regexp_extract(regexp_replace(phone, '\D', '', 'g'), '\d{10}$'), '') AS phone,
       CASE WHEN cancelled THEN 'cancelled'
            WHEN status IN ('paid', 'partially_refunded', 'partially_paid', 'authorized')
            THEN 'paid'
            WHEN status = 'refunded' THEN 'refunded'
            WHEN status IN ('voided', 'expired') THEN 'cancelled'
            WHEN status = 'pending' THEN 'unpaid' END AS status
FROM lines WHERE status IS NOT NULL
"""
# A person is the first order that a chain of e-mails and phones leads to.
CONTACTS = """
CREATE TEMP TABLE contacts AS
SELECT email, phone, min(order_id) AS person FROM orders
WHERE email IS NOT NULL OR phone IS NOT NULL GROUP BY ALL
"""
MERGE = """
CREATE OR REPLACE TEMP TABLE merged AS
WITH by_email AS (SELECT email, min(person) AS person FROM contacts GROUP BY email),
     by_phone AS (SELECT phone, min(person) AS person FROM contacts GROUP BY phone)
SELECT email, phone, least(contacts.person, by_email.person, by_phone.person) AS person
FROM contacts LEFT JOIN by_email USING (email) LEFT JOIN by_phone USING (phone)
"""
CHANGED = "SELECT (SELECT sum(person) FROM merged) < (SELECT sum(person) FROM contacts)"
BOUGHT = """
CREATE TEMP TABLE bought AS
SELECT order_id, day, person
FROM orders JOIN contacts ON orders.email IS NOT DISTINCT FROM contacts.email
                         AND orders.phone IS NOT DISTINCT FROM contacts.phone
WHERE status = 'paid'
"""
WAITS = """
CREATE TEMP TABLE waits AS
WITH days AS (SELECT person, day FROM bought GROUP BY person, day)
SELECT day, row_number() OVER each AS number, lead(day) OVER each IS NOT NULL AS returned,
       coalesce(lead(day) OVER each, $as_of) - day AS wait
FROM days WINDOW each AS (PARTITION BY person ORDER BY day)
"""
COUNTS = """
SELECT count(*), count(*) FILTER (number = 1), count(*) FILTER (number = 2),
       count(*) FILTER (returned) FROM waits
"""
GAPS = """
SELECT avg(wait), quantile_cont(wait, [0.1, 0.25, 0.5, 0.75, 0.9]), max(wait)
FROM waits WHERE returned
"""
PERIOD = """
SELECT min(day)::VARCHAR, max(day)::VARCHAR, max(day) - min(day) FROM orders WHERE status = 'paid'
"""
BY_NUMBER = "SELECT number, wait, returned, count(*) FROM waits GROUP BY ALL"
BY_MONTH = """
SELECT strftime(day, '%Y-%m'), wait, returned, count(*) FROM waits WHERE number = 1 GROUP BY ALL
"""
ITEMS = """
CREATE TEMP TABLE items AS
SELECT product::VARCHAR AS product, row_number() OVER (ORDER BY product) AS item, count(*) AS sold
FROM lines JOIN bought USING (order_id) WHERE product IS NOT NULL GROUP BY product
"""
SOLD = """
CREATE TEMP TABLE sold AS
SELECT person, item, bought.day, count(DISTINCT order_id) AS orders
FROM lines JOIN bought USING (order_id) JOIN items USING (product) GROUP BY ALL
"""
BY_PRODUCT = """
WITH listed AS (FROM items ORDER BY sold DESC, product LIMIT 20),
     waits AS (
       SELECT item, orders, row_number() OVER each AS number,
              lead(day) OVER each IS NOT NULL AS returned,
              coalesce(lead(day) OVER each, $as_of) - day AS wait
       FROM sold SEMI JOIN listed USING (item)
       WINDOW each AS (PARTITION BY item, person ORDER BY day)),
     totals AS (
       SELECT item, count(*) FILTER (number = 1) AS buyers, sum(orders)::BIGINT AS orders,
              count(*) FILTER (number = 2) AS repeat_buyers
       FROM waits GROUP BY item)
SELECT product, buyers, totals.orders, repeat_buyers, wait, returned, count(*)
FROM waits JOIN totals USING (item) JOIN listed USING (item) GROUP BY ALL
"""
PAIRS = """
WITH owned AS (
       SELECT person, item, min(day) AS first_on, max(day) AS last_on FROM sold GROUP BY ALL),
     buyers AS (SELECT item, count(*) AS buyers FROM owned GROUP BY item),
     several AS (
       FROM owned SEMI JOIN (FROM buyers WHERE buyers >= 5) USING (item)
       QUALIFY count(*) OVER (PARTITION BY person) > 1
           AND row_number() OVER (PARTITION BY person ORDER BY last_on DESC, item) <= 50),
     pairs AS (
       SELECT a.item, b.item AS next, count(*) AS "both"
       FROM several a JOIN several b ON a.person = b.person AND a.item <> b.item
                                    AND b.last_on >= a.first_on
       GROUP BY ALL HAVING "both" >= 5),
     lifted AS (
       SELECT pairs.*, one.buyers, "both" / one.buyers AS share,
              share * (SELECT count(DISTINCT person) FROM owned) / other.buyers AS lift
       FROM pairs JOIN buyers one USING (item) JOIN buyers other ON other.item = next)
SELECT one.product, other.product, buyers, "both", share, lift
FROM lifted JOIN items one USING (item) JOIN items other ON other.item = next
WHERE lift > 1 ORDER BY lift DESC, "both" DESC, lifted.item, next LIMIT 20
"""


def analysis(path: str) -> dict[str, Any]:
    """Return the sections of the document."""
    sql = duckdb.connect()
    sql.execute("SET preserve_insertion_order = false")
    sql.execute(LINES, [path])
    sql.execute(ORDERS)
    sql.execute(CONTACTS)
    while sql.execute(MERGE).execute(CHANGED).fetchone() == (True,):
        sql.execute("CREATE OR REPLACE TEMP TABLE contacts AS FROM merged")
    sql.execute(BOUGHT)
    [(rows,)] = sql.execute("SELECT count(*) FROM lines").fetchall()
    status = dict(sql.execute("SELECT status, count(*) FROM orders GROUP BY ALL").fetchall())
    [(as_of,)] = sql.execute("SELECT max(day) FROM orders").fetchall()
    sql.execute(WAITS, {"as_of": as_of})
    [(orders,)] = sql.execute("SELECT count(*) FROM bought").fetchall()
    [(days, customers, repeat, gaps)] = sql.execute(COUNTS).fetchall()
    [(mean, (p10, p25, median, p75, p90), longest)] = sql.execute(GAPS).fetchall()
    [(first, last, length)] = sql.execute(PERIOD).fetchall()
    sql.execute(ITEMS)
    sql.execute(SOLD)
    by_number = _grouped(sql.execute(BY_NUMBER).fetchall())
    pair = ("item", "next_item", "buyers", "both", "share", "lift")
    return {
        "period": {"first": first, "last": last, "days": length},
        "counts": {
            "rows": rows, "orders": orders, "customers": customers, "repeat_customers": repeat,
            "purchase_days": days, "gaps": gaps,
        },
        "excluded": {
            **{name: status.get(name, 0) for name in ("cancelled", "refunded", "unpaid")},
            "unidentified_orders": status.get("paid", 0) - orders,
        },
        "interval_days": {
            "n": gaps, "mean": mean, "p10": p10, "p25": p25, "median": median, "p75": p75,
            "p90": p90, "max": longest,
        },
        "by_order_number": curves.by_order_number(by_number),
        "due": curves.due(by_number),
        "cohorts": curves.cohorts(_grouped(sql.execute(BY_MONTH).fetchall())),
        "products": curves.products(_grouped(sql.execute(BY_PRODUCT, {"as_of": as_of}).fetchall())),
        "affinity": [dict(zip(pair, row, strict=True)) for row in sql.execute(PAIRS).fetchall()],
    }  # fmt: skip


def _grouped(rows: list[tuple[Any, ...]]) -> dict[Any, list[Waits]]:
    """Group waits by what stands before wait, returned and count."""
    found: dict[Hashable, list[Waits]] = defaultdict(list)
    for row in rows:
        key = row[:-3]
        found[key if len(key) > 1 else key[0]].append(Waits(*row[-3:]))
    return found


if __name__ == "__main__":
    print(json.dumps(analysis(sys.argv[1])))
