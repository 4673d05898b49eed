"""Comparisons of texts with a law: right laws pass, wrong ones are found and bounded from below."""

import numpy as np
import pytest
from scipy.stats import binom

import toy_models as tm
from toy_models.audit import comparison, estimates, learned
from toy_models.audit import reference as law_of
from toy_models.audit.binomial import least_change, p_values, share_intervals
from toy_models.audit.comparison import compare
from toy_models.audit.events import letters, levels, pairs, statistics
from toy_models.audit.reference import Reference, cell_counts, language, written_by
from toy_models.audit.standing import baselines
from toy_models.quantities.lattice import sequences

CHAIN = tm.MarkovChain([[0.7, 0.3], [0.2, 0.8]], 6)
COOL = tm.MarkovChain([[0.8, 0.2], [0.12, 0.88]], 6)
ZEROS = tm.MarkovChain([[0.0, 0.6, 0.4], [0.5, 0.0, 0.5], [0.3, 0.7, 0.0]], 5)


def kl(q, p) -> float:
    x = sequences(q.vocab_size, q.length)
    log_q, log_p = q.log_prob(x), p.log_prob(x)
    seen = np.isfinite(log_q)
    return float(np.exp(log_q[seen]) @ (log_q[seen] - log_p[seen]))


@pytest.fixture
def sampled(monkeypatch):
    """Every law is known by its texts alone."""
    monkeypatch.setattr(law_of, "TABLE", 0)


def compared(target, texts, rng, alpha=0.001):
    reference = law_of.language(target, len(texts), rng)
    return compare(target, reference, texts, len(texts), alpha, rng)


@pytest.mark.parametrize("target", [CHAIN, ZEROS, tm.repetition(2, 1), tm.Table(np.ones(1)), tm.pairs(2, 4)])
def test_texts_of_the_law_pass(target, rng):
    for size in (2, 50, 3000):
        found = compared(target, target.sample(size, rng), rng)
        assert not found.differs
        assert found.kl_low == 0.0


def test_texts_of_the_law_pass_where_it_is_sampled(sampled, rng):
    for target in (CHAIN, ZEROS):
        found = compared(target, target.sample(1000, rng), rng)
        assert found.simulated is None
        assert not found.differs


@pytest.mark.parametrize("size", [2000, 20_000])
def test_another_law_is_found_and_bounded(size, rng):
    found = compared(CHAIN, COOL.sample(size, rng), rng)
    exact = kl(CHAIN, COOL)
    assert found.differs
    assert 0.15 * exact < found.kl_low < exact
    assert found.differences[0].p_value < 1e-3


def test_another_law_is_found_and_bounded_where_it_is_sampled(sampled, rng):
    found = compared(CHAIN, COOL.sample(8000, rng), rng)
    assert found.differs
    assert 0.05 * kl(CHAIN, COOL) < found.kl_low < kl(CHAIN, COOL)


def test_learned_scores_see_what_single_letters_do_not(sampled, rng):
    """Pairs at distance two: the even bits are those of another language, each letter keeps its law."""
    target = tm.MarkovChain([[0.5, 0.5], [0.5, 0.5]], 32)
    texts = target.sample(1000, rng)
    texts[:, 2::4] = np.where(rng.random((1000, 8)) < 0.7, texts[:, 0::4], texts[:, 2::4])
    reference = law_of.language(target, 1000, rng)
    assert learned.by_scores(target, reference, texts, 1000, 0.001, rng) > 0
    clean = target.sample(1000, rng)
    assert learned.by_scores(target, reference, clean, 1000, 0.001, rng) == 0.0


def test_rows_that_are_not_independent_are_found(rng):
    texts = np.repeat(CHAIN.sample(1000, rng), 2, axis=0)
    found = compared(CHAIN, texts, rng)
    assert found.differs
    assert found.differences[-1].event == "neighbouring rows are the same text"
    again = np.tile(CHAIN.sample(1000, rng), (2, 1))
    assert compared(CHAIN, again, rng).differences[-1].event == "rows half the texts apart are the same text"


def test_texts_outside_the_language_lower_the_others(rng):
    texts = CHAIN.sample(4000, rng)[:3000]  # a quarter held a mask
    found = compare(CHAIN, law_of.language(CHAIN, 4000, rng), texts, 4000, 0.001, rng)
    assert found.differs
    assert 0.5 * np.log(4 / 3) < found.kl_low < np.log(4 / 3)
    assert compare(CHAIN, law_of.language(CHAIN, 4000, rng), texts[:0], 4000, 0.001, rng).differs


