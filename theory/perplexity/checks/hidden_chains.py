"""Enclosures of the curve and the trajectory KL of hidden chains, against enumeration and the formula for chains.

Bounds and what they are compared with are sums of at most 10^4 products of size one: ROUNDING is 100 of their errors.
"""

import math
from functools import cache

import numpy as np

import toy_models as tm
from theory.ledger.registry import Outcome, check, control, decide, not_claimed_tight, tightness
from theory.perplexity.results import CHAIN_A, HMM_B, Results
from toy_models.hidden_chains.cells import Exact, Extremal
from toy_models.hidden_chains.window import curve_bound, hidden_form
from toy_models.targets.markov import stationary_law

ROUNDING = 1e-13
HMM_C = ([2 / 3, 1 / 3], [[0.9, 0.1], [0.2, 0.8]], [[0.85, 0.15], [0.3, 0.7]])
FRACTIONS = (0.1, 0.5, 0.9)
CELLS = (50, 100, 200, 400, 800)


@cache
def small() -> tuple[tuple[tm.Target, tuple[float, ...]], ...]:
    """Hidden chains short enough to enumerate, with h(a) at FRACTIONS by H(X_i | X_T) of every set T."""
    rng = np.random.default_rng(3)
    chains = [tm.HMM(*HMM_B, 6), tm.HMM(*HMM_C, 7), tm.NGram(rng.dirichlet(np.ones(2), (2, 2)), 7)]
    for states, vocab_size in ((2, 2), (2, 3), (3, 2), (3, 3)):
        transition, emission = rng.dirichlet(np.ones(states), states), rng.dirichlet(np.full(vocab_size, 0.5), states)
        chains.append(tm.HMM(rng.dirichlet(np.ones(states)), transition, emission, 6))
    curves = [tm.information_curve(chain) for chain in chains]
    return tuple(
        (c, tuple(float(tm.reveal_curve(g, a)) for a in FRACTIONS)) for c, g in zip(chains, curves, strict=True)
    )


def window_bounds(target, a: float, length: int | float, window: int) -> tuple[float, float]:
    """The disclosed and the forgetful bound of h(a), no atom replaced."""
    form = hidden_form(target)
    low, high = (curve_bound(form, a, length, window, Exact(), upper) for upper in (False, True))
    return low, high


def rate(transition: np.ndarray, window: int) -> float:
    """Delta^2 tau^(2(d-1)) / 4."""
    logs = np.log(np.asarray(transition))
    rows = logs[:, None, :] - logs[None]  # log A_us - log A_vs
    delta = float((rows.max(axis=2) - rows.min(axis=2)).max())
    return delta**2 * math.tanh(delta / 4) ** (2 * (window - 1)) / 4


@cache
def enclosures() -> tuple[tuple[float, float, float], ...]:
    """(low, h, high) with windows shorter than the sequence: enumeration, then chain A as an HMM by the gap formula."""
    found = []
    for target, curve in small():
        for a, h in zip(FRACTIONS, curve, strict=True):
            for window in (1, 2, 3):
                low, high = window_bounds(target, a, target.length, window)
                found.append((low, h, high))
    for length in (30, 1000, math.inf):
        chain = tm.MarkovChain(CHAIN_A, 30)
        hidden = tm.HMM(chain.initial, CHAIN_A, np.eye(3), 30)
        h = tm.reveal_curve_bounds(chain, FRACTIONS, 1e-9, length=length).low
        for a, value in zip(FRACTIONS, h, strict=True):
            for window in (2, 4, 8):
                low, high = window_bounds(hidden, a, length, window)
                found.append((low, float(value), high))
    return tuple(found)


@check("certified-hidden-chain-curve", tier="float64")
def curve_is_enclosed(results: Results) -> Outcome:
    """certified-hidden-chain-curve: low <= h(a) <= high on HMMs, a 3-gram and a chain; most widths are above 1e-6."""
    found = enclosures()
    inside = all(low <= h + ROUNDING and h <= high + ROUNDING for low, h, high in found)
    seen = sum(high - low > 1e-6 for low, _, high in found)
    return decide(inside and 2 * seen > len(found), len(found), min(min(h - lo, hi - h) for lo, h, hi in found))


