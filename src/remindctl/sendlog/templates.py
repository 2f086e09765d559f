"""Approved templates: the text of one never changes; a change is a new template with a new code."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from remindctl.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from remindctl.errors import Place

_HINT = (
    "an approved template cannot be edited: restore its text, or name the code of the new template"
)


def text_hash(wording: str) -> bytes:
    """Return what tells one approved wording from another; blank space around it does not count."""
    return hashlib.sha256("\n".join(wording.strip().splitlines()).encode()).digest()[:16]


def template_problems(
    texts: Iterable[tuple[str, str, Place]], approved: Mapping[str, bytes]
) -> list[Problem]:
    """Return a problem for each wording that is not the one its template has been sent with.

    Args:
        texts: code, approved wording and place of each leg that names a template, in one store.
        approved: from ``SendLog.approved`` of that store.
    """
    known = dict(approved)
    return [
        Problem(place, f"the text of the template {code} is not the one it was sent with", _HINT)
        if code in approved
        else Problem(place, f"the template {code} has two texts", _HINT)
        for code, wording, place in texts
        if known.setdefault(code, text_hash(wording)) != text_hash(wording)
    ]
