"""n-grams: marginals, entropy and samples against rationals and tables, fitting, the stationary law of contexts."""

from collections import Counter

import numpy as np
import oracles
import pytest
from scipy.sparse import csr_array

import toy_models as tm
from toy_models.quantities.lattice import states as every_context
from toy_models.quantities.lattice import to_table
from toy_models.targets.kernels import extended_range, stationary, windows
from toy_models.targets.ngram import circular_counts, next_law

TRIGRAM = np.array([[[0.9, 0.1], [0.3, 0.7]], [[0.6, 0.4], [0.2, 0.8]]])


def random_ngram(vocab, order, length, rng, zeros=0.0, stationary_start=False):
    conditional = rng.dirichlet(np.ones(vocab), (vocab,) * (order - 1))
    conditional[conditional < zeros] = 0.0
    conditional /= conditional.sum(axis=-1, keepdims=True)
    if stationary_start or order == 1:
        return tm.NGram(conditional, length)
    start = rng.dirichlet(np.ones(vocab ** (order - 1))).reshape((vocab,) * (order - 1))
    return tm.NGram(conditional, length, start)


def extended(target, y):
    result, impossible = np.zeros((*y.shape, target.vocab_size)), np.zeros(len(y), dtype=bool)
    split = [half for p in (target.initial.ravel(), target.rows) for half in extended_range.split(p)]
    extended_range.ngram_marginals(*split, target.order, y, impossible, result)
    result[y >= 0] = np.eye(target.vocab_size)[y[y >= 0]]
    return result, impossible


SIZES = [(2, 3, 2), (2, 3, 5), (3, 3, 4), (2, 4, 6), (2, 2, 5), (3, 1, 3)]


@pytest.mark.parametrize(("vocab", "order", "length"), SIZES)
@pytest.mark.parametrize("zeros", [0.0, 0.2])
def test_every_context_matches_the_table(vocab, order, length, zeros):
    target = random_ngram(vocab, order, length, np.random.default_rng(vocab + 10 * order), zeros)
    y = every_context(vocab, length)
    expected = to_table(target).marginals(y, on_impossible="nan")
    np.testing.assert_allclose(target.marginals(y, on_impossible="nan"), expected, rtol=1e-13, atol=1e-15)
    if order > 1:
        found, impossible = extended(target, y)
        alive = to_table(target).context_probabilities[tuple((y + 1).T)] > 0
        np.testing.assert_array_equal(impossible, ~alive)
        np.testing.assert_allclose(found[alive], expected[alive], rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("tiny", [1e-14, 1e-100, 1e-200])
def test_near_deterministic_rows_match_the_rational_law(tiny):
    conditional = np.array([[[1 - tiny, tiny], [tiny, 1 - tiny]], [[tiny, 1 - tiny], [1 - tiny, tiny]]])
    target = tm.NGram(conditional, 5, np.array([[1 - tiny, 0.0], [tiny, 0.0]]))
    y = every_context(2, 5)
    law = oracles.ngram_law(target.initial, target.conditional, 5)
    found = target.marginals(y, on_impossible="nan")
    for row, context in enumerate(y):
        expected = oracles.conditionals(law, tuple(context), 2)
        if expected is None:
            assert np.isnan(found[row][context < 0]).all()
        else:
            np.testing.assert_allclose(found[row], expected, rtol=2 * 5 * 8 * oracles.EPS, atol=1e-290)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 1.0])
def test_segments_of_long_rows_match_one_pass_over_the_whole_row(share):
    rng = np.random.default_rng(5)
    target = random_ngram(3, 3, 60, rng, zeros=0.1)
    x = target.sample(20, rng)
    y = np.where(rng.random(x.shape) < share, -1, x)
    y[0], y[1] = x[0], -1
    found, _ = extended(target, y)
    np.testing.assert_allclose(target.marginals(y), found, rtol=2 * 60 * 9 * oracles.EPS, atol=1e-290)