def test_the_law_of_a_rule_is_known_too(rng):
    rule = tm.RandomOrder([3, 2])
    written = tm.sample(ZEROS, rule, 6000, rng)
    whole = ~written.impossible
    texts = written.tokens[whole][np.isfinite(ZEROS.log_prob(written.tokens[whole]))]
    reference = law_of.written_by(ZEROS, rule, 6000, rng)
    law = tm.sampler_law(ZEROS, rule)
    x = sequences(3, 5)
    assert reference.rest == pytest.approx(1 - law.pmf.ravel()[np.isfinite(ZEROS.log_prob(x))].sum(), abs=1e-12)
    assert not compare(ZEROS, reference, texts, 6000, 0.001, rng).differs
    other = law_of.written_by(ZEROS, tm.RandomOrder([2, 3]), 6000, rng)
    assert compare(ZEROS, other, texts, 6000, 0.001, rng).differs


def test_the_law_of_a_rule_is_sampled_where_it_is_large(sampled, rng):
    rule = tm.RandomOrder([3, 2])
    reference = law_of.written_by(ZEROS, rule, 3000, rng)
    written = tm.sample(ZEROS, rule, 3000, rng)
    whole = ~written.impossible
    texts = written.tokens[whole][np.isfinite(ZEROS.log_prob(written.tokens[whole]))]
    assert not compare(ZEROS, reference, texts, 3000, 0.001, rng).differs
    assert compare(ZEROS, reference, ZEROS.sample(3000, rng), 3000, 0.001, rng).differs


def test_events_are_asked_as_they_are_named(rng):
    x = sequences(2, 6)
    reference = law_of.language(CHAIN, 10, rng)
    for family in (letters(CHAIN), pairs(CHAIN), levels(statistics(CHAIN, reference), reference)):
        asked = family.ask(x)
        assert asked.shape == (64, len(family.names))
        assert len(set(family.names)) == len(family.names)
        assert family.ask(x[:0]).shape == (0, len(family.names))
    by_name = dict(zip(pairs(CHAIN).names, pairs(CHAIN).ask(x).T, strict=True))
    assert (by_name["letters 1 and 4 are 0 1"] == ((x[:, 1] == 0) & (x[:, 4] == 1))).all()
    found = statistics(CHAIN, reference)
    measured = dict(zip(found.names, found.measure(x).T, strict=True))
    assert (measured["the number of letters 1"] == x.sum(axis=1)).all()
    assert (measured["the number of repeated neighbours"] == (np.diff(x, axis=1) == 0).sum(axis=1)).all()
    assert np.abs(measured["-log q(x)"] + CHAIN.log_prob(x)).max() == 0.0


def test_cells_are_counted(rng):
    cells = sequences(3, 4)
    texts = cells[rng.integers(0, len(cells), 500)]
    counted = cell_counts(cells, texts)
    assert counted.sum() == 500
    assert counted[7] == (texts == cells[7]).all(axis=1).sum()


# --------------------------------------------------------------------------------------------------------- estimates


@pytest.mark.parametrize("target", [CHAIN, ZEROS, tm.corpus.language(2, 16)])
def test_intervals_hold_what_they_estimate(target, rng):
    texts = target.sample(2000, rng)
    found = estimates.entropy(texts, target.vocab_size, 0.99)
    assert found.low <= target.entropy() <= found.high
    found = estimates.cross_entropy(target, texts, 2000, 0.99)
    assert found.low <= target.entropy() <= found.high  # of the language itself they are equal
    assert np.isinf(estimates.cross_entropy(target, texts[1:], 2000, 0.99).low)


def test_cross_entropy_has_no_upper_end_where_texts_are_impossible(rng):
    assert np.isinf(estimates.cross_entropy(ZEROS, ZEROS.sample(100, rng), 100, 0.99).high)
    assert np.isfinite(estimates.cross_entropy(CHAIN, CHAIN.sample(100, rng), 100, 0.99).high)


