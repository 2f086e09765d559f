"""The log of an installation that has none yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remindctl.frames import HISTORY, History, empty
from remindctl.sendlog.coupons import ISSUED, Issued

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import datetime

    from remindctl.frames import Identifiers
    from remindctl.sendlog.entries import Entry, Filter
    from remindctl.sendlog.upkeep import Deed, Tally


class NoLog:
    """See ``contract.PastLog``: nothing was ever sent."""

    def history(
        self,
        store: str,  # noqa: ARG002 (the interface's)
        identifiers: Identifiers,  # noqa: ARG002 (likewise)
        *,
        campaigns: Collection[str] | None = None,  # noqa: ARG002 (likewise)
        since: datetime | None = None,  # noqa: ARG002 (likewise)
    ) -> History:
        """See ``PastLog.history``."""
        return History(empty(HISTORY))

    def issued(self, store: str) -> Issued:  # noqa: ARG002 (the interface's)
        """See ``PastLog.issued``."""
        return Issued(empty(ISSUED))

    def approved(self, store: str, templates: Collection[str]) -> Mapping[str, bytes]:  # noqa: ARG002 (the interface's)
        """See ``PastLog.approved``."""
        return {}

    def entries(self, wanted: Filter) -> Iterator[Entry]:  # noqa: ARG002 (the interface's)
        """See ``PastLog.entries``."""
        return iter(())

    def tallies(self, wanted: Filter) -> list[Tally]:  # noqa: ARG002 (the interface's)
        """See ``PastLog.tallies``."""
        return []

    def journal(self) -> list[Deed]:
        """See ``PastLog.journal``."""
        return []

    def close(self) -> None:
        """See ``PastLog.close``."""
