"""Every deterministic adaptive policy of a tiny target, listed: the slow twin of toy_models/rules/optimal_policy.py."""

from itertools import product

import numpy as np
from jaxtyping import Float

from toy_models.errors import IntractableError
from toy_models.targets.protocol import Target
from toy_models.validation import MASK

MAX_POLICIES = 2**20


def all_policies(target: Target) -> Float[np.ndarray, "policies 2"]:
    """(E_q[calls], KL(q || p)) of every policy, duplicates merged; L <= 3 in practice.

    From a state the reachable pairs are all combinations of the pairs of its continuations, for every first set.

    >>> pairs = tm.rules.all_policies(tm.repetition(2, 2))
    >>> (pairs / [1.0, np.log(2)]).round(12).tolist()  # (calls, bits)
    [[1.0, 1.0], [2.0, 0.0]]
    """
    x = np.array(list(product(range(target.vocab_size), repeat=target.length)))
    weight = np.exp(target.log_prob(x))
    x, weight = x[weight > 0], weight[weight > 0]
    return _reachable(x, weight / weight.sum(), (MASK,) * target.length, {})


def _reachable(x, weight, y, memory):
    """Expected calls and KL to come, given that the tokens of y are revealed."""
    if MASK not in y:
        return np.zeros((1, 2))
    if y not in memory:
        fits = np.array([all(b in (MASK, a) for a, b in zip(row, y, strict=True)) for row in x])
        hidden = [i for i, v in enumerate(y) if v == MASK]
        found = []
        for code in range(1, 2 ** len(hidden)):
            chosen = [i for k, i in enumerate(hidden) if code >> k & 1]
            values, group = np.unique(x[fits][:, chosen], axis=0, return_inverse=True)
            p = np.bincount(group.reshape(-1), weights=weight[fits]) / weight[fits].sum()
            alone = sum(_entropy(np.bincount(x[fits][:, i], weights=weight[fits])) for i in chosen)
            pairs = np.array([[1.0, alone - _entropy(p)]])
            for value, share in zip(values, p, strict=True):
                after = list(y)
                for i, v in zip(chosen, value, strict=True):
                    after[i] = int(v)
                pairs = _merge(
                    (pairs[:, None] + share * _reachable(x, weight, tuple(after), memory)[None]).reshape(-1, 2)
                )
            found.append(pairs)
        memory[y] = _merge(np.concatenate(found))
    return memory[y]


def _merge(pairs):
    if len(pairs) > MAX_POLICIES:
        raise IntractableError(
            "the list of all policies", f"{len(pairs)} pairs", f"{MAX_POLICIES}", "use optimal_policy"
        )
    return np.unique(np.round(pairs, 13), axis=0)


def _entropy(weights) -> float:
    p = weights[weights > 0] / weights.sum()
    return float(-(p * np.log(p)).sum())


def pareto(pairs: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "m 2"]:
    """The pairs that no other pair beats in both coordinates, by increasing calls.

    >>> tm.rules.pareto(np.array([[1.0, 2.0], [2.0, 3.0], [3.0, 0.0]])).tolist()
    [[1.0, 2.0], [3.0, 0.0]]
    """
    ordered = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    best = np.concatenate([[np.inf], np.minimum.accumulate(ordered[:, 1])[:-1]])
    return ordered[ordered[:, 1] < best - 1e-12]


def hull(pairs: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "m 2"]:
    """Vertices of the lower convex hull of the Pareto set (Andrew's monotone chain).

    >>> tm.rules.hull(np.array([[1.0, 2.0], [2.0, 1.5], [3.0, 0.0]])).tolist()
    [[1.0, 2.0], [3.0, 0.0]]
    """
    chain: list = []
    for point in pareto(pairs):
        while len(chain) >= 2:
            (ax, ay), (bx, by) = chain[-2], chain[-1]
            if (by - ay) * (point[0] - ax) < (point[1] - ay) * (bx - ax) - 1e-14:
                break
            chain.pop()
        chain.append(point)
    return np.array(chain)
