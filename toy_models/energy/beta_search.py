"""Schedules chosen for a target: exact trajectory KL over the two-parameter Beta family, by grid and refinement.

The target enters only through its information curve g[k] = E H(X_i | X_S), |S| = k, per token, k = 0..L-1:

    independent reveal, weights D_j:   KL = L (sum_j D_j h(a_{j-1}) - mean of g),  h(a) = E g[Bin(L-1, a)]
    random order, sizes s_j:           KL = sum_j s_j g[N_{j-1}] - sum_k g[k],     N_j = s_1 + ... + s_j

both being E over the order of KL(q || p) (sizes: Chen, Cong and Li 2025, arXiv 2511.04647, Thm 4). The energy of a
schedule knows none of this: it never sees g.
"""

from dataclasses import dataclass

import numpy as np
import scipy
from jaxtyping import Float
from scipy.special import betainc

from toy_models.kernel import kernel
from toy_models.validation import positive_int

RULES = ("independent", "sizes")
LEAST, MOST = 0.05, 4.0  # of a and of b
TAIL = 1e-22  # binomial weights below this fraction of the mode are left out


def bernstein_values(g: Float[np.ndarray, " L"], a: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """h(a) = sum_k C(L-1, k) a^k (1-a)^(L-1-k) g[k] for every entry of a in [0, 1].

    Binomial weights by their ratio outwards from the mode, divided by their own sum; O(sqrt L) terms per value. Error
    at most max|g| * (8 w eps + 1e-18), w <= 20 sqrt(L a (1-a)) + 60 the number of terms: 1e-12 max|g| at L = 1024.
    """
    g, a = curve(g), np.asarray(a, dtype=np.float64)
    wrong = ~((a >= 0) & (a <= 1))
    if wrong.any():
        raise ValueError(f"a = {a[wrong].flat[0]}, a reveal fraction lies in [0, 1]")
    return bernstein_kernel(g, a.ravel()).reshape(a.shape)


def _bernstein(g, a):
    result = np.empty(len(a))
    degree = len(g) - 1
    for j in range(len(a)):
        x = a[j]
        mode = min(int((degree + 1) * x), degree)
        total, value = 1.0, g[mode]
        if 0.0 < x < 1.0:
            odds = x / (1.0 - x)
            weight = 1.0
            for k in range(mode, degree):
                weight *= (degree - k) / (k + 1.0) * odds
                if weight < TAIL:
                    break
                total += weight
                value += weight * g[k + 1]
            weight = 1.0
            for k in range(mode, 0, -1):
                weight *= k / ((degree - k + 1.0) * odds)
                if weight < TAIL:
                    break
                total += weight
                value += weight * g[k - 1]
        result[j] = value / total
    return result


bernstein_kernel = kernel(_bernstein)


def curve(g) -> Float[np.ndarray, " L"]:
    """`g` as a finite float64 vector."""
    g = np.asarray(g, dtype=np.float64)
    if g.ndim != 1 or not g.size:
        raise ValueError(f"g must be a vector of length L >= 1, got shape {g.shape}")
    wrong = np.flatnonzero(~np.isfinite(g))
    if wrong.size:
        raise ValueError(f"g[{wrong[0]}] = {g[wrong[0]]}, an information curve is finite")
    return g


def knot_kl(g: Float[np.ndarray, " L"], knots: Float[np.ndarray, "... knots"], rule: str) -> Float[np.ndarray, "..."]:
    """Trajectory KL of schedules given by alpha(j/N), j = 0..N, along the last axis; in nats per sequence.

    independent: reveal probabilities diff(knots). sizes: diff(round(L knots)). Absolute error about 1e-13 L max g.
    """
    g = curve(g)
    if rule not in RULES:
        raise ValueError(f"rule = {rule!r}, allowed: {', '.join(RULES)}")
    if rule == "independent":
        left_sum = (np.diff(knots) * bernstein_values(g, knots[..., :-1])).sum(axis=-1)
        return np.asarray(len(g) * (left_sum - g.mean()))
    revealed = np.rint(len(g) * knots).astype(np.int64)
    before = np.minimum(revealed[..., :-1], len(g) - 1)  # once all are revealed the size is 0
    return np.asarray((np.diff(revealed) * g[before]).sum(axis=-1) - g.sum())


def schedule_kl(g: Float[np.ndarray, " L"], schedule, steps: int, rule: str) -> float:
    """Trajectory KL of one schedule cut into `steps` steps.

    >>> round(tm.energy.schedule_kl(np.array([1.0, 0.0]), tm.LinearSchedule(), 2, "independent"), 12)  # P(same step)
    0.5
    """
    return float(knot_kl(g, schedule.on_grid(steps), rule))


def beta_knots(
    a: Float[np.ndarray, "..."] | float, b: Float[np.ndarray, "..."] | float, steps: int
) -> Float[np.ndarray, "... knots"]:
    """alpha(j/N) = sin^2(pi/2 I_{j/N}(a, b)), j = 0..N, for every pair of parameters."""
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    for name, values in (("a", a), ("b", b)):
        wrong = ~(np.isfinite(values) & (values > 0))
        if wrong.any():
            raise ValueError(f"{name} = {values[wrong].flat[0]}, it must be a finite number > 0")
    grid = np.arange(positive_int("steps", steps) + 1) / steps
    return np.sin(np.pi / 2 * betainc(a[..., None], b[..., None], grid)) ** 2


def beta_grid_kl(
    g: Float[np.ndarray, " L"], steps: int, rule: str, a: Float[np.ndarray, " A"], b: Float[np.ndarray, " B"]
) -> Float[np.ndarray, "A B"]:
    """Exact trajectory KL of every Beta(a, b) schedule on a grid; 100 x 100 at L = 1024, N = 64 in about a second."""
    return knot_kl(g, beta_knots(*np.meshgrid(a, b, indexing="ij"), steps), rule)


@dataclass(frozen=True, eq=False)
class BetaSearch:
    """Best Beta schedule found, and the grid it was found on.

    >>> found = tm.energy.search_beta(np.array([1.0, 0.0]), 2, points=5, zooms=1)
    >>> found.grid_kl.shape, bool(found.kl <= found.grid_kl.min())
    ((5, 5), True)
    """

    a: float
    b: float
    kl: float
    a_grid: Float[np.ndarray, " A"]
    b_grid: Float[np.ndarray, " B"]
    grid_kl: Float[np.ndarray, "A B"]


def search_beta(
    g: Float[np.ndarray, " L"],
    steps: int,
    rule: str = "independent",
    points: int = 100,
    zooms: int = 6,
) -> BetaSearch:
    """argmin of the trajectory KL over (a, b) in [LEAST, MOST]^2: a logarithmic grid, then refinement about its best.

    Refinement: Nelder-Mead for independent reveal (smooth); zooming 21 x 21 grids for sizes (piecewise constant). The
    result is an upper bound of the minimum over the family, never worse than the grid, linear or sin^2.

    >>> found = tm.energy.search_beta(np.array([1.0, 0.0]), 2, points=5, zooms=1)
    >>> round(found.kl, 6)  # equal steps are best for two tokens
    0.5
    """
    axis = np.geomspace(LEAST, MOST, positive_int("points", points, minimum=2))
    grid = beta_grid_kl(g, steps, rule, axis, axis)
    i, j = np.unravel_index(np.argmin(grid), grid.shape)
    candidates = [(float(axis[i]), float(axis[j])), (0.5, 0.5), (1.0, 1.0)]  # linear and sin^2 are in the family
    best = min((float(knot_kl(g, beta_knots(a, b, steps), rule)), a, b) for a, b in candidates)
    if rule == "independent":
        found = scipy.optimize.minimize(
            lambda x: float(knot_kl(g, beta_knots(float(np.exp(x[0])), float(np.exp(x[1])), steps), rule)),
            np.log(best[1:]),
            method="Nelder-Mead",
            options={"xatol": 1e-5, "fatol": 1e-10, "initial_simplex": _simplex(best, axis)},
        )
        best = min(best, (float(found.fun), *(float(v) for v in np.exp(found.x))))
    else:
        width = np.log(axis[1] / axis[0])
        for _ in range(zooms):
            a, b = (np.exp(np.log(centre) + width * np.linspace(-1, 1, 21)) for centre in best[1:])
            here = beta_grid_kl(g, steps, rule, a, b)
            i, j = np.unravel_index(np.argmin(here), here.shape)
            best = min(best, (float(here[i, j]), float(a[i]), float(b[j])))
            width /= 3
    return BetaSearch(best[1], best[2], best[0], axis, axis, grid)


def _simplex(best, axis):
    start, width = np.log(best[1:]), np.log(axis[1] / axis[0])
    return start + width * np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])


@dataclass(frozen=True)
class BudgetRow:
    """One target, one budget: trajectory KL in nats of the named schedules and of the optimum of the rule.

    >>> tm.energy.BudgetRow("pairs", 2, "independent", 0.5, 0.5, 0.5, 1.0, 1.0, 0.5).optimum
    0.5
    """

    target: str
    steps: int
    rule: str
    linear: float
    sine_squared: float
    best_beta: float
    a: float
    b: float
    optimum: float

    @property
    def reached(self) -> float:
        """Share of the gain from linear to the optimum that the best Beta schedule reaches; 1 when there is no gain."""
        gain = self.linear - self.optimum
        return 1.0 if gain <= 1e-9 * self.linear else (self.linear - self.best_beta) / gain
