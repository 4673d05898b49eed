"""Fisher information and f-divergences along paths of laws: marginal, conditional and binomial.

A path is a pair (p, dp): probabilities and their time derivatives on a finite set. Works on float64 and on object
arrays of exact rationals.
"""

from math import comb

import numpy as np


def fisher_information(p, dp):
    """Sum over z of dp(z)^2 / p(z), over p(z) > 0.

    >>> float(tm.energy.fisher_information(np.array([0.5, 0.5]), np.array([1.0, -1.0])))
    4.0
    """
    p, dp = np.asarray(p).ravel(), np.asarray(dp).ravel()
    live = p != 0
    return (dp[live] ** 2 / p[live]).sum()


def binomial_path(length: int, alpha, slope) -> tuple[np.ndarray, np.ndarray]:
    """Law of the number of masks, Bin(n, 1 - alpha), and its derivative: the sufficient statistic of the time.

    >>> law, slope = tm.energy.binomial_path(2, 0.5, 1.0)
    >>> law.tolist(), slope.tolist()
    ([0.25, 0.5, 0.25], [1.0, 0.0, -1.0])
    """
    p = [comb(length, m) * alpha ** (length - m) * (1 - alpha) ** m for m in range(length + 1)]
    dp = []
    for m in range(length + 1):
        gained = (length - m) * alpha ** max(length - m - 1, 0) * (1 - alpha) ** m
        lost = m * alpha ** (length - m) * (1 - alpha) ** max(m - 1, 0)
        dp.append(slope * comb(length, m) * (gained - lost))
    return np.array(p), np.array(dp)


def uniform_mixture(pmf, kappa) -> tuple[np.ndarray, np.ndarray]:
    """p(z | x1) and d/dkappa of it, shape (K, K), for one token: (1 - kappa) uniform + kappa point mass at x1.

    A source without masks: the time cannot be read off the state, so the three energies differ.

    >>> p, slope = tm.energy.uniform_mixture(np.array([0.5, 0.5]), 0.5)
    >>> p.tolist()
    [[0.75, 0.25], [0.25, 0.75]]
    """
    size = len(pmf)
    one = np.asarray(pmf).sum()
    eye = np.array([[one if i == j else one - one for j in range(size)] for i in range(size)])
    return (one - kappa) / size + kappa * eye, eye - one / size


def mask_value_dependent(alphas, slopes) -> tuple[np.ndarray, np.ndarray]:
    """p(z | x1) and its derivative, shape (K, K+1), for one token whose schedule depends on its value.

    State 0 is the mask, state v+1 token v; token v has revealed fraction alphas[v].

    >>> p, slope = tm.energy.mask_value_dependent(np.array([0.5, 0.25]), np.array([1.0, 1.0]))
    >>> p.tolist()
    [[0.5, 0.5, 0.0], [0.75, 0.0, 0.25]]
    """
    size = len(alphas)
    p = np.zeros((size, size + 1), dtype=np.asarray(alphas).dtype)
    dp = np.zeros_like(p)
    for v in range(size):
        p[v, 0], p[v, v + 1] = 1 - alphas[v], alphas[v]
        dp[v, 0], dp[v, v + 1] = -slopes[v], slopes[v]
    return p, dp


def information_split(pmf, conditional, d_conditional):
    """(conditional, marginal, variance): E_{x1} FR of p(.|x1), FR of the mixture, and E_z Var_{x1|z} of the score.

    The first is the sum of the other two, for every path: the score of the mixture is the posterior mean of the
    conditional scores.

    >>> p, dp = tm.energy.uniform_mixture(np.array([0.5, 0.5]), 0.5)
    >>> parts = tm.energy.information_split(np.array([0.5, 0.5]), p, dp)
    >>> [round(float(part), 12) for part in parts]  # conditional = marginal + variance
    [1.333333333333, 0.0, 1.333333333333]
    """
    pmf = np.asarray(pmf)
    joint = pmf[:, None] * conditional
    p, dp = joint.sum(axis=0), (pmf[:, None] * d_conditional).sum(axis=0)
    rows = zip(pmf, conditional, d_conditional, strict=True)
    given = sum(w * fisher_information(row, d_row) for w, row, d_row in rows)
    variance = 0
    for z in np.flatnonzero(p != 0):
        live = np.flatnonzero(joint[:, z] != 0)
        score = d_conditional[live, z] / conditional[live, z]
        posterior = joint[live, z] / p[z]
        mean = (posterior * score).sum()
        variance = variance + p[z] * (posterior * (score - mean) ** 2).sum()
    return given, fisher_information(p, dp), variance


def mixture_kinetic(pmf, kappa):
    """(marginal, conditional) of the sum of p(z)/p(x) Q(z, x)^2 for `uniform_mixture` at kappa' = 1.

    Conditional rates kappa'/(1 - kappa) towards x1; marginal rates are their posterior means.

    >>> [round(float(value), 12) for value in tm.energy.mixture_kinetic(np.array([0.5, 0.5]), 0.5)]
    [0.5, 1.333333333333]
    """
    pmf = np.asarray(pmf)
    given, _ = uniform_mixture(pmf, kappa)
    p = (pmf[:, None] * given).sum(axis=0)
    size = len(pmf)
    rate = 1 / (1 - kappa)
    conditional = sum(
        pmf[x1] * given[x1, z] / given[x1, x1] * rate**2 for x1 in range(size) for z in range(size) if z != x1
    )
    marginal = sum(
        p[z] / p[x] * (rate * pmf[x] * given[x, z] / p[z]) ** 2 for x in range(size) for z in range(size) if z != x
    )
    return marginal, conditional


def total_variation(p, r):
    """Half the sum of |p - r|.

    >>> float(tm.energy.total_variation(np.array([0.75, 0.25]), np.array([0.5, 0.5])))
    0.25
    """
    return sum(abs(x - y) for x, y in zip(np.ravel(p), np.ravel(r), strict=True)) / 2


def chi_square(p, r):
    """Sum of (p - r)^2 / r over r > 0 (inf if p charges r = 0).

    >>> float(tm.energy.chi_square(np.array([1.0, 0.0]), np.array([0.5, 0.5])))
    1.0
    """
    p, r = np.ravel(p), np.ravel(r)
    live = r != 0
    return np.inf if (p[~live] != 0).any() else ((p[live] - r[live]) ** 2 / r[live]).sum()


def kullback_leibler(p, r) -> float:
    """Sum of p log(p/r), in nats.

    >>> round(float(tm.energy.kullback_leibler(np.array([1.0, 0.0]), np.array([0.5, 0.5])) / np.log(2)), 12)
    1.0
    """
    p, r = np.asarray(p, dtype=np.float64).ravel(), np.asarray(r, dtype=np.float64).ravel()
    live = p > 0
    return np.inf if (r[live] == 0).any() else float((p[live] * np.log(p[live] / r[live])).sum())


def squared_hellinger(p, r) -> float:
    """Sum of (sqrt p - sqrt r)^2; equals 2 (1 - cos^n(theta_t - theta_s)) for n masked tokens.

    >>> float(tm.energy.squared_hellinger(np.array([1.0, 0.0]), np.array([0.0, 1.0])))
    2.0
    """
    return float(((np.sqrt(np.asarray(p, dtype=np.float64)) - np.sqrt(np.asarray(r, dtype=np.float64))) ** 2).sum())
