"""Instances that several sequence-error checks decide."""

import numpy as np
from flint import fmpq

from toy_models.exact import LogSum


def minus_log(value: fmpq) -> LogSum:
    return LogSum([(value, fmpq(-1))])


def rational_pairs(K: int, length: int) -> np.ndarray:
    block = np.full((2 * K, 2 * K), fmpq(0), dtype=object)
    for s in range(K):
        block[s, K + s] = fmpq(1, K)
    pmf = block
    for _ in range(length // 2 - 1):
        pmf = np.multiply.outer(pmf, block)
    return pmf
