"""Many rows in few statements: SQLite then works without Python between the rows.

``executemany`` comes back to Python after each row, where another thread may keep it waiting, and
binds every value of it. Here, what is the same in all rows is bound once.
"""

from __future__ import annotations

import sqlite3
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# Values that are bound at once: to read a longer statement costs more than it saves.
_AT_ONCE = 4_000


def insert(
    connection: sqlite3.Connection, into: str, columns: Mapping[str, Sequence[object]]
) -> None:
    """Insert rows that are given column by column.

    Args:
        connection: in a transaction.
        into: ``INSERT INTO`` or ``INSERT OR …``, and the table.
        columns: name → values, each as many; the first column tells the rows apart.
    """
    each = {
        name: values
        for number, (name, values) in enumerate(columns.items())
        if number == 0 or values.count(values[0]) < len(values)
    }
    alike = {name: values[0] for name, values in columns.items() if name not in each}
    marks = [*"?" * len(alike), *(f"column{number + 1}" for number in range(len(each)))]
    head = f"{into} ({', '.join([*alike, *each])}) SELECT {', '.join(marks)} FROM"
    rows = list(zip(*each.values(), strict=True))
    for table, values in in_parts(connection, rows, len(alike)):
        connection.execute(f"{head} {table}", [*alike.values(), *values])


def in_parts(
    connection: sqlite3.Connection, rows: Sequence[Sequence[object]], also: int = 0
) -> Iterator[tuple[str, Sequence[object]]]:
    """Cut rows into tables that a statement can hold: their SQL, and the values to bind.

    Args:
        connection: whose limits hold.
        rows: of equal length; the columns are called ``column1``, ``column2``, ….
        also: how many values are bound beside them.
    """
    width = len(rows[0]) if rows else 1
    most = connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER) - also
    count = max(1, min(_AT_ONCE, most) // width)
    row = f"({', '.join('?' * width)})"
    for start in range(0, len(rows), count):
        part = rows[start : start + count]
        yield f"(VALUES {', '.join([row] * len(part))})", list(chain.from_iterable(part))
