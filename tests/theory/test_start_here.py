"""The opening notebook: a completed run on real text and one exact law."""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest

import toy_models as tm
from theory.perplexity.results import uniform
from theory.start_here import figures
from theory.start_here import results as topic


@pytest.fixture(scope="module")
def results():
    return topic.results("smoke", np.random.default_rng(0))


def test_trace_is_one_completed_run(results):
    """Masked at first, complete at last, nothing rewritten, and possible under the 3-gram language at every step."""
    trace = results.trace
    assert trace.shape == (9, 56)
    assert (trace[0] == tm.MASK).all()
    assert (trace[-1] >= 0).all()
    for before, after in pairwise(trace):
        np.testing.assert_array_equal(after[before >= 0], before[before >= 0])
    marginals = tm.corpus.language(3, 56).marginals(trace[:-1], on_impossible="nan")
    assert not np.isnan(marginals).any()
    assert results.attempts >= 1


def test_a_run_that_stops_is_given_up():
    """The two-cycle: one step of two tokens is impossible half the time, so several attempts are needed."""
    target = tm.MarkovChain([[0.0, 1.0], [1.0, 0.0]], 12)
    counts = [topic.fill_text(target, 6, np.random.default_rng(seed))[1] for seed in range(20)]
    assert max(counts) > 1
    rows, _ = topic.fill_text(target, 6, np.random.default_rng(0), attempts=50)
    assert rows.shape == (7, 12)


def test_law_is_the_exact_law(results):
    chain = tm.MarkovChain([[0.9, 0.1, 0.0], [0.0, 0.6, 0.4], [0.5, 0.0, 0.5]], 4)
    words = np.array([["abc".index(c) for c in w] for w in results.words])
    np.testing.assert_allclose(results.target, np.exp(chain.log_prob(words)), atol=1e-15)
    for n, row in zip(results.steps, results.written, strict=True):
        np.testing.assert_allclose(row, np.exp(tm.log_likelihood(chain, uniform(n), words)), atol=1e-14)
    assert (np.diff(results.kl) < 0).all()
    assert (np.diff(results.sequence_error) < 0).all()
    assert (results.kl >= -np.log1p(-results.sequence_error)).all()


def test_the_figure_adds_up(results):
    """Impossible words and stuck runs make the SER, and with the possible words they make one."""
    np.testing.assert_allclose(results.written.sum(axis=1) + results.stuck, 1.0, atol=1e-14)
    wrong = results.written[:, results.target == 0].sum(axis=1)
    np.testing.assert_allclose(wrong + results.stuck, results.sequence_error, atol=1e-14)
    assert (np.diff(results.target) <= 1e-12).all()
    assert len(set(results.words)) == 81
    fig, data = figures.law(results)
    bars = [patch.get_height() for patch in fig.axes[0].patches]
    possible = int((results.target > 0).sum())
    assert sum(bars[:possible]) == pytest.approx(1.0, abs=1e-14)  # the language
    assert sum(bars[possible:]) == pytest.approx(len(figures.SHOWN), abs=1e-12)  # each law is drawn whole
    for wrong, stuck, n in zip(*figures.failures(results), figures.SHOWN, strict=True):
        assert wrong + stuck == pytest.approx(results.sequence_error[results.steps.index(n)], abs=1e-14)
    assert data["words"] == results.words
    plt.close(fig)
