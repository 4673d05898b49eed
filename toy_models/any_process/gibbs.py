"""Gibbs correctors on complete texts, and what happens when the choice of the position looks at the text.

Position i is redrawn from q(x_i | the other tokens). The law q stays if the choice does not depend on the text, or of
what it depends on x_i is no part. Choosing where the text looks worst does not keep q.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Float, Int

from toy_models.quantities import lattice
from toy_models.targets.protocol import Target
from toy_models.validation import MASK, positive_int

Choice = Callable[[Int[np.ndarray, "n L"], Float[np.ndarray, "n L V"]], tuple[list, Float[np.ndarray, "n sets"]]]


@dataclass(frozen=True)
class AtRandom:
    """k positions, every set alike.

    >>> tm.any_process.gibbs.AtRandom(1)(np.array([[0, 1]]), np.full((1, 2, 2), 0.5))[1].tolist()
    [[0.5, 0.5]]
    """

    k: int = 1

    def __call__(self, x, given):
        sets = list(combinations(range(x.shape[1]), self.k))
        return sets, np.full((len(x), len(sets)), 1.0 / len(sets))


@dataclass(frozen=True)
class Lowest:
    """The k positions of lowest score, ties by position; score: `log_margin`, `current_probability`, `max_probability`.

    >>> lowest = tm.any_process.gibbs.Lowest(tm.any_process.gibbs.current_probability)
    >>> lowest(np.array([[0, 1]]), np.array([[[0.75, 0.25], [0.75, 0.25]]]))[1].tolist()
    [[0.0, 1.0]]
    """

    score: Callable
    k: int = 1

    def __call__(self, x, given):
        sets = list(combinations(range(x.shape[1]), self.k))
        order = np.argsort(np.round(self.score(x, given), 12), axis=1, kind="stable")[:, : self.k]
        chosen = np.sort(order, axis=1)
        return sets, (chosen[:, None] == np.array(sets)[None]).all(axis=2).astype(np.float64)


def log_margin(x: Int[np.ndarray, "n L"], given: Float[np.ndarray, "n L V"]) -> Float[np.ndarray, "n L"]:
    """log q(x_i | rest) - max over v != x_i of log q(v | rest), -inf where x_i is impossible."""
    own = current_probability(x, given)
    others = np.where(np.arange(given.shape[2]) == x[..., None], 0.0, given).max(axis=2)
    with np.errstate(divide="ignore"):
        return np.log(own) - np.log(np.maximum(others, 1e-300))


def current_probability(x: Int[np.ndarray, "n L"], given: Float[np.ndarray, "n L V"]) -> Float[np.ndarray, "n L"]:
    """q(x_i | rest)."""
    return np.take_along_axis(given, x[..., None], axis=2)[..., 0]


def max_probability(x: Int[np.ndarray, "n L"], given: Float[np.ndarray, "n L V"]) -> Float[np.ndarray, "n L"]:
    """max_v q(v | rest): it does not look at x_i, yet x_i decides how the other positions score."""
    return given.max(axis=2)


def leave_one_out(target: Target, x: Int[np.ndarray, "n L"]) -> Float[np.ndarray, "n L V"]:
    """q(x_i = v | all other tokens); nan where those are impossible.

    >>> tm.any_process.gibbs.leave_one_out(tm.repetition(2, 2), np.array([[0, 0]])).tolist()
    [[[1.0, 0.0], [1.0, 0.0]]]
    """
    given = np.empty((*x.shape, target.vocab_size))
    for i in range(x.shape[1]):
        y = x.copy()
        y[:, i] = MASK
        given[:, i] = target.marginals(y, on_impossible="nan")[:, i]
    return given


def gibbs_kernel(target: Target, choose: Choice) -> Float[np.ndarray, "words words"]:
    """K(x, x') on V^L: the chosen positions are drawn, in parallel, from their leave-one-out marginals at x.

    One position: q K = q when the choice ignores the text. Two positions in parallel are no Gibbs update: each is drawn
    given the other's old token. A text from which some conditional is impossible stays. O(V^(2L) L).

    >>> target = tm.Table(np.array([[0.5, 0.0], [0.25, 0.25]]))
    >>> kernel = tm.any_process.gibbs.gibbs_kernel(target, tm.any_process.gibbs.AtRandom())
    >>> (target.pmf.ravel() @ kernel).round(12).tolist()
    [0.5, 0.0, 0.25, 0.25]
    """
    x = lattice.sequences(target.vocab_size, target.length)
    given = leave_one_out(target, x)
    lost = np.isnan(given).any(axis=(1, 2))
    sets, chance = choose(x, np.where(np.isnan(given), 1.0 / target.vocab_size, given))
    kernel = np.zeros((len(x), len(x)))
    for positions, share in zip(sets, chance.T, strict=True):
        step = np.ones((len(x), len(x)))
        for i in range(target.length):
            if i in positions:
                step *= given[:, i, :][:, x[:, i]]
            else:
                step *= x[:, None, i] == x[None, :, i]
        kernel += share[:, None] * step
    kernel[lost] = np.eye(len(x))[lost]
    return kernel


def drift(target: Target, choose: Choice, sweeps: int) -> Float[np.ndarray, " sweeps"]:
    """TV(q, q K^n), n = 1..sweeps: how far the corrector leads away from the law it should keep."""
    q, kernel = lattice.to_table(target).pmf.ravel(), gibbs_kernel(target, choose)
    law, result = q, []
    for _ in range(positive_int("sweeps", sweeps)):
        law = law @ kernel
        result.append(np.abs(law - q).sum() / 2)
    return np.array(result)
