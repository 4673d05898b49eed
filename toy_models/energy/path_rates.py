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

MAX_STATES = 2**20


@dataclass(frozen=True, eq=False)
class Lattice:
    """All partially masked sequences of a law and its single-token unmasking edges between states of positive q.

    q[z] = probability of the revealed part; masks[z] = m(z); source[e] -> target[e] unmasks position[e].
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
    """The lattice of a law given by its table, shape (K,)*n, float or object dtype. O(n K (K+1)^n)."""
    pmf = np.asarray(pmf)
    if pmf.ndim == 0 or len(set(pmf.shape)) != 1:
        raise ValueError(f"pmf must have shape (K,)*n, got {pmf.shape}")
    total = pmf.sum()
    if any(v < 0 for v in pmf.ravel()) or abs(float(total) - 1.0) > 1e-9:
        raise ValueError(f"pmf must be non-negative and sum to 1, it sums to {float(total):.12g}")
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
    """p(z) for every state z at revealed fraction alpha."""
    _inside(alpha)
    levels = np.array([alpha ** (lattice.length - m) * (1 - alpha) ** m for m in range(lattice.length + 1)])
    return levels[lattice.masks] * lattice.q


def path_slopes(lattice: Lattice, alpha, slope) -> np.ndarray:
    """dp(z)/dt for every state z, with alpha' = slope."""
    _inside(alpha)
    n = lattice.length
    levels = []
    for m in range(n + 1):
        gained = (n - m) * alpha ** max(n - m - 1, 0) * (1 - alpha) ** m
        levels.append(slope * (gained - m * alpha ** (n - m) * (1 - alpha) ** max(m - 1, 0)))
    return np.array(levels)[lattice.masks] * lattice.q


def rates(lattice: Lattice, alpha, slope) -> np.ndarray:
    """Q(z, x) = slope / (1 - alpha) * q(x) / q(z) on every edge: the marginal rates of the model."""
    _inside(alpha)
    return slope / (1 - alpha) * (lattice.q[lattice.target] / lattice.q[lattice.source])


def net_flow(lattice: Lattice, p: np.ndarray, q_rates: np.ndarray) -> np.ndarray:
    """Sum of flux p(z) Q(z, x) into each state minus out of it; equals dp/dt when the rates generate the path."""
    flux = p[lattice.source] * q_rates
    result = p * 0
    np.add.at(result, lattice.target, flux)
    np.subtract.at(result, lattice.source, flux)
    return result


def kinetic_sum(lattice: Lattice, p: np.ndarray, q_rates: np.ndarray, weight: str = "inverse"):
    """Sum over edges of w p(z) Q(z, x)^2 with w = 1/p(x) ("inverse", the paper's) or w = 1 ("one")."""
    if weight not in ("inverse", "one"):
        raise ValueError(f'weight = {weight!r}, allowed: "inverse", "one"')
    terms = p[lattice.source] * q_rates**2
    return (terms / p[lattice.target] if weight == "inverse" else terms).sum()


@dataclass(frozen=True)
class EnergyIntegrands:
    """The three energies before division by gamma', at one time, and base = alpha'^2 / (alpha (1-alpha))."""

    kinetic: object
    conditional: object
    geodesic: object  # Fisher-Rao normalisation: four times the squared speed on the sphere, summed over tokens
    base: object


def energy_integrands(pmf, alpha, slope, weight: str = "inverse") -> EnergyIntegrands:
    """Kinetic, conditional kinetic and geodesic integrands by summing over all states (and all data points).

    The conditional sum runs over each data point x1 with its own path and rates, averaged under q; the geodesic one
    over the two states of each token. Nothing is simplified first, so that constant ratios are a finding.
    """
    pmf = np.asarray(pmf)
    whole = lattice_of(pmf)
    kinetic = kinetic_sum(whole, path_probabilities(whole, alpha), rates(whole, alpha, slope), weight)
    conditional = 0
    for index in np.argwhere(pmf != 0):
        one = lattice_of(point_mass(pmf, tuple(int(i) for i in index)))
        p = path_probabilities(one, alpha)
        conditional += pmf[tuple(index)] * kinetic_sum(one, p, rates(one, alpha, slope), weight)
    token = slope**2 / alpha + slope**2 / (1 - alpha)
    return EnergyIntegrands(kinetic, conditional, whole.length * token, slope**2 / (alpha * (1 - alpha)))


def point_mass(pmf, index: tuple[int, ...]) -> np.ndarray:
    """The law that puts all mass on `index`, in the number type of `pmf`."""
    point = np.asarray(pmf) * 0
    point[index] = np.asarray(pmf).sum()
    return point


def kinetic_constant(pmf) -> int:
    """C_k(q) = sum over sets S of positions of (n - |S|) |supp q_S|; n (K+1)^(n-1) when q has full support."""
    lattice = lattice_of(pmf)
    return int(lattice.masks[lattice.support].sum())


def full_support_constants(vocab_size: int, length: int) -> tuple[int, int, int]:
    """(C_k, C_c, C_g) = (n (K+1)^(n-1), n 2^(n-1), n)."""
    return length * (vocab_size + 1) ** (length - 1), length * 2 ** (length - 1), length


def marginalised_rates(pmf, alpha, slope) -> np.ndarray:
    """E over x1 given z of the conditional rates alpha'/(1-alpha) 1{x agrees with x1}, on the edges of the lattice.

    A second route to `rates` (Chen et al. 2025, eq. 6): the posterior of the data given z, state by state.
    """
    pmf, whole = np.asarray(pmf), lattice_of(pmf)
    base, n = whole.vocab_size + 1, whole.length
    digits = np.stack(np.unravel_index(np.arange(base**n), (base,) * n), axis=1)
    result = []
    for z, x in zip(digits[whole.source], digits[whole.target], strict=True):
        agree_z = pmf[tuple(slice(None) if d == 0 else slice(d - 1, d) for d in z)].sum()
        agree_x = pmf[tuple(slice(None) if d == 0 else slice(d - 1, d) for d in x)].sum()
        result.append(slope / (1 - alpha) * (agree_x / agree_z))
    return np.array(result)


def _inside(alpha) -> None:
    if not 0 < alpha < 1:
        raise ValueError(f"alpha = {alpha}, the state sums need 0 < alpha < 1")