def test_ordinary_rows_need_no_extended_range(monkeypatch):
    target = random_ngram(2, 3, 6, np.random.default_rng(21), zeros=0.2)
    x = target.sample(30, np.random.default_rng(22))
    y = np.where(np.random.default_rng(23).random(x.shape) < 0.5, -1, x)
    expected, _ = extended(target, y)

    def refuse(*_):
        raise AssertionError("extended range was called")

    monkeypatch.setattr(extended_range, "ngram_marginals", refuse)
    np.testing.assert_allclose(target.marginals(y), expected, rtol=2 * 6 * 9 * oracles.EPS)


def test_a_window_that_decays_step_by_step_is_not_lost():
    """Token 0 after two zeros has probability 2^-60: thirty zeros in a row are rare, not impossible."""
    rows = np.full((2, 2, 2), 0.5)
    rows[0, 0] = 2.0**-60, 1 - 2.0**-60
    rows[0, 1], rows[1, 0], rows[1, 1] = (0.0, 1.0), (0.0, 1.0), (0.0, 1.0)
    target = tm.NGram(rows, 30, np.array([[1.0, 0.0], [0.0, 0.0]]))
    y = np.full((2, 30), -1)
    y[0, 29], y[1, 15] = 0, 0
    found = target.marginals(y)
    np.testing.assert_array_equal(found[0, :, 0], 1.0)
    np.testing.assert_array_equal(found[1, :16, 0], 1.0)
    np.testing.assert_allclose(found[1, 16:, 0], 2.0 ** (-60.0 * np.arange(1, 15)), rtol=1e-13)


def test_longest_segment_counts_windows_between_screens():
    y = np.array([[0, 0, -1, 0, 0, -1, -1, 0], [-1] * 8, [0] * 8])
    assert windows.longest_segment(y[:1], 2) == 4
    assert windows.longest_segment(y[1:2], 2) == 7
    assert windows.longest_segment(y[2:], 2) == 2
    assert windows.longest_segment(y[:, :2], 2) == 1
    assert windows.longest_segment(y[:0], 2) == 1


def test_order_two_is_a_markov_chain():
    rng = np.random.default_rng(6)
    rows = rng.dirichlet(np.ones(4), 4)
    gram, chain = tm.NGram(rows, 30), tm.MarkovChain(rows, 30)
    np.testing.assert_allclose(gram.initial, chain.initial, rtol=1e-14)
    x = chain.sample(10, rng)
    y = np.where(rng.random(x.shape) < 0.5, -1, x)
    np.testing.assert_array_equal(gram.marginals(y), chain.marginals(y))
    np.testing.assert_allclose(gram.log_prob(x), chain.log_prob(x), rtol=1e-14)
    assert gram.entropy() == pytest.approx(chain.entropy(), rel=1e-14)


def test_an_order_three_language_that_ignores_one_token_is_a_markov_chain():
    rows = np.array([[0.7, 0.3, 0.0], [0.0, 0.6, 0.4], [0.5, 0.0, 0.5]])
    chain = tm.MarkovChain(rows, 12)
    gram = tm.NGram(np.broadcast_to(rows, (3, 3, 3)).copy(), 12)
    np.testing.assert_allclose(gram.initial, chain.initial[:, None] * rows, rtol=1e-13, atol=1e-16)
    x = chain.sample(30, np.random.default_rng(7))
    y = np.where(np.random.default_rng(8).random(x.shape) < 0.6, -1, x)
    np.testing.assert_allclose(gram.marginals(y), chain.marginals(y), rtol=1e-12, atol=1e-16)
    assert gram.entropy() == pytest.approx(chain.entropy(), rel=1e-13)
    other = tm.NGram(np.moveaxis(gram.conditional, 0, 1).copy(), 12)
    assert abs(other.entropy() - chain.entropy()) > 1e-2


@pytest.mark.parametrize("stationary_start", [True, False])
def test_entropy_matches_the_table(stationary_start):
    for order in (1, 2, 3, 4):
        rng = np.random.default_rng(9)
        target = random_ngram(2, order, 8, rng, stationary_start=stationary_start)
        assert target.is_stationary == (stationary_start or order == 1)
        assert target.entropy() == pytest.approx(to_table(target).entropy(), rel=1e-13)


def test_published_reveal_curve_of_the_trigram():
    curve = tm.information_curve(tm.NGram(TRIGRAM, 8))
    for fraction, published in ((0.2, 0.547585955), (0.5, 0.443518582), (0.9, 0.372504448)):
        assert float(tm.reveal_curve(curve, fraction)) == pytest.approx(published, abs=6e-10)


