"""Independent copies against the table of their product."""

import re

import numpy as np
import oracles
import pytest

import toy_models as tm
from toy_models.quantities.lattice import sequences, states, to_table

PAIR = np.array([[0.5, 0.25], [0.0, 0.25]])


@pytest.fixture
def twice():
    return tm.Blocks(tm.Table(PAIR), 2), tm.Table(np.multiply.outer(PAIR, PAIR))


def test_log_prob_and_entropy(twice):
    blocks, table = twice
    x = sequences(2, 4)
    np.testing.assert_allclose(blocks.log_prob(x), table.log_prob(x), atol=1e-15)
    assert blocks.entropy() == pytest.approx(table.entropy(), abs=1e-15)
    assert (blocks.vocab_size, blocks.length) == (2, 4)


@pytest.mark.parametrize("inner", [tm.Table(PAIR), tm.MarkovChain([[0.7, 0.3], [1.0, 0.0]], 2)])
def test_marginals_in_every_context(inner):
    """An impossible block makes the row impossible, also when that block is fully revealed."""
    blocks = tm.Blocks(inner, 2)
    table = tm.Table(np.exp(blocks.log_prob(sequences(2, 4))).reshape((2,) * 4))
    y = states(2, 4)
    np.testing.assert_allclose(
        blocks.marginals(y, on_impossible="nan"), table.marginals(y, on_impossible="nan"), rtol=0, atol=2e-15
    )
    with pytest.raises(tm.ImpossibleContext) as expected:
        table.marginals(y)
    with pytest.raises(tm.ImpossibleContext) as raised:
        blocks.marginals(y)
    assert raised.value.rows == expected.value.rows != []
    uniform = blocks.marginals(y[raised.value.rows], on_impossible="uniform")
    np.testing.assert_array_equal(uniform[y[raised.value.rows] < 0], 0.5)


def test_samples_are_independent_copies(twice, rng):
    blocks, table = twice
    x = blocks.sample(50_000, rng)
    radius = oracles.total_variation_radius(16, len(x))
    assert oracles.total_variation(x, table.pmf) < radius
    assert oracles.total_variation(x[:, [0, 2, 1, 3]], table.pmf) > radius


def test_refused_input():
    for repeats in (0, -1):
        with pytest.raises(ValueError, match=f"repeats = {repeats}, it must be an integer >= 1"):
            tm.Blocks(tm.Table(PAIR), repeats)
    with pytest.raises(ValueError, match=re.escape("tokens must have shape (batch, 4), got (1, 2)")):
        tm.Blocks(tm.Table(PAIR), 2).log_prob(np.array([[0, 1]]))


@pytest.mark.parametrize("block", [tm.repetition(2, 2), tm.zero_sum(2, 2)], ids=["repetition", "zero sum"])
def test_own_routes_equal_those_of_the_table(block):
    """Correlations, written KL, sequence error and likelihood of blocks against the product written out as a table."""
    blocks = tm.Blocks(block, 2)
    table = to_table(blocks)
    assert tm.total_correlation(blocks) == pytest.approx(tm.total_correlation(table), abs=1e-12)
    assert tm.dual_total_correlation(blocks) == pytest.approx(tm.dual_total_correlation(table), abs=1e-12)
    for rule in (tm.IndependentReveal([0.5, 0.3, 0.2]), tm.ShiftedReveal(3), tm.RandomOrder([2, 2])):
        assert tm.sequence_error(blocks, rule) == pytest.approx(tm.sequence_error(table, rule), abs=1e-12)
        assert tm.marginal_kl(blocks, rule) == pytest.approx(tm.marginal_kl(table, rule), abs=1e-12)
        x = sequences(2, 4)[table.pmf.ravel() > 0]
        np.testing.assert_allclose(
            tm.log_likelihood(blocks, rule, x), tm.log_likelihood(table, rule, x), atol=1e-12, rtol=0
        )
