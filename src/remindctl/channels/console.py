"""A provider that shows messages to the person at the terminal instead of sending them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from remindctl.channels.provider import MaybeSent, Receipt
from remindctl.model import State

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from remindctl.channels.provider import Account, Outgoing


class Console:
    """Writes each message as it would be read."""

    batch_size = 1
    local = True

    def __init__(self, talk: TextIO) -> None:
        self._talk = talk

    @classmethod
    def of(cls, account: Account) -> Self:
        """Build it; it has no settings."""
        return cls(account.talk)

    def send(self, batch: Sequence[Outgoing]) -> Sequence[Receipt]:
        """See ``Provider.send``."""
        try:
            for message in batch:
                self._talk.write(f"--- {message.channel} to {message.to}\n")
                self._talk.write(f"{message.subject}\n\n" if message.subject else "")
                self._talk.write(f"{message.text}\n")
                for button in message.extras.get("buttons", ()):
                    self._talk.write(
                        " ".join(filter(None, (f"[{button['name']}]", button.get("url"))))
                    )
                    self._talk.write("\n")
            self._talk.flush()
        except OSError as error:
            raise MaybeSent(str(error)) from error
        return [Receipt(message.id, State.SENT) for message in batch]
