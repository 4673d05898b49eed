"""What one call of a draw-then-select rule writes: P(S, v_S) over kept sets and their tokens, without joint draws.

Candidates V_i ~ pi_i are independent and every candidate has a place in one order: its tie class, then its position
(leftmost) or a uniform mark (uniform). S with tokens v is kept iff its worst member (a, v_a) precedes every candidate
outside S and the quota stops there, so with k = |S|

    P(S, v_S) = prod_{i in S} pi_i(v_i)  prod_{j not in S} P(V_j after (a, v_a), its score below bar_{k+1}).

Under uniform ties the mark x of the worst member is integrated over [0, 1]; the integrand is a polynomial of degree
below L, so Gauss-Legendre is exact. Cost of a state: the number of outcomes, sum_k C(m, k) V^k over the possible k.
"""

from itertools import product

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.polynomial.legendre import leggauss
from scipy.special import logsumexp

from toy_models.errors import IntractableError
from toy_models.kernel import kernel
from toy_models.rules.proxies import rounding, ties
from toy_models.rules.quotas import Quota

MAX_DRAWS = 2**20  # joint draws V^m of one state, for randomised selection


def tie_classes(
    scores: Float[np.ndarray, "n L V"], widths: Float[np.ndarray, "n L V"], drawable: Bool[np.ndarray, "n L V"]
) -> Int[np.ndarray, "n L V"]:
    """The number of the tie class of each candidate in its state, 0 for the best."""
    flat = len(scores), -1
    order, tie = ties(-scores.reshape(flat), widths.reshape(flat), drawable.reshape(flat))
    classes = np.empty_like(tie)
    np.put_along_axis(classes, order, tie, axis=1)
    return classes.reshape(scores.shape)