def test_log_prob_matches_the_rational_law():
    target = random_ngram(2, 3, 5, np.random.default_rng(10), zeros=0.3)
    law = oracles.ngram_law(target.initial, target.conditional, 5)
    found = target.log_prob(np.array(list(law)))
    np.testing.assert_allclose(np.exp(found), [float(w) for w in law.values()], rtol=1e-14)
    assert (found == -np.inf).sum() == sum(w == 0 for w in law.values()) > 0
    shortest = tm.NGram(TRIGRAM, 2)
    np.testing.assert_allclose(np.exp(shortest.log_prob(np.array([[0, 1]]))), shortest.initial[0, 1], rtol=1e-15)


def test_samples_have_the_exact_law_and_a_wrong_law_is_rejected():
    target, size = random_ngram(2, 4, 6, np.random.default_rng(11)), 200_000
    pmf, radius = to_table(target).pmf, oracles.total_variation_radius(64, 200_000)
    assert oracles.total_variation(target.sample(size, np.random.default_rng(1)), pmf) <= radius
    reversed_context = tm.NGram(np.transpose(target.conditional, (2, 1, 0, 3)).copy(), 6, target.initial)
    assert oracles.total_variation(reversed_context.sample(size, np.random.default_rng(2)), pmf) > radius


def test_fit_counts_the_circle():
    rng = np.random.default_rng(12)
    corpus = rng.integers(3, size=40)
    counts = circular_counts(corpus, 3, 3)
    windows_of_circle = Counter(tuple(np.roll(corpus, -k)[:3]) for k in range(40))
    assert {w: int(counts[w]) for w in np.ndindex(3, 3, 3) if counts[w]} == windows_of_circle
    np.testing.assert_array_equal(counts.sum(axis=0), counts.sum(axis=-1))
    for order in (1, 2, 3):
        lower = counts.sum(axis=tuple(range(order, 3)))
        np.testing.assert_array_equal(lower, circular_counts(corpus, order, 3))
    target = tm.NGram.fit(corpus, 3, 3, 10)
    np.testing.assert_allclose(target.initial, counts.sum(axis=-1) / 40, rtol=1e-15)
    np.testing.assert_array_equal(tm.NGram.from_counts(counts, 10).conditional, target.conditional)
    assert target.is_stationary
    assert target.log_prob(corpus[None, :10])[0] > -np.inf


@pytest.mark.parametrize("order", [1, 2, 3])
def test_the_start_of_a_fit_is_counted_not_solved_for(order, monkeypatch):
    corpus = np.random.default_rng(19).integers(2, size=30)

    def refuse(_):
        raise AssertionError("a stationary law was solved for")

    monkeypatch.setattr(stationary, "stationary_windows", refuse)
    counts = circular_counts(corpus, order, 2)
    np.testing.assert_array_equal(tm.NGram.from_counts(counts, 6).initial, counts.sum(axis=-1) / 30)


def test_order_one_is_the_frequencies_of_tokens():
    target = tm.NGram.fit(np.array([1, 2, 2, 1, 2]), 1, 3, 4)
    np.testing.assert_allclose(target.conditional, [0.0, 0.4, 0.6], rtol=1e-15)
    assert target.is_stationary
    assert target.entropy() == pytest.approx(4 * -(0.4 * np.log(0.4) + 0.6 * np.log(0.6)), rel=1e-14)
    with pytest.raises(tm.ImpossibleContext, match=r"row\(s\) 1 "):
        target.marginals(np.array([[-1, 1, 2, -1], [0, -1, -1, -1]]))
    smoothed = tm.NGram.fit(np.array([1, 2, 2, 1, 2]), 1, 3, 4, smoothing=1.0)
    np.testing.assert_allclose(smoothed.conditional, [1 / 8, 3 / 8, 4 / 8], rtol=1e-15)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_samples_of_a_noiseless_recursion_are_its_orbits(order):
    """x_i = 1 - x_{i-n+1} for n = 2, 3; for n = 1 the only token possible."""
    rows = np.zeros((2,) * order)
    for context in np.ndindex(rows.shape[:-1]):
        rows[(*context, 1 - context[0] if context else 1)] = 1.0
    start = np.full((2,) * (order - 1), 2.0 ** (1 - order)) if order > 1 else None
    x = tm.NGram(rows, 5, start).sample(60, np.random.default_rng(18))
    if order == 1:
        assert (x == 1).all()
    else:
        assert (x[:, order - 1 :] == 1 - x[:, : 1 - order]).all()
        assert len(np.unique(x[:, : order - 1], axis=0)) == 2 ** (order - 1)


