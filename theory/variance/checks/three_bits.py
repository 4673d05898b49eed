"""More than two positions: every law of a grid, three bits at t = 1/2."""

import numpy as np
from flint import ctx

from theory.ledger.registry import Outcome, check, control, decide
from theory.variance.results import Results
from theory.variance.three_bits import covariance_ball, laws, mirrored_moments

LEVELS = (0, 1, 16, 256)


@check("mirror-noisy-repetition", tier="float64")
def every_law_of_a_grid(results: Results) -> Outcome:
    """mirror-noisy-repetition, L = 3, V = 2, t = 1/2: E_x Cov < 0 for all laws with weights 0, 1, 16, 256 (full: 0, 1,
    4, 16, 64, 256) up to flips, point masses aside; 24 of large N in balls; N of the two-word law with .4681.
    """
    ctx.prec = 100
    levels = (0, *(4**k for k in range(5))) if results.profile == "full" else LEVELS
    worst, count, nearest = -np.inf, 0, []
    for weights in laws(levels):
        covariance, variance, scale = mirrored_moments(weights)
        varies = np.flatnonzero(scale > 1e-12)
        if not len(varies):
            continue
        worst, count = max(worst, float(covariance[varies].max())), count + len(varies)
        n = covariance[varies] / variance[varies] + covariance[varies] / scale[varies]
        k = int(np.argmax(n))
        nearest.append((float(n[k]), [int(w) for w in weights[varies[k]]]))
    nearest.sort(reverse=True)
    enclosed = all(covariance_ball(w) < 0 for _, w in nearest[:24])
    best = np.array([[0.4681, *(0.0638 / 6,) * 6, 0.4681]])
    covariance, variance, scale = mirrored_moments(best)
    least = float((covariance / variance + covariance / scale)[0])
    holds = worst < -1e-3 and enclosed and abs(least + 0.18867) < 5e-5 and nearest[0][0] < least
    return decide(holds, count, -worst, f"margin: least -E Cov; largest N {nearest[0][0]:.4f}, two words {least:.4f}")


@control("mirror-noisy-repetition", tier="float64")
def every_text_of_a_grid(results: Results) -> Outcome:
    """mirror-noisy-repetition for each text in place of the mean: some text of some law of the grid has Cov > 0."""
    least = np.inf
    for weights in laws((0, 1, 16)):
        covariance, _, _ = mirrored_moments(weights)
        single = [mirrored_moments_of_text(w) for w in weights[:40] if np.count_nonzero(w) > 1]
        least = min(least, -max(single, default=-np.inf))
        if len(covariance) and least < 0:
            break
    return decide(least >= 0, 1, least)


def mirrored_moments_of_text(weights: np.ndarray) -> float:
    """Largest Cov(S(M), S(M^c)) of one text of positive probability."""
    q = (weights / weights.sum()).reshape(2, 2, 2)
    largest = -np.inf
    for x in np.argwhere(q > 0):
        logs = []
        for seen in range(8):
            index = tuple(int(v) if seen >> i & 1 else slice(None) for i, v in enumerate(x))
            logs.append(float(np.log(q[index].sum())))
        total = [sum(logs[7 ^ m] - logs[7 ^ m | 1 << i] for i in range(3) if m >> i & 1) for m in range(8)]
        cross = sum(total[m] * total[7 ^ m] for m in range(8)) / 8
        largest = max(largest, cross - (sum(total) / 8) ** 2)
    return largest
