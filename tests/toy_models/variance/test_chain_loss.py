"""Moments of the loss of a chain through its gaps, and the deduplicated pair, against enumeration."""

import numpy as np
import pytest

import toy_models as tm
from toy_models.variance import chain_moments, deduplicated_parts, gap_losses
from toy_models.variance.loss_moments import loss_moments, token_losses


def random_chain(seed, size, length):
    rng = np.random.default_rng(seed)
    rows = rng.dirichlet(np.ones(size), size)
    rows[0, -1] = 0.0
    rows /= rows.sum(axis=1, keepdims=True)
    return tm.MarkovChain(rows, length, rng.dirichlet(np.ones(size)))


@pytest.mark.parametrize(("size", "length"), [(2, 1), (2, 5), (3, 4), (1, 3)])
def test_gaps_against_every_mask(size, length):
    chain = random_chain(size + length, size, length) if size > 1 else tm.MarkovChain([[1.0]], length)
    gaps, moments = gap_losses(chain), loss_moments(chain).average
    for t in (0.02, 0.4, 0.97, 1.0):
        mean, square = chain_moments(gaps, t)
        at = np.array([t])
        assert mean == pytest.approx(np.sqrt(moments.square_of_mean(at))[0], abs=1e-12)
        assert square == pytest.approx(moments.second_moment(at)[0], abs=1e-11)


def test_the_mean_is_the_information_curve():
    chain = random_chain(7, 3, 40)
    g, gaps = tm.information_curve(chain), gap_losses(chain)
    for t in (0.1, 0.6, 1.0):
        assert chain_moments(gaps, t)[0] == pytest.approx(float(tm.reveal_curve(g, 1 - t)), rel=1e-10)


def test_deduplicated_pair_keeps_the_mean():
    chain = random_chain(11, 2, 3)
    x = np.indices((2, 2, 2)).reshape(3, -1).T
    q = np.exp(chain.log_prob(x))
    each = token_losses(tm.Table(q.reshape(2, 2, 2)))
    moments = loss_moments(tm.Table(q.reshape(2, 2, 2))).average
    for t in (0.3, 0.5, 0.7, 1.0):
        mean = deduplicated_parts(each, q[q > 0], t)[0]
        assert mean == pytest.approx(np.sqrt(moments.square_of_mean(np.array([t])))[0], abs=1e-12)


def test_refusals():
    gaps = gap_losses(tm.MarkovChain([[0.5, 0.5], [0.5, 0.5]], 2))
    for t in (0.0, 1.5, float("nan")):
        with pytest.raises(ValueError, match=r"must lie in \(0, 1\]"):
            chain_moments(gaps, t)
        with pytest.raises(ValueError, match=r"must lie in \(0, 1\]"):
            deduplicated_parts(np.zeros((1, 4, 2)), np.ones(1), t)
