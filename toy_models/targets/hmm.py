"""Hidden Markov models."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from toy_models.errors import IntractableError
from toy_models.quantities.entropy import entropy_of_rows
from toy_models.targets.kernels.ancestral import sample_hmm
from toy_models.targets.kernels.forward_backward import masked_marginals, sequence_log_prob
from toy_models.validation import positive_int, probabilities, tokens

MAX_ATOMS = 2**20  # distinct beliefs about the hidden state held at once
MERGE_DIGITS = 14  # beliefs that agree to this many digits are added up


@dataclass(frozen=True, eq=False)
class HMM:
    """q(x) = sum over s of initial[s_1] prod transition[s_i, s_{i+1}] prod emission[s_i, x_i].

    >>> target = tm.HMM([0.5, 0.5], np.eye(2), [[0.9, 0.1], [0.1, 0.9]], length=2)
    >>> np.exp(target.log_prob(np.array([[0, 0]]))).round(12).tolist()  # (0.9^2 + 0.1^2) / 2
    [0.41]
    """

    initial: Float[np.ndarray, " S"]
    transition: Float[np.ndarray, "S S"]
    emission: Float[np.ndarray, "S V"]
    length: int

    def __init__(
        self,
        initial: Float[np.ndarray, " S"] | Sequence[float],
        transition: Float[np.ndarray, "S S"] | Sequence[Sequence[float]],
        emission: Float[np.ndarray, "S V"] | Sequence[Sequence[float]],
        length: int,
    ):
        transition = probabilities("transition", transition, ndim=2)
        emission = probabilities("emission", emission, ndim=2)
        initial = probabilities("initial", initial, ndim=1)
        states = len(initial)
        if transition.shape != (states, states) or emission.shape[0] != states:
            raise ValueError(
                f"initial has {states} states, but transition has shape {transition.shape} "
                f"and emission {emission.shape}; expected ({states}, {states}) and ({states}, V)"
            )
        for name, value in (("initial", initial), ("transition", transition), ("emission", emission)):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "length", positive_int("length", length))

    @property
    def vocab_size(self) -> int:
        return self.emission.shape[1]

    @property
    def states(self) -> int:
        return len(self.initial)

    def log_prob(self, x: Int[np.ndarray, "batch L"]) -> Float[np.ndarray, " batch"]:
        x = tokens(x, self.vocab_size, self.length, masks=False)
        return sequence_log_prob(self.initial, self.transition, self.emission, x)

    def marginals(self, y: Int[np.ndarray, "batch L"], on_impossible: str = "raise") -> Float[np.ndarray, "batch L V"]:
        y = tokens(y, self.vocab_size, self.length, masks=True)
        return masked_marginals(self.initial, self.transition, self.emission, y, on_impossible)

    def sample(self, size: int, rng: np.random.Generator) -> Int[np.ndarray, "size L"]:
        return sample_hmm(self.initial, self.transition, self.emission, self.length, size, rng)

    def entropy(self) -> float:
        """H(X) = sum over i of E H(X_i | X_{<i}), over the distinct beliefs P(S_i = . | x_{<i}) that prefixes lead to.

        Exact: prefixes with the same belief have the same future, so their probabilities are added up. The number of
        beliefs is at most V^L and often far smaller (zeros, deterministic emissions). Cost O(beliefs S (S + V)) per
        position. IntractableError above MAX_ATOMS beliefs; `reveal_curve_bounds` encloses H(X) / L at any length.
        """
        beliefs, weights, total = self.initial[None], np.ones(1), 0.0
        for i in range(self.length):
            total += float(weights @ entropy_of_rows(beliefs @ self.emission))
            if i + 1 < self.length:
                beliefs, weights = self._next_beliefs(beliefs, weights, i + 1)
        return total

    def hidden_chain(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self.initial, self.transition, self.emission

    def _next_beliefs(self, beliefs, weights, position: int):
        joint = beliefs[:, None, :] * self.emission.T  # prefix, token, state
        mass = joint.sum(axis=2)
        alive = mass > 0
        after = joint[alive] / mass[alive][:, None] @ self.transition
        keys, index = np.unique(np.round(after, MERGE_DIGITS), axis=0, return_inverse=True)
        weights = np.bincount(index.ravel(), weights=(weights[:, None] * mass)[alive], minlength=len(keys))
        first = np.empty(len(keys), dtype=np.int64)
        first[index.ravel()[::-1]] = np.arange(len(after))[::-1]
        if len(keys) * self.vocab_size > MAX_ATOMS and position + 1 < self.length:
            raise IntractableError(
                "the entropy of an HMM",
                f"{len(keys)} distinct beliefs at position {position} of {self.length}",
                f"beliefs * V <= {MAX_ATOMS}",
                "shorten the sequence or use reveal_curve_bounds",
            )
        return after[first], weights
