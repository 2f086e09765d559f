from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.models import (
    PARAMS,
    Duel,
    cdnow_histories,
    fought,
    likelihood_check,
    same_curves,
    simulated_histories,
    simulated_waits,
)

from remindctl.predict import bgnbd

ROOT = Path(__file__).parents[1]
FEW = 1000


def kaplan_meier(theirs: str) -> Duel:
    waits = simulated_waits(FEW, seed=1)
    return Duel(
        "curve", waits, waits, "remindctl-kaplan-meier", theirs, target=10.0, check=same_curves
    )


def test_without_peers_customers_are_compared_alone_and_why_is_said(tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    arguments = ["models", "--lines", "2000", "--repeat", "1", "--data", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments, "--json", str(results),
         "--peers", "no-such-python"],
        cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for library in ("lifetimes", "lifelines"):
        assert f"{library} is not compared with: no-such-python cannot be run" in done.stderr
    [found] = json.loads(results.read_text(encoding="utf-8"))["comparisons"]
    assert found["measure"].startswith("customers, 2,000 lines of ")
    assert found["against"] == "analyze"
    assert found["target"] is None, "starting up weighs more than a few customers"


def test_two_that_find_the_same_are_timed() -> None:
    found = fought(kaplan_meier("remindctl-kaplan-meier"), repeat=2, peers=sys.executable)
    assert len(found.base) == len(found.values) == 2
    assert min(*found.base, *found.values) > 0


def test_a_contestant_that_fails_is_not_timed() -> None:
    with pytest.raises(RuntimeError, match="no-such-library failed"):
        fought(kaplan_meier("no-such-library"), repeat=1, peers=sys.executable)


def test_a_worse_fit_and_a_curve_that_is_off_are_told() -> None:
    cdnow = cdnow_histories()
    model = bgnbd.fit(*cdnow)
    assert model is not None
    best = {"params": [model.r, model.alpha, model.a, model.b]}
    off = {"params": [model.r * 1.01, model.alpha, model.a, model.b]}
    check = likelihood_check(cdnow)
    assert not check(best, best)
    assert not check(best, off), "better than the other is good enough"
    assert "instead of" in check(off, best)
    one = {"survival": [1.0, 0.5], "low": [1.0, 0.4], "high": [1.0, 0.6]}
    undefined = {"survival": [1.0, 0.5], "low": [float("nan"), 0.4], "high": [float("nan"), 0.6]}
    assert not same_curves(one, undefined)
    assert "high differs" in same_curves(one, {**undefined, "high": [1.0, 0.6 + 1e-8]})


def test_the_samples_are_what_they_say() -> None:
    x, t_x, age = cdnow_histories()
    assert (len(x), int(x.sum()), int((x == 0).sum())) == (2357, 2457, 1411)
    x, t_x, age = simulated_histories(50_000, seed=1)
    assert (t_x <= age).all()
    assert ((t_x > 0) == (x > 0)).all()
    model = bgnbd.fit(x, t_x, age)
    assert model is not None
    expected = (PARAMS[0], 7 * PARAMS[1], *PARAMS[2:])
    assert (model.r, model.alpha, model.a, model.b) == pytest.approx(expected, rel=0.15)
