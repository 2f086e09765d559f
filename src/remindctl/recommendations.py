"""What each customer may like next, from the items that go together."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NewType

import numpy as np
import polars as pl

from remindctl.rows import lengths, sorted_rows, starts

if TYPE_CHECKING:
    import numpy.typing as npt

    from remindctl.affinity import Affinities
    from remindctl.rows import Indices, Ints

    Flags = npt.NDArray[np.bool_]

Recommendations = NewType("Recommendations", pl.DataFrame)

RECOMMENDED_ITEMS = 3

_NEXT_PER_ITEM = 10
# How far is looked at first: down the list of each item, and among the best of a person's lists.
# For most people that decides.
_DEPTH, _WIDTH = 3, 6
_ALL = 2**31
# People at a time: what there is to choose from for all of them would fill the memory.
_PEOPLE = 1 << 15
_NO_RANK = np.iinfo(np.int64).max


def recommendations(found: Affinities) -> Recommendations:
    """Choose, for every person, the items that go best with what they own.

    Those of the highest lift come first, of equal ones those that most people bought. What a person
    owns already is left out unless it is consumable.

    Returns:
        person and recommended (names, best first, at most ``RECOMMENDED_ITEMS``); people for whom
        nothing stands out are absent.
    """
    person, item = (found.owned[name].to_numpy() for name in ("person", "item"))
    lists = _Lists.of(found)
    people, following = [person[:0]], [item[:0]]
    bounds = [*starts(person)[::_PEOPLE].tolist(), len(person)]
    for begin, end in pairwise(bounds):
        some, owned = person[begin:end], item[begin:end]
        first = _best(some, owned, lists, depth=_DEPTH, width=_WIDTH)
        rest = np.repeat(~first.sure, lengths(starts(some), len(some)))
        others = _best(some[rest], owned[rest], lists, depth=_NEXT_PER_ITEM, width=_ALL)
        people += [first.person, others.person]
        following += [first.next, others.next]
    names = found.items["name"].gather(np.concatenate(following))
    listed = pl.DataFrame({"person": np.concatenate(people), "recommended": names})
    return Recommendations(listed.group_by("person", maintain_order=True).agg("recommended"))


@dataclass(frozen=True, slots=True)
class _Lists:
    """What goes best with each item, the best first, list after list.

    Attributes:
        begins, sizes: of each item's list.
        next, both: the items that go with it, and how many bought both.
        rank: by lift among all lists, from 0; equal lifts share one.
        lasting: of each item, whether one is enough.
    """

    begins: Indices
    sizes: Indices
    next: Ints
    both: Ints
    rank: Ints
    lasting: Flags

    @classmethod
    def of(cls, found: Affinities) -> _Lists:
        item = found.pairs["item"].to_numpy()
        nth = _nth(lengths(starts(item), len(item)))
        best = found.pairs.filter(pl.Series(nth < _NEXT_PER_ITEM, dtype=pl.Boolean))
        sizes = np.bincount(best["item"].to_numpy(), minlength=len(found.items))
        rank = best["lift"].rank("dense", descending=True).cast(pl.Int64) - 1
        return cls(
            np.cumsum(sizes) - sizes,
            sizes,
            best["next"].to_numpy(),
            best["both"].to_numpy(),
            rank.to_numpy(),
            ~found.items["consumable"].to_numpy(),
        )

    @property
    def most(self) -> int:
        """The largest support."""
        return int(self.both.max(initial=0))

    def rank_at(self, item: Ints, nth: int) -> Ints:
        """Return the rank of the n-th entry (from 0) of each item's list, if there is one."""
        short = self.sizes[item] <= nth
        at = np.where(short, 0, self.begins[item] + nth)
        rank: Ints = np.where(short, _NO_RANK, np.append(self.rank, _NO_RANK)[at])
        return rank


@dataclass(frozen=True, slots=True)
class _Best:
    """What suits people best.

    Attributes:
        person, next: one row per person and item, best first.
        sure: of each person asked about, whether it is; of others there is no row.
    """

    person: Ints
    next: Ints
    sure: Flags


def _best(person: Ints, item: Ints, lists: _Lists, *, depth: int, width: int) -> _Best:
    """Look ``depth`` far into the list of each item owned, then at the ``width`` best of a person.

    Args:
        person: sorted.
        item: what they own, each once.
        lists: of all items.
        depth: with the whole lists ...
        width: ... and all of them, every answer is sure.
    """
    begins = starts(person)
    sizes = lengths(begins, len(person))
    buyer = np.repeat(np.arange(len(begins), dtype=np.uint32), sizes)
    seen = np.minimum(lists.sizes[item], depth)
    place = np.repeat(lists.begins[item], seen) + _nth(seen)
    owner, rank, place = sorted_rows(np.repeat(buyer, seen), lists.rank[place], place)
    # What was not looked at is no better than this.
    unseen = np.minimum.reduceat(lists.rank_at(item, depth), begins)
    nth = _nth(lengths(starts(owner), len(owner)))
    cut = nth == width
    unseen[owner[cut]] = np.minimum(unseen[owner[cut]], rank[cut])
    kept = nth < width
    owner, rank, place = owner[kept], rank[kept], place[kept]

    # Several items of one person may have the same next one.
    owner, following, row = sorted_rows(owner, lists.next[place], np.arange(len(owner)))
    each = starts(owner, following)
    rank = np.minimum.reduceat(rank[row], each)
    rarity = lists.most - np.maximum.reduceat(lists.both[place[row]], each)
    owner, following = owner[each], following[each]
    has = lists.lasting[item]
    free = ~_among(owner, following, buyer[has], item[has])
    owner, rank, rarity, following = sorted_rows(
        owner[free], rank[free], rarity[free], following[free]
    )
    nth = _nth(lengths(starts(owner), len(owner)))
    third = np.full(len(begins), _NO_RANK)
    third[owner[nth == RECOMMENDED_ITEMS - 1]] = rank[nth == RECOMMENDED_ITEMS - 1]
    # Of equals the support decides, which only whole lists tell.
    tied = np.zeros(len(begins), dtype=np.bool_)
    tied[owner[1:][(rank[1:] == rank[:-1]) & (nth[1:] > 0) & (nth[1:] <= RECOMMENDED_ITEMS)]] = True
    sure = (unseen == _NO_RANK) | ((third < unseen) & ~tied)
    chosen = (nth < RECOMMENDED_ITEMS) & sure[owner]
    return _Best(person[begins][owner[chosen]], following[chosen], sure)


def _nth(sizes: Indices) -> Indices:
    """Count from 0 within each run."""
    count: Indices = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return count


def _among(owner: Ints, item: Ints, owners: Ints, items: Ints) -> Flags:
    """Tell which pairs of owner and item are among others, which are sorted."""
    bits = np.uint64(32)
    wanted = owner.astype(np.uint64) << bits | item.astype(np.uint64)
    there = owners.astype(np.uint64) << bits | items.astype(np.uint64)
    return pl.Series(wanted).is_in(pl.Series(there).implode()).to_numpy()
