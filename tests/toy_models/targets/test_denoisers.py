"""Imperfect denoisers by definition, and learning_error written out over contexts."""

import re
from itertools import product

import numpy as np
import pytest

import toy_models as tm
from toy_models.quantities.lattice import sequences, state_marginals, states, to_table

CHAIN_A = [[0.7, 0.3, 0.0], [0.0, 0.6, 0.4], [0.5, 0.0, 0.5]]


def masked_rows(target):
    y = states(target.vocab_size, target.length)
    return y, y < 0


@pytest.mark.parametrize(
    "make", [lambda q: tm.Smoothed(q, 0.3), lambda q: tm.Tempered(q, 2.5), lambda q: tm.Windowed(q, 1)]
)
def test_rows_are_laws_and_revealed_tokens_stay(chain_a, make):
    denoiser = make(tm.MarkovChain(chain_a.transition, 4))
    y, masked = masked_rows(denoiser)
    found = denoiser.marginals(y, on_impossible="nan")
    alive = ~np.isnan(found).any(axis=(1, 2))
    assert alive.any()
    np.testing.assert_allclose(found[alive].sum(axis=2), 1.0, atol=1e-14)
    row, position = np.nonzero(~masked)
    np.testing.assert_array_equal(found[row, position], np.eye(3)[y[row, position]])


def test_smoothed_and_tempered_by_formula(chain_a):
    target = tm.MarkovChain(chain_a.transition, 3)
    y, masked = masked_rows(target)
    exact = target.marginals(y, on_impossible="nan")
    alive = masked & ~np.isnan(exact).any(axis=(1, 2))[:, None]
    smooth = tm.Smoothed(target, 0.3).marginals(y, on_impossible="nan")
    np.testing.assert_allclose(smooth[alive], 0.7 * exact[alive] + 0.1, atol=1e-15)
    sharp = tm.Tempered(target, 2.0).marginals(y, on_impossible="nan")
    np.testing.assert_allclose(sharp[alive], exact[alive] ** 2 / (exact[alive] ** 2).sum(1, keepdims=True), atol=1e-15)
    np.testing.assert_array_equal(np.isnan(smooth), np.isnan(exact))
    np.testing.assert_array_equal(np.isnan(sharp), np.isnan(exact))


def test_extreme_power_is_greedy_without_overflow():
    target = tm.MarkovChain([[0.6, 0.4], [0.3, 0.7]], 3)
    found = tm.Tempered(target, 1e5).marginals(np.array([[0, -1, -1]]))[0]
    np.testing.assert_array_equal(found[1:], [[1.0, 0.0], [0.0, 1.0]])  # P^2 has the row (0.48, 0.52)


def test_parent_pointer_reads_one_token(chain_a):
    target = tm.MarkovChain(chain_a.transition, 3)
    denoiser = tm.ParentPointer(target, (2, -1, 1))
    table = to_table(target).pmf
    for y in states(3, 3):
        found = denoiser.marginals(y[None], on_impossible="nan")[0]
        for i, parent in enumerate(denoiser.parents):
            if y[i] >= 0:
                continue
            reduced = np.full(3, -1)
            if parent >= 0:
                reduced[parent] = y[parent]
            if not np.isnan(found).any():
                expected = target.marginals(reduced[None])[0, i]
                np.testing.assert_allclose(found[i], expected, atol=1e-15)
    np.testing.assert_allclose(
        denoiser.marginals(np.full((1, 3), -1))[0], [table.sum(axis=tuple({0, 1, 2} - {i})) for i in range(3)]
    )


def test_windowed_reads_near_tokens_only(chain_a):
    target = tm.MarkovChain(chain_a.transition, 5)
    y = np.array([[0, -1, -1, -1, 2]])
    far = tm.Windowed(target, 0).marginals(y)[0]
    np.testing.assert_allclose(far[2], target.marginals(np.full((1, 5), -1))[0, 2], atol=1e-15)
    one = tm.Windowed(target, 1).marginals(y)[0]
    np.testing.assert_allclose(one[1], target.transition[0], atol=1e-15)
    np.testing.assert_allclose(tm.Windowed(target, 4).marginals(y), target.marginals(y), atol=1e-15)


def test_windowed_does_not_see_a_far_contradiction():
    target = tm.repetition(2, 5)
    y = np.array([[0, -1, -1, -1, 1]])
    assert tm.Windowed(target, 1).marginals(y)[0, 1].tolist() == [1.0, 0.0]
    with pytest.raises(tm.ImpossibleContext):
        tm.Windowed(target, 3).marginals(y)


