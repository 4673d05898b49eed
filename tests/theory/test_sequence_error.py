"""The sequence-error topic on the smoke profile: verdicts, published numbers, and curves by other routes."""

import numpy as np
import pytest
from smoke import results as smoke

import toy_models as tm
from theory import sequence_error as topic
from theory.claims import load_claims
from theory.ledger import load_topic, run_topic
from theory.perplexity import CHAIN_A, uniform
from theory.registry import REGISTRY
from theory.sequence_error_chain import first_order_constant

CONSTRUCTIONS = {"feng-thm-4-4"}


@pytest.fixture(scope="module")
def results():
    return smoke("sequence_error")


def test_verdicts(results):
    lines = run_topic("sequence_error", "smoke", results=results)
    assert {line.claim.id: line.problems for line in lines if line.problems} == {}
    for line in lines:
        expected = "construction shown" if line.claim.id in CONSTRUCTIONS else "holds"
        assert (line.claim.id, line.verdict) == (line.claim.id, expected)
    assert len(lines) == len([c for c in load_claims().values() if c.topic == "sequence_error"])


def test_every_registered_function_has_a_claim():
    load_topic("sequence_error")
    mine = {e.claim for e in REGISTRY.entries if e.topic == "sequence_error"}
    assert mine == {c.id for c in load_claims().values() if c.topic == "sequence_error"}


def test_thresholds():
    assert pytest.approx(0.631, abs=5.1e-4) == topic.THRESHOLD_ORACLE
    for steps, published in ((320, 0.5039), (512, 0.3546), (1024, 0.1966)):
        assert topic._pair_error(512, steps) == pytest.approx(published, abs=5.1e-5)


def test_pair_curves(results):
    """The library's SER, and the bound for learned denoisers just below the oracle."""
    part = results.pairs
    row = part.independent[part.lengths.index(64)]
    for k in (0, 10, len(part.ratio) - 1):
        steps = int(np.ceil(part.ratio[k] * 64))
        assert row[k] == pytest.approx(tm.sequence_error(tm.pairs(8, 64), uniform(steps)), rel=1e-10)
    here = np.isfinite(part.fixed)
    assert (part.fixed[here] <= row[here] + 1e-12).all()
    assert part.fixed[part.ratio == 1.0] == pytest.approx([0.0], abs=1e-12)
    assert (part.learned_bound <= row).all()
    assert (part.learned_bound >= 0.98 * row).all()


def test_chain_against_published_values(results):
    """Chain A at L = 64, N = 16, 32, 64, and its first-order constant."""
    part = results.chain
    row = part.error[part.lengths.index(64)]
    for steps, published in ((16, 0.61593), (32, 0.37657), (64, 0.20928)):
        assert row[part.steps == steps] == pytest.approx([published], abs=5.1e-6)
    assert part.kappa == pytest.approx(0.2358, abs=2e-4)
    np.testing.assert_allclose(part.error, -np.expm1(part.log_valid), rtol=1e-14)
    scaled = -part.log_valid[part.lengths.index(256)] * part.steps / 256
    assert scaled[-1] == pytest.approx(part.kappa, rel=0.02)


def test_first_order_constant_from_the_exact_error():
    """Another language: the constant against the exact error at large N, where the law says they meet."""
    chain = tm.MarkovChain([[0.0, 1.0, 0.0], [0.5, 0.0, 0.5], [0.2, 0.3, 0.5]], 64)
    table = tm.sequence_error_table(chain, 192, [64, 65])
    slope = (table.log_valid[:, 0] - table.log_valid[:, 1]) * table.steps  # one more token: no effect of the ends
    assert slope[-1] == pytest.approx(first_order_constant(chain), rel=0.02)


def test_texts(results):
    two, three, four = results.texts
    np.testing.assert_array_equal(two.low, two.high)
    assert (np.diff(two.error) < 0).all()
    exact = tm.sequence_error(tm.corpus.language(2, 16), uniform(2))
    assert two.error[two.steps == 2] == pytest.approx([exact], rel=1e-10)
    for part in (three, four):
        assert (part.low < part.error + 1e-12).all()
        assert (part.error - 1e-12 < part.high).all()


def test_easy_for_tokens_hard_for_sequences(results):
    part = results.easy_hard
    assert np.ptp(part.token_excess) == 0
    assert part.token_excess[0] == pytest.approx(0.0281, abs=5.1e-5)
    np.testing.assert_allclose(part.sequence_error, -np.expm1(-part.lengths * part.token_excess), rtol=1e-12)
    assert part.sequence_error[-1] > 1 - 1e-12


def test_orders_that_beat_the_bound(results):
    error = dict(zip(results.orders.names, results.orders.error, strict=True))
    assert error["pairs, random order, 2 steps"] == pytest.approx(0.45, abs=1e-12)
    for name, value in error.items():
        if "random" in name:
            assert value > 0.2
        else:
            assert value == pytest.approx(0.0, abs=1e-13)


def test_costs_reach_their_targets(results):
    """The stated calls are enough and one call fewer is not."""
    pairs = results.costs[0]
    for length, calls in zip(pairs.lengths, pairs.sequence_calls, strict=True):
        assert topic._pair_error(int(length), int(calls)) <= 0.05 < topic._pair_error(int(length), int(calls) - 1)
    n = int(pairs.token_calls[0])
    excess = [tm.marginal_kl(tm.pairs(8, 2), uniform(k)) / 2 for k in (n, n - 1)]
    assert excess[0] <= 0.01 < excess[1]
    chain = results.costs[1]
    for length, calls in zip(chain.lengths, chain.token_calls, strict=True):
        target = tm.MarkovChain(CHAIN_A, int(length))
        found = [tm.trajectory_kl(target, uniform(int(k))) / length for k in (calls, calls - 1)]
        assert found[0] <= 0.01 < found[1]
        error = tm.sequence_error(target, uniform(int(chain.sequence_calls[list(chain.lengths).index(length)])))
        assert error == pytest.approx(0.05, abs=0.01)  # from the first-order law
