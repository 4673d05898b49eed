"""Smoke results of the medium topic, trained once per test process."""

from functools import cache

import numpy as np

from theory import medium


@cache
def smoke_results() -> medium.Results:
    return medium.results("smoke", np.random.default_rng(0), "cpu")
