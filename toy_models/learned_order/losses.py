"""What an order costs: L(sigma) = sum_k C[{sigma_1..sigma_{k-1}}, sigma_k], and the best order by subset recursion.

C[T, i] = E_q[-log p(X_i | X_T)] (see subset_losses). With the oracle every order costs H(X); with another denoiser
L(sigma) - H(X) is its KL along the order. The best order is a shortest path through the 2^L revealed sets.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from toy_models.kernel import kernel
from toy_models.learned_order.plackett_luce import Order, OrderLaw, require_listed
from toy_models.learned_order.subset_losses import LocalLosses, local_losses, mean_cross_entropies, require_subsets
from toy_models.targets.protocol import Denoiser, Target

MAX_SUBSETS = 24  # best_order of a local denoiser; a table of all contexts stops earlier
TIE = 1e-11  # nats: losses this close count as equal where optimal orders are counted


@dataclass(frozen=True)
class BestOrder:
    """The order of smallest loss (nats per sequence); of several, one that the recursion meets first.

    >>> tm.best_order(tm.repetition(2, 3), tm.ParentPointer(tm.repetition(2, 3), [-1, 0, 1])).order
    (0, 1, 2)
    """

    order: Order
    loss: float


def order_loss(table: Float[np.ndarray, "sets L"], order: Order) -> float:
    """L(order) from a table C[T, i]."""
    revealed, total = 0, 0.0
    for i in order:
        total += float(table[revealed, i])
        revealed |= 1 << i
    return total


def order_losses_of(table: Float[np.ndarray, "sets L"]) -> OrderLaw:
    """{order: loss} of every order, from a table C[T, i]. O(L L!).

    >>> table = tm.learned_order.mean_cross_entropies(tm.repetition(2, 2))
    >>> {order: round(float(loss / np.log(2)), 12) for order, loss in tm.learned_order.order_losses_of(table).items()}
    {(0, 1): 1.0, (1, 0): 1.0}
    """
    from itertools import permutations

    length = table.shape[1]
    require_listed(length, "the loss of every order")
    return {order: order_loss(table, order) for order in permutations(range(length))}


def order_losses(target: Target, denoiser: Denoiser | None = None) -> OrderLaw:
    """{order: E_q[-sum_k log p(X_sigma_k | X_sigma_<k)]} for every order; L <= 8. denoiser=None: the oracle.

    >>> losses = tm.order_losses(tm.repetition(2, 2))
    >>> {order: round(float(loss / np.log(2)), 12) for order, loss in losses.items()}  # the oracle: H(q) in every order
    {(0, 1): 1.0, (1, 0): 1.0}
    """
    require_listed(target.length, "the loss of every order")
    return order_losses_of(mean_cross_entropies(target, denoiser))


def best_order(target: Target, denoiser: Denoiser | None = None) -> BestOrder:
    """argmin over orders of the loss, by D[T] = min over i in T of D[T - i] + C[T - i, i].

    O(2^L L) after the table. ParentPointer and Windowed denoisers: L <= 24, without a table; any other: L <= 20 and as
    far as toy_models.quantities.lattice goes ((V+1)^L L V <= 2^27, so L = 11 at V = 2).

    >>> model = tm.ParentPointer(tm.repetition(2, 3), [-1, 0, 1])
    >>> best = tm.best_order(tm.repetition(2, 3), model)
    >>> best.order, round(float(best.loss / np.log(2)), 12)
    ((0, 1, 2), 1.0)
    """
    local = None if denoiser is None else local_losses(target, denoiser)
    if local is not None:
        return best_order_local(local)
    return best_order_of(mean_cross_entropies(target, denoiser))


def best_order_of(table: Float[np.ndarray, "sets L"], worst: bool = False) -> BestOrder:
    """The best (or worst) order of a table C[T, i].

    >>> model = tm.ParentPointer(tm.repetition(2, 3), [-1, 0, 1])
    >>> tm.learned_order.best_order_of(tm.learned_order.mean_cross_entropies(tm.repetition(2, 3), model)).order
    (0, 1, 2)
    """
    length = table.shape[1]
    cost, last = shortest_path_table(np.ascontiguousarray(-table if worst else table))
    return _trace_back(cost, last, length, worst)


def best_order_local(local: LocalLosses) -> BestOrder:
    """The best order of a local denoiser, reading C[T, i] off the pattern of its neighbours.

    >>> target = tm.repetition(2, 3)
    >>> local = tm.learned_order.local_losses(target, tm.ParentPointer(target, [-1, 0, 1]))
    >>> tm.learned_order.best_order_local(local).order
    (0, 1, 2)
    """
    require_subsets(local.length, "best_order by subset recursion", limit=MAX_SUBSETS)
    cost, last = shortest_path_local(np.ascontiguousarray(local.neighbours), np.ascontiguousarray(local.values))
    return _trace_back(cost, last, local.length)


def _trace_back(cost: np.ndarray, last: np.ndarray, length: int, worst: bool = False) -> BestOrder:
    revealed, reverse = 2**length - 1, []
    while revealed:
        reverse.append(int(last[revealed]))
        revealed &= ~(1 << reverse[-1])
    return BestOrder(tuple(reverse[::-1]), float(-cost[-1] if worst else cost[-1]))


def count_best_orders(table: Float[np.ndarray, "sets L"]) -> int:
    """Number of orders whose loss is within about TIE of the best, by counting shortest paths. O(2^L L).

    >>> tm.learned_order.count_best_orders(tm.learned_order.mean_cross_entropies(tm.repetition(2, 3)))  # all 3!
    6
    """
    length = table.shape[1]
    cost, _ = shortest_path_table(np.ascontiguousarray(table))
    remaining = np.full(2**length, np.inf)  # cheapest way from T to the full set
    remaining[-1] = 0.0
    count = np.zeros(2**length, dtype=object)
    count[-1] = 1
    for revealed in range(2**length - 2, -1, -1):
        hidden = [i for i in range(length) if not revealed >> i & 1]
        remaining[revealed] = min(table[revealed, i] + remaining[revealed | 1 << i] for i in hidden)
        count[revealed] = sum(
            count[revealed | 1 << i]
            for i in hidden
            if cost[revealed] + table[revealed, i] + remaining[revealed | 1 << i] <= cost[-1] + TIE
        )
    return int(count[0])


def uniform_loss(table: Float[np.ndarray, "sets L"]) -> float:
    """Mean loss over all L! orders, as sum over T of C[T, i] / (L binom(L-1, |T|)). O(2^L L).

    >>> table = tm.learned_order.mean_cross_entropies(tm.repetition(2, 3))
    >>> round(float(tm.learned_order.uniform_loss(table) / np.log(2)), 12)
    1.0
    """
    from scipy.special import comb

    length = table.shape[1]
    size = np.array([bin(T).count("1") for T in range(2**length)])
    hidden = (np.arange(2**length)[:, None] >> np.arange(length) & 1) == 0
    return float(
        (np.where(hidden, table, 0.0).sum(axis=1) / (length * comb(length - 1, np.minimum(size, length - 1)))).sum()
    )


def linear_extensions(parents: Int[np.ndarray, " L"]) -> int:
    """Number of orders with every parent before its child (-1: no parent), for a forest: L! / prod of subtree sizes.

    >>> tm.learned_order.linear_extensions(np.array([-1, 0, 0]))  # a root before two leaves
    2
    """
    from math import factorial

    length = len(parents)
    size = np.ones(length, dtype=np.int64)
    for start in range(length):
        node, steps = int(parents[start]), 0
        while node >= 0:
            size[node] += 1
            node, steps = int(parents[node]), steps + 1
            if steps > length:
                raise ValueError(f"parents = {list(map(int, parents))} has a cycle, a forest is needed")
    return factorial(length) // int(np.prod([int(s) for s in size], dtype=object))


def _shortest_path_table(table):
    """D[T] and the position decoded last on a best path to T."""
    sets, length = table.shape
    cost = np.full(sets, np.inf)
    last = np.zeros(sets, dtype=np.int8)
    cost[0] = 0.0
    for revealed in range(1, sets):
        for i in range(length):
            if revealed >> i & 1:
                before = revealed & ~(1 << i)
                candidate = cost[before] + table[before, i]
                if candidate < cost[revealed]:
                    cost[revealed] = candidate
                    last[revealed] = i
    return cost, last


def _shortest_path_local(neighbours, values):
    """The same with C[T, i] read off the neighbours of i."""
    length, width = neighbours.shape
    sets = 1 << length
    cost = np.full(sets, np.inf)
    last = np.zeros(sets, dtype=np.int8)
    cost[0] = 0.0
    for revealed in range(1, sets):
        for i in range(length):
            if revealed >> i & 1:
                before = revealed & ~(1 << i)
                pattern = 0
                for k in range(width):
                    if neighbours[i, k] >= 0:
                        pattern |= (before >> neighbours[i, k] & 1) << k
                candidate = cost[before] + values[i, pattern]
                if candidate < cost[revealed]:
                    cost[revealed] = candidate
                    last[revealed] = i
    return cost, last


shortest_path_table = kernel(_shortest_path_table)
shortest_path_local = kernel(_shortest_path_local)