@check("certified-hidden-chain-curve", tier="float64")
def width_falls_with_the_window(results: Results) -> Outcome:
    """certified-hidden-chain-curve: high - low <= Delta^2 tau^(2(d-1)) / 4, positive chains, L = 40 and infinite."""
    rng, shares = np.random.default_rng(4), []
    for states, vocab_size in ((2, 2), (2, 3), (3, 2)) * 3:
        transition, emission = rng.dirichlet(np.ones(states), states), rng.dirichlet(np.ones(vocab_size), states)
        target = tm.HMM(stationary_law(transition), transition, emission, 40)
        for length, a, window in (
            (40, 0.5, 1),
            (40, 0.2, 3),
            (math.inf, 0.0, 2),
            (math.inf, 0.5, 4),
            (math.inf, 0.9, 3),
        ):
            low, high = window_bounds(target, a, length, window)
            shares.append((high - low) / rate(transition, window))
    return decide(max(shares) <= 1, len(shares), 1 - max(shares), "margin: share of the bound left over")


@tightness("certified-hidden-chain-curve", tier="float64")
def flip_chain_attains_the_rate(results: Results) -> Outcome:
    """certified-hidden-chain-curve: flips of .45, a = 0: the width is within 4.1 of its bound for d = 1..4."""
    flip = np.array([[0.55, 0.45], [0.45, 0.55]])
    chain = tm.HMM([0.5, 0.5], flip, np.eye(2), 40)
    ends = [window_bounds(chain, 0.0, math.inf, d) for d in range(1, 5)]
    shares = [(high - low) / rate(flip, d) for d, (low, high) in enumerate(ends, start=1)]
    return decide(1 / 4.1 < min(shares) <= max(shares) <= 1, 4, 1 - max(shares))


@control("certified-hidden-chain-curve", tier="float64")
def forgetting_as_lower_bound(results: Results) -> Outcome:
    """certified-hidden-chain-curve with the roles exchanged: forgetting claimed to bound h from below."""
    found = enclosures()
    return decide(all(high <= h + ROUNDING for _, h, high in found), len(found))


@control("certified-hidden-chain-curve", tier="float64")
def window_one_longer(results: Results) -> Outcome:
    """certified-hidden-chain-curve with tau^(2d) in place of tau^(2(d-1)): flips of .45 are wider."""
    flip = np.array([[0.55, 0.45], [0.45, 0.55]])
    low, high = window_bounds(tm.HMM([0.5, 0.5], flip, np.eye(2), 40), 0.0, math.inf, 2)
    return decide(high - low <= rate(flip, 3), 1, rate(flip, 3) - (high - low))


def cell_bounds(parameters, cells: int) -> tuple[float, float]:
    """Both bounds of h(1/2) at infinite length with 60 steps on either side."""
    initial, transition, emission = parameters
    form = hidden_form(tm.HMM(initial, transition, emission, 200))
    low, high = (curve_bound(form, 0.5, math.inf, 60, Extremal(cells), upper) for upper in (False, True))
    return low, high


@check("certified-hidden-chain-cells", tier="float64")
def cells_stay_on_their_side(results: Results) -> Outcome:
    """certified-hidden-chain-cells: 3 to 20 cells at every step enclose the enumerated h(a) of two-state HMMs."""
    margins = []
    for target, curve in small():
        form = hidden_form(target)
        if form.states != 2:
            continue
        for a, h in zip(FRACTIONS, curve, strict=True):
            for cells in (3, 6, 20):
                low, high = (curve_bound(form, a, target.length, 10, Extremal(cells), upper) for upper in (False, True))
                margins += [h - low, high - h]
    wide = sum(margin > 1e-6 for margin in margins)
    return decide(min(margins) >= -ROUNDING and 2 * wide > len(margins), len(margins), min(margins))


@check("certified-hidden-chain-cells", tier="float64")
def width_falls_with_the_cells(results: Results) -> Outcome:
    """certified-hidden-chain-cells: width c^2 <= .6 for c = 50, .., 800 on two HMMs; the enclosures overlap."""
    scaled, overlaps = [], []
    for parameters in (HMM_B, HMM_C):
        ends = [cell_bounds(parameters, c) for c in CELLS]
        scaled += [(high - low) * c**2 for (low, high), c in zip(ends, CELLS, strict=True)]
        overlaps.append(max(low for low, _ in ends) <= min(high for _, high in ends) + ROUNDING)
    return decide(max(scaled) <= 0.6 and all(overlaps), len(scaled), 0.6 - max(scaled), "margin: of width c^2")


