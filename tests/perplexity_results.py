"""Smoke results of the perplexity topic, computed once per test process."""

from functools import cache

import numpy as np

from theory import perplexity


@cache
def smoke_results() -> perplexity.Results:
    return perplexity.results("smoke", np.random.default_rng(0))
