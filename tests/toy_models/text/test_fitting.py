"""n-grams by interpolation against dictionaries of counts; Baum-Welch against hmmlearn and against enumeration."""

from collections import Counter
from fractions import Fraction
from itertools import pairwise, product

import numpy as np
import pytest

import toy_models as tm
from toy_models.text.baum_welch import expected_counts, random_model
from toy_models.text.ngram_fit import MAX_ENTRIES, _mean_log, window_counts


def witten_bell(rows, order: int, v: int, context: tuple, token: int) -> Fraction:
    """p_n(x | c) by recursion over dictionaries, in rationals."""
    if order == 0:
        return Fraction(1, v)
    windows = Counter(tuple(row[i : i + order]) for row in rows for i in range(len(row) - order + 1))
    after = {w[-1]: n for w, n in windows.items() if w[:-1] == context}
    lower = witten_bell(rows, order - 1, v, context[1:], token)
    total, distinct = sum(after.values()), len(after)
    return (after.get(token, 0) + distinct * lower) / (total + distinct) if total else lower


@pytest.mark.parametrize("order", [1, 2, 3])
def test_interpolated_against_rational_recursion(order):
    rng = np.random.default_rng(order)
    rows = [rng.integers(0, 3, 12), rng.integers(0, 2, 7)]
    lists = [row.tolist() for row in rows]
    found = tm.text.interpolated(rows, order, 4)
    for context in product(range(4), repeat=order - 1):
        for token in range(4):
            wanted = witten_bell(lists, order, 4, context, token)
            assert found[(*context, token)] == pytest.approx(float(wanted), rel=1e-14)
    np.testing.assert_allclose(found.sum(axis=-1), 1.0, rtol=1e-14)
    assert (found > 0).all()


def test_windows_stay_inside_rows():
    found = window_counts([np.array([0, 1]), np.array([1, 0]), np.array([1])], 2, 2)
    assert found.tolist() == [[0, 1], [1, 0]]
    with pytest.raises(tm.IntractableError, match=rf"V\^n <= {MAX_ENTRIES}"):
        window_counts([np.arange(10)], 5, 256)


def test_scores_are_the_likelihood_of_both_parts():
    """By a loop over tokens, and the planted fault: scoring the fitted part twice."""
    x = tm.MarkovChain([[0.9, 0.1], [0.2, 0.8]], 4000).sample(1, np.random.default_rng(0))[0]
    fitted, held_out = tm.text.held_out_split([x])
    assert sum(map(len, fitted)) + sum(map(len, held_out)) == 4000
    assert np.array_equal(held_out[0], x[320:400])
    scores = tm.text.order_scores([x], 2, 3)
    for score in scores:
        law = tm.text.interpolated(fitted, score.order, 2)
        for part, value in ((fitted, score.fitted), (held_out, score.held_out)):
            logs = [
                np.log(law[tuple(block[i - score.order + 1 : i + 1])]) for block in part for i in range(2, len(block))
            ]
            assert value == pytest.approx(np.mean(logs), rel=1e-12)
    assert min(scores, key=lambda s: s.held_out).order == 1  # it was drawn from an order of 2
    assert scores[0].fitted != scores[0].held_out
    assert np.isnan(_mean_log(np.zeros(2), [np.array([0])], 1, 1, 2))


def test_orders_longer_than_every_block_are_left_out():
    """Blocks of four tokens judge orders up to four; every score is a number."""
    scores = tm.text.order_scores([np.arange(200) % 3 % 2], 2, 5)
    assert [score.order for score in scores] == [1, 2, 3, 4]
    assert all(np.isfinite([score.held_out, score.fitted]).all() for score in scores)
    short = tm.text.order_scores([np.array([0, 1])] * 100, 2, 5)
    assert [score.order for score in short] == [1, 2]


def test_held_out_rows_are_whole_sequences():
    rows = [np.full(3, k) for k in range(60)]
    fitted, held_out = tm.text.held_out_split(rows)
    assert [int(row[0]) for row in held_out] == [4, 14, 24, 34, 44, 54]
    assert len(fitted) == 54