@tightness("certified-hidden-chain-cells", tier="float64")
def width_is_of_order_two(results: Results) -> Outcome:
    """certified-hidden-chain-cells: width c^2 > .5 for the second HMM, so no better power of c is hidden."""
    scaled = [(high - low) * c**2 for c in (100, 800) for low, high in [cell_bounds(HMM_C, c)]]
    return decide(min(scaled) > 0.5, 2, 0.6 - min(scaled))


@control("certified-hidden-chain-cells", tier="float64")
def sums_as_lower_bound(results: Results) -> Outcome:
    """certified-hidden-chain-cells: atoms summed below as well, so that both bounds come from one list."""
    target, curve = small()[0]
    high = [curve_bound(hidden_form(target), a, target.length, 10, Extremal(3), True) for a in FRACTIONS]
    return decide(all(b <= h + ROUNDING for b, h in zip(high, curve, strict=True)), len(high))


@control("certified-hidden-chain-cells", tier="float64")
def cells_of_order_three(results: Results) -> Outcome:
    """certified-hidden-chain-cells with a width of at most 30/c^3, the same at c = 50."""
    ends = [cell_bounds(HMM_C, cells) for cells in (50, 800)]
    return decide(all(hi - lo <= 30 / c**3 for (lo, hi), c in zip(ends, (50, 800), strict=True)), 2)


SCHEDULES = ((0.5, 0.5), (0.2, 0.5, 0.3), (0.1, 0.2, 0.3, 0.4))


@check("certified-hidden-chain-kl", tier="float64")
def kl_is_enclosed(results: Results) -> Outcome:
    """certified-hidden-chain-kl: within 2e-3 nats around the enumerated E KL; chain A as an HMM at L = 512 and 10^6."""
    margins, widths = [], []
    for target, _ in small():
        g = tm.information_curve(target)
        for weights in SCHEDULES:
            low, high = tm.hidden_chains.trajectory_kl_bounds(target, weights, 2e-3)
            kl = weighted_curve(g, weights) - target.entropy()
            margins += [kl - low, high - kl]
            widths.append((high - low) / 2e-3)
    for length in (512, 10**6):
        chain = tm.MarkovChain(CHAIN_A, length)
        hidden = tm.HMM(chain.initial, CHAIN_A, np.eye(3), length)
        kl, _ = tm.hidden_chains.trajectory_kl_bounds(chain, SCHEDULES[0], 1.0)
        low, high = tm.hidden_chains.trajectory_kl_bounds(hidden, SCHEDULES[0], 1e-3 * length / 512)
        margins += [(kl - low) / length, (high - kl) / length]
    holds = min(margins) >= -ROUNDING and max(widths) <= 1
    return decide(holds, len(margins) // 2, min(margins), "margin: nats, per token for the long chains")


def weighted_curve(g: np.ndarray, weights, shift: int = 0) -> float:
    """L sum_j Delta_j h(a_{j-1+shift})."""
    ends = np.concatenate([[0.0], np.cumsum(weights)])
    return len(g) * sum(w * float(tm.reveal_curve(g, min(ends[j + shift], 1.0))) for j, w in enumerate(weights))


@control("certified-hidden-chain-kl", tier="float64")
def curve_at_the_wrong_end(results: Results) -> Outcome:
    """certified-hidden-chain-kl with h at the end a_j of each step in place of its beginning."""
    inside = []
    for target, _ in small():
        low, high = tm.hidden_chains.trajectory_kl_bounds(target, SCHEDULES[1], 2e-3)
        wrong = weighted_curve(tm.information_curve(target), SCHEDULES[1], shift=1) - target.entropy()
        inside.append(low - ROUNDING <= wrong <= high + ROUNDING)
    return decide(all(inside), len(inside))


not_claimed_tight("certified-hidden-chain-kl", "an enclosure of any asked width")
