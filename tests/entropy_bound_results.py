"""Smoke results of the entropy-bound topic, computed once per test process."""

from functools import cache

import numpy as np

from theory import entropy_bound


@cache
def smoke_results() -> entropy_bound.Results:
    return entropy_bound.results("smoke", np.random.default_rng(0))
