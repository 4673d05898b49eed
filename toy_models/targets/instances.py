"""Named instances on which the theorems are equalities, or nearly."""

from itertools import permutations as orders

import numpy as np

from toy_models.errors import IntractableError
from toy_models.targets.blocks import Blocks
from toy_models.targets.hmm import HMM
from toy_models.targets.linear_code import LinearCode
from toy_models.targets.markov import MarkovChain
from toy_models.targets.table import MAX_CELLS, Table
from toy_models.validation import positive_int


def pairs(K: int, length: int) -> Blocks:
    """Pairs (s, K + s), s uniform on 0..K-1, independent: the lower-bound language (K = 8 has 16 symbols).

    >>> np.exp(tm.pairs(2, 2).log_prob(np.array([[0, 2], [0, 3]]))).round(12).tolist()
    [0.5, 0.0]
    """
    K, length = positive_int("K", K, 2), positive_int("length", length, 2)
    if length % 2:
        raise ValueError(f"length = {length}, the pair language needs an even length")
    pmf = np.zeros((2 * K, 2 * K))
    pmf[np.arange(K), K + np.arange(K)] = 1.0 / K
    return Blocks(Table(pmf), length // 2)


def repetition(K: int, length: int) -> MarkovChain:
    """All tokens equal, uniform on K symbols: the identity chain started from the uniform law.

    >>> tm.repetition(2, 3).sample(1, np.random.default_rng(1)).tolist()
    [[1, 1, 1]]
    """
    K = positive_int("K", K, 2)
    return MarkovChain(np.eye(K), length, initial=np.full(K, 1.0 / K))


def zero_sum(K: int, length: int) -> LinearCode | Table:
    """Uniform on {x : sum of x = 0 mod K}: a linear code for prime K, a table otherwise.

    >>> round(float(np.exp(tm.zero_sum(3, 4).entropy())), 9)  # 3^3 sequences
    27.0
    """
    K, length = positive_int("K", K, 2), positive_int("length", length, 2)
    if all(K % d for d in range(2, int(K**0.5) + 1)):
        generator = np.concatenate([np.eye(length - 1, dtype=np.int64), np.full((length - 1, 1), K - 1)], axis=1)
        return LinearCode(generator, K)
    if K**length > MAX_CELLS:
        raise IntractableError(
            f"the table of zero_sum for the composite K = {K}",
            f"length = {length}, hence K^L = {K**length}",
            f"K^L <= {MAX_CELLS}",
            "use a prime K",
        )
    total = np.indices((K,) * length).sum(axis=0) % K
    return Table((total == 0) / K ** (length - 1))


def permutations(n: int) -> Table:
    """A uniformly random permutation of n symbols: hard in every order, KL the same for all of them.

    >>> round(float(np.exp(tm.permutations(4).entropy())), 9)  # 4!
    24.0
    """
    n = positive_int("n", n)
    if n > 7:
        raise IntractableError("the table of permutations", f"n = {n}", "n <= 7", "use the closed form n!/prod m_j^s_j")
    pmf = np.zeros((n,) * n)
    words = np.array(list(orders(range(n))))
    pmf[tuple(words.T)] = 1.0 / len(words)
    return Table(pmf)


def k1(length: int = 4) -> MarkovChain:
    """Toy K1: a non-stationary Markov chain, V = 3; entropy 3.691631304919 nats at length 4.

    >>> round(tm.targets.k1().entropy(), 12)
    3.691631304919
    """
    transition = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.2, 0.3, 0.5]])
    return MarkovChain(transition, length, initial=np.array([0.5, 0.3, 0.2]))


def k2(length: int = 4) -> HMM:
    """Toy K2: two hidden states, V = 3; entropy 3.745590036369 nats at length 4.

    >>> round(tm.targets.k2().entropy(), 12)
    3.745590036369
    """
    initial, transition = np.array([0.6, 0.4]), np.array([[0.9, 0.1], [0.2, 0.8]])
    return HMM(initial, transition, np.array([[0.8, 0.15, 0.05], [0.05, 0.25, 0.7]]), length)
