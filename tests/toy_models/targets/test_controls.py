"""Each control has exactly the defect it is named after."""

import numpy as np
import pytest

import toy_models as tm
from toy_models.quantities.lattice import states
from toy_models.targets import controls

SKEW = [[0.8, 0.15, 0.05], [0.05, 0.7, 0.25], [0.3, 0.1, 0.6]]
CHAIN_A = [[0.7, 0.3, 0.0], [0.0, 0.6, 0.4], [0.5, 0.0, 0.5]]


@pytest.fixture
def chain():
    return tm.MarkovChain(SKEW, 4)


def test_greedy_and_nucleus():
    chain = tm.MarkovChain(SKEW, 3)
    y = np.array([[0, -1, -1]])
    exact = chain.marginals(y)[0]
    np.testing.assert_array_equal(controls.greedy(chain).marginals(y)[0], np.eye(3)[exact.argmax(axis=1)])
    kept = controls.nucleus(chain, 0.9).marginals(y)[0]
    np.testing.assert_allclose(kept[1], [0.8 / 0.95, 0.15 / 0.95, 0.0], atol=1e-15)
    np.testing.assert_allclose(controls.nucleus(chain, 0.96).marginals(y)[0], exact, atol=1e-15)
    tie = tm.MarkovChain([[0.5, 0.5], [0.5, 0.5]], 1)
    assert controls.greedy(tie).marginals(np.array([[-1]])).tolist() == [[[1.0, 0.0]]]


def test_context_blind_costs_the_total_correlation(chain):
    blind = controls.context_blind(chain)
    y = states(3, 4)
    np.testing.assert_array_equal(
        blind.marginals(y)[y < 0], np.broadcast_to(blind.marginals(np.full((1, 4), -1)), (256, 4, 3))[y < 0]
    )
    for rule in (tm.RandomOrder((1,) * 4), tm.IndependentReveal([0.5, 0.5])):
        assert tm.marginal_kl(chain, rule, blind) == pytest.approx(tm.total_correlation(chain), abs=1e-13)


def test_swapped_rows_move_by_one_position(chain):
    y = np.array([[0, -1, -1, 2]])
    found, exact = controls.swapped_rows(chain).marginals(y)[0], chain.marginals(y)[0]
    np.testing.assert_array_equal(found[2], exact[1])
    np.testing.assert_array_equal(found[[0, 3]], np.eye(3)[[0, 2]])


def test_half_precision_is_off_by_float16_rounding(chain):
    y = np.array([[0, -1, -1, 2]])
    found, exact = controls.half_precision(chain).marginals(y)[0], chain.marginals(y)[0]
    error = np.abs(found - exact).max()
    assert 1e-6 < error < 2**-10
    np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-15)


def test_off_by_one_reads_the_schedule_one_step_late():
    rule = controls.off_by_one(np.array([0.5, 0.3, 0.2]))
    np.testing.assert_allclose(rule.weights, [0.0, 0.5, 0.5], atol=1e-16)
    assert rule.steps == 3
    with pytest.raises(ValueError, match="weights must have at least 2 steps to be read one step late"):
        controls.off_by_one(np.array([1.0]))


@pytest.mark.parametrize("make", [controls.greedy, controls.nucleus, controls.swapped_rows, controls.half_precision])
def test_impossible_contexts_stay_impossible(make):
    """nan marginals are passed on, without warnings, and raising is left to the target."""
    chain = tm.MarkovChain(CHAIN_A, 4)
    y = np.array([[0, 2, -1, -1], [0, 0, -1, -1]])
    found = make(chain).marginals(y, on_impossible="nan")
    assert np.isnan(found[0, 2:]).all()  # swapped rows too: a row is refused as a whole
    assert np.isfinite(found[1]).all()
    with pytest.raises(tm.ImpossibleContext):
        make(chain).marginals(y)
