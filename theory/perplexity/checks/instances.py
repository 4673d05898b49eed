"""Instances that several perplexity checks decide, and the library's value beside the exact one."""

from math import log

import numpy as np
from flint import fmpq, fmpq_mat

import toy_models as tm
from theory.perplexity.rays import ray_values
from toy_models import exact
from toy_models.quantities.trajectory_kl import curve_kl

AGREE = 1e-12  # relative; a sum of L terms of size one carries about L 1e-16


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


def library_agrees(rule, row: fmpq_mat) -> str:
    """The library's E_tau KL of a rule equals row . g on all step curves, so on every language of this length."""
    length = row.ncols()
    gaps = [
        abs(curve_kl((np.arange(length) < k).astype(float), rule) - _float(value))
        for k, value in enumerate(ray_values(row), start=1)
    ]
    return "PROVED" if max(gaps) <= AGREE * length else "REFUTED"


def _float(value: fmpq) -> float:
    return int(value.p) / int(value.q)


def written_law_agrees(pmf: np.ndarray, rule, written: np.ndarray) -> str:
    """The library's KL(q || p) and SER of a rule equal those of the rational law of the same sampler."""
    target = tm.Table(exact.to_float(pmf))
    kl = abs(tm.marginal_kl(target, rule) - float(exact.kl(pmf, written)))
    error = abs(tm.sequence_error(target, rule) - 1 + _float(exact.support_mass(pmf, written)))
    return "PROVED" if max(kl, error) <= AGREE * pmf.size else "REFUTED"
