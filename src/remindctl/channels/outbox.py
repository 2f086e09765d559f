"""The provider of a fresh machine: messages are appended to a local file and nothing leaves."""

from __future__ import annotations

import errno
import json
import os
from io import FileIO
from typing import TYPE_CHECKING, NoReturn, Self

from remindctl.channels.provider import MaybeSent, NotSent, Receipt
from remindctl.model import State

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from remindctl.channels.provider import Account, Outgoing

FILE = ".remindctl/outbox.ndjson"


class Outbox:
    """Appends a JSON object a line, for its owner's eyes only, on disk before it counts as sent.

    Attributes:
        path: of the file.
    """

    batch_size = 10_000
    local = True

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def of(cls, account: Account) -> Self:
        """Build it from ``path``, by default beside the send log."""
        return cls(account.folder / account.settings.get("path", FILE))

    def send(self, batch: Sequence[Outgoing]) -> Sequence[Receipt]:
        """See ``Provider.send``; a batch is written whole or, where the disk allows, not at all."""
        data = "".join(map(_line, batch)).encode()
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = FileIO(os.open(self.path, flags, 0o600), "ab")
        except OSError as error:
            raise NotSent(f"{self.path}: {error.strerror}") from error
        with file:
            before = file.seek(0, os.SEEK_END)
            try:
                _append(file, data)
            except OSError as error:
                self._take_back(file.fileno(), before, error)
        return [Receipt(message.id, State.SENT) for message in batch]

    def _take_back(self, descriptor: int, size: int, error: OSError) -> NoReturn:
        said = f"{self.path}: {error.strerror}"
        try:
            os.ftruncate(descriptor, size)
        except OSError:
            raise MaybeSent(said) from error
        raise NotSent(said) from error


def _append(file: FileIO, data: bytes) -> None:
    if file.write(data) != len(data):
        raise OSError(errno.ENOSPC, "the disk is full")
    os.fsync(file.fileno())


def _line(message: Outgoing) -> str:
    fields = {
        "id": message.id,
        "key": message.key,
        "store": message.store,
        "campaign": message.campaign,
        "step": message.step,
        "customer_key": message.customer_key,
        "channel": message.channel,
        "to": message.to,
        "subject": message.subject,
        "text": message.text,
        "html": message.html,
        "extras": message.extras,
        "at": message.at.isoformat(),
    }
    return json.dumps(fields, ensure_ascii=False) + "\n"
