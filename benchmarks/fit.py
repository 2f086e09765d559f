"""Fit one model once and write the seconds it took and what it found, as JSON, to stdout.

Run as ``PYTHON fit.py CONTESTANT DATA.npy WARM-UP.npy``: PYTHON has what the contestant needs, each
row of a file is one argument of the fit.

Neither importing nor reading is timed, nor the first fit, which is of the warm-up's data.
"""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    import numpy.typing as npt

    Array = npt.NDArray[np.int64]
    Fit = Callable[..., dict[str, list[float]]]


def _bgnbd() -> Fit:
    bgnbd = import_module("remindctl.predict.bgnbd")

    def fit(x: Array, t_x: Array, age: Array) -> dict[str, list[float]]:
        model = bgnbd.fit(x, t_x, age)
        return {"params": [model.r, model.alpha, model.a, model.b]}

    return fit


def _lifetimes() -> Fit:
    lifetimes = import_module("lifetimes")

    def fit(x: Array, t_x: Array, age: Array) -> dict[str, list[float]]:
        params = lifetimes.BetaGeoFitter().fit(x, t_x, age).params_
        return {"params": [float(params[name]) for name in ("r", "alpha", "a", "b")]}

    return fit


def _kaplan_meier() -> Fit:
    survival = import_module("remindctl.survival")

    def fit(waits: Array, returned: Array) -> dict[str, list[float]]:
        curve = survival.curve(waits, returned)
        edges = {"survival": curve.survival, "low": curve.low, "high": curve.high}
        return {name: edge.tolist() for name, edge in edges.items()}

    return fit


def _lifelines() -> Fit:
    lifelines = import_module("lifelines")

    def fit(waits: Array, returned: Array) -> dict[str, list[float]]:
        fitted: Any = lifelines.KaplanMeierFitter().fit(waits, returned)
        band = fitted.confidence_interval_
        edges = {"survival": fitted.survival_function_.iloc[:, 0]}
        edges |= {"low": band.iloc[:, 0], "high": band.iloc[:, 1]}
        # Its curve has the days on which something happened; the others stand as the day before.
        days = range(int(waits.max()) + 1)
        return {name: edge.reindex(days).ffill().tolist() for name, edge in edges.items()}

    return fit


CONTESTANTS = {
    "remindctl-bgnbd": _bgnbd,
    "lifetimes": _lifetimes,
    "remindctl-kaplan-meier": _kaplan_meier,
    "lifelines": _lifelines,
}


if __name__ == "__main__":
    contestant, *paths = sys.argv[1:]
    fit = CONTESTANTS[contestant]()
    data, warm_up = (np.load(path) for path in paths)
    fit(*warm_up)
    started = time.perf_counter()
    found = fit(*data)
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "found": found}))
