"""Markov chains: marginals by powers between revealed tokens against rationals and the HMM recursion."""

import numpy as np
import oracles
import pytest

import toy_models as tm
from toy_models.quantities.lattice import states as every_context
from toy_models.quantities.lattice import to_table
from toy_models.targets.kernels import bridges
from toy_models.targets.kernels.forward_backward import posterior

CHAIN_A = [[0.7, 0.3, 0.0], [0.0, 0.6, 0.4], [0.5, 0.0, 0.5]]
CORNERS = {
    "published": (CHAIN_A, None),
    "not stationary": (CHAIN_A, [0.25, 0.75, 0.0]),
    "near deterministic": ([[1 - 1e-14, 1e-14], [1e-14, 1 - 1e-14]], [1.0, 0.0]),
    "beyond float64": ([[1.0, 1e-200], [1e-200, 1.0]], [1.0, 0.0]),
    "tiny start": (CHAIN_A, [1.0, 1e-310, 1e-200]),
    "transient": ([[0.5, 0.5, 0.0], [0.0, 1.0, 0.0], [1e-100, 0.0, 1.0]], [0.0, 0.0, 1.0]),
    "period two": ([[0.0, 1.0], [1.0, 0.0]], [0.5, 0.5]),
    "duplicated": ([[0.5, 0.25, 0.25]] * 3, None),
    "one symbol": ([[1.0]], None),
}


@pytest.mark.parametrize("name", CORNERS)
@pytest.mark.parametrize("length", [1, 2, 4])
def test_every_context_matches_the_rational_law(name, length):
    target = tm.MarkovChain(np.array(CORNERS[name][0]), length, CORNERS[name][1] and np.array(CORNERS[name][1]))
    y = every_context(target.vocab_size, length)
    found = target.marginals(y, on_impossible="nan")
    law = oracles.ngram_law(target.initial, target.transition, length)
    for row, context in enumerate(y):
        expected = oracles.conditionals(law, tuple(context), target.vocab_size)
        if expected is None:
            assert np.isnan(found[row][context < 0]).all()
            with pytest.raises(tm.ImpossibleContext):
                target.marginals(context[None])
        else:
            rtol = 2 * length * (target.vocab_size + 4) * oracles.EPS
            np.testing.assert_allclose(found[row], expected, rtol=rtol, atol=1e-290)


@pytest.mark.parametrize(("affordable", "share"), [(1, 0.5), (4, 0.7), (64, 0.9), (64, 1.0), (64, 0.0)])
def test_rows_and_messages_agree_on_long_batches(affordable, share, monkeypatch):
    rng = np.random.default_rng(0)
    target = tm.MarkovChain(np.array(CHAIN_A), 64, np.array([0.2, 0.3, 0.5]))
    x = target.sample(50, rng)
    y = np.where(rng.random(x.shape) < share, -1, x)
    y[0], y[1, 1:], y[2, :-1] = -1, -1, -1
    monkeypatch.setattr(bridges, "TABLE", affordable * 9)
    expected, _ = posterior(target.initial, target.transition, np.eye(3), y)
    np.testing.assert_allclose(target.marginals(y), expected, rtol=64 * 14 * oracles.EPS)


def test_gaps_count_both_ways_to_a_revealed_token():
    y = np.array(
        [[-1, -1, 0, -1, -1, -1, 0], [-1] * 7, [0] * 7, [-1, -1, -1, -1, -1, 1, -1], [0, -1, -1, -1, -1, -1, -1]]
    )
    gaps, edges = bridges.longest_gaps(y)
    np.testing.assert_array_equal(gaps, [4, 0, 1, 5, 6])
    np.testing.assert_array_equal(edges, [2, 6, 0, 5, 0])


def test_powers_stop_before_a_positive_entry_is_lost():
    assert len(bridges.safe_powers(np.array(CHAIN_A), 50)) == 51
    assert len(bridges.safe_powers(np.array([[1.0, 0.0], [1e-60, 1 - 1e-60]]), 9)) == 10
    assert len(bridges.safe_powers(np.array([[1e-30, 1 - 1e-30], [0.0, 1.0]]), 9)) == 3
    assert len(bridges.safe_powers(np.array([[1.0, 1e-200], [1e-200, 1.0]]), 9)) == 1
    assert len(bridges.safe_laws(np.array([1e-200, 1.0]), np.eye(2), 5)) == 0


def test_control_a_row_of_the_wrong_power_is_rejected():
    target = tm.MarkovChain(np.array(CHAIN_A), 6)
    y = np.array([[0, -1, -1, -1, 2, -1]])
    law = oracles.ngram_law(target.initial, target.transition, 6)
    expected = oracles.conditionals(law, tuple(y[0]), 3)
    powers = [np.linalg.matrix_power(target.transition, k) for k in range(5)]
    weights = powers[2][0] * powers[2][:, 2]
    np.testing.assert_allclose(weights / weights.sum(), expected[2], rtol=1e-14)
    shifted = powers[1][0] * powers[2][:, 2]
    assert np.abs(shifted / shifted.sum() - expected[2]).max() > 0.05


