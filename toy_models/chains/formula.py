"""The information curve of a Markov chain at any length, as a linear functional of I(X_l; X_r).

Given the revealed tokens, a position of a Markov chain sees only its nearest revealed neighbours l < i < r, and

    H(X_i | X_l, X_r) = H(X_i) - J(l, i) - J(i, r) + J(l, r),      J(l, r) = I(X_l; X_r),

where a missing neighbour has J = 0. Let C(d) = sum over l of J(l, l + d). Summed over all positions i,

    L g(k) = sum_i H(X_i) - sum_d C(d) [2 u_k(d) - (d - 1) v_k(d)],
    u_k(d) = binom(L-1-d, k-1) / binom(L-1, k)   (one given token at distance d revealed, the d - 1 between masked),
    v_k(d) = binom(L-1-d, k-2) / binom(L-1, k)   (two given tokens at distance d revealed, the d - 2 others masked),

for k revealed tokens out of L - 1. Independent reveal with probability a replaces u by a (1-a)^(d-1) and v by
a^2 (1-a)^(d-2). For a stationary chain C(d) = (L - d) c(d), c(d) = H(pi) - H(X_d | X_0), and nothing else depends on L.

Truncation is at rounding level only. J(l, r) falls with r (data processing), so distances with J below 1e-19 are left
out; for each k, so are distances at which the nearest revealed tokens lie with probability below 1e-19. The mutual
information is summed as (1+e) log(1+e) - e, e the relative deviation of the transition law, which has no cancellation.

Source: the stationary identity H = eta(d1) + eta(d2) - eta(d1+d2), eta(d) = H(X_d | X_0), in the setting of Feng et al.
2025 (arXiv 2502.09622).
"""

import math

import numpy as np
from jaxtyping import Float

from toy_models.errors import IntractableError
from toy_models.kernel import kernel
from toy_models.quantities.entropy import entropy_of_rows
from toy_models.targets.markov import MarkovChain, stationary_law
from toy_models.validation import positive_int

MAX_REACH = 10**7  # distances for which c(d) is followed
NEGLIGIBLE = 1e-19  # information, or probability, below which a term cannot change a float64 sum of order one
MAX_WORK = 2 * 10**10  # multiplications for C(d)


def chain_information_curve(chain: MarkovChain) -> Float[np.ndarray, " L"]:
    """g[k] = (1/L) sum_i E H(X_i | X_S), S a uniform k-subset of the other positions, k = 0..L-1, in nats per token.

    Any Markov chain, stationary or not. Cost O(D V^3 + L min(D, log L)), D the mixing length, when it is stationary;
    O(L D V^2) more when not. Error: a few 1e-16 (1 + log V), plus d * 1e-16 * I(X_0; X_d) if the chain never mixes.

    >>> (tm.chains.chain_information_curve(tm.repetition(2, 3)) / np.log(2)).round(12).tolist()
    [1.0, 0.0, 0.0]
    """
    length = chain.length
    mean_entropy, information = _pair_information(chain)
    loss = subset_functional(information, length)
    return mean_entropy - loss / length


def chain_reveal_curve(
    transition: Float[np.ndarray, "V V"],
    initial: Float[np.ndarray, " V"] | None,
    a,
    length: int | float = math.inf,
) -> Float[np.ndarray, "..."]:
    """h(a) = (1/L) sum_i E H(X_i | each other token revealed with probability a), nats per token; L may be math.inf.

    `initial=None` is the stationary law; at L = inf the initial law is ignored unless it is stationary itself. `a` is a
    number or an array in [0, 1]. Same cost and error as `chain_information_curve`, without the Bernstein sum over k.

    >>> h = tm.chains.chain_reveal_curve(np.eye(2), np.array([0.5, 0.5]), 0.5, length=3)
    >>> round(float(h / np.log(2)), 12)  # (1 - a)^2
    0.25
    """
    a = reveal_fractions(a)
    length = curve_length(length)
    probe = MarkovChain(transition, length if isinstance(length, int) else 2, initial)
    if length == math.inf and not probe.is_stationary:
        probe = MarkovChain(transition, 2, stationary_law(probe.transition))
    if length != math.inf:
        mean_entropy, information = _pair_information(probe)
        information = information / length
    else:
        positive = a[a > 0]
        reach = math.ceil(60.0 / positive.min()) if positive.size else 1
        mean_entropy = float(entropy_of_rows(probe.initial[None])[0])
        information = _stationary_information(probe.transition, probe.initial, min(reach, MAX_REACH))
        if reach > MAX_REACH and information[-1] > NEGLIGIBLE:
            raise IntractableError(
                "the reveal curve of a chain that does not mix",
                f"a = {positive.min():.3g}, hence neighbours at distance {reach}",
                f"distance <= {MAX_REACH}",
                "take a = 0 or a larger a",
            )
    d = np.arange(1, len(information) + 1)
    loss = [_bernoulli_loss(information, d, value) for value in a.ravel()]
    return np.asarray(mean_entropy - np.array(loss).reshape(a.shape))


def reveal_fractions(a) -> Float[np.ndarray, "..."]:
    """`a` as float64, every entry in [0, 1]."""
    a = np.asarray(a, dtype=np.float64)
    wrong = ~((a >= 0) & (a <= 1))
    if wrong.any():
        index = tuple(int(k) for k in np.argwhere(wrong)[0])
        raise ValueError(f"a{list(index) if index else ''} = {a[index]}, a reveal fraction must lie in [0, 1]")
    return a


def curve_length(length) -> int | float:
    """`length` as a positive integer, or math.inf."""
    return math.inf if length == math.inf else positive_int("length", length)


