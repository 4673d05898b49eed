"""What fixed and random orders cost along sampled texts: entropies at reveal, blocks, the noise of one draw."""

import numpy as np

from toy_models.quantities.estimates import entropy_at_reveal
from toy_models.quantities.intervals import Estimate, student_interval
from toy_models.text.language import CONFIDENCE, Language

RIDGE = 0.01  # squared nats of surprise per text below which a fitted slope says little


def order_cost(language: Language, step, x) -> Estimate:
    """Excess nats per token of the orders `step`, one row per text of x."""
    return over_entropy(language, entropy_at_reveal(language.target, x, np.asarray(step)), x)


def over_entropy(language: Language, entropy, x) -> Estimate:
    """(E entropy at reveal - H(X)) / L, cut at 0; where H(X) is known, -log q(x) is a control variate of known mean.

    Its slope is fitted, and drawn to 1, the value that needs no known entropy, where the texts hardly differ.
    """
    surprise = -language.target.log_prob(x)
    if language.used is None:
        return _cut(student_interval((entropy - surprise) / x.shape[1], CONFIDENCE))
    known = language.target.entropy()
    moved = surprise - surprise.mean()
    ridge = RIDGE * len(x)
    slope = (float(moved @ entropy) + ridge) / (float(moved @ moved) + ridge)
    values = (entropy - slope * (surprise - known) - known) / x.shape[1]
    return _cut(student_interval(values, CONFIDENCE, fitted=2))


def _cut(found: Estimate) -> Estimate:
    value, low, high = (np.asarray(np.maximum(part, 0.0) + 0.0) for part in (found.value, found.low, found.high))
    return Estimate(value, low, high, found.confidence)


def block_costs(language: Language, x, calls: int, rng) -> list[tuple[int, int, Estimate]]:
    """(block, calls, excess): a random order inside blocks from left to right, as many tokens in each call."""
    length = x.shape[1]
    each = max(1, round(length / calls))
    found = []
    for block in sorted({max(each, length // 4), length}):
        if length % block or block % each:
            continue
        inside = rng.permuted(np.broadcast_to(np.arange(length) % block, x.shape).reshape(len(x), -1, block), axis=2)
        step = (inside // each + np.arange(length // block)[None, :, None] * (block // each)).reshape(x.shape)
        found.append((block, len(np.unique(step[0])), order_cost(language, step, x)))
    return found


def draw_deviation(language: Language, x, rng: np.random.Generator) -> float:
    """Standard deviation over (k, S) of mean over i outside S of -log q(x_i | x_S), k uniform, nats per token, given x.

    Its mean is -log q(x) / L for the exact denoiser, so what is left is the noise of one draw.
    """
    size, length = x.shape
    repeats = max(1, 128 // size)
    draws = []
    for _ in range(repeats):
        k = rng.integers(0, length, size)
        order = rng.permuted(np.broadcast_to(np.arange(length), x.shape), axis=1)
        masked = order >= k[:, None]
        q = language.target.marginals(np.where(masked, -1, x))
        loss = -np.log(np.take_along_axis(q, x[:, :, None], axis=2)[..., 0])
        draws.append((loss * masked).sum(axis=1) / masked.sum(axis=1) + language.target.log_prob(x) / length)
    noise = np.concatenate(draws)
    return float(np.sqrt((noise**2).mean()))
