"""n-gram conditionals of a text: smoothed by interpolation, the order chosen on held-out blocks.

Counts are of windows inside one sequence; no window crosses from one to the next.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from toy_models.errors import IntractableError
from toy_models.targets.markov import MarkovChain
from toy_models.validation import positive_int

Rows = Sequence[Int[np.ndarray, "_"]]

MAX_ENTRIES = 2**24  # V^n conditionals of one table: 128 MiB, of which fitting holds a few
MAX_ORDER = 5
BLOCKS = 50  # the text in equal blocks, of which every tenth is held out


@dataclass(frozen=True)
class OrderScore:
    """Mean log-likelihood per token of an n-gram: on the text it was fitted to, and on the held-out blocks.

    >>> tm.text.OrderScore(2, -2.0, -2.25).gap
    0.25
    """

    order: int
    fitted: float
    held_out: float

    @property
    def gap(self) -> float:
        return self.fitted - self.held_out


def window_counts(rows: Rows, order: int, vocab_size: int) -> Float[np.ndarray, "..."]:
    """How often each window of `order` tokens occurs inside a row, shape (V,)*n."""
    if positive_int("order", order) > MAX_ORDER or vocab_size**order > MAX_ENTRIES:
        size = f"V^n = {vocab_size}^{order} = {vocab_size**order} entries"
        raise IntractableError(
            "an n-gram of a text", size, f"n <= {MAX_ORDER}, V^n <= {MAX_ENTRIES}", "lower the order"
        )
    total = np.zeros(vocab_size**order)
    for row in rows:
        if len(row) >= order:
            total += np.bincount(_codes(row, order, vocab_size), minlength=vocab_size**order)
    return total.reshape((vocab_size,) * order)


def _codes(row: Int[np.ndarray, "_"], order: int, vocab_size: int) -> Int[np.ndarray, " windows"]:
    code = np.zeros(len(row) - order + 1, dtype=np.int64)
    for k in range(order):
        code = code * vocab_size + row[k : len(row) - order + 1 + k]
    return code


def interpolated(rows: Rows, order: int, vocab_size: int) -> Float[np.ndarray, "..."]:
    """p_n(x | c) = (N(c, x) + D(c) p_(n-1)(x | c')) / (N(c) + D(c)), c' = c without its first token, p_0 = 1/V.

    D(c) is the number of distinct tokens seen after c (Witten and Bell 1991, method C, interpolated). Every window is
    possible. Shape (V,)*n, last axis the next token.

    >>> tm.text.interpolated([np.array([0, 1, 0])], 1, 2)  # (2 + 2/2) / (3 + 2)
    array([0.6, 0.4])
    """
    law = np.full(vocab_size, 1.0 / vocab_size)
    for n in range(1, order + 1):
        counts = window_counts(rows, n, vocab_size)
        distinct = np.count_nonzero(counts, axis=-1)[..., None]
        total = counts.sum(axis=-1, keepdims=True) + distinct
        counts += distinct * law  # broadcasts: the first axis of the context is the one that is left out
        law = np.where(total > 0, counts / np.maximum(total, 1.0), law)
    return law / law.sum(axis=-1, keepdims=True)


def held_out_split(rows: Rows) -> tuple[list[Int[np.ndarray, "_"]], list[Int[np.ndarray, "_"]]]:
    """(fitted, held out): the text in 50 blocks, every tenth held out; whole sequences where there are 50 of them.

    >>> fitted, held_out = tm.text.held_out_split([np.arange(100)])
    >>> sum(map(len, fitted)), [block.tolist() for block in held_out]
    (90, [[8, 9], [28, 29], [48, 49], [68, 69], [88, 89]])
    """
    blocks = list(rows) if len(rows) >= BLOCKS else [b for row in rows for b in np.array_split(row, BLOCKS) if len(b)]
    held = [block for k, block in enumerate(blocks) if k % 10 == 4]
    return [block for k, block in enumerate(blocks) if k % 10 != 4], held


def order_scores(rows: Rows, vocab_size: int, largest: int = MAX_ORDER) -> list[OrderScore]:
    """Every order up to `largest` that fits in MAX_ENTRIES, fitted to nine tenths of the text and scored on both parts.

    Tokens with fewer tokens before them in their block than the largest context are not scored, so all orders see the
    same tokens; orders longer than every block of a part are left out.

    >>> [score.order for score in tm.text.order_scores([np.arange(1000) % 7], 7, 3)]
    [1, 2, 3]
    """
    fitted, held_out = held_out_split(rows)
    longest = min(max(map(len, part), default=0) for part in (fitted, held_out))
    orders = [n for n in range(1, min(largest, MAX_ORDER, longest) + 1) if vocab_size**n <= MAX_ENTRIES]
    context = orders[-1] - 1
    scores = []
    for n in orders:
        log_law = np.log(interpolated(fitted, n, vocab_size)).ravel()
        means = [_mean_log(log_law, part, n, context, vocab_size) for part in (fitted, held_out)]
        scores.append(OrderScore(n, *means))
    return scores


def _mean_log(log_law: Float[np.ndarray, " windows"], rows: Rows, order: int, context: int, vocab_size: int) -> float:
    total, count = 0.0, 0
    for row in rows:
        if len(row) > context:
            codes = _codes(row[context - order + 1 :], order, vocab_size)
            total += float(log_law[codes].sum())
            count += len(codes)
    return total / count if count else float("nan")


def seen_pairs(rows: Rows, vocab_size: int, length: int) -> tuple[MarkovChain, Int[np.ndarray, " used"]]:
    """The bigram language without smoothing, and the symbols that occur: only pairs of neighbours of the text.

    The rows are joined to one circle, so that every symbol that occurs is followed by one and the chain is stationary.

    >>> chain, used = tm.text.seen_pairs([np.array([0, 2, 0, 2, 2])], 3, 4)
    >>> used.tolist(), chain.transition.round(12).tolist()
    ([0, 2], [[0.0, 1.0], [0.666666666667, 0.333333333333]])
    """
    circle = np.concatenate(list(rows))
    used, codes = np.unique(circle, return_inverse=True)
    counts = np.bincount(codes * len(used) + np.roll(codes, -1), minlength=len(used) ** 2)
    table = counts.reshape(len(used), len(used)).astype(np.float64)
    weight = table.sum(axis=1)
    return MarkovChain(table / weight[:, None], length, weight / weight.sum()), used
