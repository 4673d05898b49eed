"""Cheapest rates for a given path at one time: min of sum j^2 / (p_x p_z) over fluxes j with net flow dp.

The minimum over fluxes on undirected edges is dp^T L^+ dp, L the graph Laplacian with conductances p_x p_z, and the
minimiser is the gradient flow j(z -> x) = p_x p_z (phi_x - phi_z), L phi = dp. When no component runs against an
allowed direction this is also the minimum over non-negative fluxes along directed edges.
"""

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import scipy

from toy_models.energy.kinetic import Lattice

EDGES = ("unmask", "single-site", "all-pairs")


@dataclass(frozen=True, eq=False)
class CheapestFlux:
    """value = dp^T L^+ dp; flux[e] on edge source[e] -> target[e], negative where it runs backwards.

    >>> p, dp = np.array([0.5, 0.5]), np.array([-1.0, 1.0])
    >>> tm.energy.cheapest_flux(p, dp, np.array([0]), np.array([1])).flux.round(12).tolist()
    [1.0]
    """

    value: Any
    flux: np.ndarray
    source: np.ndarray
    target: np.ndarray


def edges_of(lattice: Lattice, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Undirected edges between states of positive probability.

    unmask: a mask becomes a token. single-site: any two states that differ at one position. all-pairs: any two states.

    >>> source, target = tm.energy.edges_of(tm.energy.lattice_of(np.array([0.5, 0.5])), tm.energy.EDGES[0])
    >>> source.size == target.size
    True
    """
    if kind not in EDGES:
        raise ValueError(f"edges = {kind!r}, allowed: {', '.join(EDGES)}")
    if kind == "unmask":
        return lattice.source, lattice.target
    n, base = lattice.length, lattice.vocab_size + 1
    live = lattice.support
    digits = np.stack(np.unravel_index(live, (base,) * n), axis=1)
    pairs = [
        (live[i], live[j])
        for i, j in combinations(range(len(live)), 2)
        if kind == "all-pairs" or (digits[i] != digits[j]).sum() == 1
    ]
    source, target = np.array(pairs, dtype=np.int64).T
    return source, target


def cheapest_flux(p: np.ndarray, dp: np.ndarray, source: np.ndarray, target: np.ndarray) -> CheapestFlux:
    """Minimum of sum over edges of j^2 / (p_source p_target) subject to net flow dp, signs of j free.

    float64 by the pseudo-inverse; exact on object arrays of flint.fmpq by elimination. O(states^3). ValueError when dp
    does not sum to zero on a connected component.

    >>> p, dp = np.array([0.5, 0.5]), np.array([-1.0, 1.0])
    >>> round(float(tm.energy.cheapest_flux(p, dp, np.array([0]), np.array([1])).value), 12)  # 1 / (1/2 * 1/2)
    4.0
    """
    live = np.unique(np.concatenate([source, target]))
    where = {int(z): k for k, z in enumerate(live)}
    tails, heads = np.array([where[int(z)] for z in source]), np.array([where[int(z)] for z in target])
    conductance = p[source] * p[target]
    demand = dp[live]
    potential = _grounded(tails, heads, conductance, demand)
    flux = conductance * (potential[heads] - potential[tails])
    residual = demand * 0
    np.add.at(residual, heads, flux)
    np.subtract.at(residual, tails, flux)
    gap = max(abs(float(x)) for x in residual - demand)
    if gap > 1e-9 * max(abs(float(x)) for x in demand):
        raise ValueError(f"dp does not sum to 0 on a connected component of the edges (residual {gap:.3g})")
    return CheapestFlux((flux**2 / conductance).sum(), flux, source, target)


def _grounded(tails, heads, conductance, demand):
    """Potential with L phi = demand; one node per component grounded in the exact case, least squares in float64."""
    size = len(demand)
    laplacian = np.zeros((size, size), dtype=conductance.dtype)
    if conductance.dtype == object:
        laplacian = laplacian + demand[0] * 0
    for k, (i, j) in enumerate(zip(tails, heads, strict=True)):
        laplacian[i, i] += conductance[k]
        laplacian[j, j] += conductance[k]
        laplacian[i, j] -= conductance[k]
        laplacian[j, i] -= conductance[k]
    if conductance.dtype != object:
        scale = 1.0 / np.sqrt(np.diag(laplacian))  # symmetric scaling keeps tiny probabilities visible
        return scale * np.linalg.lstsq(laplacian * np.outer(scale, scale), demand * scale, rcond=1e-13)[0]
    from flint import fmpq_mat

    grounded = fmpq_mat(size - 1, size - 1, [laplacian[i, j] for i in range(1, size) for j in range(1, size)])
    solved = grounded.solve(fmpq_mat(size - 1, 1, list(demand[1:])))
    return np.array([demand[0] * 0, *(solved[k, 0] for k in range(size - 1))], dtype=object)


def cheapest_directed(p: np.ndarray, dp: np.ndarray, source: np.ndarray, target: np.ndarray) -> float:
    """The same minimum over j >= 0 on directed edges source -> target (float64, non-negative least squares).

    >>> p, dp = np.array([0.5, 0.5]), np.array([-1.0, 1.0])
    >>> round(tm.energy.cheapest_directed(p, dp, np.array([0]), np.array([1])), 12)
    4.0
    """
    root = np.sqrt(p[source] * p[target])
    live = np.unique(np.concatenate([source, target]))
    where = {int(z): k for k, z in enumerate(live)}
    net = np.zeros((len(live), len(source)))
    for e, (i, j) in enumerate(zip(source, target, strict=True)):
        net[where[int(i)], e], net[where[int(j)], e] = -root[e], root[e]
    strength = 1e7  # constraint weight of the penalty form; the answer is then polished on its active set
    rows = np.vstack([strength * net, np.eye(len(source))])
    active = scipy.optimize.nnls(rows, np.concatenate([strength * dp[live], np.zeros(len(source))]))[0] > 1e-9
    flux = np.linalg.lstsq(net[:, active], dp[live], rcond=1e-12)[0]
    return float(flux @ flux)
