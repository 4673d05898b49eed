"""The perplexity topic on the smoke profile: verdicts, and the numbers of the curves by other routes."""

from math import log

import numpy as np
import pytest
from smoke import results as smoke

import toy_models as tm
from theory.ledger.claims import load_claims
from theory.ledger.registry import REGISTRY
from theory.ledger.run import load_topic, run_topic
from theory.perplexity import results as topic
from theory.perplexity.written import enough_for_the_written_law, repetition_kl, step_counts

SHARPENED = {"feng-thm-4-2", "li-cai-thm-1"}
WRONG = {"ccl-lemma-35"}


@pytest.fixture(scope="module")
def results():
    return smoke("perplexity")


def test_verdicts(results):
    lines = run_topic("perplexity", "smoke", results=results)
    assert {line.claim.id: line.problems for line in lines if line.problems} == {}
    for line in lines:
        name = line.claim.id
        expected = "sharpened" if name in SHARPENED else "fails as stated" if name in WRONG else "holds"
        assert (name, line.verdict) == (name, expected)


def test_every_registered_function_has_a_claim():
    load_topic("perplexity")
    mine = {e.claim for e in REGISTRY.entries if e.topic == "perplexity"}
    assert mine == {c.id for c in load_claims().values() if c.topic == "perplexity"}


def test_collapse_curves(results):
    """Below the universal bound, the lengths together on chain A, and equal to the library's trajectory KL."""
    by_name = {part.language: part for part in results.collapses}
    assert set(by_name) == {"text 2-gram", "chain A", "slow binary chain", "repetition, K = 16"}
    for part in results.collapses:
        steps = np.array(part.steps)
        assert part.excess.shape == (2, len(steps))
        assert (part.excess[-1] <= part.drop / steps).all()
        assert (part.shifted[1:] <= part.drop / (2 * (steps[1:] - 1)) * (1 + 1e-12)).all()  # equality at repetition
        assert np.isnan(part.shifted[0])
    chain = by_name["chain A"]
    assert np.ptp(chain.excess[:, :12], axis=0).max() < 0.05 * chain.excess[0, 0]
    for k, n in enumerate(chain.steps[:4]):
        exact = tm.trajectory_kl(tm.MarkovChain(topic.CHAIN_A, 64), topic.uniform(n)) / 64
        assert chain.excess[0, k] == pytest.approx(exact, rel=1e-12)
    repetition = by_name["repetition, K = 16"]
    assert repetition.drop == pytest.approx(log(16), rel=1e-12)
    assert repetition.excess[-1, 3] * 4 / log(16) > 0.97  # the bound is nearly reached


def test_one_over_n_law(results):
    """N times the excess tends to (h(0) - h(1))/2 on chain A."""
    part = next(p for p in results.collapses if p.language == "chain A")
    assert part.steps[-1] * part.excess[-1, -1] == pytest.approx(part.drop / 2, rel=0.02)


def test_written_law_is_below_the_trajectory(results):
    for part in results.marginals:
        assert part.marginal[0] == pytest.approx(part.trajectory[0], rel=1e-10)  # one step: the same
        assert (part.marginal[1:] < part.trajectory[1:]).all()
    pairs = results.marginals[-1]
    for n in (2, 8):
        k = int(np.flatnonzero(pairs.steps == n)[0])
        target, rule = tm.pairs(8, 2), topic.uniform(n)
        assert pairs.trajectory[k] == pytest.approx(tm.trajectory_kl(target, rule) / 2, rel=1e-12)
        assert pairs.marginal[k] == pytest.approx(tm.marginal_kl(target, rule) / 2, rel=1e-12)


def test_generative_perplexity_ranks_the_wrong_way(results):
    """At 32 steps the sharpened sampler scores best and covers worse than the exact one."""
    part = results.generative
    exact, sharp = part.samplers.index("exact"), part.samplers.index("sharpened (power 1.5)")
    assert part.generative[sharp, -1] < 0 < part.generative[exact, -1]
    assert part.excess[sharp, -1] > part.excess[exact, -1] > 0


