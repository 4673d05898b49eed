"""Block length at a fixed number of calls: blocks from left to right, the same number of tokens in each call."""

from dataclasses import dataclass

import numpy as np

import toy_models as tm


@dataclass(frozen=True, eq=False)
class Blocks:
    """KL(q || p) against the block length, one line for each rule and number of tokens per call."""

    language: str
    length: int
    block: np.ndarray
    drawn: dict[int, np.ndarray]  # tokens per call -> KL; nan where a block has fewer tokens
    marginal: dict[int, np.ndarray]


def blocks(language: str, target: tm.Target, per_call: tuple[int, ...] = (1, 2)) -> Blocks:
    """Block lengths 1, 2, 4, .. L."""
    length = target.length
    sizes = np.array([b for b in (1, 2, 4, 8, 16) if b <= length])
    drawn, marginal = {}, {}
    for k in per_call:
        drawn[k] = np.array([_kl(target, tm.DrawnConfidence(k, block=int(b))) if b >= k else np.nan for b in sizes])
        rules = [tm.SemiAutoregressive(int(b), tm.TopK(k)) for b in sizes]
        marginal[k] = np.array([_kl(target, r) if b >= k else np.nan for r, b in zip(rules, sizes, strict=True)])
    return Blocks(language, length, sizes, drawn, marginal)


def _kl(target: tm.Target, rule: tm.Rule) -> float:
    return max(float(tm.marginal_kl(target, rule)), 0.0)


def instances(length: int = 8) -> tuple[Blocks, ...]:
    return (
        blocks("coins (.9, .1)", tm.MarkovChain([[0.9, 0.1], [0.9, 0.1]], length)),
        blocks("chain (.7,.3),(.2,.8)", tm.MarkovChain([[0.7, 0.3], [0.2, 0.8]], length)),
        blocks("slow chain (.97,.03),(.02,.98)", tm.MarkovChain([[0.97, 0.03], [0.02, 0.98]], length)),
    )
