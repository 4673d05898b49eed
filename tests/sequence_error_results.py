"""Smoke results of the sequence-error topic, computed once per test process."""

from functools import cache

import numpy as np

from theory import sequence_error


@cache
def smoke_results() -> sequence_error.Results:
    return sequence_error.results("smoke", np.random.default_rng(0))
