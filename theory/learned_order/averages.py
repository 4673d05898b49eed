"""Losses of schedules as averages over decoding orders: the identity, and J along a family of weights."""

from dataclasses import dataclass

import numpy as np

import toy_models as tm
from theory.learned_order.instances import FOUR_SCHEDULES, Instance
from toy_models.learned_order.losses import best_order_of, uniform_loss
from toy_models.learned_order.plackett_luce import plackett_luce, reversed_law
from toy_models.learned_order.reveal_times import NoisePowerSchedule, order_law
from toy_models.learned_order.reveal_weights import order_reveals, plackett_luce_reveals, quadrature_reveals
from toy_models.schedules.protocol import Schedule


@dataclass(frozen=True, eq=False)
class Identity:
    """max over x of |quadrature NELBO - order average|, with the sort descending and ascending."""

    instance: str
    schedules: str
    descending: float
    ascending: float


@dataclass(frozen=True, eq=False)
class RatioCurve:
    """J(w) for w = (r^(L-1), ..., r, 1) against r, with the best, uniform and worst order losses."""

    name: str
    ratio: np.ndarray
    loss: np.ndarray
    ascending: np.ndarray
    best: float
    uniform: float
    worst: float


def reveal_families() -> dict[str, tuple[np.ndarray, dict]]:
    """Schedules by name: reveal weights by quadrature over noise time, and the order law by nested integrals."""
    families: dict[str, tuple[Schedule, ...]] = {
        f"scalar {s.__class__.__name__}": (s,) * 4 for s in (tm.LinearSchedule(), tm.SineSchedule())
    }
    families["power 3, .5, 2, 1.2"] = tuple(NoisePowerSchedule(w) for w in (3.0, 0.5, 2.0, 1.2))
    families["power 4, 2, 1, .5"] = tuple(NoisePowerSchedule(w) for w in (4.0, 2.0, 1.0, 0.5))
    families["reverse 3, .5, 2, 1.2"] = tuple(tm.PowerSchedule(w) for w in (3.0, 0.5, 2.0, 1.2))
    families["four different"] = FOUR_SCHEDULES
    return {name: (quadrature_reveals(list(s)), order_law(list(s))) for name, s in families.items()}


def average(reveals: np.ndarray, table: np.ndarray) -> np.ndarray:
    """sum over T, i of W[T, i] C[T, i] (per sequence if the table is)."""
    return np.tensordot(reveals, table, axes=([0, 1], [0, 1]))


def identities(cases: list[Instance]) -> list[Identity]:
    rows = []
    for name, (reveals, law) in reveal_families().items():
        descending, ascending = order_reveals(law), order_reveals(reversed_law(law))
        for case in cases:
            nelbo = average(reveals, case.each)
            gaps = [float(np.abs(nelbo - average(w, case.each)).max()) for w in (descending, ascending)]
            rows.append(Identity(case.name, name, *gaps))
    return rows


def ratio_curve(case: Instance, ratio: np.ndarray) -> RatioCurve:
    length = case.mean.shape[1]
    weights = [tuple(float(r) ** k for k in range(length - 1, -1, -1)) for r in ratio]
    loss = np.array([average(plackett_luce_reveals(w), case.mean) for w in weights])
    ascending = np.array([average(order_reveals(reversed_law(plackett_luce(w))), case.mean) for w in weights])
    best, worst = best_order_of(case.mean).loss, best_order_of(case.mean, worst=True).loss
    return RatioCurve(case.name, ratio, loss, ascending, best, uniform_loss(case.mean), worst)
