"""Claims of the medium topic. The network of these checks is trained, then enumerated on all its contexts.

The numbers depend on the training run; the verdicts must not: the statements hold for every network.
"""

from math import comb

import numpy as np
import torch

import toy_models as tm
from theory.medium import Results
from theory.medium_languages import three_gram
from theory.medium_small import Small
from theory.perplexity import uniform
from theory.registry import Outcome, check, control, decide, not_claimed_tight, tightness
from toy_models import lattice, medium
from toy_models.quantities import curve_kl

ROUNDING = 1e-9  # of sums of at most 4^6 * 6 * 3 terms of order one in float64, with a wide margin


@check("network-error-adds", tier="float64")
def error_adds(results: Results) -> Outcome:
    """network-error-adds: trajectory KL of the network = that of the oracle + the learning error along the path."""
    small = results.small
    gaps = [
        abs(learned - exact - along_path(small, int(n)))
        for n, exact, learned in zip(small.steps, small.oracle_kl, small.network_kl, strict=True)
    ]
    return decide(max(gaps) < ROUNDING, len(gaps), max(gaps), "margin: largest gap in nats per sequence")


def context_divergences(small: Small) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(revealed sets T, q(x_T), KL(q(.|x_T) || p(.|x_T)) at each position) over all states."""
    states = lattice.states(3, 6)
    q, p = lattice.state_marginals(small.target), small.network.table
    with np.errstate(divide="ignore", invalid="ignore"):
        kl = np.where(q > 0, q * np.log(q / p), 0.0).sum(axis=2)
    return states != tm.MASK, lattice.state_probabilities(small.target), kl


def along_path(small: Small, steps: int) -> float:
    """sum_i E KL(q(.|X_T(i)) || p(.|X_T(i))), uniform independent reveal: T ~ Bernoulli(j/N), position i in step j."""
    revealed, weight, kl = context_divergences(small)
    total, count = 0.0, revealed.sum(axis=1)
    for j in range(steps):
        a = j / steps
        others = a**count * (1 - a) ** (5 - count.astype(float)) if a > 0 else (count == 0).astype(float)
        possible = (weight > 0) & (count < 6)
        total += (others[:, None] * weight[:, None] * np.where(revealed, 0.0, kl))[possible].sum() / steps
    return float(total)


@control("network-error-adds", tier="float64")
def error_left_out(results: Results) -> Outcome:
    """network-error-adds without the learning error."""
    gap = np.abs(results.small.network_kl - results.small.oracle_kl).max()
    return decide(bool(gap < ROUNDING), len(results.small.steps), gap)


@control("network-error-adds", tier="float64")
def error_subtracted(results: Results) -> Outcome:
    """network-error-adds with the sign of the learning error turned."""
    small = results.small
    gap = abs(small.network_kl[2] - small.oracle_kl[2] + along_path(small, int(small.steps[2])))
    return decide(bool(gap < ROUNDING), 1, gap)


not_claimed_tight("network-error-adds", "an identity")


@check("network-two-curves", tier="float64")
def two_curves(results: Results) -> Outcome:
    """network-two-curves: the trajectory KL of the network from g and the enumerated learning curve, every N."""
    gaps = curve_gaps(results.small, learning_curve(results.small))
    return decide(bool(gaps.max() < ROUNDING), len(gaps), gaps.max(), "margin: largest gap in nats per sequence")


def learning_curve(small: Small) -> np.ndarray:
    """epsilon[m]: the mean over sets T of m positions, i outside T and x_T ~ q of KL(q(.|x_T) || p(.|x_T))."""
    revealed, weight, kl = context_divergences(small)
    count = revealed.sum(axis=1)
    open_cost = np.where(revealed | (weight == 0)[:, None], 0.0, kl * weight[:, None]).sum(axis=1)
    return np.array([open_cost[count == m].sum() / (comb(6, m) * (6 - m)) for m in range(6)])


def curve_gaps(small: Small, learning: np.ndarray) -> np.ndarray:
    """|trajectory KL of the network - (L sum_j Delta_j h_{g + learning}(a_j) - H)| at every N."""
    entropies = tm.information_curve(small.target)
    found = [curve_kl(entropies + learning, uniform(int(n))) + learning.sum() for n in small.steps]
    return np.abs(np.array(found) - small.network_kl)


@control("network-two-curves", tier="float64")
def curve_by_masks(results: Results) -> Outcome:
    """network-two-curves with the learning curve read by the number of masked tokens."""
    gaps = curve_gaps(results.small, learning_curve(results.small)[::-1])
    return decide(bool(gaps.max() < ROUNDING), len(gaps), gaps.max())


@control("network-two-curves", tier="float64")
def curve_by_its_mean(results: Results) -> Outcome:
    """network-two-curves with one number, the mean over m, for the whole learning curve."""
    learning = learning_curve(results.small)
    gaps = curve_gaps(results.small, np.full(6, learning.mean()))
    return decide(bool(gaps.max() < ROUNDING), len(gaps), gaps.max())


not_claimed_tight("network-two-curves", "an identity")


@check("network-kl-from-max", tier="float64")
def kl_from_max(results: Results) -> Outcome:
    """network-kl-from-max: trajectory KL of the network <= (TC + DTC)/N + L epsilon_learning, epsilon the maximum."""
    small = results.small
    bound = small.budget / small.steps + 6 * small.largest
    slack = bound - small.network_kl
    ratio = small.network_kl / bound
    note = f"left side is {ratio.min():.2f} to {ratio.max():.2f} of the right; margin in nats per sequence"
    return decide(bool((slack >= -ROUNDING).all()), len(slack), slack.min(), note)


@tightness("network-kl-from-max", tier="float64")
def kl_from_max_tight(results: Results) -> Outcome:
    """Independent tokens and one wrong law at every context: equality."""
    target = tm.MarkovChain([[0.7, 0.3], [0.7, 0.3]], 4)
    denoiser = tm.Smoothed(target, 0.2)
    bound = 4 * tm.learning_error(target, denoiser, "max")
    gap = abs(tm.trajectory_kl(target, uniform(3), denoiser) - bound)
    return decide(gap < 1e-12, 1, gap)


@control("network-kl-from-max", tier="float64")
def kl_from_mean(results: Results) -> Outcome:
    """network-kl-from-max with the mean over orders for the maximum: some order costs more than the mean order."""
    revealed, weight, kl = context_divergences(results.small)
    count = revealed.sum(axis=1)
    open_cost = np.where(revealed | (weight == 0)[:, None], 0.0, kl * weight[:, None])
    sets = revealed @ (1 << np.arange(6))
    table = np.stack([np.bincount(sets, weights=open_cost[:, i], minlength=64) for i in range(6)], axis=1)
    worst = np.zeros(64)  # the costliest way from each revealed set to the end
    for T in range(62, -1, -1):
        worst[T] = max(table[T, i] + worst[T | 1 << i] for i in range(6) if not T >> i & 1)
    sizes = np.array([bin(T).count("1") for T in range(64)])
    mean = sum(table[sizes == k].sum() / ((6 - k) * (sizes == k).sum()) for k in range(6))
    return decide(bool(worst[0] <= mean + ROUNDING), int(count.size), worst[0] - mean)


@check("network-ser-from-max", tier="float64")
def ser_from_max(results: Results) -> Outcome:
    """network-ser-from-max: SER <= 1 - exp(-L epsilon_learning - (TC + DTC)/N)."""
    small = results.small
    bound = -np.expm1(-6 * small.largest - small.budget / small.steps)
    slack = bound - small.network_error
    through_kl = -np.expm1(-small.network_kl) - small.network_error
    note = f"at N = {small.steps[-1]}: SER {small.network_error[-1]:.3f}, bound {bound[-1]:.3f}; margin: smallest slack"
    holds = min(slack.min(), through_kl.min()) >= -ROUNDING
    return decide(bool(holds), 2 * len(slack), slack.min(), note)


@tightness("network-ser-from-max", tier="float64")
def ser_from_max_tight(results: Results) -> Outcome:
    """One token, uniform on two of three symbols, a tenth of the mass on the third: equality."""
    target = tm.Table(np.array([0.5, 0.5, 0.0]))
    denoiser = tm.Smoothed(target, 0.3)
    bound = -np.expm1(-tm.learning_error(target, denoiser, "max"))
    gap = abs(tm.sequence_error(target, uniform(1), denoiser) - bound)
    return decide(gap < 1e-12, 1, gap)


@control("network-ser-from-max", tier="float64")
def ser_without_learning(results: Results) -> Outcome:
    """network-ser-from-max without epsilon_learning: one token at a time would then never err."""
    small = results.small
    error = tm.sequence_error(small.target, tm.FixedOrder(tuple((i,) for i in range(6))), small.network)
    return decide(error <= ROUNDING, 1, error)


@check("causal-error-adds", tier="float64")
def causal_adds(results: Results) -> Outcome:
    """causal-error-adds: KL(q || p_AR) = sum_i E KL(q(.|X_<i) || p(.|X_<i)), the twin on all 729 sequences."""
    whole, parts = causal_sides(results.small)
    gap = abs(whole - parts.sum())
    return decide(gap < ROUNDING, 1, gap)


def causal_sides(small: Small) -> tuple[float, np.ndarray]:
    x = lattice.sequences(3, 6)
    log_q = small.target.log_prob(x)
    seen = np.isfinite(log_q)
    weight = np.exp(log_q)
    parts = []
    for i in range(6):
        q = small.target.marginals(np.where(np.arange(6) < i, x, tm.MASK), on_impossible="uniform")[:, i]
        p = small.causal_laws[:, i]
        kl = np.where(q > 0, q * np.log(np.where(q > 0, q, 1.0) / p), 0.0).sum(axis=1)
        parts.append(weight @ kl)
    return float(weight[seen] @ (log_q - small.causal)[seen]), np.array(parts)


@control("causal-error-adds", tier="float64")
def causal_last_dropped(results: Results) -> Outcome:
    """causal-error-adds without the last token."""
    whole, parts = causal_sides(results.small)
    return decide(abs(whole - parts[:-1].sum()) < ROUNDING, 1, abs(whole - parts[:-1].sum()))


not_claimed_tight("causal-error-adds", "an identity")


@check("device-posterior-bound", tier="float64")
def twins_agree(results: Results) -> Outcome:
    """device-posterior-bound: torch and CPU posteriors within the sum of their rounding bounds, float64 and float32."""
    worst, count = 0.0, 0
    for target, y in posterior_instances():
        for dtype in (torch.float64, torch.float32):
            allowed = medium.error_bound(target, dtype) + medium.error_bound(target, torch.float64)
            worst = max(worst, relative_gap(target, y, dtype) / allowed)
            count += 1
    return decide(worst <= 1.0, count, 1.0 - worst, f"largest gap over bound: {worst:.3g}; margin: 1 minus that")


def posterior_instances():
    """Languages with zeros, near-zeros and rows at many mask fractions."""
    rng = np.random.default_rng(8)
    targets = [
        tm.MarkovChain([[0.7, 0.3, 0.0], [0.0, 0.6, 0.4], [0.5, 0.0, 0.5]], 40),
        tm.NGram(three_gram(), 20),
        tm.NGram(rng.dirichlet(np.full(2, 0.4), (2, 2, 2)), 12),
        tm.HMM([0.5, 0.5], [[1 - 1e-14, 1e-14], [1e-14, 1 - 1e-14]], [[1.0, 0.0], [1e-14, 1 - 1e-14]], 12),
        tm.Blocks(tm.HMM([0.5, 0.5], [[0.9, 0.1], [0.2, 0.8]], [[1.0, 0.0], [0.3, 0.7]], 5), 3),
        tm.pairs(4, 12),
    ]
    for states, vocab in ((2, 3), (6, 4), (16, 8)):
        parts = (np.ones(states), states), (np.full(states, 0.2), states), (np.full(vocab, 0.2), states)
        initial, transition, emission = (rng.dirichlet(alpha, size) for alpha, size in parts)
        targets.append(tm.HMM(initial[0], transition, emission, 40))
    for target in targets:
        x = target.sample(64, rng)
        yield target, np.where(rng.random(x.shape) < rng.random((64, 1)), x, tm.MASK)


def relative_gap(target, y: np.ndarray, dtype: torch.dtype) -> float:
    """Largest |torch - CPU| / CPU over possible entries; inf when a zero is not a zero."""
    exact = target.marginals(y)
    found = medium.marginals(target, y, "cpu", dtype).double().numpy()
    if (found[exact == 0] != 0).any():
        return float("inf")
    return float((np.abs(found - exact)[exact > 0] / exact[exact > 0]).max())


@control("device-posterior-bound", tier="float64")
def single_within_double(results: Results) -> Outcome:
    """device-posterior-bound: float32 messages held to the float64 bound."""
    gaps = [relative_gap(t, y, torch.float32) / medium.error_bound(t, torch.float64) for t, y in posterior_instances()]
    return decide(max(gaps) <= 1.0, len(gaps), max(gaps))


@control("device-posterior-bound", tier="float64")
def forward_only(results: Results) -> Outcome:
    """device-posterior-bound for the filter, which sees only the tokens to the left."""
    target, y = next(posterior_instances())
    filtered = np.stack([target.marginals(np.where(np.arange(40) < i, y, tm.MASK))[:, i] for i in range(40)], axis=1)
    smooth = medium.marginals(target, y, "cpu").numpy()
    hidden = y == tm.MASK
    gap = np.abs(filtered - smooth)[hidden].max()
    return decide(bool(gap <= medium.error_bound(target)), int(hidden.sum()), gap)


not_claimed_tight("device-posterior-bound", "a worst case over signs of roundings; measured gaps are far smaller")
