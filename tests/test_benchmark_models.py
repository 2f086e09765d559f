from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from benchmarks.models import (
    PARAMS,
    Duel,
    benchmark,
    cdnow_histories,
    fought,
    likelihood_check,
    same_curves,
    simulated_histories,
    simulated_waits,
)

from remindctl.predict import bgnbd

if TYPE_CHECKING:
    from pathlib import Path

FEW = 1000


def kaplan_meier(theirs: str) -> Duel:
    waits = simulated_waits(FEW, seed=1)
    return Duel(
        "curve", waits, waits, "remindctl-kaplan-meier", theirs, target=10.0, check=same_curves
    )


def test_without_peers_nothing_is_compared_and_why_is_said(tmp_path: Path) -> None:
    said: list[str] = []
    assert not list(benchmark([FEW], 1, tmp_path, said.append))
    assert [one.split()[0] for one in said] == ["lifetimes", "lifelines"]
    assert all("no interpreter that has it is given" in one for one in said)


def test_two_that_find_the_same_are_timed() -> None:
    found = fought(kaplan_meier("remindctl-kaplan-meier"), repeat=2, python=sys.executable)
    assert len(found.base) == len(found.values) == 2
    assert min(*found.base, *found.values) > 0


def test_a_contestant_that_fails_is_not_timed() -> None:
    with pytest.raises(RuntimeError, match="no-such-library failed"):
        fought(kaplan_meier("no-such-library"), repeat=1, python=sys.executable)


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
