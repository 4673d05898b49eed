"""The best fixed schedule: an ordered partition of the positions, chosen before anything is revealed.

Revealing the set G after R costs the conditional total correlation
    sum over i in G of H(X_i | X_R) - H(X_G | X_R),
so everything follows from the table of H(X_S), S a bit mask (bit i = position i).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from toy_models.door import require_target
from toy_models.errors import IntractableError
from toy_models.kernel import kernel
from toy_models.quantities import lattice
from toy_models.rules import FixedOrder
from toy_models.rules.word_policy import agreement
from toy_models.targets.protocol import Target, own_route
from toy_models.targets.word_list import WordList
from toy_models.validation import positive_int

MAX_LENGTH = 18  # 3^18 = 3.9e8 pairs of nested sets
MAX_STEP_PAIRS = 2**33


@dataclass(frozen=True, eq=False)
class FixedSchedule:
    """`rule` reveals its blocks in order at KL(q || p) = kl, in len(rule.blocks) calls.

    >>> tm.rules.best_fixed_schedule(tm.rules.subset_entropies(tm.pairs(2, 4)), 2).rule.blocks
    ((0, 2), (1, 3))
    """

    rule: FixedOrder
    kl: float


def subset_entropies(target: Target) -> Float[np.ndarray, " subsets"]:
    """H(X_S) for every set S of positions. O((V+1)^L), or O(2^L words^2) for a word list.

    >>> (tm.rules.subset_entropies(tm.repetition(2, 2)) / np.log(2)).round(12).tolist()  # {}, {0}, {1}, {0, 1}
    [0.0, 1.0, 1.0, 1.0]
    """
    require_target(target)
    own = own_route(target, "subset_entropies")
    if own is not None:
        return own
    q = lattice.state_probabilities(target)
    sets = np.zeros(1, dtype=np.int64)
    for position in range(target.length):  # states in index order, the first position most significant
        digit = (np.arange(target.vocab_size + 1) > 0).astype(np.int64) << position
        sets = (sets[:, None] + digit).ravel()
    with np.errstate(divide="ignore", invalid="ignore"):
        loss = -np.where(q > 0, q * np.log(q), 0.0)
    return np.bincount(sets, weights=loss, minlength=2**target.length)


def word_entropies(target: WordList) -> Float[np.ndarray, " subsets"]:
    """-E log of the fraction of words that agree with X on S, one word per orbit."""
    first, sizes = np.unique(target.classes, return_index=True, return_counts=True)[1:]
    agree = agreement(target.words[first], target.words)
    result = np.zeros(2**target.length)
    for row, size in zip(agree, sizes, strict=True):
        counts = np.bincount(row, minlength=2**target.length).astype(np.float64)
        for i in range(target.length):  # sum over supersets
            split = counts.reshape(-1, 2, 2**i)
            split[:, 0] += split[:, 1]
        result -= size / len(target.words) * np.log(counts / len(target.words))
    return result


def best_fixed_schedule(subset_entropy: Float[np.ndarray, " subsets"], steps: int) -> FixedSchedule:
    """argmin of the sum over steps of the total correlation, over ordered partitions into at most `steps` blocks.

    The law of such a rule is p(x) = prod over blocks and i of q(x_i | earlier blocks), and KL(q || p) is that sum.
    Exact by recursion over nested sets, O(steps 3^L).

    >>> best = tm.rules.best_fixed_schedule(tm.rules.subset_entropies(tm.repetition(2, 3)), 2)
    >>> round(best.kl, 12), len(best.rule.blocks[0])  # one token tells the others
    (0.0, 1)
    """
    return fixed_schedule_front(subset_entropy, steps)[-1]


def fixed_schedule_front(
    subset_entropy: Float[np.ndarray, " subsets"], steps: int | None = None
) -> list[FixedSchedule]:
    """The best fixed schedule with at most 1, 2, ..., `steps` (default L) blocks.

    >>> front = tm.rules.fixed_schedule_front(tm.rules.subset_entropies(tm.repetition(2, 3)))
    >>> [round(float(best.kl / np.log(2)), 12) for best in front]
    [2.0, 0.0, 0.0]
    """
    entropy = np.ascontiguousarray(subset_entropy, dtype=np.float64)
    length = int(entropy.size).bit_length() - 1
    if entropy.ndim != 1 or entropy.size != 2**length or length < 1:
        raise ValueError(f"subset_entropy must be a vector of 2^L >= 2 entropies, got shape {entropy.shape}")
    if not np.isfinite(entropy).all() or abs(entropy[0]) > 1e-12:
        raise ValueError(f"subset_entropy must be finite with entry 0 (the empty set) = 0, got {entropy[0]}")
    steps = min(positive_int("steps", length if steps is None else steps), length)
    if length > MAX_LENGTH or steps * 3**length > MAX_STEP_PAIRS:
        raise IntractableError(
            "the best fixed schedule",
            f"L = {length}, {steps} steps, hence steps * 3^L = {steps * 3**length}",
            f"L <= {MAX_LENGTH} and steps * 3^L <= {MAX_STEP_PAIRS}",
            "use optimal_sizes for random orders",
        )
    cost, choice = subset_recursion(entropy, length, steps)
    everything = 2**length - 1
    front = []
    for available in range(1, steps + 1):
        blocks, revealed, left = [], 0, available
        while revealed != everything:
            block = int(choice[left - 1, revealed])
            blocks.append(tuple(i for i in range(length) if block >> i & 1))
            revealed |= block
            left -= 1
        front.append(FixedSchedule(FixedOrder(tuple(blocks)), max(float(cost[available - 1]), 0.0)))
    return front


def schedule_cost(subset_entropy: Float[np.ndarray, " subsets"], rule: FixedOrder) -> float:
    """Sum over the blocks of a fixed order of the conditional total correlation: its KL(q || p).

    >>> entropies = tm.rules.subset_entropies(tm.repetition(2, 2))
    >>> round(float(tm.rules.schedule_cost(entropies, tm.FixedOrder([[0, 1]])) / np.log(2)), 12)  # TC
    1.0
    """
    total, revealed = 0.0, 0
    for block in rule.blocks:
        union = revealed | sum(1 << i for i in block)
        alone = sum(subset_entropy[revealed | 1 << i] - subset_entropy[revealed] for i in block)
        total += float(alone - (subset_entropy[union] - subset_entropy[revealed]))
        revealed = union
    return total


def _subset_recursion(entropy, length, steps):
    """cost[k] = least KL with at most k+1 blocks; choice[k, R] = block to reveal at R with k+1 blocks left."""
    size = 2**length
    choice = np.zeros((steps, size), dtype=np.int32)
    to_go = np.zeros((steps, size))
    alone = np.empty(size)
    union = np.empty(size, dtype=np.int64)
    for revealed in range(size - 2, -1, -1):
        alone[0], union[0] = 0.0, revealed
        count = 1
        for i in range(length):
            if (revealed >> i) & 1 == 0:
                gain = entropy[revealed | 1 << i] - entropy[revealed]
                for k in range(count):
                    alone[count + k] = alone[k] + gain
                    union[count + k] = union[k] | 1 << i
                count *= 2
        to_go[0, revealed] = alone[count - 1] - (entropy[size - 1] - entropy[revealed])
        choice[0, revealed] = size - 1 - revealed
        for left in range(1, steps):
            best, block = to_go[left - 1, revealed], choice[left - 1, revealed]
            for k in range(1, count - 1):
                total = alone[k] - (entropy[union[k]] - entropy[revealed]) + to_go[left - 1, union[k]]
                if total < best - 1e-12:  # a rounding error is no reason to use another block
                    best, block = total, union[k] - revealed
            to_go[left, revealed] = best
            choice[left, revealed] = block
    return to_go[:, 0].copy(), choice


subset_recursion = kernel(_subset_recursion)
