"""Identities of a trained network: its learning error adds to the oracle's divergence."""

import numpy as np

import toy_models as tm
from theory.ledger.registry import Outcome, check, control, decide, not_claimed_tight
from theory.networks.checks.network import ROUNDING
from theory.networks.results import Results
from theory.networks.small import Small, context_divergences, learning_curve
from theory.perplexity.results import uniform
from toy_models.quantities import lattice
from toy_models.quantities.trajectory_kl import curve_kl


@check("network-error-adds", tier="float64")
def error_adds(results: Results) -> Outcome:
    """network-error-adds: trajectory KL of the network = that of the oracle + the learning error along the path."""
    small = results.small
    gaps = [
        abs(learned - exact - along_path(small, int(n)))
        for n, exact, learned in zip(small.steps, small.oracle_kl, small.network_kl, strict=True)
    ]
    return decide(max(gaps) < ROUNDING, len(gaps), max(gaps), "margin: largest gap in nats per sequence")


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


@check("network-error-adds", tier="float64")
def error_adds_in_other_orders(results: Results) -> Outcome:
    """network-error-adds: random order by ones and by twos, left to right, two halves, one call.

    The learning error along a random order is read off the learning curve, along a fixed one off its revealed sets.
    """
    small, epsilon, gaps = results.small, learning_curve(results.small), []
    revealed, weight, kl = context_divergences(small)
    sets = (revealed @ (1 << np.arange(6)))[:, None]

    def met(blocks):
        """sum over blocks and their positions of E KL given the blocks before."""
        total, seen = 0.0, 0
        for block in blocks:
            here = (sets[:, 0] == seen) & (weight > 0)
            total += sum(float(weight[here] @ kl[here, i]) for i in block)
            seen |= sum(1 << i for i in block)
        return total

    left_to_right, halves = tuple((i,) for i in range(6)), ((0, 2, 4), (1, 3, 5))
    cases = [
        (tm.RandomOrder((1,) * 6), epsilon.sum()),
        (tm.RandomOrder((2, 2, 2)), 2 * epsilon[::2].sum()),
        (tm.RandomOrder((6,)), 6 * epsilon[0]),
        (tm.FixedOrder(left_to_right), met(left_to_right)),
        (tm.FixedOrder(halves), met(halves)),
    ]
    for rule, error in cases:
        found = tm.trajectory_kl(small.target, rule, small.network) - tm.trajectory_kl(small.target, rule)
        gaps.append(abs(found - error))
    return decide(max(gaps) < ROUNDING, len(gaps), max(gaps), "margin: largest gap in nats per sequence")


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
