"""The place of a log in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remindctl.sendlog.postgres.database import Address, bring_up_to_date, create, is_there
from remindctl.sendlog.postgres.log import PostgresLog
from remindctl.sendlog.postgres.tables import STEPS

if TYPE_CHECKING:
    from collections.abc import Mapping


class PostgresPlace:
    """See ``places.LogPlace``."""

    short = "the database"

    def __init__(self, url: str) -> None:
        self._address = Address(url)
        self.name = self._address.name

    def is_there(self) -> bool:
        """See ``LogPlace.is_there``."""
        database = self._address.connect()
        try:
            return is_there(database)
        finally:
            database.close()

    def create(self, meta: Mapping[str, str]) -> None:
        """See ``LogPlace.create``."""
        database = self._address.connect()
        try:
            create(self._address, database, STEPS, meta)
        finally:
            database.close()

    def open(self, fingerprint: str, *, read_only: bool) -> PostgresLog:
        """See ``LogPlace.open``."""
        database = self._address.connect()
        try:
            bring_up_to_date(self._address, database, STEPS, fingerprint, read_only=read_only)
        except BaseException:
            database.close()
            raise
        return PostgresLog(database)