def with_slack(bars: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
    """The bars lowered by what rounding may take from a score that equals them."""
    finite = np.isfinite(bars)
    return np.where(finite, bars - rounding(bars) * np.abs(np.where(finite, bars, 0.0)), bars)


def uniform_marks(length: int) -> tuple[Float[np.ndarray, " nodes"], Float[np.ndarray, " nodes"]]:
    """Nodes and weights on [0, 1], exact for polynomials of degree below `length`."""
    nodes, weights = leggauss(length // 2 + 1)
    return (1 + nodes) / 2, weights / 2


def _push_kept(mass, start, total, draw, free, classes, levels, increments, nodes, weights, leftmost):
    """Add to `mass` what one call writes from states of mass `total`; writing nothing would give the index `start`.

    levels[i, v] is the number of bars the score passes; increments[i, v] is what writing v at i adds to the index of a
    state, negative where that outcome is not wanted. `leftmost`: ties by position, and nodes and weights are (1,).
    """
    _, length, vocab_size = draw.shape
    most = 1
    for i in range(length - 1):
        wanted = 0
        for v in range(vocab_size):
            if increments[i, v] >= 0:
                wanted += 1
        most *= max(wanted, 1) + 1 if length > 1 else 1
    most *= vocab_size + 1
    code = np.empty(most, dtype=np.int64)
    prob = np.empty(most)
    kept = np.empty(most, dtype=np.int64)
    for row in range(len(start)):
        masked = 0
        lowest = length
        for i in range(length):
            if free[row, i]:
                masked += 1
                for v in range(vocab_size):
                    if draw[row, i, v] > 0.0:
                        lowest = min(lowest, levels[row, i, v])
        for a in range(length):
            for u in range(vocab_size):
                if not free[row, a] or draw[row, a, u] == 0.0 or increments[a, u] < 0:
                    continue
                worst = classes[row, a, u]
                for k in range(min(lowest, masked), min(levels[row, a, u], masked) + 1):
                    for node in range(len(nodes)):
                        x = nodes[node]
                        size = 1
                        code[0] = start[row] + increments[a, u]
                        prob[0] = total[row] * draw[row, a, u] * weights[node]
                        kept[0] = 1
                        left = masked - 1
                        for j in range(length):
                            if j == a or not free[row, j]:
                                continue
                            left -= 1
                            out = 0.0
                            for v in range(vocab_size):
                                p = draw[row, j, v]
                                if p > 0.0 and levels[row, j, v] <= k:
                                    if classes[row, j, v] > worst:
                                        out += p
                                    elif classes[row, j, v] == worst:
                                        out += (p if j > a else 0.0) if leftmost else p * (1.0 - x)
                            old = size
                            for t in range(old):
                                if kept[t] < k:
                                    for v in range(vocab_size):
                                        p = draw[row, j, v]
                                        if increments[j, v] < 0 or classes[row, j, v] > worst:
                                            continue
                                        if classes[row, j, v] == worst:
                                            p = (p if j < a else 0.0) if leftmost else p * x
                                        if p > 0.0 and kept[t] + 1 + left >= k:
                                            code[size] = code[t] + increments[j, v]
                                            prob[size] = prob[t] * p
                                            kept[size] = kept[t] + 1
                                            size += 1
                                prob[t] *= out
                            alive = 0
                            for t in range(size):
                                if prob[t] > 0.0 and kept[t] + left >= k:
                                    code[alive], prob[alive], kept[alive] = code[t], prob[t], kept[t]
                                    alive += 1
                            size = alive
                        for t in range(size):
                            if kept[t] == k:
                                mass[code[t]] += prob[t]


push_kept = kernel(_push_kept)


def push_best(
    mass: Float[np.ndarray, " states"],
    start: Int[np.ndarray, " n"],
    total: Float[np.ndarray, " n"],
    draw: Float[np.ndarray, "n L V"],
    free: Bool[np.ndarray, "n L"],
    scores: Float[np.ndarray, "n L V"],
    widths: Float[np.ndarray, "n L V"],
    keep: Quota,
    tie_rule: str,
    increments: Int[np.ndarray, "L V"],
) -> None:
    """Add to `mass` the outcomes of one call from n states: candidates ~ draw at `free`, the best ones are written."""
    classes = tie_classes(np.ascontiguousarray(scores), np.ascontiguousarray(widths), free[..., None] & (draw > 0))
    levels, counts = np.zeros(scores.shape, dtype=np.int64), free.sum(axis=1)
    for m in np.unique(counts):
        levels[counts == m] = np.searchsorted(with_slack(keep.bars(int(m))), scores[counts == m], side="right")
    leftmost = tie_rule == "leftmost"
    nodes, weights = (np.zeros(1), np.ones(1)) if leftmost else uniform_marks(free.shape[1])
    draw, free = (np.require(a, requirements=["C", "W"]) for a in (draw, free))  # one compilation
    push_kept(mass, start, total, draw, free, classes, levels, increments, nodes, weights, leftmost)


def push_plackett_luce(
    mass: Float[np.ndarray, " states"],
    state: int,
    draw: Float[np.ndarray, "L V"],
    scores: Float[np.ndarray, "L V"],
    free: Bool[np.ndarray, " L"],
    keep: int,
    increments: Int[np.ndarray, "L V"],
) -> None:
    """The same for `keep` positions chosen one after the other with weights exp(score), by all joint draws. O(V^m)."""
    positions = np.flatnonzero(free)
    choices = [np.flatnonzero(draw[i] > 0) for i in positions]
    if np.prod([float(len(c)) for c in choices]) > MAX_DRAWS:
        raise IntractableError(
            "the law of a randomised selection among drawn tokens",
            f"V = {draw.shape[1]}, {len(positions)} masks",
            f"V^masks <= {MAX_DRAWS}",
            "shorten the sequence or use sample and the estimate_ functions",
        )
    tokens = np.array(list(product(*choices)))
    chance = mass[state] * np.prod(draw[positions, tokens], axis=1)
    weights, steps = scores[positions, tokens], increments[positions, tokens]
    mass[state] = 0.0
    chosen = {(): np.ones(len(tokens))}
    for _ in range(min(keep, len(positions))):
        following: dict[tuple[int, ...], np.ndarray] = {}
        for kept, p in chosen.items():
            rest = [j for j in range(len(positions)) if j not in kept]
            shares = np.exp(weights[:, rest] - logsumexp(weights[:, rest], axis=1, keepdims=True))
            for j, share in zip(rest, shares.T, strict=True):
                key = tuple(sorted((*kept, j)))
                following[key] = following.get(key, 0.0) + p * share
        chosen = following
    for kept, p in chosen.items():
        written = steps[:, kept]
        wanted = (written >= 0).all(axis=1)
        np.add.at(mass, state + written[wanted].sum(axis=1), (chance * p)[wanted])
