"""Hidden Markov models of token sequences by expectation maximisation (Baum, Petrie, Soules and Weiss 1970).

A masked token (MASK = -1) is one that was not observed: its likelihood is 1 in every state, as in the masked kernels,
whose table of likelihoods is used. All rows of one length advance together, rescaled at every position.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from toy_models.door import require_generator
from toy_models.targets.hmm import HMM
from toy_models.targets.kernels.forward_backward import mask_first_likelihood
from toy_models.validation import MASK, positive_int, tokens


@dataclass(frozen=True, eq=False)
class HMMFit:
    """The fitted model and the log-likelihood of all rows, in nats, before each iteration.

    >>> fit = tm.text.fit_hmm(np.array([[0, 1, 0, 1]]), 1, 2, np.random.default_rng(0), iterations=1)
    >>> fit.model.emission.round(12).tolist()
    [[0.5, 0.5]]
    """

    model: HMM
    log_likelihood: Float[np.ndarray, " iterations"]


def fit_hmm(
    x: Int[np.ndarray, "rows L"],
    states: int,
    vocab_size: int,
    rng: np.random.Generator,
    iterations: int = 50,
    start: HMM | None = None,
    tolerance: float = 1e-6,
) -> HMMFit:
    """argmax over HMMs of sum log q(x), locally, from `start` or a random model; stops below `tolerance` per token.

    Every update raises the likelihood. O(iterations rows L (S^2 + S V)).

    >>> x = np.random.default_rng(0).integers(0, 2, (8, 16))
    >>> fit = tm.text.fit_hmm(x, 2, 2, np.random.default_rng(0), iterations=5)
    >>> bool((np.diff(fit.log_likelihood) >= 0).all())
    True
    """
    states, vocab_size = positive_int("states", states), positive_int("vocab_size", vocab_size)
    positive_int("iterations", iterations)
    require_generator(rng)
    x = tokens(x, vocab_size, np.shape(x)[-1], masks=True)
    model = random_model(states, vocab_size, x, rng) if start is None else start
    seen, history = max(int((x != MASK).sum()), 1), []
    for _ in range(iterations):
        counts, log_likelihood = expected_counts(model, x)
        history.append(log_likelihood)
        if len(history) > 1 and history[-1] - history[-2] < tolerance * seen:
            break
        parts = [
            _normalised(c, p) for c, p in zip(counts, (model.initial, model.transition, model.emission), strict=True)
        ]
        model = HMM(*parts, x.shape[1])
    return HMMFit(model, np.array(history))


def random_model(states: int, vocab_size: int, x: Int[np.ndarray, "rows L"], rng: np.random.Generator) -> HMM:
    """Rows near the uniform law and near the frequencies of the tokens, so that no state is dead."""
    frequency = np.bincount(x[x != MASK].ravel(), minlength=vocab_size) + 1.0
    emission = frequency * rng.uniform(0.5, 1.5, (states, vocab_size))
    transition = rng.uniform(0.5, 1.5, (states, states)) + states * np.eye(states)
    initial = np.full(states, 1.0 / states)
    return HMM(
        initial,
        transition / transition.sum(axis=1, keepdims=True),
        emission / emission.sum(axis=1, keepdims=True),
        x.shape[1],
    )


def expected_counts(
    model: HMM, x: Int[np.ndarray, "rows L"]
) -> tuple[tuple[Float[np.ndarray, " S"], Float[np.ndarray, "S S"], Float[np.ndarray, "S V"]], float]:
    """(E number of starts in s, of moves s -> t, of tokens v shown in s, given x), sum over rows of log q(x)."""
    rows, length = x.shape
    likelihood = mask_first_likelihood(model.emission)[x.T + 1]  # position, row, state
    forth, scale = np.empty((length, rows, model.states)), np.empty((length, rows, 1))
    now = np.broadcast_to(model.initial, (rows, model.states))
    for i in range(length):
        now = now * likelihood[i]
        scale[i] = now.sum(axis=1, keepdims=True)
        now = now / scale[i]
        forth[i] = now
        now = now @ model.transition
    moves, shown = np.zeros((model.states, model.states)), np.zeros((model.vocab_size + 1, model.states))
    back = np.ones((rows, model.states))
    for i in range(length - 1, -1, -1):
        np.add.at(shown, x[:, i] + 1, forth[i] * back)
        if i:
            ahead = likelihood[i] * back / scale[i]
            moves += model.transition * (forth[i - 1].T @ ahead)
            back = ahead @ model.transition.T
    return ((forth[0] * back).sum(axis=0), moves, shown[1:].T), float(np.log(scale).sum())


def _normalised(counts: Float[np.ndarray, "..."], before: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """Rows that sum to one; a row without counts stays as it was."""
    total = counts.sum(axis=-1, keepdims=True)
    return np.where(total > 0, counts / np.where(total > 0, total, 1.0), before)
