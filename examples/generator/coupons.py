"""Pools of single-use coupon codes."""

from __future__ import annotations

from random import Random

COUPON_COLUMNS = ("pool", "code", "valid_until")


def coupons(pool: str, count: int) -> list[dict[str, str]]:
    """Return ``count`` codes of a pool, all valid to the end of the year."""
    random = Random(f"green/coupons/{pool}")
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # nothing that is misread, as in codes people type
    codes: dict[str, None] = {}
    while len(codes) < count:
        codes[f"{pool.upper()}-{''.join(random.choices(letters, k=6))}"] = None
    return [{"pool": pool, "code": code, "valid_until": "2026-12-31"} for code in codes]
