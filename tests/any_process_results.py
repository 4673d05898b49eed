"""Smoke results of the any-process topic, computed once per test process."""

from functools import cache

import numpy as np

from theory import any_process


@cache
def smoke() -> any_process.Results:
    return any_process.results("smoke", np.random.default_rng(0))
