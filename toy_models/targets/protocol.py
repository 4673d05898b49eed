"""What every target and every denoiser offers. A target is its own oracle denoiser.

A target may bring its own exact routes, at sizes that enumeration cannot reach. Each is an optional method that returns
None where it does not serve; the public function of the same meaning asks it first, by `own_route`:

    information_curve()              g, see tm.information_curve
    total_correlation(), dual_total_correlation()
    exact_trajectory_kl(rule), exact_marginal_kl(rule), exact_sequence_error(rule)        of the oracle
    exact_log_likelihood(rule, x)    log p(x) per row, of the oracle
    subset_entropies()               H(X_S) for every set S
    support()                        (x, q(x)) of every word
    best_policy(step_cost)           the optimal adaptive policy
    as_chain()                       the same law as a MarkovChain, where it is one
    hidden_chain()                   (initial, transition, emission) of a hidden chain that shows the tokens
"""

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int


@runtime_checkable
class Denoiser(Protocol):
    """Marginals of each masked token given the revealed ones.

    >>> isinstance(tm.Smoothed(tm.pairs(2, 4), 0.1), tm.Denoiser)
    True
    """

    @property
    def vocab_size(self) -> int: ...

    @property
    def length(self) -> int: ...

    def marginals(self, y: Int[np.ndarray, "batch L"], on_impossible: str = "raise") -> Float[np.ndarray, "batch L V"]:
        """p(x_i = v | revealed tokens of y), one-hot where revealed; MASK = -1 marks a masked token."""
        ...


@runtime_checkable
class Target(Denoiser, Protocol):
    """A law q on {0..V-1}^L with exact conditionals.

    >>> isinstance(tm.pairs(2, 4), tm.Target)
    True
    """

    def log_prob(self, x: Int[np.ndarray, "batch L"]) -> Float[np.ndarray, " batch"]:
        """log q(x) in nats, -inf off the support."""
        ...

    def sample(self, size: int, rng: np.random.Generator) -> Int[np.ndarray, "size L"]: ...

    def entropy(self) -> float:
        """H(X) in nats per sequence."""
        ...


def own_route(target: Denoiser | None, name: str, *arguments):
    """What the optional method of the target answers; None where it has none or the method does not serve."""
    method = getattr(target, name, None)
    return None if method is None else method(*arguments)
