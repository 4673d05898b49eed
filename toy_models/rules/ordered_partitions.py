"""Order and parallelism together: the best ordered partition of the L positions into N steps.

A step reveals a block B at once, each token drawn from its own marginal given the revealed set T, so it costs
c(T, B) = sum over i in B of C[T, i] and an ordered partition costs E_q[-log p] along it. N = L is a full order,
N = 1 one parallel step. The minimum over all ordered partitions is a shortest path with blocks as edges: 3^L per step.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from toy_models.errors import IntractableError
from toy_models.kernel import kernel
from toy_models.learned_order.subset_losses import mean_cross_entropies
from toy_models.targets.protocol import Denoiser, Target
from toy_models.validation import positive_int

MAX_PARTITION_LENGTH = 14  # 3^14 = 4.8 million pairs (set, block) per step
Blocks = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class BestPartition:
    """`blocks` in decoding order and their loss in nats per sequence.

    >>> tm.rules.best_partitions(tm.pairs(2, 4), max_steps=2)[1].blocks
    ((0, 2), (1, 3))
    """

    blocks: Blocks
    loss: float


def partition_loss(table: Float[np.ndarray, "sets L"], blocks: Blocks) -> float:
    """Sum over steps of sum over i in the block of C[revealed so far, i].

    >>> table = tm.learned_order.mean_cross_entropies(tm.repetition(2, 2))
    >>> round(tm.rules.partition_loss(table, ((0,), (1,))) / float(np.log(2)), 12)
    1.0
    """
    revealed, total = 0, 0.0
    for block in blocks:
        total += float(sum(table[revealed, i] for i in block))
        revealed |= sum(1 << i for i in block)
    return total


def best_partitions(
    target: Target, denoiser: Denoiser | None = None, max_steps: int | None = None
) -> list[BestPartition]:
    """The best ordered partition into exactly N non-empty blocks, for N = 1..max_steps (None: L). O(N 3^L), L <= 14.

    >>> [round(float(best.loss / np.log(2)), 12) for best in tm.rules.best_partitions(tm.repetition(2, 3))]
    [3.0, 1.0, 1.0]
    """
    length = target.length
    if length > MAX_PARTITION_LENGTH:
        raise IntractableError(
            "the best ordered partition",
            f"L = {length}, hence 3^L = {3**length} (set, block) pairs",
            f"L <= {MAX_PARTITION_LENGTH}",
            "use best_order for one token per step",
        )
    return best_partitions_of(mean_cross_entropies(target, denoiser), max_steps)


def best_partitions_of(table: Float[np.ndarray, "sets L"], max_steps: int | None = None) -> list[BestPartition]:
    """The same from a table C[T, i].

    >>> table = tm.learned_order.mean_cross_entropies(tm.repetition(2, 2))
    >>> [round(float(best.loss / np.log(2)), 12) for best in tm.rules.best_partitions_of(table)]
    [2.0, 1.0]
    """
    sets, length = table.shape
    steps = length if max_steps is None else positive_int("max_steps", max_steps)
    if steps > length:
        raise ValueError(f"max_steps = {max_steps}, at most L = {length} non-empty steps exist")
    cost, block = partition_paths(np.ascontiguousarray(table), steps)
    result = []
    for count in range(1, steps + 1):
        revealed, reverse = sets - 1, []
        for step in range(count, 0, -1):
            last = int(block[step, revealed])
            reverse.append(tuple(i for i in range(length) if last >> i & 1))
            revealed &= ~last
        result.append(BestPartition(tuple(reverse[::-1]), float(cost[count, -1])))
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


def _partition_paths(table, steps):
    """cost[k, T] = cheapest way to reveal exactly T in k steps; block[k, T] = the last block of it."""
    sets = len(table)
    full = sets - 1
    cost = np.full((steps + 1, sets), np.inf)
    block = np.zeros((steps + 1, sets), dtype=np.int32)
    cost[0, 0] = 0.0
    step_cost = np.zeros(sets)
    for revealed in range(sets - 1):
        hidden = full & ~revealed
        part = 0
        while part != hidden:
            part = (part - hidden) & hidden  # next non-empty submask of `hidden`, ascending
            low = part & -part
            i = 0
            while low >> i & 1 == 0:
                i += 1
            step_cost[part] = step_cost[part & ~low] + table[revealed, i]
            after = revealed | part
            for k in range(steps):
                candidate = cost[k, revealed] + step_cost[part]
                if candidate < cost[k + 1, after]:
                    cost[k + 1, after] = candidate
                    block[k + 1, after] = part
    return cost, block


partition_paths = kernel(_partition_paths)
