"""Model fits against the libraries that researchers use, and ``customers`` against ``analyze``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from benchmarks.compare import Comparison
from benchmarks.generate import SEED, shopify_orders
from benchmarks.measure import ROOT, in_turns, run
from remindctl.intervals import PurchaseDays
from remindctl.predict.histories import histories
from remindctl.predict.likelihood import log_likelihood, sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import numpy.typing as npt

    Data = tuple[npt.NDArray[np.int64], ...]
    Found = dict[str, list[float]]

SIMULATED = 1_000_000
# As Fader, Hardie and Lee 2005 found them for CDNOW, in weeks, and their weeks of observation.
PARAMS = (0.243, 4.414, 0.793, 2.426)
_OBSERVED_WEEKS = (27, 39)
_CDNOW = ROOT / "tests/data/cdnow/CDNOW_sample.txt"
_CDNOW_UNTIL = date(1997, 9, 30)

# How far the answers may differ: of log-likelihoods, and of curves and their bands.
_LIKELIHOOD_TOLERANCE, _CURVE_TOLERANCE = 1e-6, 1e-9

ANALYZE, CUSTOMERS = "analyze", "customers"
CUSTOMERS_TARGET, TARGET_FROM = 3.0, 1_000_000

_FIT = Path(__file__).with_name("fit.py")


@dataclass(frozen=True, slots=True)
class Duel:
    """One fit by two libraries.

    Attributes:
        data, warm_up: the arguments of the fits in ``fit.py``, whole numbers.
        ours, theirs: names of contestants there.
        target: the largest share of the other's time that is good enough.
        check: given what both found, says what is wrong with ours, or nothing.
    """

    measure: str
    data: Data
    warm_up: Data
    ours: str
    theirs: str
    target: float
    check: Callable[[Found, Found], str]


def benchmark(
    sizes: Sequence[int],
    repeat: int,
    folder: Path,
    say: Callable[[str], None],
    *,
    peers: str | None = None,
) -> list[Comparison]:
    """Compare the fits with other libraries', and ``customers`` with ``analyze``.

    Args:
        sizes: of the files for ``customers``, in lines.
        repeat: rounds, after one that is not counted.
        folder: where the generated files are kept.
        say: told what is being done, and why a comparison is left out.
        peers: a Python interpreter that has lifetimes and lifelines; None = there is none.

    Raises:
        RuntimeError: a contestant failed, or found something else than the other.
    """
    found = []
    for library in ("lifetimes", "lifelines"):
        lacking = _lacking(library, peers)
        if peers is None or lacking:
            say(f"{library} is not compared with: {lacking}")
            continue
        duels = _bgnbd_duels() if library == "lifetimes" else [_kaplan_meier_duel()]
        for duel in duels:
            say(f"{duel.measure}: checking, then {repeat} rounds")
            found.append(fought(duel, repeat, peers))
    return [*found, *_customers(sizes, repeat, folder, say)]


# Fits


def _lacking(library: str, peers: str | None) -> str:
    """Say why a library cannot be compared with, or nothing."""
    if peers is None:
        return "no interpreter that has it is given with --peers"
    try:
        done = _python(peers, "-c", f"import {library}")
    except OSError as error:
        return f"{peers} cannot be run: {error.strerror}"
    return done.stderr.strip().rpartition("\n")[2] if done.returncode else ""


def _bgnbd_duels() -> list[Duel]:
    cdnow, many = cdnow_histories(), simulated_histories(SIMULATED, SEED)
    contestants = ("remindctl-bgnbd", "lifetimes")
    return [
        Duel(f"BG/NBD, {name}", data, cdnow, *contestants, target, likelihood_check(data))
        for name, data, target in (
            (f"CDNOW, {len(cdnow[0]):,} customers", cdnow, 0.33),
            (f"{SIMULATED:,} simulated customers", many, 0.05),
        )
    ]


def _kaplan_meier_duel() -> Duel:
    measure, few = f"Kaplan-Meier, {SIMULATED:,} waits", simulated_waits(1000, SEED)
    return Duel(
        measure, simulated_waits(SIMULATED, SEED), few,
        "remindctl-kaplan-meier", "lifelines", 0.1, same_curves,
    )  # fmt: skip


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


def fought(duel: Duel, repeat: int, peers: str) -> Comparison:
    """Check both answers, then time the two in turns, every fit in a process of its own.

    Raises:
        RuntimeError: a contestant failed, or our answer is wrong.
    """
    with TemporaryDirectory() as temporary:
        data, warm_up = Path(temporary) / "data.npy", Path(temporary) / "warm-up.npy"
        np.save(data, np.stack(duel.data))
        np.save(warm_up, np.stack(duel.warm_up))

        def fitted(python: str, contestant: str) -> tuple[float, Found]:
            done = _python(python, str(_FIT), contestant, str(data), str(warm_up))
            if done.returncode:
                raise RuntimeError(f"{contestant} failed: {done.stderr}")
            told = json.loads(done.stdout)
            return told["seconds"], told["found"]

        sides = ((peers, duel.theirs), (sys.executable, duel.ours))
        (_, theirs), (_, ours) = (fitted(*side) for side in sides)
        if wrong := duel.check(ours, theirs):
            raise RuntimeError(f"a wrong answer is not worth timing: {duel.measure}: {wrong}")
        rounds = [[fitted(*side)[0] for side in sides] for _ in range(repeat)]
    base, values = zip(*rounds, strict=True)
    return Comparison(
        measure=duel.measure, unit="s", against=duel.theirs, base=base, values=values,
        target=duel.target,
    )  # fmt: skip


def _python(python: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    ours: Mapping[str, str] = {"PYTHONPATH": str(ROOT / "src")} if python == sys.executable else {}
    rest = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [python, *arguments], env={**rest, **ours}, capture_output=True, text=True,
        encoding="utf-8", check=False,
    )  # fmt: skip


# The command that describes everyone, against the one that describes the store


def _customers(
    sizes: Sequence[int], repeat: int, folder: Path, say: Callable[[str], None]
) -> Iterator[Comparison]:
    for size in sizes:
        say(f"{size:,} lines: generating (unless kept), warming up, then {repeat} rounds")
        path = str(shopify_orders(size, folder=folder.resolve()).path)
        commands = {
            ANALYZE: ("-m", "remindctl", "analyze", path, "-o", "json"),
            CUSTOMERS: ("-m", "remindctl", "customers", path, "-o", "csv"),
        }
        with TemporaryDirectory() as temporary:
            output = Path(temporary) / "output"
            people = _check_customers(commands, output)
            costs = in_turns(commands, repeat, output)
        yield Comparison(
            measure=f"customers, {size:,} lines of {people:,} people: wall time",
            unit="s",
            against=ANALYZE,
            base=tuple(one.wall_seconds for one in costs[ANALYZE]),
            values=tuple(one.wall_seconds for one in costs[CUSTOMERS]),
            target=CUSTOMERS_TARGET if size >= TARGET_FROM else None,
        )


def _check_customers(commands: Mapping[str, Sequence[str]], output: Path) -> int:
    """Return how many people there are; both commands must find the same number of buyers."""
    run(commands[ANALYZE], output)
    [store] = json.loads(output.read_text(encoding="utf-8"))["stores"]
    run(commands[CUSTOMERS], output)
    listed = pl.read_csv(output, columns=["orders"])
    buyers, expected = listed.filter(pl.col("orders") > 0).height, store["counts"]["customers"]
    if buyers != expected:
        raise RuntimeError(f"a wrong answer is not worth timing: {buyers} instead of {expected}")
    return listed.height
