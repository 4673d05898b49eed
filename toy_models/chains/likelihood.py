"""log p(x) of independent reveal on a Markov chain: every uniform schedule at once, by a band of gap values.

For fixed x let W(l, r) be the probability that the gap between positions l < r (0 and L+1 are virtual ends) is filled
with exactly x_(l+1) .. x_(r-1). One level of remaining steps with reveal probability rho maps

    F(k) = rho P^(k-l)[x_l,x_k] P^(r-k)[x_k,x_r] / P^(r-l)[x_l,x_r] * sum over l <= k' < k of F(k') K(k', k),  F(l) = 1,
    W(l, r) <- sum over k' < r of F(k') K(k', r),      K(k', k) = (1-rho)^(k-k'-1) W(k', k).

The bridge factor depends on both ends, so a full table costs L^4/24 per level. Only gaps of distance <= T are stored;
they are exact. The outermost gap (0, L+1) is a renewal on the line, in which longer jumps use W(k', k)/W(k', k-1) =
W(k-T, k)/W(k-T, k-1): both left ends are far away and the chain has forgotten them. Cost L T^3/6 per level. All values
are divided by a product of edge scales near P[x_i, x_(i+1)], which the recursion carries through unchanged.

Off the support of q (q(x) = 0) the gaps are not independent: a run stops as soon as its revealed part is impossible.
Such an x is written only by completing it in one step from a possible context: p(x) = sum over j of the probability
that step j completes x and the revealed part before it is possible. Each term is the same recursion started at step j
with every step of x allowed, and only possible gaps kept afterwards. That is N sweeps over the full table.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from tqdm import tqdm

from toy_models.chains.band import sweep_row
from toy_models.chains.tables import gap_powers, mixing
from toy_models.errors import IntractableError
from toy_models.rules import IndependentReveal
from toy_models.targets.markov import MarkovChain
from toy_models.validation import positive_int, tokens

TOLERANCE = 1e-10
MAX_PRODUCTS = 2e12  # multiply-adds: about ten minutes on two cores
PROGRESS_PRODUCTS = 2e10
SMALLEST_SCALE = 1e-4
SMALLEST_BRIDGE = 1e-80  # two of them over a third stay far from the ends of float64
LARGEST_SPREAD = 400.0  # nats between the largest and the smallest gap value, of the 645 down to band.TINY


@dataclass(frozen=True, eq=False)
class GapLikelihood:
    """log_p[row, k] = log p(x) with steps[k] steps, in nats.

    band: the largest width T used for rows on the support, L+1 for the full table (rows off the support always take
    it). error_estimate: errors fall geometrically in T, so with d1, d2 the differences between the values at widths
    T/2, 3T/4 and T the error at T is near d2^2 / d1; ten times that, at most d2, is reported. It is measured, not
    proved; 0 for the full table, which is exact up to rounding.

    >>> found = tm.chains.gap_log_likelihood(tm.repetition(2, 2), 2, np.array([[0, 0]]))
    >>> found.steps.tolist(), np.exp(found.log_p).round(12).tolist()
    ([1, 2], [[0.25, 0.375]])
    """

    steps: Int[np.ndarray, " N"]
    log_p: Float[np.ndarray, "batch N"]
    band: int
    error_estimate: Float[np.ndarray, "batch N"]


def gap_log_likelihood(
    chain: MarkovChain,
    weights_or_max_steps: int | np.integer | Sequence[float] | np.ndarray,
    x: Int[np.ndarray, "batch L"],
    band: int | None = None,
) -> GapLikelihood:
    """log p(x) of the oracle sampler with independent reveal: all uniform schedules N = 1..max_steps, or one schedule.

    band=None starts from a width taken from the mixing rate and widens it until error_estimate <= 1e-10 on every row,
    up to the full table. Off the support the value is exact and may be finite. Cost per row N L T^3/6, full table N
    L^4/24, off the support N^2 L^4/48 multiply-adds. IntractableError beyond MAX_PRODUCTS.

    >>> found = tm.chains.gap_log_likelihood(tm.repetition(2, 2), [0.5, 0.5], np.array([[0, 0]]))
    >>> np.exp(found.log_p).round(12).tolist()  # 1/2 (1/2 + 1/4)
    [[0.375]]
    """
    x = tokens(x, chain.vocab_size, chain.length, masks=False)
    reveals, stays, uniform = _reveals(weights_or_max_steps)
    steps = np.arange(1, len(reveals) + 1) if uniform else np.array([len(reveals)])
    full = chain.length + 1
    width = _starting_band(chain) if band is None else min(positive_int("band", band, minimum=4), full)
    on_support = np.isfinite(chain.log_prob(x))
    log_p, error = np.empty((len(x), len(steps))), np.zeros((len(x), len(steps)))
    off = np.flatnonzero(~on_support)
    log_p[off] = _rows(chain, reveals, stays, uniform, x[off], full, completing=True)[0]
    rows = np.flatnonzero(on_support)
    while len(rows):
        log_p[rows], error[rows] = _rows(chain, reveals, stays, uniform, x[rows], width, completing=False)
        rows = rows[(error[rows] > TOLERANCE).any(axis=1)]
        if band is not None or width == full or len(rows) == 0:
            break
        width = min(width + width // 2, full)
    return GapLikelihood(steps, log_p, width if on_support.any() else full, error)


def _reveals(weights_or_max_steps) -> tuple[np.ndarray, np.ndarray, bool]:
    """Probabilities to reveal and to stay masked with m = 1, 2, .. remaining steps; whether the grid is uniform."""
    if np.ndim(weights_or_max_steps) == 0:
        m = np.arange(1, positive_int("max_steps", weights_or_max_steps) + 1)
        return 1.0 / m, (m - 1) / m, True
    rule = IndependentReveal(weights_or_max_steps)
    return rule.hazards[::-1].copy(), rule.survivals[::-1].copy(), False


def _starting_band(chain: MarkovChain) -> int:
    """1.6 times the distance at which the chain has forgotten all but 1e-8; the full table when it mixes too slowly."""
    mix = mixing(chain)
    return chain.length + 1 if mix is None else min(max(16, int(0.8 * mix.distance)), chain.length + 1)


def _rows(chain: MarkovChain, reveals, stays, uniform: bool, x, width: int, completing: bool):
    """(log p, error estimate) of every row, rows in parallel."""
    length = chain.length
    products = len(reveals) * (length * width**3 / 6 if width <= length else length**4 / 24)
    products *= len(x) * (len(reveals) / 2 if completing else 1)
    if products > MAX_PRODUCTS:
        raise IntractableError(
            "log p(x)" + (" of sequences outside the support" if completing else " by the full table"),
            f"{len(x)} rows, L = {length}, {len(reveals)} steps: {products:.2g} multiply-adds",
            f"{MAX_PRODUCTS:.0e}",
            "pass fewer rows, take fewer steps" + ("" if completing else ", or set band= (see error_estimate)"),
        )
    widths = np.array([width] if width > length else [width, width - width // 4, width // 2])
    laws = _position_laws(chain)
    power = gap_powers(chain, width)

    def solve(row):
        bridge, start, law_at, log_scale = _row_tables(chain, power, laws, row, width)
        _require_range(bridge, start)
        found = sweep_row(bridge, start, law_at, reveals, stays, uniform, widths, completing) + log_scale
        if np.isnan(found).any() or np.isposinf(found).any():
            raise _out_of_range(f"L = {length}, gap values beyond 1e308")
        return found

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        quiet = products < PROGRESS_PRODUCTS
        solved = list(tqdm(pool.map(solve, x), total=len(x), desc="rows", disable=quiet or None, leave=False))
    values = np.array(solved).reshape(len(x), len(widths), -1 if len(x) else len(reveals) if uniform else 1)
    return values[:, 0], _tail_error(values)


def _require_range(bridge, start) -> None:
    """Refuse rows whose gap values may leave float64: products of two bridges over a third, or of all edge values."""
    smallest = float(bridge.min(where=bridge > 0, initial=1.0))
    edges = bridge[1, :-1] * start  # at most 1: what is left of an edge after its scale is taken out
    spread = float(-np.log(np.where(edges > 0, edges, 1.0)).sum())
    if smallest < SMALLEST_BRIDGE or spread > LARGEST_SPREAD:
        raise _out_of_range(f"a transition of probability {smallest:.3g}, edges together exp(-{spread:.0f})")


def _out_of_range(size: str) -> IntractableError:
    return IntractableError(
        "log p(x) by the gap recursion",
        size,
        f"transitions >= {SMALLEST_BRIDGE:g}, edges under {SMALLEST_SCALE:g} together >= exp(-{LARGEST_SPREAD:g})",
        "use log_likelihood, which takes subsets of positions where L <= 16",
    )


def _tail_error(values: Float[np.ndarray, "batch widths N"]) -> Float[np.ndarray, "batch N"]:
    if values.shape[1] == 1:
        return np.zeros_like(values[:, 0])
    last, before = np.abs(values[:, 0] - values[:, 1]), np.abs(values[:, 1] - values[:, 2])
    return np.where(before > 0, np.minimum(last, 10.0 * last**2 / np.where(before > 0, before, 1.0)), last)


def _position_laws(chain: MarkovChain) -> Float[np.ndarray, "L V"]:
    """q(x_i) for every position."""
    laws = np.empty((chain.length, chain.vocab_size))
    laws[0] = chain.initial
    for i in range(1, chain.length):
        laws[i] = laws[i - 1] @ chain.transition
    return laws


def _row_tables(chain: MarkovChain, power, laws, row, width: int):
    """bridge[d, l] = P^d[x_l, x_(l+d)], start[l] = 1 / scale of the edge (l, l+1), q(x_k), log of all scales."""
    at = np.concatenate([[chain.vocab_size], row, [chain.vocab_size]])
    bridge = np.zeros((width + 1, len(at)))
    for d in range(1, width + 1):
        bridge[d, : len(at) - d] = power[d, at[:-d], at[d:]]
    scale = np.where(bridge[1, :-1] > 0, np.maximum(bridge[1, :-1], SMALLEST_SCALE), 1.0)
    law_at = np.concatenate([[1.0], laws[np.arange(len(row)), row], [1.0]])
    return bridge, 1.0 / scale, law_at, float(np.log(scale).sum())