def test_contexts_that_never_occur_get_a_uniform_row_that_no_sample_reaches():
    corpus = np.array([0, 0, 1, 0, 0, 1])
    target = tm.NGram.fit(corpus, 3, 2, 9)
    np.testing.assert_array_equal(target.conditional[1, 1], [0.5, 0.5])
    assert target.initial[1, 1] == 0
    x = target.sample(500, np.random.default_rng(13))
    assert not ((x[:, 1:] == 1) & (x[:, :-1] == 1)).any()


def test_a_corpus_as_short_as_the_order_still_continues():
    target = tm.NGram.fit(np.array([0, 1, 1]), 3, 2, 6)
    assert {tuple(row) for row in target.sample(200, np.random.default_rng(14))} == {
        (0, 1, 1, 0, 1, 1),
        (1, 1, 0, 1, 1, 0),
        (1, 0, 1, 1, 0, 1),
    }


def test_smoothing_makes_every_window_possible():
    target = tm.NGram.fit(np.array([0, 0, 1, 0, 0, 1]), 3, 2, 5, smoothing=0.5)
    np.testing.assert_allclose(target.conditional[0, 0], [0.5 / 3, 2.5 / 3], rtol=1e-15)
    assert (target.initial > 0).all()
    assert target.is_stationary
    assert np.isfinite(target.log_prob(every_context(2, 5)[-1:])).all()


@pytest.mark.parametrize("dense", [10**6, 1])
def test_stationary_law_by_elimination_and_by_iteration(dense, monkeypatch):
    monkeypatch.setattr(stationary, "DENSE", dense)
    rng = np.random.default_rng(15)
    rows = rng.dirichlet(np.full(3, 0.3), 27)
    law = stationary.stationary_windows(rows)
    assert np.abs(next_law(law, rows) - law).sum() <= stationary.RESIDUAL
    square = stationary.window_graph(rows).toarray()
    values, vectors = np.linalg.eig(square.T)
    expected = vectors[:, np.argmax(values.real)].real
    np.testing.assert_allclose(law, expected / expected.sum(), atol=1e-12)
    control = np.full(27, 1 / 27)
    assert np.abs(next_law(control, rows) - control).sum() > 1e-2


@pytest.mark.parametrize(("dense", "iterated"), [(27, 0), (26, 1)])
def test_iteration_of_stationary_laws_starts_above_the_limit(dense, iterated, monkeypatch):
    calls = []
    monkeypatch.setattr(stationary, "DENSE", dense)
    monkeypatch.setattr(stationary, "_iterate", lambda matrix: calls.append(matrix.shape) or np.full(27, 1 / 27))
    stationary.stationary_windows(np.full((27, 3), 1 / 3))
    assert calls == [(27, 27)] * iterated


class Counted(csr_array):
    """A matrix that counts its products."""

    products = 0

    def __matmul__(self, vector):
        self.products += 1
        return super().__matmul__(vector)


def test_iteration_stops_when_done_or_when_it_does_not_pay():
    """A step halves what is left of independent tokens: done after 64. A sticky chain gains nothing: also given up."""
    fast, slow = Counted(np.full((4, 4), 0.25)), Counted(np.eye(2) * (1 - 1e-5) + 0.5e-5)
    law = stationary._power(fast, np.array([1.0, 0.0, 0.0, 0.0]))
    np.testing.assert_allclose(law, 0.25, atol=1e-14)
    assert fast.products == 64 + 2
    law = stationary._power(slow, np.array([1.0, 0.0]))
    assert abs(law[0] - 0.5) > 0.4
    assert slow.products == 64 + 2
    middle = Counted(np.array([[0.96, 0.04], [0.04, 0.96]]))  # 0.92 -> a factor 0.96^32 = 0.27 between checks
    law = stationary._power(middle, np.array([1.0, 0.0]))
    np.testing.assert_allclose(law, 0.5, atol=1e-13)
    assert middle.products == 33 * np.ceil(np.log(stationary.RESIDUAL / 16 / 0.08) / np.log(0.96) / 32)