def _bernoulli_loss(information, d, a: float) -> float:
    """sum over d of C(d) [2 a (1-a)^(d-1) - (d-1) a^2 (1-a)^(d-2)]."""
    one = a * (1 - a) ** (d - 1)
    two = (d - 1) * a * a * (1 - a) ** np.maximum(d - 2, 0)
    return float(information @ (2 * one - two))


def _subset_functional(information, length, cutoff):
    """loss[k] = sum over d of information[d-1] (2 u_k(d) - (d-1) v_k(d)); loss[0] = 0."""
    loss = np.zeros(length)
    free = length - 1
    for k in range(1, length):
        u = k / free
        v = 0.0 if free == 1 else k * (k - 1) / (free * (free - 1.0))
        unseen = 1.0
        total = 0.0
        for d in range(1, len(information) + 1):
            total += 2.0 * information[d - 1] * u
            if d > 1:
                total -= (d - 1) * information[d - 1] * v
                if free > d:
                    v *= (free - d - (k - 2)) / (free - d)
            if free > d:
                u *= (free - d - (k - 1)) / (free - d)
            if (d + 2) * unseen < cutoff:  # unseen = P(d - 1 given tokens are all masked); bounds both tails
                break
            unseen *= (free - d + 1 - k) / (free - d + 1.0)
        loss[k] = total
    return loss


subset_kernel = kernel(_subset_functional)


def subset_functional(information: Float[np.ndarray, " D"], length: int) -> Float[np.ndarray, " L"]:
    """sum over d of C(d) (2 u_k(d) - (d-1) v_k(d)) for every k; C = information, zero beyond its end."""
    return subset_kernel(np.ascontiguousarray(information), length, NEGLIGIBLE)


def _pair_information(chain: MarkovChain) -> tuple[float, np.ndarray]:
    """(1/L) sum_i H(X_i) and C(d) for d = 1..D, D the last distance that counts."""
    length = chain.length
    if chain.is_stationary:
        c = _stationary_information(chain.transition, chain.initial, length - 1)
        d = np.arange(1, len(c) + 1)
        return float(entropy_of_rows(chain.initial[None])[0]), (length - d) * c
    return _driven_information(chain)


def _stationary_information(transition, law, reach: int) -> np.ndarray:
    """c(d) = I(X_0; X_d), d = 1..reach, cut where it is negligible; constant once it has stopped falling.

    c is non-increasing. When c(D) equals c at `reach` to rounding, all values between are that constant; so a periodic
    or reducible chain, whose c has a positive limit, costs no more than a mixing one.
    """
    members = np.flatnonzero(law > 0)
    law = law[members]
    deviation = transition[np.ix_(members, members)] - law
    step, power, values = deviation, deviation, []
    horizon = _information(law, np.linalg.matrix_power(transition[np.ix_(members, members)], max(reach, 1)) - law)
    for d in range(1, reach + 1):
        values.append(_information(law, power))
        if values[-1] < NEGLIGIBLE:
            break
        if horizon > 1e-12 and values[-1] - horizon <= 4e-16:
            values.extend([horizon] * (reach - d))
            break
        power = power @ step
    return np.array(values)


def _information(law, deviation) -> float:
    """sum over u, x of law(u) law(x) f(e), f(e) = (1+e) log(1+e) - e, e = deviation / law(x) >= -1."""
    e = np.maximum(deviation / law, -1.0)
    return float(law @ _relative_entropy_density(e) @ law)


def _relative_entropy_density(e):
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # e of 1e300 is not small
        full = np.where(e > -1.0, (1.0 + e) * np.log1p(e) - e, 1.0)
        small = e * e * (1 / 2 - e * (1 / 6 - e * (1 / 12 - e * (1 / 20 - e * (1 / 30 - e / 42)))))
    return np.where(np.abs(e) < 3e-3, small, full)


def _driven_information(chain: MarkovChain) -> tuple[float, np.ndarray]:
    """The same for any initial law: C(d) = sum over l of I(X_l; X_{l+d}), stopping at the first negligible distance."""
    length, size = chain.length, chain.vocab_size
    laws = np.empty((length, size))
    laws[0] = chain.initial
    for i in range(1, length):
        laws[i] = laws[i - 1] @ chain.transition
    mean_entropy = float(entropy_of_rows(laws).mean())
    power, information, work = np.eye(size), [], 0
    for d in range(1, length):
        power = power @ chain.transition
        left, right = laws[:-d], laws[d:]
        work += len(left) * size * size
        if work > MAX_WORK:
            raise IntractableError(
                "the information curve of a chain that starts off its stationary law",
                f"L = {length}, V = {size}, more than {d} distances",
                f"L D V^2 <= {MAX_WORK}, D the mixing length",
                "shorten the sequence or start from the stationary law",
            )
        information.append(_joint_information(left, power, right))
        if information[-1] < NEGLIGIBLE * len(left):
            break
    return mean_entropy, np.array(information)


def _joint_information(left, power, right, chunk: int = 4096) -> float:
    """sum over rows l, u, x of left[l,u] power[u,x] log(power[u,x] / right[l,x])."""
    total = 0.0
    for start in range(0, len(left), chunk):
        p, q = left[start : start + chunk], right[start : start + chunk]
        safe = np.where(q > 0, q, 1.0)[:, None, :]
        e = np.where(q[:, None, :] > 0, (power - q[:, None, :]) / safe, 0.0)
        total += float(np.einsum("lu,lux,lx->", p, _relative_entropy_density(np.maximum(e, -1.0)), q))
    return total