def test_schedules_are_ranked_and_the_optimum_is_last(results):
    for part in results.schedules:
        assert len(part.names) == 8
        assert part.names[-1] == "optimal"
        assert (np.diff(part.excess) <= 0).all()


def test_orders(results):
    """2-grams are exact; the bound of every order is far below the published one; sampled values lie in their bands."""
    for part in results.orders:
        steps = np.array(part.steps)
        assert (part.low <= part.excess).all()
        assert (part.excess <= part.high).all()
        assert (part.high < 4 * log(27) / steps ** (1 / part.order)).all()
    two = results.orders[0]
    np.testing.assert_array_equal(two.low, two.high)
    exact = [tm.trajectory_kl(tm.corpus.language(2, 64), topic.uniform(n)) / 64 for n in two.steps]
    np.testing.assert_allclose(two.excess, exact, rtol=1e-12)


def test_vocabulary_ratio_ends_near_one_half(results):
    assert (results.vocabulary.ratio[:, -1] > 0.48).all()
    assert (results.vocabulary.ratio < 0.5).all()


def test_written_law_of_the_collapse_languages(results):
    """Below the trajectory bound of the same language, by another route at small N, and with its own rate."""
    for part, written in zip(results.collapses, results.written, strict=True):
        assert part.language == written.language
        make = topic.languages()[part.language]
        path = [tm.trajectory_kl(make(written.length), topic.uniform(n)) / written.length for n in written.steps[:6]]
        assert (written.excess[:6] <= np.array(path) * (1 + 1e-12)).all()
    chain = tm.MarkovChain(topic.CHAIN_A, 7)
    assert results.written[1].excess[2] == pytest.approx(tm.marginal_kl(chain, topic.uniform(3)) / 7, rel=1e-10)
    words = tm.repetition(16, 2)
    assert repetition_kl(16, 2, 3) == pytest.approx(tm.marginal_kl(words, topic.uniform(3)), rel=1e-12)
    slow, steps = results.written[2].excess, np.array(results.written[2].steps)
    assert np.polyfit(np.log(steps[-3:]), np.log(slow[-3:]), 1)[0] < -1.7  # towards N^-2, the trajectory is N^-1


def test_dichotomy_curves(results):
    """Published values of the growth with the length: kappa of chain A between L = 5 and 6, sigma^2/2 of flip .3."""
    by_name = {part.language: part for part in results.dichotomies}
    a, flip = by_name["chain A"], by_name["flip .3"]
    assert a.order == 1
    assert a.limit == pytest.approx(1.2657290589 - 1.0300630264, abs=2e-10)
    assert a.written[-1] * 256 == pytest.approx(0.2361088555, abs=2e-9)
    assert flip.order == 2
    for n, value in ((16, 0.0934078974), (64, 0.0955331625), (256, 0.0961155081)):
        assert flip.written[flip.steps == n] * n**2 == pytest.approx([value], abs=1e-8)
    assert flip.limit == pytest.approx(0.0963146, abs=2e-7)


def test_step_counts():
    assert topic.published_steps(2, 0.1) == 100
    assert topic.published_steps(4, 0.5) == 48
    assert [topic.sufficient_steps(e) for e in (0.25, 0.1, 0.05)] == [1, 3, 5]
    assert [enough_for_the_written_law(0.005, v) for v in (3, 27, 50257)] == [49, 34, 29]
    for part in step_counts(27), step_counts(50257):
        assert (part.necessary <= part.written).all()


def test_own_text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("the cat sat on the mat and the dog sat on the log " * 20, encoding="utf-8")
    part = topic.order_curve(2, "smoke", str(path), np.random.default_rng(0))
    shipped = smoke("perplexity").orders[0]
    assert (part.excess < part.drop / np.array(part.steps)).all()
    assert abs(part.excess[0] - shipped.excess[0]) > 0.1
