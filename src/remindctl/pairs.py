"""How many people bought one item and, then or later, another: the counting under ``affinity``.

There are many times more pairs than order lines, so they are never in memory all at once. People
stand in line, those with the most items first. Everyone's first item makes one block, everyone's
second one the next, and so on; in each block people have the same place. So a block is paired with
all later ones by looking places up, without a join.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from remindctl.rows import lengths, starts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from remindctl.rows import Indices, Ints

# A wholesale buyer of a thousand items says little about people and has a million pairs.
_ITEMS_PER_PERSON = 50
# Rows that are paired at a time, and pairs that are counted at a time where they must be sorted.
_ROWS = 1 << 18
_SORTED = 1 << 23
# A table of all possible pairs is counted into while it is no larger than this.
_TABLE = 1 << 22


def bought_then(
    person: Ints, item: Ints, first_on: Ints, last_on: Ints, *, items: int, least: int
) -> pl.DataFrame:
    """Count the people who bought an item and, on the same day or later, another one.

    Items that fewer than ``least`` people own are left out. Of people with more than 50 of the
    others only those count that they bought last.

    Args:
        person: one entry, as in the other columns, for each item of a person; sorted, then by item.
        item: its number, below ``items``.
        first_on: the day on which the person bought it first.
        last_on: and last.
        items: how many there are.
        least: leave out pairs of fewer people.

    Returns:
        item, next, both (people); sorted by item and next.
    """
    often = np.flatnonzero((np.bincount(item, minlength=items) >= least)[item])
    several = often[_of_several(person[often], item[often], last_on[often])]
    row, place, blocks = _line_up(person[several])
    row = several[row]
    del often, several
    line = _Line(place, item[row], first_on[row], last_on[row], blocks)
    del row
    cells, most = items**2, line.most_pairs()
    if cells <= min(_TABLE, max(most, 1 << 16)):
        key, both = _tabled(line.pairs(items), cells, least)
    else:
        parts = np.linspace(0, items, 2 + most // _SORTED).astype(np.int64) * items
        found = [
            _sorted((keys[(keys >= low) & (keys < high)] for keys in line.pairs(items)), least)
            for low, high in pairwise(parts)
        ]
        key, both = (np.concatenate(column) for column in zip(*found, strict=True))
    return pl.DataFrame(
        {
            "item": (key // max(items, 1)).astype(np.uint32),
            "next": (key % max(items, 1)).astype(np.uint32),
            "both": both.astype(np.int64),
        }
    )


def _of_several(person: Ints, item: Ints, last_on: Ints) -> Indices:
    """Choose the rows of people with several items; of very many, those of the latest ones."""
    begins = starts(person)
    owns = np.repeat(lengths(begins, len(person)), lengths(begins, len(person)))
    rows = np.flatnonzero((owns > 1) & (owns <= _ITEMS_PER_PERSON))
    many = np.flatnonzero(owns > _ITEMS_PER_PERSON)
    if not len(many):
        return rows
    many = many[np.lexsort((item[many], -last_on[many].astype(np.int64), person[many]))]
    return np.sort(np.append(rows, many[_nth(person[many]) < _ITEMS_PER_PERSON]))


def _nth(sorted_by: Ints) -> Indices:
    """Number the rows of each run of equal values from 0."""
    begins = starts(sorted_by)
    return np.arange(len(sorted_by)) - np.repeat(begins, lengths(begins, len(sorted_by)))


@dataclass(frozen=True, eq=False)
class _Line:
    """What people own, block after block; ``place``: whose it is; ``blocks``: where each begins."""

    place: Ints
    item: Ints
    first_on: Ints
    last_on: Ints
    blocks: Indices

    def most_pairs(self) -> int:
        """Return how many pairs there are if everything is bought on one day."""
        sizes = lengths(self.blocks, len(self.place))
        return int((2 * np.arange(len(sizes)) * sizes).sum())

    def pairs(self, items: int) -> Iterator[Ints]:
        """Yield ``item * items + next`` of everyone, some at a time."""
        for begin, end in pairwise(self.blocks):
            item, first, last = (one[begin:end] for one in (self.item, self.first_on, self.last_on))
            for start in range(end, len(self.place), _ROWS):
                rows = slice(start, start + _ROWS)
                who, theirs = self.place[rows], self.item[rows].astype(np.int64)
                own = item[who].astype(np.int64)
                yield (own * items + theirs)[self.last_on[rows] >= first[who]]
                yield (theirs * items + own)[last[who] >= self.first_on[rows]]


def _line_up(person: Ints) -> tuple[Indices, Ints, Indices]:
    """Return the rows in the order of blocks, whose they are, and where each block begins."""
    begins = starts(person)
    owns = lengths(begins, len(person))
    nth = _nth(person)
    place = np.empty(len(begins), dtype=np.uint32)
    # numpy sorts 16-bit numbers by counting them.
    most_first = np.argsort((_ITEMS_PER_PERSON - owns).astype(np.uint16), kind="stable")
    place[most_first] = np.arange(len(begins), dtype=np.uint32)
    places = np.repeat(place, owns)
    blocks = np.append(0, np.cumsum(np.bincount(nth)))[:-1]
    row = np.empty(len(person), dtype=np.intp)
    row[blocks[nth] + places] = np.arange(len(person))
    return row, places[row], blocks


def _tabled(pairs: Iterable[Ints], cells: int, least: int) -> tuple[Ints, Ints]:
    both = np.zeros(cells, dtype=np.int64)
    waiting: list[Ints] = []
    for keys in pairs:
        waiting.append(keys)
        # Adding a table up costs as much as counting as many pairs.
        if sum(map(len, waiting)) >= cells:
            both += np.bincount(np.concatenate(waiting), minlength=cells)
            waiting = []
    if waiting:
        both += np.bincount(np.concatenate(waiting), minlength=cells)
    key = np.flatnonzero(both >= least)
    return key, both[key]


def _sorted(pairs: Iterable[Ints], least: int) -> tuple[Ints, Ints]:
    keys = np.concatenate([np.zeros(0, dtype=np.int64), *pairs])
    keys = pl.Series(keys).sort().to_numpy()
    begins = starts(keys)
    both = lengths(begins, len(keys))
    return keys[begins[both >= least]], both[both >= least]
