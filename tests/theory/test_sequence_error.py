"""The sequence-error topic on the smoke profile: verdicts, published numbers, and curves by other routes."""

import numpy as np
import pytest
from smoke import results as smoke

import toy_models as tm
from theory.ledger.claims import load_claims
from theory.ledger.registry import REGISTRY
from theory.ledger.run import load_topic, run_topic
from theory.perplexity.results import CHAIN_A, uniform
from theory.sequence_error import results as topic
from theory.sequence_error.chain import first_order_constant

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
    assert 2 * slope[-1] - slope[95] == pytest.approx(first_order_constant(chain), rel=1e-4)


@pytest.mark.parametrize(
    ("transition", "known"),
    [
        (CHAIN_A, 0.2356914838),
        ([[0.5, 0.5], [1.0, 0.0]], 0.0848573168),
        ([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.5, 0.5, 0.0]], 0.3573726582),  # first positive power 5 > V
        ([[0.7, 0.3], [0.4, 0.6]], 0.0),
    ],
)
def test_first_order_constant_known(transition, known):
    assert first_order_constant(tm.MarkovChain(transition, 2)) == pytest.approx(known, abs=1e-10)


def test_first_order_constant_of_a_slow_chain():
    """The lazy three-cycle forgets after 900 tokens: cut off at 80 it had .02812."""
    lazy = [[0.98, 0.02, 0.0], [0.0, 0.98, 0.02], [0.02, 0.0, 0.98]]
    assert first_order_constant(tm.MarkovChain(lazy, 2)) == pytest.approx(0.02817, abs=5e-6)


@pytest.mark.parametrize("transition", [[[0.0, 1.0], [1.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.5, 0.5]]])
def test_first_order_constant_refuses_chains_without_a_positive_power(transition):
    with pytest.raises(ValueError, match="not primitive"):
        first_order_constant(tm.MarkovChain(transition, 2, initial=[0.5, 0.5]))


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
    """The stated slots are enough and one slot fewer is not, by the library's own sequence error and trajectory KL."""
    for part, make in zip(results.costs, (lambda n: tm.pairs(8, n), lambda n: tm.MarkovChain(CHAIN_A, n)), strict=True):
        for length, slots, tokens in list(zip(part.lengths, part.sequence_slots, part.token_slots, strict=True))[:2]:
            target = make(int(length))
            error = [tm.sequence_error(target, uniform(int(n))) for n in (slots, slots - 1)]
            assert error[0] <= 0.05 < error[1]
            path = [tm.trajectory_kl(target, uniform(int(n))) / length for n in (tokens, tokens - 1)]
            assert path[0] <= 0.01 < path[1]


def test_slots_are_not_calls(results):
    """Expected calls of write-once samplers never pass L; the library counts the same ones."""
    for part in results.costs:
        for slots, calls in ((part.sequence_slots, part.sequence_calls), (part.token_slots, part.token_calls)):
            assert (calls <= part.lengths).all()
            assert (calls <= slots + 1e-9).all()
        assert (part.exact_calls <= part.lengths).all()
        assert (part.sequence_slots > part.lengths).all()  # drawn as calls, these would have passed L
    chain = results.costs[1]
    assert chain.sequence_slots[0] == 72
    expected = tm.expected_calls(tm.MarkovChain(CHAIN_A, 16), uniform(72))
    assert chain.sequence_calls[0] == pytest.approx(expected, rel=1e-12)
    assert 0.9 < chain.sequence_calls[-1] / chain.lengths[-1] < 0.95
    np.testing.assert_array_equal(chain.exact_calls, 1 + np.floor(np.log2(chain.lengths)))
    pairs = tm.pairs(2, 8)
    odd_even = tm.FixedOrder((tuple(range(0, 8, 2)), tuple(range(1, 8, 2))))
    assert tm.sequence_error(pairs, odd_even) == pytest.approx(0.0, abs=1e-13)
