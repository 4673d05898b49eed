"""Sequence error of independent reveal on a Markov chain at any length, with a proved error, at a cost without L.

Notation as in `level`: W_m(n, u, v) is the probability that a gap of distance n is filled validly in the last m
steps and R_m the level operator. The values of long gaps are replaced by a geometric tail,

    Ŵ_m(n) = R_m[Ŵ_(m-1)](n) for n <= T,    Ŵ_m(n) = lambda_m^(n-T) Ŵ_m(T) beyond.

**Theorem.** |ln W_m(n,u,v) - ln Ŵ_m(n,u,v)| <= eps_m (n-1) for all n, u, v, where eps_m = eps_(m-1) + eta_m is computed
along the way (eta_m is defined in step (iii)). Hence |ln(1-SER(L, m)) - ln Ŵ_m(L+1,∗,∗)| <= eps_m L for every L.

*Proof*, by induction on m. (i) R_m is a sum of products with non-negative coefficients, so it is monotone, and the
numbers of masked tokens of the sub-gaps in one product add up to at most n-1. So W_(m-1)(k) <= e^(eps (k-1)) Ŵ_(m-1)(k)
on every sub-gap gives R_m[W_(m-1)](n) <= e^(eps (n-1)) R_m[Ŵ_(m-1)](n), and the same from below. It remains to compare
G = R_m[Ŵ_(m-1)] with Ŵ_m. They agree for n <= T; for T < n <= n1 = 2D+T+1 the distance per token is
e(n) = max over u, v of |ln G(n)/Ŵ_m(n)| / (n-1).
(ii) For n >= n1 replace P^s by M_s = 1 pi for s > D in the bridge P^s[u,x] P^(n-s)[x,v] / P^n[u,v], giving G̃. With
delta >= delta_D = max |P^D/pi - 1| each bridge factor moves by at most delta3 = -2 ln(1-delta) + ln(1+delta), and a
term has at most n-1 of them: |ln G/G̃| <= delta3 (n-1). Beyond s = D the left factors F(s) then obey a recursion with
constant coefficients, F(s+1) = r pi∘[sum over t <= T of F(s+1-t) K(t) + kappa A(s)], A(s+1) = kappa A(s) + F(s+1-T)
K(T), with kappa = (1-r) lambda_(m-1) and A(s) = sum over s' <= s-T of F(s') kappa^(s-s'-T) K(T). That is f(s+1) = C
f(s) with a fixed non-negative matrix C and f(s) = (F(s-T+1), .., F(s), A(s)). If lambda_- f <= C f <= lambda_+ f holds
entry by entry at one s, applying C keeps it at all later s (the cone argument). It is read off at s = D+T. The last D
positions before v see f(n-D-1) through a non-negative linear functional that does not depend on n. So G̃(n+1)/G̃(n)
lies in [lambda_-, lambda_+] for n >= n1.
(iii) With l = max |ln(lambda_±/lambda_m)|: |ln G(n)/Ŵ_m(n)| <= e(n1)(n1-1) + (n-n1) l + 2 delta3 (n-1) for n > n1, so
eta_m = max( max over n of e(n), max(e(n1), l) + 2 delta3 ) serves all n. ∎

The initial law enters as the row ∗ of P^s, which takes part in delta; it need not be stationary. The theorem is in
exact arithmetic: rounding (all sums have non-negative terms) is not enclosed. Ours; it generalises the interval
recursion.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from tqdm import tqdm

from toy_models.chains.level import level_flops, no_reveal, scaled_level
from toy_models.chains.tables import Mixing, adjacent_weights, gap_powers
from toy_models.targets.markov import MarkovChain

PROGRESS_FLOPS = 1e11


@dataclass(frozen=True, eq=False)
class GeometricTail:
    """ln Ŵ_m(n, ∗, ∗): `log_head[n]` for n <= T, log_head[T] + (n-T) log_rate beyond; error <= epsilon (n-1).

    In the head the error is 0 up to the distance `exact` (None: the whole head), head_epsilon (n-1) beyond.
    """

    log_head: Float[np.ndarray, " T_plus_1"]
    log_rate: float
    epsilon: float
    exact: int | None = None
    head_epsilon: float = 0.0

    def log_valid(self, lengths: np.ndarray) -> Float[np.ndarray, " lengths"]:
        """ln(1 - SER(L)) at each length."""
        tail = len(self.log_head) - 1
        distance = lengths + 1
        beyond = np.maximum(distance - tail, 0)
        rate = np.where(beyond > 0, self.log_rate, 0.0)
        return self.log_head[np.minimum(distance, tail)] + beyond * rate

    def bound(self, lengths: np.ndarray) -> Float[np.ndarray, " lengths"]:
        """Error of `log_valid` in exact arithmetic; 0 where the exact head serves."""
        head = len(self.log_head) - 1
        per_token = np.where(lengths + 1 > head, self.epsilon, self.head_epsilon)
        return np.where(lengths + 1 > (head if self.exact is None else self.exact), per_token * lengths, 0.0)


def certified_distance(mix: Mixing, tail: int) -> int:
    """n1 = 2D + T + 1, the longest gap the sweep computes."""
    return 2 * mix.distance + tail + 1


def certified_levels(
    chain: MarkovChain, reveals: Sequence[float], mix: Mixing, tail: int | None = None
) -> Iterator[GeometricTail]:
    """The tail after m = 1, 2, .. remaining steps; reveals[m-1] > 0 is the reveal probability with m steps remaining.

    `tail` is T (default D; smaller values give an honest but wide bound). Cost per level: (n1^3 / 3) V^2 (V+1)^2 flops.

    >>> chain = tm.MarkovChain([[0.5, 0.5], [0.5, 0.5]], 4)
    >>> len(list(tm.chains.certified_levels(chain, [0.5, 1.0], tm.chains.mixing_at(chain, 2))))
    2
    """
    t = max(2, mix.distance if tail is None else tail)
    n1 = certified_distance(mix, t)
    power = gap_powers(chain, n1)
    n = np.arange(n1 + 1)
    head = adjacent_weights(power)[: t + 1]
    rate = log_scale = epsilon = 0.0
    quiet = len(reveals) * level_flops(n1, chain.vocab_size) < PROGRESS_FLOPS
    for r in tqdm(reveals, desc=f"gaps of distance <= {n1}", disable=quiet or None, leave=False):
        extended = np.concatenate([head, head[t] * (rate ** (n[t + 1 :] - t))[:, None, None]])
        value, kept, growth = scaled_level(power, no_reveal(extended, r), r)
        kappa = (1.0 - r) * rate * np.exp(-growth)
        log_scale += growth
        rate = float(np.exp(np.log(value[n1] / value[t]).mean() / (n1 - t)))
        epsilon += _step_error(value, kept, power, rate, kappa, r, mix, t, chain)
        head = value[: t + 1]
        with np.errstate(divide="ignore"):
            log_head = np.log(head[:, -1, -1]) + n[: t + 1] * log_scale
            yield GeometricTail(log_head, float(np.log(rate)) + log_scale, epsilon)


def _step_error(value, kept, power, rate, kappa, r, mix: Mixing, t: int, chain: MarkovChain) -> float:
    """eta_m of the theorem."""
    n1 = len(value) - 1
    n = np.arange(t + 1, n1 + 1)
    guess = value[t] * (rate ** (n - t))[:, None, None]
    distance = np.abs(np.log(value[t + 1 :] / guess)).max(axis=(1, 2)) / (n - 1)
    low, high = _forward_cone(kept, power, kappa, r, mix.distance, t, chain)
    cone = max(abs(np.log(low / rate)), abs(np.log(high / rate)))
    delta3 = np.log1p(mix.delta) - 2.0 * np.log1p(-mix.delta)
    return float(max(distance.max(), max(distance[-1], cone) + 2.0 * delta3))


def _forward_cone(kept, power, kappa, r, d: int, t: int, chain: MarkovChain) -> tuple[float, float]:
    """[lambda_-, lambda_+]: the range of f(s+1)/f(s) at s = D+T over all entries and all left values u.

    F(s, u, x) uses left factors only: P^s up to s = D, the stationary law beyond.
    """
    v = chain.vocab_size
    last = d + t + 1
    law = power[-1, 0, :v]  # P^n1, equal to the stationary law to within delta < 1e-15 of the certificate
    left = np.where((np.arange(last + 1) <= d)[:, None, None], power[: last + 1, :, :v], law)
    inside = kept[:, :v, :v]
    f = np.zeros((v + 1, last + 1, v))
    for s in range(1, last + 1):
        past = f[:, 1:s].reshape(v + 1, -1) @ inside[s - 1 : 0 : -1].reshape(-1, v)
        f[:, s] = r * left[s] * (kept[s, :, :v] + past)
    ratios = [f[:, d + 2 :] / f[:, d + 1 : -1]]
    if kappa > 0:
        jumps = [_far_jumps(f, kept, kappa, s, t) for s in (last - 1, last)]
        ratios.append(jumps[1] / jumps[0])
    return float(min(a.min() for a in ratios)), float(max(a.max() for a in ratios))


def _far_jumps(f, kept, kappa, s: int, t: int) -> Float[np.ndarray, "U U"]:
    """A(s)[u, v] = sum over s' <= s-T of F(s') kappa^(s-s'-T) K(T), the start s' = 0 included."""
    v = f.shape[2]
    source = np.arange(1, s - t + 1)
    weighted = (f[:, source] * (kappa ** (s - t - source))[None, :, None]).sum(axis=1)
    return weighted @ kept[t, :v] + kappa ** (s - t) * kept[t]
