"""Nested code blocks: curve, marginal KL and the growth of its constant, against enumeration."""

from itertools import product
from math import factorial, log, prod

import numpy as np
import pytest

import toy_models as tm
from toy_models.targets.block_codes import code_block_kl


def code_block_curve(m: int, K: int) -> np.ndarray:
    """g(k) = (m - 1 - k) log K for k = 0..m-1, nats per token."""
    return (m - 1 - np.arange(m)) * log(K)


def slow_kl(m, K, steps):
    """-log sum over step counts of the multinomial probability times K^-(sum s (s-1)/2)."""
    total = 0.0
    for s in product(range(m + 1), repeat=steps):
        if sum(s) == m:
            weight = factorial(m) / prod(factorial(v) for v in s) / steps**m
            total += weight * K ** -(sum(v * (v - 1) for v in s) / 2)
    return -log(total)


@pytest.mark.parametrize(("m", "K", "steps"), [(2, 2, 1), (2, 5, 3), (3, 2, 2), (4, 3, 3), (6, 5, 4)])
def test_marginal_kl_by_enumeration(m, K, steps):
    assert code_block_kl(m, K, steps) == pytest.approx(slow_kl(m, K, steps), abs=1e-13)


@pytest.mark.parametrize("steps", [1, 2, 3, 5])
def test_against_the_law_of_an_explicit_block(steps):
    """m = 2: one uniform symbol of F_K written twice. m = 3, K = 2: (repetition, even parity) of length 3."""
    rule = tm.IndependentReveal(np.full(steps, 1 / steps))
    assert code_block_kl(2, 3, steps) == pytest.approx(tm.marginal_kl(tm.repetition(3, 2), rule), abs=1e-13)
    pmf = np.zeros((4,) * 3)
    for r, a, b in product((0, 1), repeat=3):
        pmf[tuple(2 * r + c for c in (a, b, a ^ b))] = 1 / 8
    block = tm.Table(pmf)
    assert code_block_kl(3, 2, steps) == pytest.approx(tm.marginal_kl(block, rule), abs=1e-13)
    np.testing.assert_allclose(code_block_curve(3, 2), tm.information_curve(block), atol=1e-14)


def test_one_step_costs_the_total_correlation():
    for m, K in ((2, 3), (5, 4), (40, 41)):
        g = code_block_curve(m, K)
        assert code_block_kl(m, K, 1) == pytest.approx(m * g[0] - g.sum(), rel=1e-12)


def test_the_constant_grows_towards_one_half():
    """N KL / (m log V) at N = 8 rises with the block, as no bound free of |V| allows, and stays below 1/2."""
    ratio = [8 * code_block_kl(m, K, 8) / (m * (m - 1) * log(K)) for m, K in ((8, 7), (32, 32), (128, 128))]
    assert ratio == sorted(ratio)
    assert 0.45 < ratio[-1] < 0.5


def test_many_steps_do_not_underflow():
    assert 0 < code_block_kl(256, 257, 10**6) < 256 * 255 * log(257) / 2 / 10**6


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: code_block_kl(1, 3, 2), "m = 1, it must be an integer >= 2"),
        (lambda: code_block_kl(3, 3, 0), "steps = 0, it must be an integer >= 1"),
    ],
)
def test_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
