"""Masked marginals of an observed Markov chain: a revealed token screens everything beyond it.

Between revealed tokens u at l and w at r,  q(x_i = v | revealed) is proportional to P^{i-l}[u, v] P^{r-i}[v, w].
Without a left token the first factor is the law of X_i, without a right one the second is 1. So a masked token costs V
products of two table rows, once the powers of P up to the longest gap are known: O(D V^3 + batch L V).

Exactness: the tables stop before the first power with a positive entry under LOW, so no positive number is lost and a
product is zero only when the support makes it so. Rows with longer gaps, or gaps that cost more powers than messages,
take the forward-backward recursion (extended range where float64 does not reach).
"""

import numpy as np
from jaxtyping import Bool, Float, Int
from numba import prange

from toy_models.kernel import kernel
from toy_models.targets.kernels.forward_backward import FASTMATH, LOW, posterior

TABLE = 2**22  # entries of one table of powers: 32 MiB


def chain_marginals(
    initial: Float[np.ndarray, " V"], transition: Float[np.ndarray, "V V"], y: Int[np.ndarray, "batch L"]
) -> tuple[Float[np.ndarray, "batch L V"], Bool[np.ndarray, " batch"]]:
    """q(x_i = v | revealed), one-hot where revealed, and which rows have revealed tokens of probability 0."""
    batch, length = y.shape
    vocab = len(initial)
    result, impossible = np.zeros((batch, length, vocab)), np.zeros(batch, dtype=bool)
    gaps, edges = longest_gaps(y)
    affordable = min(TABLE // vocab**2, 2 + 2 * int((y < 0).sum()) // vocab)
    powers = safe_powers(transition, min(int(gaps.max(initial=0)), affordable))
    laws = safe_laws(initial, transition, min(int(edges.max(initial=0)) + 1, length))
    direct = (gaps < len(powers)) & (edges < len(laws))
    left = np.concatenate([powers.reshape(-1, vocab), laws])
    right = np.concatenate([powers.transpose(0, 2, 1).reshape(-1, vocab), np.ones((1, vocab))])
    bridges_kernel(left, right, len(powers) * vocab, y, direct, impossible, result)
    if not direct.all():
        result[~direct], impossible[~direct] = posterior(initial, transition, np.eye(vocab), y[~direct])
    return result, impossible


def longest_gaps(y: Int[np.ndarray, "batch L"]) -> tuple[Int[np.ndarray, " batch"], Int[np.ndarray, " batch"]]:
    """Per row: the longest distance from a position to a revealed one in a table, and the last law of X_i needed."""
    batch, length = y.shape
    position = np.arange(length)
    last = np.maximum.accumulate(np.where(y >= 0, position, -1), axis=1)
    before = np.concatenate([np.full((batch, 1), -1), last[:, :-1]], axis=1)
    distance = np.where(before >= 0, position - before, 0).max(axis=1)
    revealed = last[:, -1] >= 0
    edge = np.where(revealed, (y >= 0).argmax(axis=1), length - 1)
    return np.where(revealed, np.maximum(distance, edge), 0), edge


def safe_powers(transition: Float[np.ndarray, "V V"], depth: int) -> Float[np.ndarray, "D V V"]:
    """P^0 .. P^depth, cut before the first power that has a positive entry under LOW."""
    powers = [np.eye(len(transition))]
    for _ in range(depth):
        following = powers[-1] @ transition
        if _smallest(following) < LOW or _smallest(transition) < LOW:
            break
        powers.append(following)
    return np.array(powers)


def safe_laws(
    initial: Float[np.ndarray, " V"], transition: Float[np.ndarray, "V V"], count: int
) -> Float[np.ndarray, "n V"]:
    """Laws of X_1 .. X_count, cut before the first one that has a positive entry under LOW."""
    laws = np.empty((count, len(initial)))
    law = initial
    for i in range(count):
        if _smallest(law) < LOW or (i > 0 and _smallest(transition) < LOW):
            return laws[:i]
        laws[i] = law
        law = law @ transition
    return laws


def _smallest(values: Float[np.ndarray, "..."]) -> float:
    return float(values.min(where=values > 0, initial=1.0))


def _bridges(left, right, law_row, y, direct, impossible, result):
    """Rows of `left`: P^d[u] at d V + u, then the laws of X_i; rows of `right`: P^d[., w] at d V + w, then ones."""
    batch, length = y.shape
    vocab = left.shape[1]
    for b in prange(batch):
        if not direct[b]:
            continue
        before = -1
        while before < length:
            after = before + 1
            while after < length and y[b, after] < 0:
                after += 1
            for i in range(before + 1, min(after + 1, length)):
                row = (i - before) * vocab + y[b, before] if before >= 0 else law_row + i
                if i == after:
                    impossible[b] |= left[row, y[b, i]] == 0.0
                    result[b, i, y[b, i]] = 1.0
                    continue
                other = (after - i) * vocab + y[b, after] if after < length else len(right) - 1
                total = 0.0
                for v in range(vocab):
                    weight = left[row, v] * right[other, v]
                    result[b, i, v] = weight
                    total += weight
                scale = 1.0 / total if total > 0.0 else 0.0
                for v in range(vocab):
                    result[b, i, v] *= scale
            before = after


bridges_kernel = kernel(_bridges, parallel=True, fastmath=FASTMATH, error_model="numpy")
