"""Whether two answers are the same: what is wrong is not timed."""

from __future__ import annotations

import math
from typing import Any

TOLERANCE = 1e-6  # what six decimals show of a share or a mean
_SHOWN = 10


class DisagreementError(RuntimeError):
    """Two contestants found different things."""


def require_agreement(who: str, found: object, expected: object) -> None:
    """Compare an answer with the part of it that somebody else found.

    Args:
        who: that somebody.
        found: JSON's own types; it may have more keys than ``expected``, but no longer lists.
        expected: what the other found.

    Raises:
        DisagreementError: names the first places that differ.
    """
    wrong = list(_differences(found, expected, ""))
    if wrong:
        more = f" and {len(wrong) - _SHOWN:,} more" if len(wrong) > _SHOWN else ""
        told = "; ".join(wrong[:_SHOWN])
        raise DisagreementError(f"a wrong answer is not worth timing: {told}{more} ({who})")


def _differences(found: Any, expected: Any, path: str) -> list[str]:
    if isinstance(expected, dict) and isinstance(found, dict):
        return [
            line
            for key, value in expected.items()
            for line in _differences(found.get(key), value, f"{path}.{key}" if path else key)
        ]
    if isinstance(expected, list) and isinstance(found, list):
        if len(found) != len(expected):
            return [f"{path}: {len(found)} entries instead of {len(expected)}"]
        return [
            line
            for position, (one, other) in enumerate(zip(found, expected, strict=True))
            for line in _differences(one, other, f"{path}[{position}]")
        ]
    return [] if _same(found, expected) else [f"{path}: {found} instead of {expected}"]


def _same(found: object, expected: object) -> bool:
    if isinstance(found, float) or isinstance(expected, float):
        numbers = isinstance(found, (int, float)) and isinstance(expected, (int, float))
        return numbers and math.isclose(found, expected, rel_tol=1e-9, abs_tol=TOLERANCE)  # type: ignore[arg-type]
    return found == expected
