"""Rational twins of the curve identities: entropies, paths and schedules as decided sums of logarithms.

Every cost of a random-order schedule is linear in the information curve g, so it is a row of L rational coefficients
(`weights_row`, `sizes_row`, ...), and a comparison of two costs is the sign of one row times the curve.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from math import comb, lcm

import numpy as np
from flint import arb, fmpq, fmpq_mat, fmpq_poly

from toy_models import exact
from toy_models.exact import LogSum, decide_at_most
from toy_models.exact.rational_law import oracle_marginals


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


@dataclass(frozen=True, eq=False)
class Curve:
    """g[k] = sum_j rows[k, j] log integers[j], k = 0..L-1: all entropies of one law over the same integers."""

    integers: tuple[int, ...]
    rows: fmpq_mat  # L x len(integers)

    def __len__(self) -> int:
        return self.rows.nrows()

    def __iter__(self) -> Iterator[LogSum]:
        return (self.at(unit_row(len(self), k)) for k in range(len(self)))

    def at(self, row: fmpq_mat) -> LogSum:
        """sum_k row[k] g[k]."""
        values = row * self.rows
        return LogSum({fmpq(v): values[0, j] for j, v in enumerate(self.integers)})

    def at_most(self, left: fmpq_mat, right: fmpq_mat) -> str:
        """left . g <= right . g, decided."""
        return decide_at_most(LogSum(), self.at(right - left))


def curve(pmf: np.ndarray) -> Curve:
    """The information curve of a rational law: g[k] = mean H(X_S) over |S| = k + 1, minus that over |S| = k.

    With a common denominator T every marginal probability is w/T, and H = log T - (1/T) sum of w log w; T cancels in g.
    """
    length, common = pmf.ndim, lcm(*(int(p.q) for p in pmf.ravel()))
    weights = np.array([int(p.p) * (common // int(p.q)) for p in pmf.ravel()], dtype=object).reshape(pmf.shape)
    total: list[dict[int, int]] = [{} for _ in range(length + 1)]  # size of S -> {w: sum of w over its marginals}
    for subset in range(2**length):
        away = tuple(i for i in range(length) if not subset >> i & 1)
        own = total[subset.bit_count()]
        sums = np.asarray(weights.sum(axis=away) if away else weights, dtype=object)
        for w in sums.ravel().tolist():
            if w > 1:
                own[w] = own.get(w, 0) + w
    integers = tuple(sorted(set().union(*total)))
    means = [[fmpq(-part.get(w, 0), comb(length, k) * common) for w in integers] for k, part in enumerate(total)]
    rows = [[late - early for early, late in zip(means[k], means[k + 1], strict=True)] for k in range(length)]
    return Curve(integers, fmpq_mat(length, len(integers), [value for row in rows for value in row]))


def enclosure(g: Curve, coefficients: Sequence[arb]) -> arb:
    """sum_k coefficients[k] g[k] for coefficients known as balls, at the working precision."""
    total = arb(0)
    for j, w in enumerate(g.integers):
        total += sum((c * arb(g.rows[k, j]) for k, c in enumerate(coefficients)), arb(0)) * arb(w).log()
    return total


def as_row(coefficients: Sequence) -> fmpq_mat:
    return fmpq_mat(1, len(coefficients), [fmpq(c) for c in coefficients])


@cache
def unit_row(length: int, k: int) -> fmpq_mat:
    """The functional g[k]."""
    return as_row([int(i == k) for i in range(length)])


@cache
def entropy_row(length: int) -> fmpq_mat:
    """H = sum of g."""
    return as_row([1] * length)


def tc_row(length: int) -> fmpq_mat:
    """TC = L g[0] - H."""
    return unit_row(length, 0) * fmpq(length) - entropy_row(length)


def dtc_row(length: int) -> fmpq_mat:
    """DTC = H - L g[L-1]."""
    return entropy_row(length) - unit_row(length, length - 1) * fmpq(length)


@cache
def drop_row(length: int) -> fmpq_mat:
    """TC + DTC = L (g[0] - g[L-1])."""
    return tc_row(length) + dtc_row(length)


def reveal_row(length: int, a: fmpq) -> fmpq_mat:
    """h(a), Bernstein form of g."""
    n = length - 1
    return as_row([comb(n, k) * a**k * (1 - a) ** (n - k) for k in range(n + 1)])


def sizes_row(sizes: Sequence[int]) -> fmpq_mat:
    """sum_j s_j g[N_{j-1}] - H."""
    coefficients, before = [-1] * sum(sizes), 0
    for size in sizes:
        if size:
            coefficients[before] += int(size)
        before += size
    return as_row(coefficients)


def weights_row(length: int, weights: Sequence[fmpq], shift: int = 0) -> fmpq_mat:
    """L sum_j Delta_j h(a_{j-1}) - H. shift = 1 reads h one step late, h(a_j): a control."""
    total, a = fmpq_mat(1, length), fmpq(0)
    for weight in weights:
        total += reveal_row(length, a + weight * shift) * weight
        a += weight
    return total * fmpq(length) - entropy_row(length)


@cache
def uniform_row(length: int, steps: int) -> fmpq_mat:
    """`weights_row` of the uniform schedule with N steps."""
    return weights_row(length, [fmpq(1, steps)] * steps)


@cache
def shifted_grid_row(length: int, steps: int) -> fmpq_mat:
    """E over the shift U of the trajectory KL on a_k = (U + k - 1)/(N - 1): every term is an integral of h."""
    n, cells = length - 1, steps - 1
    last = fmpq(cells - 1, cells)
    coefficients = []
    for k in range(n + 1):
        density = fmpq_poly([0, 1]) ** k * fmpq_poly([1, -1]) ** (n - k) * comb(n, k)
        body = density.integral()
        tail = (density * fmpq_poly([1, -1])).integral()
        value = body(last) + (tail(fmpq(1)) - tail(last)) * cells
        coefficients.append(value + (fmpq(1, 2 * cells) if k == 0 else 0))
    return as_row(coefficients) * fmpq(length) - entropy_row(length)


def path_law(pmf: np.ndarray, steps: Sequence[int], marginals=None) -> np.ndarray:
    """p_tau(x) for the order in which position i is written in step steps[i], by definition; 0 off the support."""
    known = marginals or oracle_marginals(pmf)
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
