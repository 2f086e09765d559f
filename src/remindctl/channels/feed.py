"""Messages for the shop's own pages: one JSON file per store says who sees what, until when."""

from __future__ import annotations

import json
import os
import tempfile
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from remindctl.channels.provider import MaybeSent, NotSent, Receipt
from remindctl.model import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remindctl.channels.provider import Account, Outgoing

SCHEMA = "remindctl.onsite/1"


class Feed:
    """Adds messages to the file of their store, which a reader always finds whole.

    A message that is there already is replaced, one whose time is over is left out.
    """

    # Each batch writes the whole file.
    batch_size = 100_000
    local = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    def of(cls, account: Account) -> Self:
        """Build it from ``folder``, by default beside the send log."""
        return cls(account.folder / account.settings.get("folder", ".remindctl"))

    def path(self, store: str) -> Path:
        """Return the file of a store."""
        return self._folder / f"onsite-{store}.json"

    def send(self, batch: Sequence[Outgoing]) -> Sequence[Receipt]:
        """See ``Provider.send``."""
        by_store: defaultdict[str, list[Outgoing]] = defaultdict(list)
        for message in batch:
            by_store[message.store].append(message)
        written = False
        for store, messages in by_store.items():
            path = self.path(store)
            try:
                _replace(path, _with(messages, path))
            except (OSError, ValueError) as error:
                raise (MaybeSent if written else NotSent)(f"{path}: {error}") from error
            written = True
        return [Receipt(message.id, State.SENT) for message in batch]


def _with(messages: Sequence[Outgoing], path: Path) -> list[dict[str, Any]]:
    entries = _read(path, messages[0].at)
    return [*(entries | {message.id: _entry(message) for message in messages}).values()]


def _entry(message: Outgoing) -> dict[str, Any]:
    seconds = message.extras.get("show_for")
    until = None if seconds is None else message.at + timedelta(seconds=seconds)
    return {
        "key": message.id,
        "campaign": message.campaign,
        "step": message.step,
        "customer_id" if message.kind == "shop_id" else "push_token": message.to,
        "title": message.subject,
        "text": message.text,
        "image": message.extras.get("image"),
        "url": message.extras.get("url"),
        "from": message.at.isoformat(),
        "until": None if until is None else until.isoformat(),
    }


def _read(path: Path, now: datetime) -> dict[str, dict[str, Any]]:
    """Return the entries of a file that are not over, by their keys.

    Raises:
        ValueError: it holds something else.
    """
    try:
        return _live(json.loads(path.read_text("utf-8")), now)
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError("is not a feed of this program; move it away") from error


def _live(document: dict[str, Any], now: datetime) -> dict[str, dict[str, Any]]:
    if document["schema"] != SCHEMA:
        raise ValueError(document["schema"])
    return {
        entry["key"]: entry
        for entry in document["entries"]
        if entry["until"] is None or datetime.fromisoformat(entry["until"]) > now
    }


def _replace(path: Path, entries: Sequence[dict[str, Any]]) -> None:
    """Write the file anew, for its owner's eyes only, and put it into place at once."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump({"schema": SCHEMA, "entries": entries}, file, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
