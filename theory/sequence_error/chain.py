"""Exact sequence error of a Markov language, and the constant of its first-order law."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

import toy_models as tm
from toy_models.chains.recursion import sequence_error_table
from toy_models.targets.kernels.stationary import stationary_law

FORGOTTEN = 1e-12  # relative distance from the stationary law at which two tokens count as independent


@dataclass(frozen=True, eq=False)
class Chain:
    """Exact SER of a Markov language against N at several lengths, with its first-order constant."""

    language: str
    lengths: tuple[int, ...]
    steps: np.ndarray
    error: np.ndarray  # (lengths, steps)
    log_valid: np.ndarray  # (lengths, steps): log(1 - SER), finite where SER rounds to one
    kappa: float


def chain_curves(transition, language: str, lengths: tuple[int, ...], max_steps: int) -> Chain:
    chain = tm.MarkovChain(transition, lengths[0])
    table = sequence_error_table(chain, max_steps, lengths)
    steps = np.array([n for n in (1, 2, 4, 8, 16, 32, 64, 128, 256) if n <= max_steps])
    log_valid = table.log_valid.T[:, steps - 1]
    return Chain(language, lengths, steps, -np.expm1(log_valid), log_valid, first_order_constant(chain))


def first_order_constant(chain: tm.MarkovChain) -> float:
    """kappa = int_0^1 sum_d (1-a)^(d-1) E P(P^d(Y, Z) = 0) da, in SER = 1 - exp(-kappa L/N + O(L/N^2 + 1/N)).

    Y and Z are two tokens at distance d with only masks between them, drawn independently from their marginals given
    the nearest revealed tokens, at distances l and r that are geometric in the reveal fraction a.
    ValueError unless the chain is primitive.
    """
    return float(first_order_terms(chain).sum())


def first_order_terms(chain: tm.MarkovChain) -> Float[np.ndarray, " d"]:
    """The terms d = 1, 2, .. of kappa, up to the last distance that rules a pair out (at most (V-1)^2, Wielandt).

    The integral over a is closed: int a^2 (1-a)^(n-3) da = 2/((n-2)(n-1)n), n = l+d+r. Distances l, r >= D, where
    |P^D(u, x)/pi(x) - 1| <= 1e-12, count as D: a relative error of 4e-12 at most. O(D^2 V^4) for each d.
    """
    require_primitive(chain.transition)
    law = stationary_law(chain.transition)
    power = _powers_until_forgotten(chain.transition, law)
    far = len(power) - 1
    terms = []
    for d in range(1, far):
        clash = (power[d] == 0).astype(float)
        if not clash.any():
            break
        terms.append(_clash_rate(power, law, clash, d, far))
    return np.array(terms)


def require_primitive(transition: np.ndarray) -> None:
    """ValueError unless some power is positive; then P^((V-1)^2 + 1) is (Wielandt 1950), so that one decides."""
    size = len(transition)
    step, reached = (transition > 0).astype(np.int64), np.eye(size, dtype=np.int64)
    for _ in range((size - 1) ** 2 + 1):
        reached = np.minimum(reached @ step, 1)
    if not reached.all():
        raise ValueError("the transition matrix is not primitive: none of its powers is positive")


def _powers_until_forgotten(transition: np.ndarray, law: np.ndarray) -> Float[np.ndarray, "D_plus_1 V V"]:
    """P^0, .., P^D with D the first power within FORGOTTEN of the stationary law."""
    power = [np.eye(len(law))]
    while np.abs(power[-1] / law - 1).max() > FORGOTTEN:
        power.append(power[-1] @ transition)
    return np.array(power)


def _clash_rate(power: np.ndarray, law: np.ndarray, clash: np.ndarray, d: int, far: int) -> float:
    """sum over l, r of int a^2 (1-a)^(l+d+r-3) da times P(clash | nearest revealed tokens at distances l and r)."""
    right = np.arange(1, far + 1)
    later = np.minimum(d + right, far)  # beyond `far` every power is the stationary law
    total = 0.0
    for left in range(1, far + 1):
        n = left + d + right
        both = np.where(right < far, 2 / ((n - 2) * (n - 1) * n), 1 / ((n - 2) * (n - 1)))
        only = np.where(right < far, 1 / ((n - 2) * (n - 1)), 1 / (n - 2))  # l >= far: no factor a, no end
        weight = both if left < far else only
        whole = power[np.minimum(n, far)]
        scale = law[:, None] * np.divide(1.0, whole, out=np.zeros_like(whole), where=whole > 0)  # pi(u)/P^n(u, v)
        first = np.einsum("uy,ryv->ryuv", power[left], power[later])
        second = np.einsum("uz,rzv->rzuv", power[min(left + d, far)], power[right])
        total += float(np.einsum("r,ryuv,yz,rzuv,ruv->", weight, first, clash, second, scale, optimize=True))
    return total
