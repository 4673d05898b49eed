"""The sampled judge and the training loop, each against what it must give."""

from math import log

from theory.ledger.registry import Outcome, check, control, decide, not_claimed_tight
from theory.networks.results import Results

ROUNDING = 1e-6  # intervals of estimates without noise have no width, and the network is read in float32
SINGLE = 1e-4  # twelve steps in float32 against float64, weights of order one


@check("sampled-judge", tier="sampled")
def intervals_cover(results: Results) -> Outcome:
    """Every estimate of the long networks, on the enumerated one: exact value in the interval at 1 - 1e-6."""
    found = results.judged.entries
    outside = [what for what, low, _, high, exact in found if not low - ROUNDING <= exact <= high + ROUNDING]
    note = f"outside: {outside}" if outside else "curves, costs, SER, calls, generative cross-entropy, variance"
    return decide(not outside, len(found), None, note)


@check("sampled-judge", tier="sampled")
def laws_fit(results: Results) -> Outcome:
    """Pearson's statistic of runs and of training data < its 1 - 1e-6 quantile under the exact law."""
    worst = max(ratio for _, ratio in results.judged.misfits)
    return decide(worst < 1.0, len(results.judged.misfits), 1.0 - worst, "laws of samplers, twin and streams")


@check("sampled-judge", tier="sampled")
def counts_are_right(results: Results) -> Outcome:
    """What has no noise: calls <= min(N, L), L calls left to right, largest KL met <= the maximum over contexts."""
    facts = results.judged.facts
    return decide(all(facts.values()), len(facts), None, ", ".join(facts))


@control("sampled-judge", tier="sampled")
def slots_are_calls(results: Results) -> Outcome:
    """The mean number of calls would be the number of time slots N, at N = 3 and 8."""
    entries = {what: (low, high) for what, low, _, high, _ in results.judged.entries}
    spans = {n: entries[f"calls, N = {n}"] for n in (3, 8)}
    return decide(
        all(low <= n <= high for n, (low, high) in spans.items()), 2, None, "slots that reveal nothing cost none"
    )


@control("sampled-judge", tier="sampled")
def largest_for_mean(results: Results) -> Outcome:
    """The learning error would be its maximum over contexts, whatever is revealed."""
    small, found = results.small, [e for e in results.judged.entries if e[0].startswith("learning error, ")]
    inside = [low <= small.largest <= high for _, low, _, high, _ in found]
    return decide(all(inside), len(inside), None, "the maximum lies outside the intervals of the mean")


not_claimed_tight("sampled-judge", "coverage of intervals")


@check("averaged-weights", tier="float64")
def by_hand(results: Results) -> Outcome:
    """Twelve steps in numpy from the gradients: the weights and losses of `train`, and log V at the start."""
    r = results.replay
    good = r.gap < SINGLE and r.loss_gap < SINGLE and abs(r.first_loss - log(3)) < 1e-6 and r.clipped > 0
    return decide(
        good and r.spread > 10 * SINGLE, 12, r.gap, f"{r.clipped} of 12 steps clipped; margin: largest gap of a weight"
    )


@control("averaged-weights", tier="float64")
def one_part_changed(results: Results) -> Outcome:
    """No clipping, the decay for its rest, or a constant rate would give the same weights."""
    return decide(
        min(results.replay.changed.values()) < SINGLE, len(results.replay.changed), None, "each of them moves a weight"
    )


@control("averaged-weights", tier="float64")
def last_weights(results: Results) -> Outcome:
    """The weights returned would be those of the last step."""
    return decide(results.replay.spread < SINGLE, 1, results.replay.spread, "the average differs from the last weights")


not_claimed_tight("averaged-weights", "an identity")