def slow_learning_errors(target, denoiser):
    """By definition: over masks, contexts and positions, with the table of the target."""
    table, words = to_table(target).pmf.ravel(), sequences(target.vocab_size, target.length)
    worst, total, pairs = 0.0, 0.0, 0
    for shown in product((False, True), repeat=target.length):
        for i in range(target.length):
            if shown[i]:
                continue
            pairs += 1
            for context in {tuple(w) for w in np.where(shown, words[table > 0], -1).tolist()}:
                agree = (np.where(shown, words, -1) == context).all(axis=1)
                weight = table[agree].sum()
                q = np.array([table[agree & (words[:, i] == v)].sum() for v in range(target.vocab_size)]) / weight
                p = denoiser.marginals(np.array([context]), on_impossible="nan")[0, i]
                seen = q > 0
                if np.isnan(p).any() or (p[seen] == 0).any():
                    kl = np.inf
                else:
                    kl = float((q[seen] * np.log(q[seen] / p[seen])).sum())
                worst, total = max(worst, kl), total + weight * kl
    return worst, total / pairs


@pytest.mark.parametrize("name", ["smoothed", "tempered", "windowed", "other chain"])
def test_learning_error_by_definition(name):
    target = tm.MarkovChain(CHAIN_A, 3)
    denoiser = {
        "smoothed": tm.Smoothed(target, 0.2),
        "tempered": tm.Tempered(target, 1.3),
        "windowed": tm.Windowed(target, 0),
        "other chain": tm.MarkovChain([[0.6, 0.4, 0.0], [0.1, 0.5, 0.4], [0.5, 0.1, 0.4]], 3),
    }[name]
    found = [tm.learning_error(target, denoiser, reduce) for reduce in ("max", "mean")]
    assert found == pytest.approx(slow_learning_errors(target, denoiser), abs=1e-14)
    assert 1e-3 < found[1] < found[0]


def test_learning_error_of_the_oracle_is_zero():
    target = tm.MarkovChain(CHAIN_A, 4)
    for reduce in ("max", "mean"):
        assert tm.learning_error(target, target, reduce) == pytest.approx(0.0, abs=1e-15)


@pytest.mark.parametrize("reduce", ["max", "mean"])
def test_learning_error_is_inf_where_the_denoiser_rules_out_the_truth(reduce):
    target = tm.MarkovChain([[0.5, 0.5], [0.5, 0.5]], 3)
    refuses = tm.repetition(2, 3)  # refuses contexts that the target allows
    assert tm.learning_error(target, refuses, reduce) == np.inf
    excludes = tm.MarkovChain([[0.5, 0.5], [0.5, 0.5]], 3, [1.0, 0.0])
    assert tm.learning_error(target, excludes, reduce) == np.inf
    assert np.isnan(state_marginals(refuses)).any()


def test_learning_error_ignores_impossible_contexts():
    """Only contexts of positive probability count: a denoiser that never refuses is not punished for that."""
    target = tm.repetition(2, 3)
    assert tm.learning_error(target, tm.Smoothed(target, 0.5), "max") == pytest.approx(np.log(1 / 0.75), abs=1e-15)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda q: tm.Smoothed(q, 1.5), "weight = 1.5, it must lie in [0, 1]"),
        (lambda q: tm.Smoothed(q, float("nan")), "weight = nan, it must lie in [0, 1]"),
        (lambda q: tm.Tempered(q, 0.0), "power = 0.0, it must be a finite number > 0"),
        (lambda q: tm.Tempered(q, float("inf")), "power = inf, it must be a finite number > 0"),
        (lambda q: tm.ParentPointer(q, (1, 0)), "parents has 2 entries, the target has length 3"),
        (lambda q: tm.ParentPointer(q, (0, 0, 0)), "parents[0] = 0, allowed: -1 or another position 0..2"),
        (lambda q: tm.ParentPointer(q, (1, 3, 0)), "parents[1] = 3, allowed: -1 or another position 0..2"),
        (lambda q: tm.Windowed(q, -1), "radius = -1, it must be an integer >= 0"),
        (lambda q: tm.learning_error(q, q, "median"), 'reduce = \'median\', allowed: "max", "mean"'),
    ],
)
def test_refused(make, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        make(tm.MarkovChain(CHAIN_A, 3))


def test_impossible_contexts_are_passed_on():
    target = tm.repetition(2, 3)
    y = np.array([[0, 1, -1], [0, 0, -1]])
    for denoiser in (tm.Smoothed(target, 0.1), tm.Tempered(target, 2.0), tm.Windowed(target, 2)):
        with pytest.raises(tm.ImpossibleContext) as raised:
            denoiser.marginals(y)
        assert raised.value.rows == [0]
        assert denoiser.marginals(y, on_impossible="uniform")[0, 2].tolist() == [0.5, 0.5]
