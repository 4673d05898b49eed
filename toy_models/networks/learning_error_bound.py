"""The Chernoff bound on a network's learning error, from windows of a few tokens after contexts of the data."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy.random import Generator
from scipy.special import logsumexp
from tqdm import tqdm

from toy_models.door import require_denoiser, require_generator
from toy_models.quantities.chernoff import chernoff_information, order_laws
from toy_models.quantities.intervals import Estimate, student_interval
from toy_models.targets.protocol import Denoiser
from toy_models.validation import MASK, positive_int, tokens

MOST_PASSES = 2**16  # rows through a network that a report spends on windows


@dataclass(frozen=True, eq=False)
class LearningErrorBound:
    """Lower bounds on the learning error of a denoiser, nats per token, from windows after real contexts.

    largest: max over windows of Chernoff / |W|, below eps_learning (the maximum over contexts), without any interval.
    mean: of the equal-weights value / |W|, below the mean learning error of the tokens of such windows, with its
    interval. revealed: tokens known around each window.
    """

    largest: float
    mean: Estimate
    each: Float[np.ndarray, " windows"]
    revealed: Int[np.ndarray, " windows"]


def learning_error_bound(
    denoiser: Denoiser,
    data: Int[np.ndarray, "rows L"],
    rng: Generator,
    windows: int = 64,
    size: int = 2,
    confidence: float = 0.99,
) -> LearningErrorBound:
    """Windows of `size` random positions, a random number of the other tokens revealed from a row of the data.

    Contexts must be possible under the law of the data, so rows are taken from it. windows * ((V+1)^W - V^W) contexts.

    >>> from toy_models.networks import learning_error_bound
    >>> q, rng = tm.pairs(2, 4), np.random.default_rng(0)
    >>> round(learning_error_bound(q, q.sample(4, rng), rng, windows=4).largest, 12)  # exact: all orders agree
    0.0
    """
    require_denoiser(denoiser)
    require_generator(rng)
    length = denoiser.length
    x = tokens(data, denoiser.vocab_size, length, masks=False)
    windows, size = positive_int("windows", windows, 2), positive_int("size", size, 2)
    if size > length:
        raise ValueError(f"size = {size}, allowed: 2..{length}, the length")
    largest, equal, revealed = np.empty(windows), np.empty(windows), np.empty(windows, dtype=np.int64)
    for n in tqdm(range(windows), desc="windows", unit="window", leave=False, delay=3, disable=None):
        order = rng.permutation(length)
        revealed[n] = rng.integers(0, length - size + 1)
        y = np.full(length, MASK)
        y[order[size : size + revealed[n]]] = x[n % len(x)][order[size : size + revealed[n]]]
        log_p = order_laws(denoiser, y, np.sort(order[:size]))
        largest[n] = chernoff_information(log_p).bound / size
        equal[n] = max(0.0, -logsumexp(log_p.mean(axis=0))) / size
    return LearningErrorBound(float(largest.max()), student_interval(equal, confidence), largest, revealed)