def test_seen_pairs_has_exactly_the_support_of_the_text():
    rng = np.random.default_rng(3)
    rows = [rng.integers(0, 6, 30) * 2]
    chain, used = tm.text.seen_pairs(rows, 12, 8)
    circle = rows[0].tolist()
    seen = Counter(pairwise([*circle, circle[0]]))
    for i, a in enumerate(used):
        for j, b in enumerate(used):
            assert chain.transition[i, j] == pytest.approx(seen[(a, b)] / circle.count(a), abs=1e-15)
    assert chain.is_stationary


def test_expected_counts_by_enumeration():
    """Starts, moves and shown tokens from the joint law of all state paths, masks included; the likelihood too."""
    rng = np.random.default_rng(0)
    model = random_model(2, 3, np.array([[0, 1, 2, 0]]), rng)
    x = np.array([[0, 2, -1, 1], [-1, -1, 0, 0]])
    (starts, moves, shown), log_likelihood = expected_counts(model, x)
    want_starts, want_moves, want_shown, total = np.zeros(2), np.zeros((2, 2)), np.zeros((2, 3)), 0.0
    for row in x:
        weights = {}
        for path in product(range(2), repeat=4):
            p = model.initial[path[0]]
            for a, b in pairwise(path):
                p *= model.transition[a, b]
            for s, t in zip(path, row, strict=True):
                p *= model.emission[s, t] if t >= 0 else 1.0
            weights[path] = p
        z = sum(weights.values())
        total += np.log(z)
        for path, p in weights.items():
            want_starts[path[0]] += p / z
            for a, b in pairwise(path):
                want_moves[a, b] += p / z
            for s, t in zip(path, row, strict=True):
                if t >= 0:
                    want_shown[s, t] += p / z
    np.testing.assert_allclose(starts, want_starts, rtol=1e-12)
    np.testing.assert_allclose(moves, want_moves, rtol=1e-12)
    np.testing.assert_allclose(shown, want_shown, rtol=1e-12)
    assert log_likelihood == pytest.approx(total, rel=1e-12)


@pytest.mark.filterwarnings("ignore")
def test_baum_welch_against_hmmlearn():
    """Same start, same number of iterations: the same model and the same likelihoods."""
    from hmmlearn.hmm import CategoricalHMM

    rng = np.random.default_rng(5)
    x = tm.HMM([0.5, 0.5], [[0.9, 0.1], [0.2, 0.8]], [[0.7, 0.2, 0.1], [0.1, 0.2, 0.7]], 20).sample(30, rng)
    start = random_model(2, 3, x, rng)
    ours = tm.text.fit_hmm(x, 2, 3, rng, iterations=6, start=start, tolerance=0.0)
    theirs = CategoricalHMM(2, n_iter=6, tol=-np.inf, init_params="", params="ste", implementation="scaling")
    theirs.startprob_, theirs.transmat_, theirs.emissionprob_ = start.initial, start.transition, start.emission
    theirs.n_features = 3
    theirs.fit(x.reshape(-1, 1), lengths=[20] * 30)
    np.testing.assert_allclose(ours.model.initial, theirs.startprob_, atol=1e-9)
    np.testing.assert_allclose(ours.model.transition, theirs.transmat_, atol=1e-9)
    np.testing.assert_allclose(ours.model.emission, theirs.emissionprob_, atol=1e-9)
    np.testing.assert_allclose(ours.log_likelihood, list(theirs.monitor_.history)[-6:], rtol=1e-10)
    assert (np.diff(ours.log_likelihood) > 0).all()


def test_a_state_without_counts_stays_and_convergence_stops():
    x = np.zeros((2, 4), dtype=np.int64)
    start = tm.HMM([1.0, 0.0], np.eye(2), [[1.0, 0.0], [0.0, 1.0]], 4)
    fit = tm.text.fit_hmm(x, 2, 2, np.random.default_rng(0), iterations=9, start=start)
    assert fit.log_likelihood.tolist() == [0.0, 0.0]
    assert fit.model.emission.tolist() == [[1.0, 0.0], [0.0, 1.0]]
