"""Instances that several perplexity checks decide."""

from math import log

import numpy as np
from flint import fmpq

import toy_models as tm


def rational_repetition(K: int, length: int) -> np.ndarray:
    pmf = np.full((K,) * length, fmpq(0), dtype=object)
    for v in range(K):
        pmf[(v,) * length] = fmpq(1, K)
    return pmf


def families(length: int) -> dict[str, np.ndarray]:
    """Information curves g of five languages."""
    return {
        "pairs": tm.information_curve(tm.pairs(4, length)),
        "repetition": tm.information_curve(tm.repetition(4, length)),
        "parity": np.where(np.arange(length) < length - 1, log(2), 0.0),
        "MDS": np.where(np.arange(length) < length // 2, log(5), 0.0),
        "chain": tm.information_curve(tm.MarkovChain([[0.9, 0.1], [0.1, 0.9]], length)),
    }


def tc_dtc(g: np.ndarray) -> tuple[float, float]:
    return float(len(g) * g[0] - g.sum()), float(g.sum() - len(g) * g[-1])
