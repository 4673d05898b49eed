"""The best fixed schedule: an ordered partition of the positions into N blocks, chosen before anything is revealed.

A call reveals a block B at once, each token from its own marginal given the revealed set T. In the mean over data it
costs the sum over i in B of C[T, i], so an ordered partition costs E_q[-log p] along it, KL(q || p) + H(q). N = L is a
full order, N = 1 one parallel step. The minimum over all ordered partitions is a shortest path over the revealed sets
with blocks as edges: 3^L pairs (set, block) per step. Sets are bit masks (bit i = position i).

With the exact denoiser C[T, i] = H(X_i | X_T), and a block costs its entropy given the past plus its total correlation.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from toy_models.door import require_pair, require_target
from toy_models.errors import IntractableError
from toy_models.kernel import kernel
from toy_models.learned_order.subset_losses import mean_cross_entropies
from toy_models.quantities import lattice
from toy_models.rules import FixedOrder
from toy_models.rules.word_policy import agreement
from toy_models.targets.protocol import Denoiser, Target, own_route
from toy_models.targets.word_list import WordList
from toy_models.validation import positive_int

MAX_LENGTH = 18  # 3^18 = 3.9e8 pairs of a set and a block
MAX_STEP_PAIRS = 2**33
NOISE = 1e-12  # a rounding error is no reason to use another block


@dataclass(frozen=True, eq=False)
class FixedSchedule:
    """`rule` reveals its blocks in order, a call each, at loss = E_q[-log p] = KL(q || p) + H(q) nats per sequence.

    >>> tm.rules.fixed_schedule_front(tm.pairs(2, 4))[1].rule.blocks
    ((0, 2), (1, 3))
    """

    rule: FixedOrder
    loss: float


def fixed_schedule_front(
    target: Target, denoiser: Denoiser | None = None, steps: int | None = None
) -> tuple[FixedSchedule, ...]:
    """The best ordered partition into exactly N non-empty blocks, for N = 1, 2, ..., `steps` (None: L).

    With the exact denoiser (None) a further step never costs, so N then reads "at most N". O(steps 3^L); ValueError
    for more steps than positions, IntractableError beyond L = 18.

    >>> front = tm.rules.fixed_schedule_front(tm.repetition(2, 3))
    >>> [round(best.loss / float(np.log(2)), 12) for best in front]
    [3.0, 1.0, 1.0]
    """
    model = require_pair(target, denoiser)
    steps = _number_of_steps(steps, target.length)
    if model is target:
        return fixed_schedule_front_of(entropy_increments(subset_entropies(target)), steps)
    return fixed_schedule_front_of(mean_cross_entropies(target, denoiser), steps)


def fixed_schedule_front_of(table: Float[np.ndarray, "sets L"], steps: int | None = None) -> tuple[FixedSchedule, ...]:
    """The same from a table C[T, i].

    >>> table = tm.learned_order.mean_cross_entropies(tm.repetition(2, 2))
    >>> [round(best.loss / float(np.log(2)), 12) for best in tm.rules.fixed_schedule_front_of(table)]
    [2.0, 1.0]
    """
    sets, length = table.shape
    if sets != 2**length or length < 1:
        raise ValueError(
            f"table has shape {table.shape}, allowed: a row for each of 2^L sets, a column for each of L >= 1"
        )
    steps = _number_of_steps(steps, length)
    loss, choice = subset_recursion(np.ascontiguousarray(table, dtype=np.float64), steps)
    front = []
    for count in range(1, steps + 1):
        blocks, revealed = [], 0
        for left in range(count, 0, -1):
            block = int(choice[revealed, left])
            blocks.append(tuple(i for i in range(length) if block >> i & 1))
            revealed |= block
        front.append(FixedSchedule(FixedOrder(tuple(blocks)), float(loss[count])))
    return tuple(front)


def _number_of_steps(steps: int | None, length: int) -> int:
    steps = length if steps is None else positive_int("steps", steps)
    if steps > length:
        raise ValueError(f"steps = {steps}, allowed: 1 to L = {length}, no block is empty")
    if length > MAX_LENGTH or steps * 3**length > MAX_STEP_PAIRS:
        raise IntractableError(
            "the best fixed schedule",
            f"L = {length}, {steps} steps, hence steps * 3^L = {steps * 3**length}",
            f"L <= {MAX_LENGTH} and steps * 3^L <= {MAX_STEP_PAIRS}",
            "use optimal_sizes for random orders, best_order for one token per step",
        )
    return steps


def schedule_loss(table: Float[np.ndarray, "sets L"], rule: FixedOrder) -> float:
    """Sum over the blocks of sum over i in the block of C[revealed so far, i]: E_q[-log p] of a fixed order.

    >>> table = tm.learned_order.mean_cross_entropies(tm.repetition(2, 2))
    >>> round(tm.rules.schedule_loss(table, tm.FixedOrder([[0], [1]])) / float(np.log(2)), 12)
    1.0
    """
    revealed, total = 0, 0.0
    for block in rule.blocks:
        total += float(sum(table[revealed, i] for i in block))
        revealed |= sum(1 << i for i in block)
    return total


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


def entropy_increments(subset_entropy: Float[np.ndarray, " subsets"]) -> Float[np.ndarray, "subsets L"]:
    """C[T, i] = H(X_i | X_T) = H(X_{T + i}) - H(X_T): the table of the exact denoiser, 0 for i in T.

    >>> table = tm.rules.entropy_increments(tm.rules.subset_entropies(tm.repetition(2, 2)))
    >>> (table / np.log(2)).round(12).tolist()
    [[1.0, 1.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]
    """
    sets = np.arange(len(subset_entropy))
    length = len(sets).bit_length() - 1
    return subset_entropy[sets[:, None] | 1 << np.arange(length)] - subset_entropy[:, None]


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


def chain_partition_loss(marginal_entropies, mutual_informations, steps: int) -> float:
    """Best loss of N steps for a parent-pointer chain: sum H - sum I + the cheapest edges hitting every N in a row.

    Edge k joins position k and its child k+1. A run of N edges whose child comes strictly later needs N + 1 steps, so
    among any N consecutive edges one is lost, and losing such a set is enough. O(L N).

    >>> tm.rules.chain_partition_loss([1.0, 1.0, 1.0], [1.0, 0.5], 2)  # H - I + the cheapest edge
    2.0
    """
    n = positive_int("steps", steps)
    information = [float(v) for v in mutual_informations]
    lost = [0.0] * (len(information) + 1)  # lost[k]: cheapest set whose last lost edge is edge k (1-based), 0: none
    for k in range(1, len(information) + 1):
        lost[k] = information[k - 1] + min(lost[max(0, k - n) : k])
    cheapest = min(lost[max(0, len(information) - n + 1) :])
    return float(sum(float(h) for h in marginal_entropies) - sum(information) + cheapest)


def _subset_recursion(table, steps):
    """loss[k] = least loss of exactly k blocks from nothing; choice[T, k] = the block to reveal at T with k left."""
    sets = len(table)
    full = sets - 1
    to_go = np.full((sets, steps + 1), np.inf)
    choice = np.zeros((sets, steps + 1), dtype=np.int32)
    to_go[full, 0] = 0.0
    block_loss = np.zeros(sets)
    for revealed in range(sets - 2, -1, -1):
        hidden = full & ~revealed
        choice[revealed, 1] = hidden
        for left in range(2, steps + 1):
            choice[revealed, left] = hidden & -hidden  # stays where every way costs inf
        part = 0
        while part != hidden:
            part = (part - hidden) & hidden  # next non-empty submask of `hidden`, ascending
            low = part & -part
            i = 0
            while low >> i & 1 == 0:
                i += 1
            block_loss[part] = block_loss[part & ~low] + table[revealed, i]
            after = revealed | part
            for left in range(1, steps + 1):
                total = block_loss[part] + to_go[after, left - 1]
                if total < to_go[revealed, left] - NOISE:
                    to_go[revealed, left] = total
                    choice[revealed, left] = part
    return to_go[0], choice


subset_recursion = kernel(_subset_recursion)
