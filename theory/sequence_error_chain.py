"""Exact sequence error of a Markov language, and the constant of its first-order law."""

from dataclasses import dataclass

import numpy as np

import toy_models as tm
from toy_models.gaps.recursion import sequence_error_table


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


def first_order_constant(chain: tm.MarkovChain, reach: int = 80, nodes: int = 200) -> float:
    """kappa in SER = 1 - exp(-kappa L/N (1 + o(1))): int_0^1 of the chance that two tokens of one step clash.

    Two tokens at distance d with only masks between them, both drawn from their marginals given the nearest revealed
    tokens at distances l and r, geometric in the reveal fraction a; they clash when P^d rules the pair out. Distances
    beyond `reach` count as `reach`, where the chain has forgotten.
    """
    power = [np.eye(chain.vocab_size)]
    for _ in range(2 * reach + chain.vocab_size + 1):
        power.append(power[-1] @ chain.transition)
    x, weight = np.polynomial.legendre.leggauss(nodes)
    a, weight = (1 + x) / 2, weight / 2
    distance = np.arange(1, reach + 1)
    chance = a * (1 - a) ** (distance[:, None] - 1)
    chance[-1] = (1 - a) ** (reach - 1)
    kappa = 0.0
    for d in range(1, chain.vocab_size + 1):
        clash = power[d] == 0
        if not clash.any():
            break
        pair_weight = np.einsum("la,ra,a->lr", chance, chance, weight * (1 - a) ** (d - 1))
        for l in range(1, reach + 1):
            for r in range(1, reach + 1):
                joint = chain.initial[:, None] * power[l + d + r]
                with np.errstate(invalid="ignore", divide="ignore"):
                    first = power[l][:, :, None] * power[d + r][None] / power[l + d + r][:, None, :]
                    second = power[l + d][:, :, None] * power[r][None] / power[l + d + r][:, None, :]
                first, second = np.nan_to_num(first), np.nan_to_num(second)
                kappa += pair_weight[l - 1, r - 1] * np.einsum("uyv,uzv,yz,uv->", first, second, clash, joint)
    return float(kappa)
