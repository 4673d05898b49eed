"""A law over orders as a model: p(x) = sum over orders of pi(sigma) p_sigma(x), and which laws are reachable.

The NELBO averages losses, so it is never below the mixture's -log p(x) (Jensen) and its optimum is one order. As a
model a true mixture can be better than every single order, and then independent times are a restriction.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log, sqrt

import numpy as np
from jaxtyping import Float, Int

from toy_models.learned_order.plackett_luce import Order, Probability, order_law_checked
from toy_models.learned_order.subset_losses import sequence_cross_entropies
from toy_models.targets.kernels.impossible import reveal_one_hot
from toy_models.targets.protocol import Denoiser
from toy_models.targets.table import Table
from toy_models.validation import MASK, tokens


def order_log_likelihoods(
    cross_entropies: Float[np.ndarray, "sets L batch"], orders: list[Order]
) -> Float[np.ndarray, "orders batch"]:
    """log p_sigma(x) of each order and sequence; -inf where the order rules x out."""
    result = np.zeros((len(orders), cross_entropies.shape[2]))
    for row, order in enumerate(orders):
        revealed = 0
        for i in order:
            result[row] -= cross_entropies[revealed, i]
            revealed |= 1 << i
    return result


def mixture_log_likelihood(
    denoiser: Denoiser, law: Mapping[Order, Probability], x: Int[np.ndarray, "batch L"]
) -> Float[np.ndarray, " batch"]:
    """log sum over orders of law[sigma] p_sigma(x): the likelihood of decoding along one random order.

    >>> law = tm.learned_order.uniform_orders(2)
    >>> np.exp(tm.learned_order.mixture_log_likelihood(tm.repetition(2, 2), law, np.array([[0, 0]]))).round(12).tolist()
    [0.5]
    """
    law = order_law_checked(law)
    with np.errstate(divide="ignore"):
        terms = order_log_likelihoods(sequence_cross_entropies(denoiser, x), list(law))
        return np.logaddexp.reduce(terms + np.log(np.array(list(law.values()), dtype=np.float64))[:, None], axis=0)


def sandwich(law: Mapping[Order, Probability], first: int = 0, middle: int = 1, last: int = 2) -> tuple[float, float]:
    """(P(first before middle before last), P(last before middle before first)).

    >>> tm.learned_order.sandwich({(0, 1, 2): 0.5, (2, 1, 0): 0.5})
    (0.5, 0.5)
    """
    forward = backward = 0.0
    for order, p in law.items():
        place = [order.index(i) for i in (first, middle, last)]
        forward += float(p) * (place[0] < place[1] < place[2])
        backward += float(p) * (place[0] > place[1] > place[2])
    return forward, backward


def best_two_way_plackett_luce() -> tuple[float, float]:
    """(w, P) maximising P(0,1,2) = P(2,1,0) = P over weights (1, w, 1): w = sqrt 2, P = (3 - 2 sqrt 2).

    >>> w, p = tm.learned_order.best_two_way_plackett_luce()
    >>> round(w**2, 12), round(p, 6)
    (2.0, 0.171573)
    """
    return sqrt(2.0), 3.0 - 2.0 * sqrt(2.0)


@dataclass(frozen=True)
class TwoWayDenoiser:
    """Three bits. Decoding 0, 1, 2 writes 000 and decoding 2, 1, 0 writes 111, surely; any other order writes neither.

    Nothing revealed: position 0 is 0, position 2 is 1, position 1 a fair bit. One end revealed: the middle copies it,
    the other end contradicts it. Only the middle revealed: both ends contradict it. Two revealed: an
    end copies the middle, the middle copies position 0.

    >>> x = np.array([[0, 0, 0], [1, 1, 1]])
    >>> law = {(0, 1, 2): 0.5, (2, 1, 0): 0.5}
    >>> np.exp(tm.learned_order.mixture_log_likelihood(tm.learned_order.TwoWayDenoiser(), law, x)).tolist()
    [0.5, 0.5]
    """

    vocab_size = 2
    length = 3

    def marginals(self, y: Int[np.ndarray, "batch L"], on_impossible: str = "raise") -> Float[np.ndarray, "batch L V"]:
        y = tokens(y, 2, 3, masks=True)
        one = np.empty(y.shape)  # probability of token 1
        ends = {0: (1, 2), 2: (1, 0)}
        for i, (near, far) in ends.items():
            alone = np.where(y[:, far] == MASK, float(i == 2), 1.0 - y[:, far])
            one[:, i] = np.where(y[:, near] == MASK, alone, y[:, near])
        end = np.where(y[:, 0] == MASK, y[:, 2], y[:, 0])
        one[:, 1] = np.where(end == MASK, 0.5, end)
        # after 1 alone, an end contradicts it: orders that start in the middle write neither sequence
        middle_only = (y[:, 1] != MASK) & (y[:, 0] == MASK) & (y[:, 2] == MASK)
        one[middle_only, 0] = one[middle_only, 2] = 1.0 - y[middle_only, 1]
        return reveal_one_hot(np.stack([1.0 - one, one], axis=2), y)


def two_way_target() -> Table:
    """Half 000, half 111.

    >>> tm.learned_order.two_way_target().sample(1, np.random.default_rng(0)).tolist()
    [[1, 1, 1]]
    """
    pmf = np.zeros((2, 2, 2))
    pmf[0, 0, 0] = pmf[1, 1, 1] = 0.5
    return Table(pmf)


def two_way_losses() -> dict[str, float]:
    """Best mixture cross-entropy of the two-way instance by class of order law, in nats.

    any law: log 2 (half each way); independent times: 2 log 2 (sqrt p + sqrt q <= 1 caps p q at 1/16);
    Plackett-Luce: -log(3 - 2 sqrt 2); one order: inf.

    >>> {name: round(float(loss / np.log(2)), 6) for name, loss in tm.learned_order.two_way_losses().items()}
    {'any order law': 1.0, 'independent times': 2.0, 'Plackett-Luce': 2.543107, 'one order': inf}
    """
    return {
        "any order law": log(2.0),
        "independent times": 2.0 * log(2.0),
        "Plackett-Luce": -log(best_two_way_plackett_luce()[1]),
        "one order": float("inf"),
    }


def shared_table_loss(transition, forward: float) -> float:
    """log V + mean row entropy of s P + (1 - s) P^T: the NELBO of a pair, minimised over one shared table.

    P doubly stochastic (uniform marginals), s = `forward` = P(1 before 2); concave in s and symmetric about 1/2.

    >>> round(float(tm.learned_order.shared_table_loss([[1.0, 0.0], [0.0, 1.0]], 0.5) / np.log(2)), 12)
    1.0
    """
    p = np.asarray(transition, dtype=np.float64)
    if not (np.allclose(p.sum(axis=0), 1.0, atol=1e-9, rtol=0) and np.allclose(p.sum(axis=1), 1.0, atol=1e-9, rtol=0)):
        raise ValueError(
            f"transition must be doubly stochastic, rows sum to {p.sum(axis=1)}, columns to {p.sum(axis=0)}"
        )
    mixed = forward * p + (1.0 - forward) * p.T
    safe = np.where(mixed > 0, mixed, 1.0)
    return float(log(len(p)) - (mixed * np.log(safe)).sum() / len(p))
