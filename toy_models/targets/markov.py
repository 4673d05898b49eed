"""Markov chains on tokens."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from toy_models.errors import IntractableError
from toy_models.quantities.entropy import entropy_of_rows
from toy_models.rules.protocol import independent_parts
from toy_models.targets.kernels.ancestral import sample_windows
from toy_models.targets.kernels.bridges import chain_marginals
from toy_models.targets.kernels.impossible import settle_impossible
from toy_models.validation import positive_int, probabilities, tokens

FAR = 1e100  # ratio of stationary weights from which they are rescaled


@dataclass(frozen=True, eq=False)
class MarkovChain:
    """q(x) = initial[x_1] prod transition[x_i, x_{i+1}]; `initial=None` takes the stationary law, if it is unique.

    >>> chain = tm.MarkovChain([[0.75, 0.25], [0.5, 0.5]], length=2)
    >>> np.exp(chain.log_prob(np.array([[0, 1]]))).round(12).tolist()  # 2/3 * 1/4
    [0.166666666667]
    """

    transition: Float[np.ndarray, "V V"]
    length: int
    initial: Float[np.ndarray, " V"]

    def __init__(
        self,
        transition: Float[np.ndarray, "V V"] | Sequence[Sequence[float]],
        length: int,
        initial: Float[np.ndarray, " V"] | Sequence[float] | None = None,
    ):
        transition = probabilities("transition", transition, ndim=2)
        if transition.shape[0] != transition.shape[1]:
            raise ValueError(f"transition must be square, got shape {transition.shape}")
        object.__setattr__(self, "transition", transition)
        object.__setattr__(self, "length", positive_int("length", length))
        initial = probabilities("initial", stationary_law(transition) if initial is None else initial, ndim=1)
        if len(initial) != len(transition):
            raise ValueError(f"initial has {len(initial)} entries, transition has {len(transition)} rows")
        object.__setattr__(self, "initial", initial)

    @property
    def vocab_size(self) -> int:
        return len(self.transition)

    @cached_property
    def is_stationary(self) -> bool:
        """Whether initial @ transition == initial up to rounding."""
        return bool(np.allclose(self.initial @ self.transition, self.initial, rtol=0, atol=1e-12))

    def log_prob(self, x: Int[np.ndarray, "batch L"]) -> Float[np.ndarray, " batch"]:
        x = tokens(x, self.vocab_size, self.length, masks=False)
        with np.errstate(divide="ignore"):
            return np.log(self.initial[x[:, 0]]) + np.log(self.transition[x[:, :-1], x[:, 1:]]).sum(axis=1)

    def marginals(self, y: Int[np.ndarray, "batch L"], on_impossible: str = "raise") -> Float[np.ndarray, "batch L V"]:
        """A revealed token screens, so a masked one needs a row and a column of a power: O(V) each (see bridges.py)."""
        y = tokens(y, self.vocab_size, self.length, masks=True)
        result, impossible = chain_marginals(self.initial, self.transition, y)
        return settle_impossible(result, y, impossible, on_impossible)

    def sample(self, size: int, rng: np.random.Generator) -> Int[np.ndarray, "size L"]:
        return sample_windows(self.initial, self.transition, 1, self.length, size, rng)

    def entropy(self) -> float:
        """H(X_1) + sum over i of H(X_{i+1} | X_i). O(V^2) when stationary, O(L V^2) otherwise."""
        step, law = entropy_of_rows(self.transition), self.initial
        total = entropy_of_rows(law[None]).item()
        if self.is_stationary:
            return total + (self.length - 1) * float(law @ step)
        for _ in range(self.length - 1):
            total += float(law @ step)
            law = law @ self.transition
        return total

    def as_chain(self) -> "MarkovChain":
        return self

    def hidden_chain(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The tokens as hidden states that show themselves."""
        return self.initial, self.transition, np.eye(self.vocab_size)

    def information_curve(self) -> Float[np.ndarray, " L"]:
        """By the gap formula, at any length."""
        from toy_models.chains.formula import chain_information_curve

        return chain_information_curve(self)

    def exact_sequence_error(self, rule) -> float | None:
        """SER of the oracle under independent reveal and its mixtures, by the gap recursion at any length."""
        from toy_models.chains.recursion import gap_sequence_error

        parts = independent_parts(rule, self.length)
        if parts is None:
            return None
        return float(sum(w * gap_sequence_error(self, r.weights, [self.length]).error.item() for w, r in parts))

    def exact_log_likelihood(self, rule, x: Int[np.ndarray, "batch L"]) -> Float[np.ndarray, " batch"] | None:
        """log p(x) of the oracle under independent reveal and its mixtures, by the gap recursion."""
        from toy_models.quantities.likelihood import chain_log_likelihood

        return chain_log_likelihood(self, rule, x)


def stationary_law(transition: Float[np.ndarray, "V V"]) -> Float[np.ndarray, " V"]:
    """The law pi = pi P of a chain with one recurrent class, by elimination without subtractions. O(V^3).

    Exact to rounding on nearly decomposable chains (Grassmann, Taksar, Heyman 1985). ValueError when there is more
    than one recurrent class.

    >>> tm.targets.stationary_law(np.array([[0.75, 0.25], [0.5, 0.5]])).round(12).tolist()
    [0.666666666667, 0.333333333333]
    """
    classes = recurrent_classes(transition)
    if len(classes) != 1:
        raise ValueError(
            f"the stationary law is not unique: the chain has {len(classes)} recurrent classes "
            f"{[c.tolist() for c in classes]}; pass initial= explicitly"
        )
    members = classes[0]
    a = np.array(transition[np.ix_(members, members)])
    size = len(members)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for k in range(size - 1, 0, -1):
            a[:k, k] /= a[k, :k].sum()
            a[:k, :k] += np.outer(a[:k, k], a[k, :k])
        weights = np.ones(size)
        for k in range(1, size):
            weights[k] = weights[:k] @ a[:k, k]
            if weights[k] > FAR:  # stays clear of overflow; the ratios are kept
                weights[: k + 1] /= weights[k]
    law = np.zeros(len(transition))
    law[members] = weights / weights.sum()
    if not np.isfinite(law).all():
        smallest = transition.min(where=transition > 0, initial=1.0)
        raise IntractableError(
            "the stationary law",
            f"a chain whose smallest positive probability is {smallest:.3g}",
            "ratios of stationary probabilities below 1e308",
            "pass initial= explicitly",
        )
    return law


def recurrent_classes(transition: Float[np.ndarray, "V V"]) -> list[Int[np.ndarray, " members"]]:
    """Closed communicating classes of the chain's graph."""
    from scipy.sparse.csgraph import connected_components

    count, label = connected_components(transition > 0, directed=True, connection="strong")
    leaves = {int(label[i]) for i, j in np.argwhere(transition > 0) if label[i] != label[j]}
    return [np.flatnonzero(label == c) for c in range(count) if c not in leaves]