def test_log_prob_sums_to_one_and_matches_the_law():
    target = tm.MarkovChain(np.array(CHAIN_A), 5, np.array([0.25, 0.75, 0.0]))
    law = oracles.ngram_law(target.initial, target.transition, 5)
    found = target.log_prob(np.array(list(law)))
    np.testing.assert_allclose(np.exp(found), [float(w) for w in law.values()], rtol=1e-14)
    assert (found == -np.inf).sum() == sum(w == 0 for w in law.values()) > 0


def test_entropy_reproduces_the_published_value_and_every_route():
    assert tm.MarkovChain(np.array(CHAIN_A), 6).entropy() == pytest.approx(4.335187, abs=5e-7)
    flip = tm.MarkovChain(np.array([[0.9, 0.1], [0.1, 0.9]]), 64)
    assert flip.entropy() == pytest.approx(21.173375, abs=5e-7)
    for initial in (None, np.array([0.25, 0.75, 0.0])):
        target = tm.MarkovChain(np.array(CHAIN_A), 6, initial)
        assert target.is_stationary == (initial is None)
        assert target.entropy() == pytest.approx(to_table(target).entropy(), rel=1e-13)


def test_samples_have_the_exact_law_and_a_wrong_law_is_rejected():
    target, size = tm.MarkovChain(np.array(CHAIN_A), 4, np.array([0.25, 0.75, 0.0])), 200_000
    pmf, radius = to_table(target).pmf, oracles.total_variation_radius(81, 200_000)
    assert oracles.total_variation(target.sample(size, np.random.default_rng(1)), pmf) <= radius
    wrong = tm.MarkovChain(np.array(CHAIN_A), 4)
    assert oracles.total_variation(wrong.sample(size, np.random.default_rng(2)), pmf) > radius


def test_samples_of_a_permutation_are_its_orbits():
    target = tm.MarkovChain(np.eye(3)[[2, 0, 1]], 5, np.array([0.0, 0.5, 0.5]))
    x = target.sample(40, np.random.default_rng(3))
    assert {tuple(int(t) for t in row) for row in x} == {(1, 0, 2, 1, 0), (2, 1, 0, 2, 1)}


def test_ordinary_rows_need_no_recursion(monkeypatch):
    """Gaps, edges and masks of every shape are served by the tables alone."""
    target = tm.MarkovChain(np.array(CHAIN_A), 4, np.array([0.25, 0.75, 0.0]))
    y = every_context(3, 4)
    expected, impossible = posterior(target.initial, target.transition, np.eye(3), y)

    def refuse(*_):
        raise AssertionError("the recursion was called")

    monkeypatch.setattr(bridges, "posterior", refuse)
    found = target.marginals(y[~impossible])
    np.testing.assert_allclose(found, expected[~impossible], rtol=4 * 14 * oracles.EPS)


@pytest.mark.parametrize(("masked", "table", "depth"), [(5, 2**22, 5), (1, 2**22, 2), (2, 2**22, 3), (5, 4 * 9, 4)])
def test_powers_are_taken_while_they_cost_less_than_messages(masked, table, depth, monkeypatch):
    """A power costs V^3 = 27, a message 9: at most 2 + 2 masked / V powers, in a table of at most TABLE numbers."""
    y = np.zeros((1, 9), dtype=np.int64)
    y[0, 1 : 1 + masked] = -1
    asked = []
    monkeypatch.setattr(bridges, "TABLE", table)
    monkeypatch.setattr(bridges, "safe_powers", lambda p, n: asked.append(n) or np.stack([np.eye(3)] * (n + 1)))
    bridges.chain_marginals(np.full(3, 1 / 3), np.array(CHAIN_A), y)
    assert asked == [depth]


def test_bad_input_is_refused_with_the_row_and_the_value():
    with pytest.raises(ValueError, match=r"transition must be square, got shape \(1, 2\)"):
        tm.MarkovChain([[0.5, 0.5]], 3)
    with pytest.raises(ValueError, match="initial has 3 entries, transition has 2 rows"):
        tm.MarkovChain([[0.5, 0.5]] * 2, 3, [0.5, 0.25, 0.25])
    with pytest.raises(ValueError, match=r"row 1 of transition sums to 0.9"):
        tm.MarkovChain(np.array([[0.5, 0.5], [0.4, 0.5]]), 3)
    with pytest.raises(ValueError, match=r"transition\[1, 0\] = -0.1"):
        tm.MarkovChain(np.array([[0.5, 0.5], [-0.1, 1.1]]), 3)
    with pytest.raises(ValueError, match="stationary law is not unique: the chain has 2 recurrent classes"):
        tm.MarkovChain(np.eye(2), 3)
    with pytest.raises(ValueError, match=r"tokens\[0, 1\] = 2, allowed: 0..1"):
        tm.MarkovChain(np.full((2, 2), 0.5), 3).log_prob(np.array([[0, 2, 0]]))
    with pytest.raises(ValueError, match="a masked sequence has no probability"):
        tm.MarkovChain(np.full((2, 2), 0.5), 3).log_prob(np.array([[0, -1, 0]]))
    with pytest.raises(tm.ImpossibleContext, match=r"row\(s\) 1 "):
        tm.MarkovChain(np.array(CHAIN_A), 3).marginals(np.array([[0, -1, 1], [0, 2, -1]]))


def test_a_fully_revealed_impossible_row_is_impossible():
    with pytest.raises(tm.ImpossibleContext):
        tm.MarkovChain(np.array(CHAIN_A), 2).marginals(np.array([[0, 2]]))
