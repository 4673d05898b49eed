"""The cross-entropy curve of a network: what every schedule pays, from about L forward passes over held-out texts.

c[k] = E -log p(X_i | X_S) over texts X of the data, random sets S of size k and i outside S. A random order cut into
sizes s_1, s_2, ... has E -log p_tau(X) = sum_j s_j c[N_(j-1)] exactly, a bound on the negative log-likelihood of what
that schedule writes (Jensen over orders). c = g + learning error; the true g stays unknown, so differences are what is
known without it. The second curve, e[k] = E H(p(. | X_S)), is what the network expects to pay: c = e where it is exact.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy.random import Generator
from tqdm import tqdm

from toy_models.door import require_denoiser, require_generator
from toy_models.networks.honesty import require_honest
from toy_models.quantities.entropy import entropy_of_rows
from toy_models.quantities.information_curve import falling_curve
from toy_models.quantities.intervals import Estimate, student_interval
from toy_models.quantities.sampled_curve import SampledCurve, sizes_share
from toy_models.schedules.optimal import optimal_sizes
from toy_models.targets.protocol import Denoiser
from toy_models.validation import MASK, confidence_level, positive_int, tokens


@dataclass(frozen=True, eq=False)
class TwoCurves:
    """cross_entropy: one unbiased draw of c per text. entropy: of e, along the same orders.

    nelbo: for each of the sizes asked for, E -log p_tau(X) / L with its interval, nats per token.
    one_order: -log p(x) / L of each text along its own random order, one token per call. order: the call in which each
    position was revealed.
    """

    cross_entropy: SampledCurve
    entropy: SampledCurve
    nelbo: tuple[Estimate, ...]
    one_order: Float[np.ndarray, " rows"]
    order: Int[np.ndarray, "rows L"]

    @property
    def overconfidence(self) -> Estimate:
        """sum over k of c[k] - e[k], over L: 0 for the exact denoiser, an interval above 0 says too sure of itself."""
        gap = self.cross_entropy.rows.mean(axis=1) - self.entropy.rows.mean(axis=1)
        return student_interval(gap, self.cross_entropy.confidence)

    def best_sizes(self, steps: int) -> Int[np.ndarray, " N"]:
        """Sizes that are best for the smoothed curve of all texts."""
        return np.asarray(optimal_sizes(falling_curve(self.cross_entropy.rows.mean(axis=0)), steps))

    def best_paid(self, steps: int) -> Float[np.ndarray, " rows"]:
        """-log p_tau / L of each text under sizes that it did not choose: each half of the texts pays the other's."""
        rows = self.cross_entropy.rows
        half, paid = np.arange(len(rows)) % 2, np.empty(len(rows))
        for here in (0, 1):
            chosen = optimal_sizes(falling_curve(rows[half != here].mean(axis=0)), steps)
            paid[half == here] = rows[half == here] @ sizes_share(chosen, rows.shape[1]) / rows.shape[1]
        return paid

    def best_cost(self, steps: int) -> Estimate:
        """E of `best_paid`, with its interval: what best sizes cost on texts that did not choose them."""
        return student_interval(self.best_paid(steps), self.cross_entropy.confidence)


def two_curves(
    denoiser: Denoiser,
    data: Int[np.ndarray, "rows L"],
    sizes: Iterable[Int[np.ndarray, "_"]],
    rng: Generator,
    confidence: float = 0.99,
) -> TwoCurves:
    """Both curves of a network over held-out texts, and the bound on the negative log-likelihood of each of `sizes`.

    Each text gets one random order, all of whose L prefixes are revealed in turn: L forward passes over the texts.
    Intervals are Student's, asymptotic in the number of texts (4 and more). PeekingNetwork: see `require_honest`.

    >>> from toy_models.networks import two_curves
    >>> q = tm.repetition(2, 3)
    >>> found = two_curves(q, q.sample(4, np.random.default_rng(0)), [np.array([1, 2])], np.random.default_rng(0))
    >>> (found.cross_entropy.values.value / np.log(2)).tolist(), float(found.nelbo[0].value * 3 / np.log(2))
    ([1.0, 0.0, 0.0], 1.0)
    """
    require_denoiser(denoiser)
    require_generator(rng)
    confidence_level(confidence)
    length = denoiser.length
    x = tokens(data, denoiser.vocab_size, length, masks=False)
    positive_int("the number of rows of data", len(x), 4)
    require_honest(denoiser, x, rng)
    order = rng.permuted(np.broadcast_to(np.arange(length), x.shape), axis=1)
    cross, own = np.empty(x.shape), np.empty(x.shape)
    path = np.zeros(len(x))
    for k in tqdm(range(length), desc="cross-entropy curve", unit="pass", leave=False, delay=3, disable=None):
        masked = order >= k
        log_p, entropy = scores(denoiser, np.where(masked, MASK, x), x)
        cross[:, k], own[:, k] = -log_p.sum(axis=1) / (length - k), entropy.sum(axis=1) / (length - k)
        path -= log_p[order == k]
    curve = SampledCurve(cross, confidence)
    nelbo = tuple(curve.cost(np.asarray(s)) for s in sizes)
    return TwoCurves(curve, SampledCurve(own, confidence), nelbo, path / length, order)


def scores(
    denoiser: Denoiser, y: Int[np.ndarray, "rows L"], x: Int[np.ndarray, "rows L"]
) -> tuple[Float[np.ndarray, "rows L"], Float[np.ndarray, "rows L"]]:
    """(log p(x_i | y), H(p(. | y))) at masked positions, 0 elsewhere; a denoiser may bring its own `scores`."""
    own = getattr(denoiser, "scores", None)
    if own is not None:
        return own(y, x)
    p = denoiser.marginals(y)
    with np.errstate(divide="ignore"):
        log_p = np.log(np.take_along_axis(p, x[:, :, None], axis=2)[..., 0])
    return np.where(y == MASK, log_p, 0.0), np.where(y == MASK, entropy_of_rows(p), 0.0)


def fixed_order(
    denoiser: Denoiser, x: Int[np.ndarray, "rows L"], step: Int[np.ndarray, " L"]
) -> Float[np.ndarray, " rows"]:
    """-log p(x) / L of each text when position i is revealed in call step[i]: exact, one forward pass per call.

    >>> from toy_models.networks import fixed_order
    >>> (fixed_order(tm.repetition(2, 2), np.array([[0, 0]]), np.array([0, 1])) / np.log(2)).tolist()
    [0.5]
    """
    x = tokens(x, denoiser.vocab_size, denoiser.length, masks=False)
    total = np.zeros(len(x))
    calls = np.unique(step)
    for j in tqdm(calls, desc="fixed order", unit="pass", leave=False, delay=3, disable=None):
        log_p, _ = scores(denoiser, np.where(step >= j, MASK, x), x)
        total -= np.where(step == j, log_p, 0.0).sum(axis=1)
    return total / x.shape[1]
