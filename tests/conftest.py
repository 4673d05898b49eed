"""Shared instances. jaxtyping + beartype check every annotated shape of toy_models while the tests run."""

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("MPLBACKEND", "agg")
settings.register_profile("suite", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")

CHAIN_A = [[0.7, 0.3, 0.0], [0.0, 0.6, 0.4], [0.5, 0.0, 0.5]]
HMM_B = ([1 / 3, 2 / 3], [[0.8, 0.2], [0.1, 0.9]], [[0.7, 0.3, 0.0], [0.0, 0.25, 0.75]])


@pytest.fixture
def rng():
    return np.random.default_rng(20250211)


@pytest.fixture
def chain_a():
    import toy_models as tm

    return tm.MarkovChain(CHAIN_A, 6)


@pytest.fixture
def hmm_b():
    import toy_models as tm

    return tm.HMM(*HMM_B, 6)
