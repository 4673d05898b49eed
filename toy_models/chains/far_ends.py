"""Sequence error of independent reveal to a stated tolerance: gaps whose ends are far apart split in the middle.

Notation as in `level`: K(n) = (1-r)^(n-1) W_(m-1)(n), R_m the level operator. Up to the distance T = 2c a level is
exact. Beyond it the two ends no longer feel each other. A token revealed at distance s from the left end u and t = n-s
from the right end v carries the bridge factor b = P^s[u,x] P^t[x,v] / P^n[u,v]; it is replaced by

    b~ = P^s[u,x]  for s <= c,      pi(x)  for s, t > c,      pi(x) P^t[x,v] / pi(v)  for t <= c,

and the sum over all sets of revealed tokens splits at c into matrix products that cost V^3 per pair of positions,
where the exact level costs V^2 (V+1)^2 for each of n positions more:

    F(0) = I,  F(s)[u,x] = r P^s[u,x]  (sum over s' < s of F(s') K(s-s'))[u,x],             s = 1..c,
    G(0) = I,  G(t)[x,v] = r b~(t)[x,v] (sum over t' < t of K(t-t') G(t'))[x,v],            t = 1, 2, ..,
    W~(n)    = sum over s <= c < s' of F(s) K(s'-s) G(n-s').

**Theorem.** Let delta_s = max |P^s/pi - 1|, rows of P and the initial law, lambda(s) = -ln(1 - delta_s), and let
Ŵ_m(n) = R_m[Ŵ_(m-1)](n) for n <= T, W~(n) for T < n <= n2, and rate^(n-n2) Ŵ_m(n2) beyond. Then
|ln W_m(n,u,v) - ln Ŵ_m(n,u,v)| <= eps_m (n-1), eps_m = eps_(m-1) + eta_m, for all n, u, v, with

    beta  = 2 sum over t > c of lambda(t) + max over n > T of (n-1) lambda(n),
    eta_m = max( (beta + max over n2 < n <= n1 of |ln W~(n)/Ŵ_m(n)|) / T, |ln rate_±/rate| ),

and eta_m = beta / T as long as only gaps n <= n2 matter (L < n2); gaps n <= T are exact.

*Proof*, by induction on m. (i) As in `certified_error`: R_m has non-negative coefficients and the masked tokens of the
parts of a product add up to at most n-1, so |ln R_m[W_(m-1)](n) / R_m[Ŵ_(m-1)](n)| <= eps_(m-1) (n-1). (ii) Let n > T.
For s <= c, b/b~ = P^t[x,v]/P^n[u,v] lies within e^±(lambda(t) + lambda(n)), t >= n-c; for t <= c within
e^±(lambda(s) + lambda(n)), s >= n-c; in between within e^±(lambda(s) + lambda(t) + lambda(n)). Each position occurs at
most once in a product, so all its factors together lie within e^±beta, and so does the sum: |ln R_m[Ŵ](n)/W~(n)| <=
beta. Zeros are kept: what is dropped is positive, as delta_(c+1) < 1. (iii) For t > c the recursion of G has constant
coefficients; with the values G(t-n2+1), .., G(t) and the sum B(t) = sum over t' <= t-n2 of kappa^(t-t'-n2) K(n2) G(t'),
kappa = (1-r) rate_(m-1), it reads f(t+1) = C f(t) with C >= 0. If rate_- f <= C f <= rate_+ f entry by entry at one t,
applying C keeps it at all later t, and W~(n) is a non-negative linear functional of f(n-c-1) that does not depend on
n. It is read off at t = n1-c-1, so W~(n+1)/W~(n) lies in [rate_-, rate_+] for n >= n1, and for n > n1 the distance to
Ŵ_m is at most beta + |ln W~(n1)/Ŵ_m(n1)| + (n-n1) |ln rate_±/rate|, with n-1 >= T + (n-n1). ∎

The sum over t > c is cut by delta_(s+t) <= delta_s delta_t. The theorem is in exact arithmetic: rounding (all sums have
non-negative terms) is not enclosed. Ours.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from toy_models.chains.certified_error import GeometricTail
from toy_models.chains.level import apply_level, no_reveal
from toy_models.chains.tables import adjacent_weights, gap_powers, stationary_distances
from toy_models.errors import IntractableError
from toy_models.targets.markov import MarkovChain, stationary_law

LARGEST_DELTA = 0.5  # of delta_(c+1), so that the sum over far positions converges fast
MAX_CUT = 256
SMALLEST = 1e-250


@dataclass(frozen=True)
class FarEnds:
    """cut = c and beta, the error of one level on one gap of distance > 2c.

    >>> tm.chains.far_split(tm.MarkovChain([[0.5, 0.5], [0.5, 0.5]], 4), 1e-6).cut  # independent tokens
    1
    """

    cut: int
    beta: float


def far_split(chain: MarkovChain, wanted: float, limit: int = MAX_CUT) -> FarEnds | None:
    """The smallest c with beta / (2c) <= `wanted`; None when c would pass `limit` or no power of P is positive.

    >>> found = tm.chains.far_split(tm.MarkovChain([[0.75, 0.25], [0.25, 0.75]], 4), 1e-6)
    >>> found.cut, found.beta / (2 * found.cut) <= 1e-6
    (16, True)
    """
    deltas = stationary_distances(chain, 4 * (limit + 1))
    if deltas is None:
        return None
    for c in range(1, limit + 1):
        beta = _beta(deltas, c)
        if beta <= wanted * 2 * c:
            return FarEnds(c, beta)
    return None


def _beta(deltas: Float[np.ndarray, " s"], c: int) -> float:
    """beta of the theorem; deltas[s-1] >= delta_s. inf where delta_(c+1) > LARGEST_DELTA.

    With q = delta_(c+1): delta_(t + (c+1) j) <= delta_t q^j gives the infinite sum, and (n-1) delta_n <= 5 (c+1) q^4
    for n >= 4 (c+1).
    """
    q = float(deltas[c])
    if q > LARGEST_DELTA:
        return np.inf
    far = float(deltas[c : 2 * c + 1].sum()) / (1.0 - q) ** 2
    n = np.arange(2 * c + 1, 4 * (c + 1))
    ends = max(float(((n - 1) * deltas[n - 1]).max()), 5.0 * (c + 1) * q**4) / (1.0 - q)
    return 2.0 * far + ends


def split_levels(
    chain: MarkovChain, reveals: Sequence[float], ends: FarEnds, reach: int, tail: bool = True
) -> Iterator[GeometricTail]:
    """Ŵ after m = 1, 2, .. remaining steps: exact to T = 2c, split to n2 = `reach`, with `tail` geometric beyond.

    Without `tail` nothing is said beyond `reach`. Cost per level: the exact one at T, and (reach + 3c)^2 V^3 flops.

    >>> chain = tm.MarkovChain([[0.75, 0.25], [0.25, 0.75]], 4)
    >>> len(list(tm.chains.split_levels(chain, [0.5, 1.0], tm.chains.far_split(chain, 1e-3), 40)))
    2
    """
    c = ends.cut
    exact = 2 * c
    reach = max(reach, exact + 1)
    last = reach + 3 * c + 1 if tail else reach
    power = gap_powers(chain, exact)
    law = stationary_law(chain.transition)
    n = np.arange(last + 1)
    head = np.zeros((reach + 1, *power.shape[1:]))
    head[: exact + 1] = adjacent_weights(power)
    rate = near = epsilon = 0.0
    for r in reveals:
        far = head[reach] * (rate ** (n[reach + 1 :] - reach))[:, None, None]
        kept = no_reveal(np.concatenate([head, far]), r)
        split, right = _split(power, kept, law, r, c)
        head = np.concatenate([apply_level(power, kept[: exact + 1], r), split[exact + 1 : reach + 1]])
        _require_range(head[exact:])
        near += ends.beta / exact
        if tail:
            kappa = (1.0 - r) * rate
            rate = float(np.exp(np.log(split[last] / head[reach]).mean() / (last - reach)))
            guess = head[reach] * (rate ** (n[reach + 1 :] - reach))[:, None, None]
            moved = float(np.abs(np.log(split[reach + 1 :] / guess)).max())
            low, high = _cone(right, kept, kappa, reach)
            epsilon += max((ends.beta + moved) / exact, abs(np.log(low / rate)), abs(np.log(high / rate)))
        with np.errstate(divide="ignore"):
            yield GeometricTail(np.log(head[:, -1, -1]), float(np.log(rate)) if tail else 0.0, epsilon, exact, near)


def _split(power, kept, law, r: float, c: int):
    """(W~(n) for n = 0..last, entries up to 2c unused; G(t) for t = 0..last-c)."""
    last, wide = len(kept) - 1, kept.shape[1]
    v = wide - 1
    side_by_side = np.ascontiguousarray(kept.transpose(1, 0, 2)).reshape(wide, -1)
    left = np.zeros((wide, c + 1, wide))  # block i holds F(c-i)
    left[:, c] = np.eye(wide)
    for s in range(1, c + 1):
        past = left[:, c - s + 1 :].reshape(wide, -1) @ kept[1 : s + 1].reshape(-1, wide)
        left[:, c - s, :v] = r * power[s, :, :v] * past[:, :v]
    count = last - c
    right = np.zeros((count + 1, wide, wide))  # entry i holds G(count-i)
    right[count] = np.eye(wide)
    bridge = np.repeat(law[:, None], wide, axis=1)
    for t in range(1, count + 1):
        past = side_by_side[:v, wide : (t + 1) * wide] @ right[count - t + 1 :].reshape(-1, wide)
        factor = bridge
        if t <= c:
            factor = bridge * np.concatenate([power[t, :v, :v] / law, np.ones((v, 1))], axis=1)
        right[count - t, :v] = r * factor * past
    flat = left.reshape(wide, -1)
    across = np.zeros((wide, last + 1, wide))  # A(s') = sum over s <= c of F(s) K(s'-s)
    for s in range(c + 1, last + 1):
        across[:, s] = flat @ kept[s - c : s + 1].reshape(-1, wide)
    value = np.zeros_like(kept)
    for n in range(2 * c + 1, last + 1):
        ends = right[count - n + c + 1 :].reshape(-1, wide)
        value[n] = across[:, c + 1 : n + 1].reshape(wide, -1) @ ends
    return value, right[::-1]


def _cone(right, kept, kappa: float, reach: int) -> tuple[float, float]:
    """[rate_-, rate_+]: the range of f(t+1)/f(t) at t+1 = the last one of G."""
    t = len(right) - 2
    v = right.shape[1] - 1
    ratios = [right[t - reach + 2 :, :v] / right[t - reach + 1 : -1, :v]]
    if kappa > 0:
        sums = []
        for s in (t, t + 1):
            age = s - reach - np.arange(s - reach + 1)
            older = (right[: s - reach + 1] * (kappa**age)[:, None, None]).sum(axis=0)
            sums.append(kept[reach, :v] @ older)
        ratios.append(sums[1] / sums[0])
    return float(min(a.min() for a in ratios)), float(max(a.max() for a in ratios))


def _require_range(values) -> None:
    if values.min() < SMALLEST:
        raise IntractableError(
            "sequence error of independent reveal to a tolerance",
            f"a gap value of {values.min():.1g}",
            f"{SMALLEST:g}",
            'use method="exact" or "certified"',
        )
