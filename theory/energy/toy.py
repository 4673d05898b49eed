"""Five tokens in three steps: illegal mass of schedules on two targets, and the best pair of cuts."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from tqdm import tqdm

import toy_models as tm
from theory.energy.schedules import NAMED


@dataclass(frozen=True, eq=False)
class Toy:
    """Five tokens, three steps, exact conditionals: illegal mass (= total variation) on two targets."""

    names: tuple[str, ...]
    left: np.ndarray  # target: aaaaa or bbbbb
    right: np.ndarray  # target: two or three a
    energy: np.ndarray  # under gamma = t
    axis: np.ndarray
    left_map: np.ndarray  # illegal mass at (alpha_1, alpha_2), nan where alpha_1 > alpha_2
    right_map: np.ndarray
    left_best: tuple[float, float, float]  # value, alpha_1, alpha_2
    right_best: tuple[float, float, float]
    left_beta: tuple[float, float]  # Beta(a, b) through the best pair
    right_beta: tuple[float, float]


def toy_targets() -> tuple[tm.Table, tm.Table]:
    """Uniform on {aaaaa, bbbbb}, and uniform on the 20 sentences with two or three a."""
    ones = np.indices((2,) * 5).sum(axis=0)
    alike, mixed = (ones % 5 == 0) * 1.0, ((ones == 2) | (ones == 3)) * 1.0
    return tm.Table(alike / alike.sum()), tm.Table(mixed / mixed.sum())


def illegal_mass(target: tm.Table, weights) -> float:
    """Mass the three-step sampler puts outside the support; also the total variation, the law being uniform on it."""
    return float(tm.sequence_error(target, tm.IndependentReveal(np.asarray(weights))))


def toy(points: int) -> Toy:
    schedules = {k: NAMED[k] for k in ("linear", "sin", "sin²", "1-cos")}
    for a, b in ((0.9, 0.3), (1.0, 0.2), (0.3, 0.9), (0.9, 0.9), (0.3, 0.3)):
        schedules[f"({a:g}, {b:g})"] = tm.BetaSchedule(a, b)
    targets = toy_targets()
    left, right = (np.array([illegal_mass(q, s.weights(3)) for s in schedules.values()]) for q in targets)
    axis = np.linspace(0.02, 0.98, points)
    left_map, right_map = (
        np.array([[at_cuts(q, (x, y)) for y in axis] for x in axis]) for q in tqdm(targets, desc="toy", leave=False)
    )
    left_best, right_best = (best_cuts(q) for q in targets)
    energies = np.array([tm.path_energy(s) for s in schedules.values()])
    betas = beta_through(left_best[1:]), beta_through(right_best[1:])
    return Toy(tuple(schedules), left, right, energies, axis, left_map, right_map, left_best, right_best, *betas)


def at_cuts(target: tm.Table, cuts) -> float:
    first, second = float(cuts[0]), float(cuts[1])
    return illegal_mass(target, [first, second - first, 1 - second]) if 0 <= first <= second <= 1 else float("nan")


def best_cuts(target: tm.Table) -> tuple[float, float, float]:
    found = minimize(
        lambda x: at_cuts(target, np.sort(np.clip(x, 0, 1))),
        [0.3, 0.6],
        method="Nelder-Mead",
        options={"xatol": 1e-8, "fatol": 1e-14},
    )
    cuts = np.sort(found.x)
    return float(found.fun), float(cuts[0]), float(cuts[1])


def beta_through(cuts: tuple[float, float]) -> tuple[float, float]:
    """(a, b) of the Beta schedule with alpha(1/3), alpha(2/3) at the cuts."""

    def miss(logs):
        return float(((tm.BetaSchedule(*np.exp(logs)).alpha(np.array([1 / 3, 2 / 3])) - cuts) ** 2).sum())

    found = minimize(miss, [-0.5, -0.5], method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-20})
    a, b = (float(v) for v in np.exp(found.x))
    return a, b