def test_iteration_serves_periods_and_slow_mixing(monkeypatch):
    monkeypatch.setattr(stationary, "DENSE", 1)
    circle = circular_counts(np.array([0, 0, 0, 1, 0, 1, 1, 1]), 3, 2)
    rows = np.where(circle.sum(-1, keepdims=True) > 0, circle / np.maximum(circle.sum(-1, keepdims=True), 1), 0.5)
    law = stationary.stationary_windows(rows.reshape(4, 2))
    np.testing.assert_allclose(law, circle.sum(axis=-1).ravel() / 8, atol=1e-12)
    sticky = np.tile([[1 - 1e-4, 1e-4], [2e-4, 1 - 2e-4]], (32, 1))
    law = stationary.stationary_windows(sticky)
    monkeypatch.setattr(stationary, "DENSE", 10**6)
    np.testing.assert_allclose(law, stationary.stationary_windows(sticky), rtol=1e-6, atol=1e-9)


def test_real_text_tables_have_a_stationary_start():
    language = tm.NGram.from_counts(tm.corpus.counts(4), 64)
    assert language.is_stationary
    solved = tm.NGram(language.conditional, 64)
    np.testing.assert_allclose(solved.initial, language.initial, atol=1e-12)
    x = language.sample(4, np.random.default_rng(16))
    y = np.where(np.random.default_rng(17).random(x.shape) < 0.4, -1, x)
    found = language.marginals(y)
    np.testing.assert_allclose(found.sum(axis=2), 1.0, rtol=1e-12)
    row, position = np.nonzero(y < 0)
    assert (found[row, position, x[row, position]] > 0).all()