@pytest.mark.parametrize(
    "target",
    [CHAIN, ZEROS, tm.Blocks(tm.pairs(2, 2), 2), tm.Table(np.array([[0.5, 0.0], [0.1, 0.4]])),
     tm.HMM([0.5, 0.5], [[0.9, 0.1], [0.2, 0.8]], [[0.7, 0.3], [0.1, 0.9]], 4),
     tm.NGram(np.random.default_rng(1).dirichlet(np.full(2, 0.5), (2, 2)), 4)],
)  # fmt: skip
def test_the_range_of_losses_holds_every_text(target):
    least, most, everywhere = estimates.loss_range(target)
    losses = -target.log_prob(sequences(target.vocab_size, target.length))
    seen = losses[np.isfinite(losses)]
    assert least - 1e-12 <= seen.min()
    assert seen.max() <= most + 1e-12
    assert everywhere <= bool(np.isfinite(losses).all())


def test_kl_has_an_upper_end_once_everything_was_written(rng):
    reference = law_of.language(CHAIN, 10, rng)
    found = estimates.divergence(reference, COOL.sample(30_000, rng), 30_000, 0.0, 0.99)
    assert kl(CHAIN, COOL) < found.high < np.inf
    assert abs(float(found.value) - kl(CHAIN, COOL)) < 0.02
    assert np.isinf(estimates.divergence(reference, COOL.sample(20, rng), 20, 0.0, 0.99).high)


# ---------------------------------------------------------------------------------------------------------- standing


def test_baselines_at_whole_calls_are_the_rules_themselves():
    found = {b.name: b for b in baselines(ZEROS, 2.0)}
    assert found["random order"].kl == pytest.approx(tm.marginal_kl(ZEROS, tm.RandomOrder([3, 2])), abs=1e-12)
    assert found["grid"].calls == pytest.approx(2.0, abs=1e-9)
    assert found["optimal front"].kl <= min(found["random order"].kl, found["grid"].kl) + 1e-12
    assert {b.name for b in baselines(tm.corpus.language(2, 64), 8.0)} == {"random order", "grid", "halving"}


def test_between_whole_calls_two_rules_are_mixed():
    found = {b.name: b for b in baselines(ZEROS, 2.25)}["random order"]
    ends = [tm.marginal_kl(ZEROS, tm.RandomOrder(sizes)) for sizes in ([3, 2], [2, 2, 1])]
    assert found.calls == pytest.approx(2.25, abs=1e-12)
    assert found.kl == pytest.approx(0.75 * ends[0] + 0.25 * ends[1], abs=1e-12)


@pytest.mark.parametrize("calls", [0.5, 1.0, 3.3, 5.0, 9.0])
def test_baselines_at_any_calls(calls):
    for b in baselines(CHAIN, calls):
        assert b.kl >= 0
        assert 1.0 - 1e-9 <= b.calls <= 6.0 + 1e-9


def test_questions_are_chosen_on_one_half_and_counted_on_the_other(rng):
    """Nine letters, L = 5 or 6, no table: the halves share no draw; impossible texts are missing from either."""
    target = tm.MarkovChain(np.full((9, 9), 1 / 9), 5)
    reference = language(target, 400, rng)
    first, second = reference.halves()
    assert first.draws + second.draws == reference.draws
    np.testing.assert_array_equal(np.concatenate([first.texts, second.texts]), reference.texts)
    assert len(first.texts) == first.draws
    table = language(tm.repetition(2, 3), 10, rng)
    assert table.halves() == (table, table)
    written = written_by(tm.pairs(9, 6), tm.RandomOrder([3, 3]), 400, rng)
    first, second = written.halves()
    assert len(first.texts) + len(second.texts) == len(written.texts) < written.draws
    assert 0 < len(first.texts) < first.draws


@pytest.mark.parametrize("draws", [2_000, 20_000])
def test_the_smallest_change_counts_the_draws_of_the_reference(draws):
    """An event of even odds moved by the stated change is found with probability 1 - missed, by enumeration."""
    size, alpha, missed = 4_000, 1e-4, 0.05
    reference = Reference("q", np.zeros((0, 1), dtype=np.int64), None, None, draws, None)
    change = comparison._smallest(reference, size, alpha, missed)
    share = np.arange(draws + 1)
    ends = share_intervals(share, draws, alpha / 4)[1]
    keep = binom.pmf(share, draws, 0.5) > 1e-12
    found = 0.0
    for end, weight in zip(ends[keep], binom.pmf(share[keep], draws, 0.5), strict=True):
        counts = np.arange(int(size * end), size + 1)
        seen = 2 * p_values(counts, size, np.full(len(counts), end)) <= alpha
        if seen.any():
            found += weight * binom.sf(counts[seen.argmax()] - 1, size, 0.5 + change)
    assert 1 - missed <= found
    assert change > least_change(size, alpha, 1 - missed)
