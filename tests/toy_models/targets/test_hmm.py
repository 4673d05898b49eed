"""HMM: sampling, entropy, published numbers and bad input (marginals: test_forward_backward.py)."""

import numpy as np
import oracles
import pytest

import toy_models as tm
from toy_models.quantities.lattice import to_table
from toy_models.targets import hmm
from toy_models.targets.kernels import ancestral


def model(initial, transition, emission):
    return np.array(initial), np.array(transition), np.array(emission)


def stationary_start(transition, emission):
    return tm.MarkovChain(np.array(transition), 1).initial, np.array(transition), np.array(emission)


H1 = stationary_start([[0.8, 0.2], [0.1, 0.9]], [[0.7, 0.3, 0], [0, 0.25, 0.75]])
H2 = stationary_start([[0.9, 0.1], [0.2, 0.8]], [[0.85, 0.15], [0.3, 0.7]])
H3 = stationary_start(
    [[0.8, 0.15, 0.05], [0.1, 0.8, 0.1], [0.05, 0.25, 0.7]], [[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.15, 0.15, 0.7]]
)


@pytest.mark.parametrize(
    ("parameters", "length", "published"), [(H1, 6, 5.495917072), (H2, 8, 4.893257416), (H3, 6, 5.939565340)]
)
def test_entropy_reproduces_the_published_values_and_the_table(parameters, length, published):
    target = tm.HMM(*parameters, length)
    assert target.entropy() == pytest.approx(published, abs=6e-10)
    assert target.entropy() == pytest.approx(to_table(target).entropy(), rel=1e-13)


def test_total_correlations_of_h1_reproduce_the_published_values():
    target = tm.HMM(*H1, 6)
    assert tm.total_correlation(target) == pytest.approx(0.735736, abs=5e-7)
    assert tm.dual_total_correlation(target) == pytest.approx(0.515964, abs=5e-7)


def test_entropy_with_observed_states_serves_any_length():
    chain = tm.MarkovChain(np.array([[0.7, 0.3, 0.0], [0.0, 0.6, 0.4], [0.5, 0.0, 0.5]]), 300)
    assert tm.HMM(chain.initial, chain.transition, np.eye(3), 300).entropy() == pytest.approx(
        chain.entropy(), rel=1e-12
    )


def test_entropy_refuses_what_it_cannot_enumerate(monkeypatch):
    monkeypatch.setattr(hmm, "MAX_ATOMS", 2**4)
    for length in (4, 5):
        assert tm.HMM(*H2, length).entropy() == pytest.approx(to_table(tm.HMM(*H2, length)).entropy(), rel=1e-13)
    for length in (6, 64):
        with pytest.raises(tm.IntractableError, match=f"16 distinct beliefs at position 4 of {length}.*V <= 16"):
            tm.HMM(*H2, length).entropy()


def test_table_oracle_rejects_the_entropy_of_the_hidden_chain():
    target = tm.HMM(*H1, 6)
    hidden = tm.MarkovChain(target.transition, 6, target.initial).entropy()
    assert abs(hidden - to_table(target).entropy()) > 1e-2


def test_samples_have_the_exact_law_and_a_wrong_law_is_rejected():
    target, size = tm.HMM(*H1, 3), 200_000
    x = target.sample(size, np.random.default_rng(1))
    radius = oracles.total_variation_radius(27, size)
    assert oracles.total_variation(x, to_table(target).pmf) <= radius
    wrong = tm.HMM(H1[0], np.array([[0.75, 0.25], [0.1, 0.9]]), H1[2], 3)
    assert oracles.total_variation(wrong.sample(size, np.random.default_rng(2)), to_table(target).pmf) > radius


def test_samples_do_not_depend_on_how_many_uniforms_are_held(monkeypatch):
    target = tm.HMM(*H1, 5)
    whole = target.sample(50, np.random.default_rng(3))
    monkeypatch.setattr(ancestral, "UNIFORMS", 33)
    np.testing.assert_array_equal(target.sample(50, np.random.default_rng(3)), whole)


