"""The energy of the data, 1/2 int (-h'(alpha)) alpha'^2 dt: limits, optimum, and KL at finite N, of a few targets."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy.polynomial.legendre import leggauss

import toy_models as tm
from toy_models.schedules import KnotSchedule, weights_cost


def slope(g: Float[np.ndarray, " L"], a: Float[np.ndarray, " points"]) -> Float[np.ndarray, " points"]:
    """-h'(a) >= 0: the Bernstein form of (L-1) (g(k) - g(k+1)), degree L - 2."""
    if len(g) == 1:
        return np.zeros_like(a)
    drops = np.maximum(g[:-1] - g[1:], 0.0)
    return (len(g) - 1) * tm.reveal_curve(drops, a)


def data_energy(g: Float[np.ndarray, " L"], speed) -> float:
    """J = 1/2 int -h'(a) w(a) da with w(a) = alpha' at alpha = a, per token."""
    a, weight = _nodes()
    return 0.5 * float(weight @ (slope(g, a) * speed(a)))


def least_energy(g: Float[np.ndarray, " L"]) -> float:
    """J* = 1/2 (int sqrt(-h'))^2, per token."""
    a, weight = _nodes()
    return 0.5 * float(weight @ np.sqrt(slope(g, a))) ** 2


def geodesic(g: Float[np.ndarray, " L"], knots: int = 4001) -> KnotSchedule:
    """alpha with alpha' sqrt(-h') constant, as a piecewise linear curve: the inverse of a -> int_0^a sqrt(-h')."""
    a = 0.5 - 0.5 * np.cos(np.pi * np.arange(knots) / (knots - 1))  # dense at the ends, where h' may vanish
    root = np.sqrt(slope(g, (a[1:] + a[:-1]) / 2))
    time = np.concatenate([[0.0], np.cumsum(root * np.diff(a))])
    kept = np.concatenate([[True], np.diff(time) > 1e-14 * time[-1]])
    time, a = time[kept] / time[-1], a[kept]
    time[-1] = a[-1] = 1.0
    return KnotSchedule(tuple(time.tolist()), tuple(a.tolist()))


def _nodes() -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre in theta, a = sin^2 theta, in 64 panels: square-root ends are smooth in theta."""
    x, w = leggauss(24)
    edges = np.linspace(0, np.pi / 2, 65)
    theta = (edges[:-1, None] + edges[1:, None]) / 2 + np.diff(edges)[:, None] / 2 * x
    weight = np.diff(edges)[:, None] / 2 * w * np.sin(2 * theta)
    return np.sin(theta.ravel()) ** 2, weight.ravel()


SPEEDS = {"linear": np.ones_like, "sin²": lambda a: np.pi * np.sqrt(a * (1 - a))}
SCHEDULES = {"linear": tm.LinearSchedule(), "sin²": tm.BetaSchedule(1.0, 1.0)}


@dataclass(frozen=True, eq=False)
class DataEnergy:
    """N E KL/L against N of three schedules on one target, with their limits."""

    target: str
    steps: Int[np.ndarray, " N"]
    names: tuple[str, ...]
    cost: Float[np.ndarray, "names N"]
    limit: tuple[float, ...]


def data_energies(curves: dict[str, np.ndarray], steps: np.ndarray) -> tuple[DataEnergy, ...]:
    found = []
    for name, g in curves.items():
        made = {**SCHEDULES, "geodesic of the data": geodesic(g)}
        limit = (*(data_energy(g, s) for s in SPEEDS.values()), least_energy(g))
        cost = [[n * weights_cost(g, schedule.weights(int(n))) / len(g) for n in steps] for schedule in made.values()]
        found.append(DataEnergy(name, steps, tuple(made), np.array(cost), limit))
    return tuple(found)
