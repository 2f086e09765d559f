"""Which claims may be made, and what is written for them: all of it part of one transaction."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

from remindctl.model import State
from remindctl.sendlog.entries import Lost

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from remindctl.sendlog.entries import Claim

# What makes another claim of the same key impossible, whatever its leg.
_STANDS = frozenset(
    map(str, (State.CLAIMED, State.SENT, State.UNKNOWN, State.DELIVERED, State.CONTROL))
)


class ClaimTables(Protocol):
    """The tables of a log, inside a transaction that no other claim for the store overlaps."""

    def past(
        self, incoming: Sequence[tuple[bytes, bytes, int]]
    ) -> Iterable[tuple[int, int, int, str, bytes]]:
        """Find the claims so far of identifiers and keys.

        Args:
            incoming: identifier, key and position, sorted.

        Returns:
            position, number, leg, state and person, by position and number.
        """

    def code_holders(
        self, wanted: Sequence[tuple[int, str, str | None, bytes | None]]
    ) -> Mapping[int, int]:
        """Find the claims that hold codes: position, store, pool, code → position to number."""

    def numbers(self, count: int) -> Iterable[int]:
        """Return so many rising numbers that no claim has."""

    def write(self, run: str, claims: Sequence[tuple[int, Claim]], at: datetime) -> None:
        """Add claims."""

    def write_again(self, run: str, claims: Sequence[tuple[int, Claim]], at: datetime) -> None:
        """Claim failed ones again, counting the attempt; the first attempt's time stays."""

    def write_identifiers(self, rows: Sequence[tuple[bytes, bytes, int, int]]) -> None:
        """Point identifier, key and leg to a claim, also where they pointed to another."""

    def write_codes(self, rows: Sequence[tuple[str, str | None, bytes | None, int]]) -> None:
        """Point store, pool and code to the claim that holds it from now on."""

    def write_holders(self, rows: Sequence[tuple[int, bytes]]) -> None:
        """Remember whom a claim's code was given to, beside whom it was given to before."""


def make_claims(
    tables: ClaimTables, run: str, claims: Sequence[Claim], at: datetime
) -> list[int | Lost]:
    """Write the claims that may be made; see ``SendLog.claim``."""
    incoming, shared = _incoming(claims)
    lost, repeated = _decide(tables, claims, incoming, shared)
    free = iter(tables.numbers(len(claims) - len(lost.keys() | repeated.keys())))
    numbers: list[int | Lost] = []
    fresh, again = [], []
    for index, claim in enumerate(claims):
        if index in lost:
            numbers.append(lost[index])
        elif index in repeated:
            numbers.append(repeated[index])
            again.append((repeated[index], claim))
        else:
            number = next(free)
            numbers.append(number)
            fresh.append((number, claim))
    made = [*fresh, *again]
    tables.write(run, fresh, at)
    tables.write_again(run, again, at)
    # In the order of the index, where neighbours share a page.
    tables.write_identifiers(
        [
            (hmac, key, claims[index].leg, won)
            for hmac, key, index in incoming
            if not isinstance(won := numbers[index], Lost)
        ]
    )
    tables.write_codes(
        [(*_code(claim), number) for number, claim in made if claim.coupon_pool is not None]
    )
    tables.write_holders(
        [
            (number, hmac)
            for number, claim in made
            if claim.coupon is not None
            for hmac in _known_by(claim)
        ]
    )
    return numbers


def _incoming(claims: Sequence[Claim]) -> tuple[list[tuple[bytes, bytes, int]], set[int]]:
    """Return identifier, key and position of the claims, sorted, each identifier and key once.

    Returns:
        also the positions of the claims that share one with a claim before them.
    """
    told = sorted(
        [
            (hmac, key, index)
            for index, claim in enumerate(claims)
            for key in (bytes.fromhex(claim.key),)
            for hmac in _known_by(claim)
        ]
    )
    first, shared = told[:1], set()
    for before, one in pairwise(told):
        if one[0] == before[0] and one[1] == before[1]:
            shared.add(one[2])
        else:
            first.append(one)
    return first, shared


def _decide(
    tables: ClaimTables,
    claims: Sequence[Claim],
    incoming: Sequence[tuple[bytes, bytes, int]],
    shared: Iterable[int],
) -> tuple[dict[int, Lost], dict[int, int]]:
    """Find the claims that are lost, and those that repeat a failed one (index → its number)."""
    lost = dict.fromkeys(shared, Lost.ALREADY)
    repeated: dict[int, int] = {}
    by: dict[int, int] = {}
    past: defaultdict[int, set[int]] = defaultdict(set)
    for index, number, leg, state, person in tables.past(incoming):
        claim = claims[index]
        past[index].add(number)
        if leg < claim.leg and state not in _STANDS:
            continue
        # A failed claim of someone who is two people by now is repeated by one of them only.
        if leg != claim.leg or state != State.FAILED or by.setdefault(number, index) != index:
            lost[index] = Lost.ALREADY
        elif person == claim.person or index not in repeated:
            repeated[index] = number
    _keep_codes_apart(tables, claims, lost, past)
    return lost, repeated


def _keep_codes_apart(
    tables: ClaimTables,
    claims: Sequence[Claim],
    lost: dict[int, Lost],
    past: Mapping[int, Collection[int]],
) -> None:
    """Add the claims whose code is another's to ``lost``.

    Args:
        tables: in the transaction.
        claims: all of them.
        lost: index → why, of those that are lost anyway.
        past: index → the claims of the same key and person so far. Only where the code's holder is
            among them may it be had again.
    """
    codes = {
        index: _code(claim)
        for index, claim in enumerate(claims)
        if claim.coupon_pool is not None and index not in lost
    }
    holders = tables.code_holders([(index, *code) for index, code in codes.items()])
    given = set()
    for index, code in codes.items():
        mine = index not in holders or holders[index] in past.get(index, ())
        if mine and code not in given:
            given.add(code)
        else:
            lost[index] = Lost.COUPON_TAKEN


def _known_by(claim: Claim) -> frozenset[bytes]:
    known = claim.identifiers
    return known if claim.person in known else known | {claim.person}


def _code(claim: Claim) -> tuple[str, str | None, bytes | None]:
    return claim.store, claim.coupon_pool, claim.coupon