def test_samples_never_hit_probability_zero():
    target = tm.HMM(np.eye(3)[1], np.eye(3)[[1, 2, 0]], np.eye(3), 7)
    assert (target.sample(100, np.random.default_rng(4)) == np.array([1, 2, 0, 1, 2, 0, 1])).all()
    assert ancestral.invert(np.cumsum([0.0, 0.5, 0.0, 0.5, 0.0]), 0.0) == 1
    assert ancestral.invert(np.cumsum([0.0, 0.5, 0.0, 0.5, 0.0]), 0.5) == 3
    assert ancestral.invert(np.cumsum([0.0, 0.5, 0.0, 0.5, 0.0]), 1.0 - 2.0**-53) == 3


def test_samples_of_a_noiseless_cycle_are_its_orbits():
    target = tm.HMM([0.0, 0.5, 0.5], np.eye(3)[[2, 0, 1]], np.eye(3)[[1, 1, 0]], 4)
    x = target.sample(40, np.random.default_rng(5))
    assert {tuple(int(t) for t in row) for row in x} == {(1, 1, 0, 1), (0, 1, 1, 0)}
    assert np.exp(target.log_prob(x)) == pytest.approx(0.5)


BAD_MODELS = [
    (([0.5, 0.4], H1[1], H1[2]), "initial sums to 0.9, it must sum to 1"),
    ((H1[0], [[0.8, 0.2], [0.1, 0.8]], H1[2]), "row 1 of transition sums to 0.9"),
    ((H1[0], H1[1], [[0.7, 0.3, 0.1], [0, 0.25, 0.75]]), "row 0 of emission sums to 1.1"),
    ((H1[0], [[1.2, -0.2], [0.1, 0.9]], H1[2]), r"transition\[0, 1\] = -0.2, every entry must be finite"),
    ((H1[0], H1[1], [[np.nan, 0.3, 0.7], [0, 0.25, 0.75]]), r"emission\[0, 0\] = nan"),
    (([np.inf, 0.0], H1[1], H1[2]), r"initial\[0\] = inf"),
]


@pytest.mark.parametrize(("parameters", "message"), BAD_MODELS)
def test_bad_models_are_refused_with_the_row_and_the_value(parameters, message):
    with pytest.raises(ValueError, match=message):
        tm.HMM(*model(*parameters), 4)


@pytest.mark.parametrize("length", [0, -1])
def test_bad_lengths_are_refused(length):
    with pytest.raises(ValueError, match=f"length = {length}, it must be an integer >= 1"):
        tm.HMM(*H1, length)


def test_bad_tokens_are_refused_with_their_place():
    target = tm.HMM(*H1, 3)
    with pytest.raises(ValueError, match=r"tokens\[1, 2\] = 3, allowed: 0..2 or MASK = -1"):
        target.marginals(np.array([[0, 1, 2], [0, 1, 3]]))
    with pytest.raises(ValueError, match=r"tokens\[0, 1\] = -1, allowed: 0..2 \(a masked sequence has no probability"):
        target.log_prob(np.array([[0, -1, 2]]))
    with pytest.raises(ValueError, match=r"tokens must have shape \(batch, 3\)"):
        target.marginals(np.array([[0, 1]]))
    with pytest.raises(ValueError, match="on_impossible = 'zero'"):
        target.marginals(np.array([[0, 1, 2]]), on_impossible="zero")


def test_impossible_contexts_are_listed():
    target = tm.HMM(np.eye(2)[0], np.eye(2), np.eye(2, 3), 3)
    y = np.array([[-1, 0, -1], [1, -1, -1], [-1, -1, 2]])
    with pytest.raises(tm.ImpossibleContext, match=r"row\(s\) 1, 2") as caught:
        target.marginals(y)
    assert caught.value.rows == [1, 2]
    assert (target.marginals(y, "uniform")[1:][y[1:] < 0] == 1 / 3).all()
    assert np.isnan(target.marginals(y, "nan")[1:][y[1:] < 0]).all()
    np.testing.assert_array_equal(target.marginals(y, "nan")[0], [[1, 0, 0]] * 3)
