"""Rational twins of the curve identities: entropies, paths and schedules as decided sums of logarithms."""

from collections.abc import Iterator, Sequence
from itertools import product
from math import comb

import numpy as np
from flint import fmpq, fmpq_poly

from toy_models import exact
from toy_models.exact import LogSum


def random_pmf(rng: np.random.Generator, vocab_size: int, length: int, zeros: float = 0.3) -> np.ndarray:
    """A rational law with small integer weights, a share of them zero, shape (V,)*L."""
    while True:
        weights = rng.integers(1, 10, size=(vocab_size,) * length) * (rng.random((vocab_size,) * length) >= zeros)
        if weights.sum() > 0:
            total = int(weights.sum())
            flat = [fmpq(int(w), total) for w in weights.ravel()]
            return np.array(flat, dtype=object).reshape(weights.shape)


def random_pmfs(seed: int, count: int) -> Iterator[np.ndarray]:
    """Laws with (V, L) in turn (2, 2), (2, 3), (3, 2), (2, 4), dense and sparse."""
    rng = np.random.default_rng(seed)
    shapes = ((2, 2), (2, 3), (3, 2), (2, 4))
    for k in range(count):
        yield random_pmf(rng, *shapes[k % len(shapes)], zeros=(0.0, 0.3, 0.6)[k % 3])


def random_weights(rng: np.random.Generator, steps: int) -> list[fmpq]:
    """Rational step probabilities with sum one."""
    parts = rng.integers(1, 6, size=steps)
    return [fmpq(int(p), int(parts.sum())) for p in parts]


def random_sizes(rng: np.random.Generator, length: int) -> list[int]:
    """A composition of `length`."""
    cuts = np.flatnonzero(rng.random(length - 1) < 0.5) + 1
    return np.diff(np.concatenate([[0], cuts, [length]])).tolist()


def curve(pmf: np.ndarray) -> list[LogSum]:
    """g[k], k = 0..L-1."""
    length, entropies = pmf.ndim, exact.subset_entropies(pmf)
    means = [LogSum() for _ in range(length + 1)]
    for subset, value in entropies.items():
        size = subset.bit_count()
        means[size] = means[size] + value.scaled(fmpq(1, comb(length, size)))
    return [means[k + 1] - means[k] for k in range(length)]


def combine(g: Sequence[LogSum], coefficients: Sequence) -> LogSum:
    """sum_k coefficients[k] g[k]."""
    total = LogSum()
    for value, c in zip(g, coefficients, strict=True):
        total = total + value.scaled(c)
    return total


def reveal(g: Sequence[LogSum], a: fmpq) -> LogSum:
    """h(a), Bernstein form of g."""
    n = len(g) - 1
    return combine(g, [comb(n, k) * a**k * (1 - a) ** (n - k) for k in range(n + 1)])


def total_entropy(g: Sequence[LogSum]) -> LogSum:
    return combine(g, [1] * len(g))


def total_correlations(g: Sequence[LogSum]) -> tuple[LogSum, LogSum]:
    """(TC, DTC)."""
    entropy, length = total_entropy(g), len(g)
    return g[0].scaled(length) - entropy, entropy - g[-1].scaled(length)


def sizes_kl(g: Sequence[LogSum], sizes: Sequence[int]) -> LogSum:
    """sum_j s_j g[N_{j-1}] - H."""
    total, before = LogSum(), 0
    for size in sizes:
        if size:
            total = total + g[before].scaled(size)
        before += size
    return total - total_entropy(g)


def weights_kl(g: Sequence[LogSum], weights: Sequence[fmpq], shift: int = 0) -> LogSum:
    """L sum_j Delta_j h(a_{j-1}) - H. shift = 1 reads h one step late, h(a_j): a control."""
    total, a = LogSum(), fmpq(0)
    for weight in weights:
        total = total + reveal(g, a + weight * shift).scaled(weight)
        a += weight
    return total.scaled(len(g)) - total_entropy(g)


def shifted_grid_kl(g: Sequence[LogSum], steps: int) -> LogSum:
    """E over the shift U of the trajectory KL on a_k = (U + k - 1)/(N - 1): every term is an integral of h."""
    n, cells = len(g) - 1, steps - 1
    last = fmpq(cells - 1, cells)
    coefficients = []
    for k in range(n + 1):
        density = fmpq_poly([0, 1]) ** k * fmpq_poly([1, -1]) ** (n - k) * comb(n, k)
        body = density.integral()
        tail = (density * fmpq_poly([1, -1])).integral()
        value = body(last) + (tail(fmpq(1)) - tail(last)) * cells
        coefficients.append(value + (fmpq(1, 2 * cells) if k == 0 else 0))
    return combine(g, coefficients).scaled(len(g)) - total_entropy(g)


def path_law(pmf: np.ndarray, steps: Sequence[int], marginals=None) -> np.ndarray:
    """p_tau(x) for the order in which position i is written in step steps[i], by definition; 0 off the support."""
    known = marginals or exact.rational_law.oracle_marginals(pmf)
    result = np.full(pmf.shape, fmpq(0), dtype=object)
    for x in product(range(pmf.shape[0]), repeat=pmf.ndim):
        if pmf[x] == 0:
            continue
        value = fmpq(1)
        for j in sorted(set(steps)):
            context = tuple(t if s < j else -1 for t, s in zip(x, steps, strict=True))
            given = known(context)
            for i, s in enumerate(steps):
                if s == j:
                    value *= given[i][x[i]]
        result[x] = value
    return result


def mean_path_kl(pmf: np.ndarray, weights: Sequence[fmpq], marginals=None) -> LogSum:
    """E_tau KL(q || p_tau) for i.i.d. steps with P(step = j) = weights[j], over all N^L assignments."""
    total = LogSum()
    for steps in product(range(len(weights)), repeat=pmf.ndim):
        chance = fmpq(1)
        for s in steps:
            chance *= weights[s]
        total = total + exact.kl(pmf, path_law(pmf, steps, marginals)).scaled(chance)
    return total


def total_correlation_of(entropies: dict[int, LogSum], steps: Sequence[int]) -> LogSum:
    """sum_j TC(X_{S_j} | X_{T_j}) = sum over positions of H(X_i | X_T) - H(X), from the subset entropies."""
    total = LogSum()
    for i, s in enumerate(steps):
        context = sum(1 << k for k, t in enumerate(steps) if t < s)
        total = total + entropies[context | 1 << i] - entropies[context]
    return total - entropies[2 ** len(steps) - 1]


def random_denoiser(rng: np.random.Generator, vocab_size: int, length: int):
    """Rational full-support marginals that depend on the whole state: an arbitrary learned denoiser, memoised."""
    known: dict[tuple, list] = {}

    def marginals(state):
        if state not in known:
            rows = rng.integers(1, 8, size=(length, vocab_size))
            known[state] = [
                None if t >= 0 else [fmpq(int(w), int(row.sum())) for w in row]
                for t, row in zip(state, rows, strict=True)
            ]
        return known[state]

    return marginals
