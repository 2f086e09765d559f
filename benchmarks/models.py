"""Model fits against the libraries that researchers use for them."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from benchmarks.compare import Comparison
from benchmarks.generate import SEED
from benchmarks.interpreters import NOBODY, python_run
from benchmarks.measure import ROOT
from remindctl.intervals import PurchaseDays
from remindctl.predict.histories import histories
from remindctl.predict.likelihood import log_likelihood, sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy.typing as npt

    from benchmarks.interpreters import Interpreters

    Data = tuple[npt.NDArray[np.int64], ...]
    Found = dict[str, list[float]]

TARGETS_FROM = 1_000_000  # customers, or waits
# As Fader, Hardie and Lee 2005 found them for CDNOW, in weeks, and their weeks of observation.
PARAMS = (0.243, 4.414, 0.793, 2.426)
_OBSERVED_WEEKS = (27, 39)
_CDNOW = ROOT / "tests/data/cdnow/CDNOW_sample.txt"
_CDNOW_UNTIL = date(1997, 9, 30)

# How far the answers may differ: of log-likelihoods, and of curves and their bands.
_LIKELIHOOD_TOLERANCE, _CURVE_TOLERANCE = 1e-6, 1e-9

_FIT = Path(__file__).with_name("fit.py")


@dataclass(frozen=True, slots=True)
class Duel:
    """One fit by two libraries.

    Attributes:
        data, warm_up: the arguments of the fits in ``fit.py``, whole numbers.
        ours, theirs: names of contestants there.
        target: the largest share of the other's time that is good enough; None = none is set.
        check: given what both found, says what is wrong with ours, or nothing.
    """

    measure: str
    data: Data
    warm_up: Data
    ours: str
    theirs: str
    target: float | None
    check: Callable[[Found, Found], str]


def benchmark(
    sizes: Sequence[int],
    repeat: int,
    folder: Path,
    say: Callable[[str], None],
    *,
    peers: Interpreters = NOBODY,
) -> Iterator[Comparison]:
    """Compare the fits with other libraries'.

    Args:
        sizes: how many customers, and how many waits, are simulated.
        repeat: rounds, after one that is not counted.
        folder: not used, as no file is kept.
        say: told what is being done, and why a comparison is left out.
        peers: where lifetimes and lifelines are.

    Raises:
        RuntimeError: a contestant failed, or found something else than the other.
    """
    del folder
    for library, duels in (("lifetimes", bgnbd_duels), ("lifelines", kaplan_meier_duels)):
        python = peers.having(library)
        if python is None:
            say(peers.lacking(library))
            continue
        for duel in duels(sizes):
            say(f"{duel.measure}: checking, then {repeat} rounds")
            yield fought(duel, repeat, python)


def bgnbd_duels(sizes: Sequence[int]) -> Iterator[Duel]:
    """Fit CDNOW, and so many simulated customers."""
    sides, cdnow = ("remindctl-bgnbd", "lifetimes"), cdnow_histories()
    name = f"BG/NBD, CDNOW, {len(cdnow[0]):,} customers"
    yield Duel(name, cdnow, cdnow, *sides, 0.33, likelihood_check(cdnow))
    for size in sizes:
        many, target = simulated_histories(size, SEED), 0.05 if size >= TARGETS_FROM else None
        name = f"BG/NBD, {size:,} simulated customers"
        yield Duel(name, many, cdnow, *sides, target, likelihood_check(many))


def kaplan_meier_duels(sizes: Sequence[int]) -> Iterator[Duel]:
    """Estimate the curve of so many waits."""
    sides, few = ("remindctl-kaplan-meier", "lifelines"), simulated_waits(1000, SEED)
    for size in sizes:
        waits, target = simulated_waits(size, SEED), 0.1 if size >= TARGETS_FROM else None
        yield Duel(f"Kaplan-Meier, {size:,} waits", waits, few, *sides, target, same_curves)


def cdnow_histories() -> Data:
    """Return x, t_x and age (T) in days of CDNOW's customers, as far as the paper fits them."""
    fields = [line.split() for line in _CDNOW.read_text(encoding="ascii").splitlines()]
    days = pl.DataFrame(
        {"person": [one[0] for one in fields], "on": [one[2] for one in fields], "amount": 0.0}
    )
    days = days.with_columns(pl.col("on").str.to_date("%Y%m%d")).unique().sort("person", "on")
    known = histories(PurchaseDays(days), _CDNOW_UNTIL)
    return tuple(known[name].to_numpy() for name in ("x", "t_x", "age"))


