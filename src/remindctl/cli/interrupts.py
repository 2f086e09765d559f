"""Interrupts while messages leave: counted, so that a run can end in its own order."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

_MOST = 2


@contextmanager
def counted_interrupts(say: Callable[[str], None]) -> Iterator[Callable[[], int]]:
    """Count SIGINT and SIGTERM during the block instead of ending at once.

    A third one ends at once after all. A signal that this process was started to ignore stays
    ignored.

    Args:
        say: told what happens, from whoever asks for the count: a handler must not write.

    Yields:
        what returns the count.
    """
    count, said = 0, 0

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal count
        del number, frame
        count += 1
        if count > _MOST:
            raise KeyboardInterrupt

    def asked() -> int:
        nonlocal said
        if count > said:
            said = count
            say(
                "ending: waiting for the answers to what is on its way (once more: not waiting)"
                if count < _MOST
                else "ending: what is on its way may have been sent, and is not sent again"
            )
        return count

    signals = (signal.SIGINT, signal.SIGTERM)
    before = {one: signal.getsignal(one) for one in signals}
    for one, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(one, note)
    try:
        yield asked
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
