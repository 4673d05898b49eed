"""Smoke results of the variance topic, computed once per test process."""

from functools import cache

import numpy as np

from theory import variance


@cache
def smoke_results() -> variance.Results:
    return variance.results("smoke", np.random.default_rng(0))