def simulated_histories(customers: int, seed: int) -> Data:
    """Return x, t_x and age (T) in days of customers who buy and leave as the model says."""
    dice = np.random.default_rng(seed)
    r, alpha, a, b = PARAMS
    rate, leaves = dice.gamma(r, 1.0 / alpha, customers), dice.beta(a, b, customers)
    weeks = dice.uniform(*_OBSERVED_WEEKS, customers)
    x, t_x = np.zeros(customers, dtype=np.int64), np.zeros(customers)
    there = np.arange(customers)
    while len(there):
        with np.errstate(divide="ignore"):
            at = t_x[there] + dice.exponential(size=len(there)) / rate[there]
        seen = at <= weeks[there]
        there = there[seen]
        x[there] += 1
        t_x[there] = at[seen]
        there = there[dice.random(len(there)) >= leaves[there]]
    return x, _whole(np.ceil(7 * t_x)), _whole(np.ceil(7 * weeks))


def simulated_waits(count: int, seed: int) -> Data:
    """Return waits in days and whether each ended in a return, the others being cut off."""
    dice = np.random.default_rng(seed)
    until_return, seen = dice.lognormal(4.0, 1.0, count), dice.uniform(0, 730, count)
    return _whole(np.minimum(until_return, seen)), _whole(until_return <= seen)


def _whole(numbers: npt.ArrayLike) -> npt.NDArray[np.int64]:
    return np.asarray(numbers).astype(np.int64)


def likelihood_check(data: Data) -> Callable[[Found, Found], str]:
    """Make the check that our parameters explain these customers as well as the other's."""

    def check(ours: Found, theirs: Found) -> str:
        everyone = sample(*data)
        one, other = (
            log_likelihood(np.array(found["params"]), everyone)[0] for found in (ours, theirs)
        )
        worse = one < other - _LIKELIHOOD_TOLERANCE
        return f"log-likelihood {one} instead of {other}" if worse else ""

    return check


def same_curves(ours: Found, theirs: Found) -> str:
    """Say which of the curve and its band differ, and how far."""
    for name, values in ours.items():
        apart = np.abs(np.array(values) - np.array(theirs[name]))
        # Where everybody is still waiting, the other's band is not defined.
        defined = np.array(ours["survival"]) < 1.0
        if not np.all(apart[defined] <= _CURVE_TOLERANCE):
            return f"{name} differs by up to {np.max(apart[defined])}"
    return ""


def fought(duel: Duel, repeat: int, python: str) -> Comparison:
    """Check both answers, then time the two in turns, every fit in a process of its own.

    Args:
        duel: the two.
        repeat: rounds.
        python: the other library's interpreter.

    Raises:
        RuntimeError: a contestant failed, or our answer is wrong.
    """
    with TemporaryDirectory() as temporary:
        data, warm_up = Path(temporary) / "data.npy", Path(temporary) / "warm-up.npy"
        np.save(data, np.stack(duel.data))
        np.save(warm_up, np.stack(duel.warm_up))

        def fitted(by: str, contestant: str) -> tuple[float, Found]:
            words = (str(_FIT), contestant, str(data), str(warm_up))
            done = python_run(by, *words, **_ours(by))
            if done.returncode:
                raise RuntimeError(f"{contestant} failed: {done.stderr}")
            told = json.loads(done.stdout)
            return told["seconds"], told["found"]

        sides = ((python, duel.theirs), (sys.executable, duel.ours))
        (_, theirs), (_, ours) = (fitted(*side) for side in sides)
        if wrong := duel.check(ours, theirs):
            raise RuntimeError(f"a wrong answer is not worth timing: {duel.measure}: {wrong}")
        rounds = [[fitted(*side)[0] for side in sides] for _ in range(repeat)]
    base, values = zip(*rounds, strict=True)
    return Comparison(
        measure=duel.measure, unit="s", against=duel.theirs, base=base, values=values,
        target=duel.target,
    )  # fmt: skip


def _ours(python: str) -> dict[str, str]:
    """Let this interpreter, and no other, see this checkout."""
    return {"PYTHONPATH": str(ROOT / "src")} if python == sys.executable else {}
