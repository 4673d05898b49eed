"""Sampled quantities: intervals that hold the exact value and reject a neighbour, at 1 - 1e-6."""

import re

import numpy as np
import pytest

import toy_models as tm
from toy_models.quantities.estimates import estimate_generative_cross_entropy

CHAIN_A = [[0.7, 0.3, 0.0], [0.0, 0.6, 0.4], [0.5, 0.0, 0.5]]
SURE = 1 - 1e-6


def uniform(steps):
    return tm.IndependentReveal(np.full(steps, 1 / steps))


@pytest.mark.parametrize(
    ("rule", "neighbour"),
    [
        (uniform(4), uniform(5)),
        (tm.ShiftedReveal(5), tm.ShiftedReveal(6)),
        (tm.RandomOrder((8, 8, 8, 8)), tm.RandomOrder((2, 8, 10, 12))),
    ],
    ids=["independent", "shifted", "random order"],
)
def test_trajectory_kl(rule, neighbour):
    chain = tm.MarkovChain(CHAIN_A, 32)
    found = tm.quantities.estimate_trajectory_kl(chain, rule, 2000, np.random.default_rng(1), confidence=SURE)
    assert found.low < tm.trajectory_kl(chain, rule) < found.high
    assert not found.low < tm.trajectory_kl(chain, neighbour) < found.high
    assert found.confidence == SURE


def test_trajectory_kl_of_a_fixed_order():
    chain, rule = tm.MarkovChain(CHAIN_A, 7), tm.FixedOrder(((0, 3, 6), (1, 2, 4, 5)))
    found = tm.quantities.estimate_trajectory_kl(chain, rule, 4000, np.random.default_rng(2), confidence=SURE)
    assert found.low < tm.trajectory_kl(chain, rule) < found.high
    assert not found.low < tm.trajectory_kl(chain, tm.FixedOrder(((0, 2, 6), (1, 3, 4, 5)))) < found.high


def test_known_entropy_only_shifts():
    chain = tm.MarkovChain(CHAIN_A, 8)
    plain = tm.quantities.estimate_trajectory_kl(chain, uniform(2), 50, np.random.default_rng(3))
    shifted = tm.quantities.estimate_trajectory_kl(
        chain, uniform(2), 50, np.random.default_rng(3), entropy=chain.entropy() - 1
    )
    assert float(shifted.value - plain.value) == pytest.approx(1.0, abs=1e-12)


def test_uniform_kl_for_several_steps_at_once():
    chain, steps = tm.MarkovChain(CHAIN_A, 32), [1, 2, 4, 8]
    found = tm.quantities.estimate_uniform_kl(chain, steps, 1500, np.random.default_rng(4), confidence=SURE)
    assert found.value[0] == pytest.approx(tm.total_correlation(chain), abs=1e-10)  # one step leaves nothing to chance
    for k, n in list(enumerate(steps))[1:]:
        assert found.low[k] < tm.trajectory_kl(chain, uniform(n)) < found.high[k]
        assert not found.low[k] < tm.trajectory_kl(chain, uniform(2 * n)) < found.high[k]


def test_uniform_kl_control_variate_and_wrong_entropy():
    """The interval misses when the known entropy is wrong by 6%."""
    chain = tm.MarkovChain(CHAIN_A, 32)
    wrong = tm.quantities.estimate_uniform_kl(
        chain, [4], 1500, np.random.default_rng(5), confidence=SURE, entropy=1.06 * chain.entropy()
    )
    assert not wrong.low[0] < tm.trajectory_kl(chain, uniform(4)) < wrong.high[0]


def test_generative_cross_entropy():
    chain = tm.MarkovChain([[0.85, 0.1, 0.05], [0.05, 0.85, 0.1], [0.1, 0.05, 0.85]], 5)
    rng = np.random.default_rng(6)
    found = estimate_generative_cross_entropy(chain, uniform(3), 20_000, rng, SURE)
    assert found.low < tm.generative_cross_entropy(chain, uniform(3)) < found.high
    assert not found.low < tm.generative_cross_entropy(chain, uniform(4)) < found.high
    sharp = tm.Tempered(chain, 1.5)
    other = estimate_generative_cross_entropy(chain, uniform(3), 20_000, rng, SURE, denoiser=sharp)
    assert other.low < tm.generative_cross_entropy(chain, uniform(3), sharp) < other.high < found.low


def test_generative_cross_entropy_off_the_support():
    """Impossible runs, or one written sequence outside the language: inf, as the exact value is."""
    chain = tm.MarkovChain(CHAIN_A, 6)
    assert tm.generative_cross_entropy(chain, uniform(2)) == np.inf
    for rule in (uniform(2), uniform(1)):
        found = estimate_generative_cross_entropy(chain, rule, 500, np.random.default_rng(7))
        assert (found.value, found.low, found.high) == (np.inf, np.inf, np.inf)


CHAIN = tm.MarkovChain(CHAIN_A, 4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda rng: tm.quantities.estimate_trajectory_kl(CHAIN, tm.TopK(1), 10, rng),
            "is adaptive, it must be content-free",
        ),
        (
            lambda rng: tm.quantities.estimate_trajectory_kl(CHAIN, uniform(2), 1, rng),
            "size = 1, it must be an integer >= 2",
        ),
        (
            lambda rng: tm.quantities.estimate_trajectory_kl(CHAIN, uniform(2), 10, rng, confidence=1.0),
            "confidence = 1.0, it must lie strictly between 0 and 1",
        ),
        (
            lambda rng: tm.quantities.estimate_uniform_kl(CHAIN, [2, 3], 10, rng),
            "steps = [2, 3], each must divide the largest one, 3",
        ),
        (
            lambda rng: tm.quantities.estimate_uniform_kl(CHAIN, [0, 4], 10, rng),
            "steps[0] = 0, it must be an integer >= 1",
        ),
        (lambda rng: tm.quantities.estimate_uniform_kl(CHAIN, [], 10, rng), "steps must not be empty"),
        (lambda rng: tm.quantities.estimate_uniform_kl(CHAIN, [2], 2, rng), "size = 2, it must be an integer >= 3"),
        (
            lambda rng: tm.quantities.estimate_uniform_kl(CHAIN, [2], 5, rng, confidence=0.0),
            "confidence = 0.0, it must lie strictly between 0 and 1",
        ),
        (
            lambda rng: estimate_generative_cross_entropy(CHAIN, uniform(2), 1, rng),
            "size = 1, it must be an integer >= 2",
        ),
    ],
)
def test_refused(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call(np.random.default_rng(0))
