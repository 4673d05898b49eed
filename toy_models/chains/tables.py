"""Powers of a transition matrix with a virtual end on either side, and how fast they mix.

Notation of all `gap_*` modules. A gap of distance n has n-1 masked tokens between two revealed values u and v. The
index V (written ∗) is the virtual end: left of the first position or right of the last one. P^s[u, x] is the
probability of x at distance s from u, with P^s[∗, x] = (initial P^(s-1))[x] and P^s[u, ∗] = P^s[∗, ∗] = 1.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from toy_models.targets.markov import MarkovChain, recurrent_classes, stationary_law


def gap_powers(chain: MarkovChain, distance: int) -> Float[np.ndarray, "n_plus_1 U U"]:
    """P^s for s = 0..distance on V+1 symbols (s = 0 is left at zero: no gap has distance 0).

    Products are taken in extended precision, so an entry carries one float64 rounding where the platform has one. Rows
    are scaled to sum to one in it: a sum of 1 - 1e-16 would cost n 1e-16 at distance n against P^n[u, ∗] = 1.
    O(distance V^3).
    """
    v = chain.vocab_size
    rows = np.concatenate([chain.transition, chain.initial[None]]).astype(np.longdouble)
    real = rows / rows.sum(axis=1, keepdims=True)
    step = real[:v]
    power = np.zeros((distance + 1, v + 1, v + 1))
    for s in range(1, distance + 1):
        power[s, :, :v] = real
        power[s, :, v] = 1.0
        real = real @ step
    return power


def adjacent_weights(power: Float[np.ndarray, "n_plus_1 U U"]) -> Float[np.ndarray, "n_plus_1 U U"]:
    """W_0: a gap without masked tokens is valid when its step is possible; any other gap is unfinished."""
    start = np.zeros_like(power)
    if len(power) > 1:
        start[1] = power[1] > 0
    return start


@dataclass(frozen=True)
class Mixing:
    """delta_D = max over u, x of |P^D[u, x] / pi(x) - 1| <= `delta`, D = `distance`; non-increasing in D."""

    distance: int
    delta: float


def mixing(chain: MarkovChain, square_root: float = 1e-8, limit: int = 2048) -> Mixing | None:
    """The first D = 2s with delta_s <= `square_root`, so that delta_D <= delta_s^2; None when 2s would pass `limit`.

    P^(2s) - 1 pi = (P^s - 1 pi)^2 entry by entry gives |P^(2s)[u, x] / pi(x) - 1| <= sum_y pi(y) delta_s delta_s. So a
    delta far below rounding is certified from one that is far above it. The row ∗ (the initial law) takes part:
    |initial P^(2s-1) / pi - 1| <= delta*_s delta_s by the same product. None also when no power of the chain is
    positive (periodic, reducible, transient tokens).
    """
    law = _positive_stationary_law(chain)
    if law is None:
        return None
    for s, delta in zip(range(1, limit // 2 + 1), _distances(chain, law), strict=False):
        if delta <= square_root:
            return Mixing(2 * s, delta**2)
    return None


def mixing_at(chain: MarkovChain, distance: int) -> Mixing | None:
    """The bound on delta_D at a given D, the smaller of delta_D and delta_(D//2)^2; None when it is not below one.

    >>> round(tm.chains.mixing_at(tm.MarkovChain([[0.75, 0.25], [0.25, 0.75]], 4), 2).delta, 9)  # (1/2)^2
    0.25
    """
    law = _positive_stationary_law(chain)
    if law is None:
        return None
    deltas = [delta for _, delta in zip(range(distance), _distances(chain, law), strict=False)]
    best = min(deltas[-1], deltas[distance // 2 - 1] ** 2 if distance > 1 else np.inf)
    return Mixing(distance, best) if best < 1.0 else None


def stationary_distances(chain: MarkovChain, count: int) -> Float[np.ndarray, " s"] | None:
    """Bounds on delta_1, .., delta_count, delta_s = max |P^s / pi - 1|; None when no power of the chain is positive.

    delta_s falls with s, so each bound is the smallest so far.
    """
    law = _positive_stationary_law(chain)
    if law is None:
        return None
    found = np.fromiter((delta for _, delta in zip(range(count), _distances(chain, law), strict=False)), float)
    return np.minimum.accumulate(found)


def _positive_stationary_law(chain: MarkovChain) -> Float[np.ndarray, " V"] | None:
    if len(recurrent_classes(chain.transition)) != 1:
        return None
    law = stationary_law(chain.transition)
    return law if (law > 0).all() else None


def _distances(chain: MarkovChain, law: Float[np.ndarray, " V"]) -> Iterator[float]:
    """delta_1, delta_2, .. with a margin for the rounding of P^s."""
    rows = np.concatenate([chain.transition, chain.initial[None]])
    while True:
        yield float(np.abs(rows / law - 1.0).max() + 1e-14 / law.min())
        rows = rows @ chain.transition
