"""The path of a masked diffusion model over all (K+1)^n states, its rates, and the three energies as state sums.

With alpha the revealed fraction, q the data law and m(z) the number of masks of z (Chen et al. 2025, arXiv 2509.13866,
eqs. 1-6, reconstructed):

    p(z)     = alpha^(n-m) (1-alpha)^m q(revealed part of z)
    Q(z, x)  = alpha'/(1-alpha) * q(x)/q(z)      for x = z with one mask replaced by a token
    kinetic  = sum over z -> x of p(z)/p(x) Q(z, x)^2        (states, not trajectories: weight one per state)

Every function works on float64 and on exact rationals alike: pass `pmf` as an object array of fractions.Fraction (or
flint.fmpq) and alpha, alpha' as such numbers. Sums run over states of positive probability.
"""

from dataclasses import dataclass

import numpy as np

from toy_models.errors import IntractableError
from toy_models.validation import distribution

MAX_STATES = 2**20


@dataclass(frozen=True, eq=False)
class Lattice:
    """All partially masked sequences of a law and its single-token unmasking edges between states of positive q.

    q[z] = probability of the revealed part; masks[z] = m(z); source[e] -> target[e] unmasks position[e].

    >>> lattice = tm.energy.lattice_of(np.array([0.5, 0.5]))
    >>> lattice.q.tolist(), lattice.source.size  # two tokens and the mask, two edges
    ([1.0, 0.5, 0.5], 2)
    """

    q: np.ndarray
    masks: np.ndarray
    source: np.ndarray
    target: np.ndarray
    position: np.ndarray
    vocab_size: int
    length: int

    @property
    def support(self) -> np.ndarray:
        return np.flatnonzero(self.q != 0)


def lattice_of(pmf) -> Lattice:
    """The lattice of a law given by its table, shape (K,)*n, float or object dtype. O(n K (K+1)^n).

    >>> tm.energy.lattice_of(np.full((2, 2), 0.25)).q.size  # (K + 1)^n states
    9
    """
    pmf = np.asarray(pmf)
    if pmf.ndim == 0 or len(set(pmf.shape)) != 1:
        raise ValueError(f"pmf must have shape (K,)*n, got {pmf.shape}")
    checked = distribution("pmf", pmf)
    if pmf.dtype != object:
        pmf = checked
    elif (total := pmf.sum()) != 1:
        pmf = pmf / total
    vocab_size, length = pmf.shape[0], pmf.ndim
    count = (vocab_size + 1) ** length
    if count > MAX_STATES:
        raise IntractableError(
            "energies as state sums",
            f"K = {vocab_size}, n = {length}, hence (K+1)^n = {count} states",
            f"(K+1)^n <= {MAX_STATES}",
            "use the closed forms: the integrands are constants times alpha'^2 / (alpha (1 - alpha))",
        )
    q = pmf
    for axis in range(length):
        q = np.concatenate([q.sum(axis=axis, keepdims=True), q], axis=axis)
    q = q.ravel()
    digits = np.stack(np.unravel_index(np.arange(count), (vocab_size + 1,) * length), axis=1)
    rows = []
    for i in range(length):
        masked = np.flatnonzero(digits[:, i] == 0)
        for v in range(1, vocab_size + 1):
            target = masked + v * (vocab_size + 1) ** (length - 1 - i)
            rows.append(np.stack([masked, target, np.full(len(masked), i)]))
    source, target, position = np.concatenate(rows, axis=1)
    live = q[target] != 0
    return Lattice(q, (digits == 0).sum(axis=1), source[live], target[live], position[live], vocab_size, length)


def path_probabilities(lattice: Lattice, alpha) -> np.ndarray:
    """p(z) for every state z at revealed fraction alpha.

    >>> tm.energy.path_probabilities(tm.energy.lattice_of(np.array([0.5, 0.5])), 0.5).tolist()
    [0.5, 0.25, 0.25]
    """
    _inside(alpha)
    levels = np.array([alpha ** (lattice.length - m) * (1 - alpha) ** m for m in range(lattice.length + 1)])
    return levels[lattice.masks] * lattice.q


def path_slopes(lattice: Lattice, alpha, slope) -> np.ndarray:
    """dp(z)/dt for every state z, with alpha' = slope.

    >>> tm.energy.path_slopes(tm.energy.lattice_of(np.array([0.5, 0.5])), 0.5, 1.0).tolist()
    [-1.0, 0.5, 0.5]
    """
    _inside(alpha)
    n = lattice.length
    levels = []
    for m in range(n + 1):
        gained = (n - m) * alpha ** max(n - m - 1, 0) * (1 - alpha) ** m
        levels.append(slope * (gained - m * alpha ** (n - m) * (1 - alpha) ** max(m - 1, 0)))
    return np.array(levels)[lattice.masks] * lattice.q


def rates(lattice: Lattice, alpha, slope) -> np.ndarray:
    """Q(z, x) = slope / (1 - alpha) * q(x) / q(z) on every edge: the marginal rates of the model.

    >>> tm.energy.rates(tm.energy.lattice_of(np.array([0.75, 0.25])), 0.5, 1.0).tolist()  # q / (1 - alpha)
    [1.5, 0.5]
    """
    _inside(alpha)
    return slope / (1 - alpha) * (lattice.q[lattice.target] / lattice.q[lattice.source])


def net_flow(lattice: Lattice, p: np.ndarray, q_rates: np.ndarray) -> np.ndarray:
    """Sum of flux p(z) Q(z, x) into each state minus out of it; equals dp/dt when the rates generate the path.

    >>> lattice = tm.energy.lattice_of(np.array([0.5, 0.5]))
    >>> p, q = tm.energy.path_probabilities(lattice, 0.5), tm.energy.rates(lattice, 0.5, 1.0)
    >>> tm.energy.net_flow(lattice, p, q).tolist() == tm.energy.path_slopes(lattice, 0.5, 1.0).tolist()
    True
    """
    flux = p[lattice.source] * q_rates
    result = p * 0
    np.add.at(result, lattice.target, flux)
    np.subtract.at(result, lattice.source, flux)
    return result


def kinetic_sum(lattice: Lattice, p: np.ndarray, q_rates: np.ndarray, weight: str = "inverse"):
    """Sum over edges of w p(z) Q(z, x)^2 with w = 1/p(x) ("inverse", the paper's) or w = 1 ("one").

    >>> lattice = tm.energy.lattice_of(np.array([0.5, 0.5]))
    >>> p, q = tm.energy.path_probabilities(lattice, 0.5), tm.energy.rates(lattice, 0.5, 1.0)
    >>> float(tm.energy.kinetic_sum(lattice, p, q))
    4.0
    """
    if weight not in ("inverse", "one"):
        raise ValueError(f'weight = {weight!r}, allowed: "inverse", "one"')
    terms = p[lattice.source] * q_rates**2
    return (terms / p[lattice.target] if weight == "inverse" else terms).sum()


def kinetic_constant(pmf) -> int:
    """C_k(q) = sum over sets S of positions of (n - |S|) |supp q_S|; n (K+1)^(n-1) when q has full support.

    >>> tm.energy.kinetic_constant(np.full((2, 2), 0.25))  # n (K + 1)^(n - 1)
    6
    """
    lattice = lattice_of(pmf)
    return int(lattice.masks[lattice.support].sum())


def _inside(alpha) -> None:
    if not 0 < alpha < 1:
        raise ValueError(f"alpha = {alpha}, the state sums need 0 < alpha < 1")