def test_bad_input_is_refused_with_the_place_and_the_value():
    corpus = np.array([0, 1, 0])
    with pytest.raises(ValueError, match="the corpus has 3 tokens, an n-gram of order 4 needs at least 4"):
        tm.NGram.fit(corpus, 4, 2, 8)
    with pytest.raises(ValueError, match="the corpus has 0 tokens"):
        tm.NGram.fit(np.zeros(0, dtype=np.int64), 1, 2, 8)
    for wrong in (5, 2, -1):
        with pytest.raises(ValueError, match=rf"tokens\[1\] = {wrong}, allowed: 0..1"):
            tm.NGram.fit(np.array([0, wrong, 1]), 2, 2, 8)
    for shapeless in (np.array([[0, 1]]), np.array([0.0, 1.0])):
        with pytest.raises((ValueError, TypeError), match="tokens"):  # here, or by the shape checks of the tests
            circular_counts(shapeless, 1, 2)
    with pytest.raises(ValueError, match="counts are all zero"):
        tm.NGram.from_counts(np.zeros((2, 2)), 5)
    for ragged in (np.zeros((2, 3)), np.zeros(())):
        with pytest.raises(ValueError, match=r"counts must have shape \(V,\)\*n"):
            tm.NGram.from_counts(ragged, 5)
    with pytest.raises(ValueError, match=r"smoothing = -1.0, allowed: 0, or from 1e-290 to 1e\+290"):
        tm.NGram.fit(corpus, 2, 2, 8, smoothing=-1.0)
    with pytest.raises(ValueError, match="order = 0, it must be an integer >= 1"):
        tm.NGram.fit(corpus, 0, 2, 8)
    with pytest.raises(tm.IntractableError, match=rf"V\^n = 27\^9.*V\^n <= {2**30 // 8}"):
        tm.NGram.fit(np.arange(20), 9, 27, 64)
    with pytest.raises(ValueError, match=r"row \(0, 1\) of conditional sums to 0.9"):
        tm.NGram(np.array([[[0.9, 0.1], [0.2, 0.7]], [[0.6, 0.4], [0.2, 0.8]]]), 5)
    with pytest.raises(ValueError, match=r"conditional\[0, 0, 1\] = nan"):
        tm.NGram(np.where(TRIGRAM == 0.1, np.nan, TRIGRAM), 5)
    with pytest.raises(ValueError, match=r"conditional must have shape \(V,\)\*n, got \(2, 3\)"):
        tm.NGram(np.array([[0.5, 0.5, 0.0], [0.2, 0.3, 0.5]]), 5)
    with pytest.raises(ValueError, match="length = 1 is shorter than the 2 tokens of a context of order 3"):
        tm.NGram(TRIGRAM, 1)
    with pytest.raises(ValueError, match=r"initial has shape \(4,\), it must be \(2, 2\)"):
        tm.NGram(TRIGRAM, 5, np.full(4, 0.25))
    with pytest.raises(ValueError, match=r"initial\[0, 1\] = -0.5"):
        tm.NGram(TRIGRAM, 5, np.array([[1.0, -0.5], [0.25, 0.25]]))
    with pytest.raises(ValueError, match=r"initial sums to 0\.9"):
        tm.NGram(TRIGRAM, 5, np.array([[0.4, 0.0], [0.25, 0.25]]))
    with pytest.raises(ValueError, match=r"2 recurrent .* those of \(0, 0\), \(1, 1\); pass initial="):
        tm.NGram(np.broadcast_to(np.eye(2)[:, None], (2, 2, 2)).swapaxes(0, 1).copy(), 5)
    with pytest.raises(ValueError, match=r"5 recurrent .* those of \(0,\), \(1,\), \(2,\), \(3,\); pass initial="):
        tm.NGram(np.eye(5), 5)
    with pytest.raises(ValueError, match=r"context \(0,\) is left 3 times and entered 2 times"):
        tm.NGram.from_counts(np.array([[1, 2], [1, 0]]), 5)
    with pytest.raises(tm.IntractableError, match=f"positions without 5 adjacent revealed tokens.*<= {2**30 // 8}"):
        tm.NGram(np.full((8,) * 6, 1 / 8), 5000, np.full((8,) * 5, 8.0**-5)).marginals(np.full((1, 5000), -1))


def test_impossible_contexts_are_listed_at_every_order():
    for order in (1, 2, 3):
        rows = np.zeros((3,) * order)
        rows[..., 0], rows[..., 1] = 0.5, 0.5
        target = tm.NGram(rows, 4)
        y = np.array([[-1, 0, 1, -1], [-1, -1, 2, -1], [0, 2, 0, 0]])
        with pytest.raises(tm.ImpossibleContext) as caught:
            target.marginals(y)
        assert caught.value.rows == [1, 2]
        assert (target.marginals(y, "uniform")[1][y[1] < 0] == 1 / 3).all()
        assert np.isnan(target.marginals(y, "nan")[1][y[1] < 0]).all()
        with pytest.raises(ValueError, match="a masked sequence has no probability"):
            target.log_prob(y)


@pytest.mark.parametrize("smoothing", [1e-310, 1e308, float("nan"), float("inf")])
def test_smoothing_has_a_stated_range(smoothing):
    """1e-310 gave nan without a word, 1e308 blamed a row of `conditional`."""
    with pytest.raises(ValueError, match=r"smoothing = .*, allowed: 0, or from 1e-290 to 1e\+290"):
        tm.NGram.fit(np.array([0, 1, 0, 1, 2]), 3, 4, 6, smoothing=smoothing)


def test_the_ends_of_the_smoothing_range():
    for smoothing in (1e-290, 1e290):
        language = tm.NGram.fit(np.array([0, 1, 0, 1, 2]), 3, 4, 6, smoothing=smoothing)
        assert np.isfinite(language.entropy())
        assert language.initial.sum() == pytest.approx(1.0, abs=1e-14)


def test_a_stationary_law_beyond_float64_is_refused():
    rows = [[0.0, 1.0], [5e-324, 1.0]]
    with pytest.raises(tm.IntractableError, match="pass initial= explicitly"):
        tm.MarkovChain(rows, 3)
    assert tm.MarkovChain(rows, 3, [1.0, 0.0]).entropy() == pytest.approx(0.0, abs=1e-300)
