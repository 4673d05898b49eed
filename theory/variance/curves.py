"""Curves of the training noise over noise time: densities, correlations, the front, noisy repetition."""

from dataclasses import dataclass
from typing import cast

import numpy as np
from scipy.optimize import OptimizeResult, minimize_scalar

from theory.variance.instances import EPSILON, Instance
from toy_models.targets.instances import k1
from toy_models.variance import decomposition as va
from toy_models.variance import epr, mirror, p_pots
from toy_models.variance.densities import power_variance, proportional, uniform
from toy_models.variance.gradient_moments import tabular_gradient_moments
from toy_models.variance.loss_moments import Moments, loss_moments

# Count laws of the noisy repetition family, found by maximising Cov/Var + Cov/D over the first entries: (L, t, flips).
FAMILY = (
    (8, 0.6875, (0.4129, 0.0652, 0.0165, 0.0055)),
    (10, 0.70, (0.3961, 0.0718, 0.0213, 0.0095, 0.0013)),
    (12, 0.75, (0.3923, 0.0765, 0.0265, 0.0001, 0.0047)),
    (16, 0.7875, (0.3798, 0.0843, 0.0263, 0.0068, 0.0029)),
    (24, 0.8417, (0.3632, 0.0939, 0.0346, 0.0082, 0.0001)),
    (40, 0.885, (0.3120, 0.1184, 0.0442, 0.0250, 0.0004)),
    (80, 0.935, (0.2592, 0.0813, 0.1517, 0.0071, 0.0007)),
    (110, 0.95, (0.2090, 0.1178, 0.1432, 0.0257, 0.0042)),
)


# Exchangeable laws with the largest N that a search over counts and t found, and that N: (L, t, counts, N).
CLOSEST = (
    (3, 0.5, (0.4681, 0.0319, 0.0319, 0.4681), -0.189),
    (4, 0.5, (0.46182, 0.02955, 0.01726, 0.02955, 0.46182), -0.166),
)


@dataclass(frozen=True, eq=False)
class Curves:
    """Functions of t on the K1 oracle, and of other single parameters."""

    t: np.ndarray
    mean: np.ndarray  # g(t), root of (E_x g)^2
    pattern: np.ndarray  # E_x v
    spread: np.ndarray  # Var_x g
    densities: dict[str, np.ndarray]
    rho_t: np.ndarray
    rho: dict[str, np.ndarray]
    epsilons: np.ndarray
    pattern_of_epsilon: np.ndarray
    exponents: np.ndarray
    total_of_exponent: np.ndarray
    best_exponent: float
    front: np.ndarray  # rows (A, B) of densities ~ sqrt(E v + w E g^2), w from 0 to infinity
    epr_total: float


@dataclass(frozen=True, eq=False)
class Family:
    """Mirrored covariance of noisy repetition at the oracle."""

    length: np.ndarray
    t: np.ndarray
    covariance: np.ndarray
    correlation: np.ndarray
    against_own: np.ndarray  # Cov/Var + Cov/D
    free_of_limits: np.ndarray  # N = rho/r + Cov/(D r^2), t >= 1/2: -2 for an additive loss


def k1_curves(instances: dict[str, Instance]) -> Curves:
    moments = instances["K1 oracle"].moments
    t = np.exp(np.linspace(np.log(EPSILON), 0.0, 160))
    grid = np.arange(1, 30) / 30
    noise = (1.0 - EPSILON) * grid + EPSILON
    fitted = epr.fit_epr(grid, np.sqrt(moments.second_moment(noise) - moments.spread_of_mean(noise)))
    fit = proportional(lambda s: epr.epr(fitted, (s - EPSILON) / (1.0 - EPSILON)), EPSILON, 1.0, "EPR")
    densities = {
        "uniform": uniform(EPSILON),
        "optimal p*": p_pots.optimal(moments, EPSILON),
        "EPR fit": fit,
        "optimal p* with MIRROR": p_pots.optimal(moments, EPSILON, masks="mirror"),
    }
    rho_t = np.linspace(0.01, 0.99, 99)
    anti = loss_moments(mirror.copy_law(), mirror.AntiCopy(0.05), pairs=True).average
    rho = {name: mirror.correlation(i.moments, rho_t) for name, i in instances.items() if name.startswith("K")}
    rho["anti-copy"] = mirror.correlation(anti, rho_t)
    rho["additive loss"] = mirror.additive_correlation(rho_t)
    rho["gradient, table"] = mirror.correlation(tabular_gradient_moments(k1()), rho_t)
    epsilons = 10.0 ** -np.arange(1, 9)
    exponents = np.linspace(1.15, 4.0, 58)
    best = cast(
        OptimizeResult,
        minimize_scalar(lambda c: power_variance(moments, c), bounds=(1.05, 4.0), method="bounded"),
    )
    front = [front_point(moments, w) for w in [0.0, *np.logspace(-2, 4, 37), np.inf]]
    return Curves(
        t=t,
        mean=np.sqrt(moments.square_of_mean(t)),
        pattern=moments.second_moment(t) - moments.mean_square(t),
        spread=moments.spread_of_mean(t),
        densities={name: np.asarray(d.pdf(t)) for name, d in densities.items()},
        rho_t=rho_t,
        rho=rho,
        epsilons=epsilons,
        pattern_of_epsilon=np.array([va.decompose(moments, None, e).pattern for e in epsilons]),
        exponents=exponents,
        total_of_exponent=np.array([power_variance(moments, c) for c in exponents]),
        best_exponent=float(best.x),
        front=np.array(front),
        epr_total=va.decompose(moments, fit, EPSILON).total,
    )


def front_point(moments: Moments, weight: float) -> tuple[float, float]:
    """(A, B) at the density that minimises A + weight * B."""

    def square(t):
        mean_square = moments.mean_square(t)
        pattern = moments.second_moment(t) - mean_square
        return mean_square if np.isinf(weight) else pattern + weight * mean_square

    density = proportional(lambda t: np.sqrt(square(t)), EPSILON, 1.0, f"weight {weight:g}")
    parts = va.decompose(moments, density, EPSILON)
    return parts.pattern, parts.rate


def noisy_repetition_family(longest: int) -> Family:
    rows = [
        (n, t, mirror.exchangeable_pair(mirror.noisy_repetition(n, np.array(f)), t))
        for n, t, f in FAMILY
        if n <= longest
    ]
    return Family(
        length=np.array([n for n, _, _ in rows]),
        t=np.array([t for _, t, _ in rows]),
        covariance=np.array([m.covariance for _, _, m in rows]),
        correlation=np.array([m.correlation for _, _, m in rows]),
        against_own=np.array([m.covariance / m.variance + m.covariance / m.own for _, _, m in rows]),
        free_of_limits=np.array([m.free_of_limits(t) for _, t, m in rows]),
    )
