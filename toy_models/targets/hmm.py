"""Hidden Markov models."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from toy_models.sampling import inverse_cdf
from toy_models.targets.forward_backward import masked_marginals, sequence_log_prob
from toy_models.validation import positive_int, probabilities, tokens


@dataclass(frozen=True, eq=False)
class HMM:
    """q(x) = sum over s of initial[s_1] prod transition[s_i, s_{i+1}] prod emission[s_i, x_i]."""

    initial: Float[np.ndarray, " S"]
    transition: Float[np.ndarray, "S S"]
    emission: Float[np.ndarray, "S V"]
    length: int

    def __post_init__(self):
        transition = probabilities("transition", self.transition, ndim=2)
        emission = probabilities("emission", self.emission, ndim=2)
        initial = probabilities("initial", self.initial, ndim=1)
        states = len(initial)
        if transition.shape != (states, states) or emission.shape[0] != states:
            raise ValueError(
                f"initial has {states} states, but transition has shape {transition.shape} "
                f"and emission {emission.shape}; expected ({states}, {states}) and ({states}, V)"
            )
        for name, value in (("initial", initial), ("transition", transition), ("emission", emission)):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "length", positive_int("length", self.length))

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
        x = np.empty((size, self.length), dtype=np.int64)
        state = inverse_cdf(self.initial[None], rng.random((1, size)))[0]
        for position in range(self.length):
            if position:
                state = inverse_cdf(self.transition[state], rng.random((size, 1)))[:, 0]
            x[:, position] = inverse_cdf(self.emission[state], rng.random((size, 1)))[:, 0]
        return x

    def entropy(self) -> float:
        """H(X) by the exact law of prefixes; exponential in L for a generic HMM."""
        from toy_models.lattice import to_table

        return to_table(self).entropy()
