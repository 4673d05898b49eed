"""Samplers that bring their own law: what they equal, what they cost, how long their texts are, and refusals."""

import numpy as np
import pytest
from oracles import total_variation, total_variation_radius

import toy_models as tm
from toy_models.rules import ConfidenceMemory, GridReveal, PathPlanning, Remasking, StopAtEos, length_law
from toy_models.targets import gumbel_share

CHAIN = tm.MarkovChain([[0.7, 0.3], [0.2, 0.8]], 5)
SPARSE = tm.MarkovChain([[0.7, 0.3, 0.0], [0.0, 0.6, 0.4], [0.5, 0.0, 0.5]], 4)


def pmf(target):
    return tm.quantities.to_table(target).pmf


# speculative


@pytest.mark.parametrize("draft", [1, 2, 3, 7])
@pytest.mark.parametrize("target", [CHAIN, SPARSE, tm.zero_sum(2, 4), tm.repetition(3, 3)])
def test_speculative_is_lossless(target, draft):
    law = tm.sampler_law(target, tm.Speculative(draft))
    np.testing.assert_allclose(law.pmf, pmf(target), rtol=0, atol=1e-15)
    assert law.impossible == 0.0
    assert 2.0 <= law.mean_steps <= target.length + 1e-12


def test_speculative_calls_by_hand():
    """Coins: every draft is accepted. Four equal letters: the round ends at the first tail, and then all is known."""
    coins = tm.MarkovChain([[0.6, 0.4], [0.6, 0.4]], 4)
    assert [tm.sampler_law(coins, tm.Speculative(k)).mean_steps for k in (1, 2, 4)] == pytest.approx([4, 4, 2])
    # draft agrees up to position j: 2 calls if all 3 agree or the last is corrected; else 2 + min(2, masks left)
    expected = 2 * (1 / 8 + 1 / 8) + 1 / 4 * (2 + 1) + 1 / 2 * (2 + 2)
    assert tm.sampler_law(tm.repetition(2, 4), tm.Speculative(4)).mean_steps == pytest.approx(expected)


def test_speculative_at_length_64():
    target = tm.MarkovChain([[0.95, 0.05], [0.1, 0.9]], 64)
    runs = tm.sample(target, tm.Speculative(8), 400, np.random.default_rng(1))
    assert (runs.steps <= 64).all()
    assert 16 <= runs.steps.mean() < 40
    found, exact = (x[:, 1:] != x[:, :-1] for x in (runs.tokens, target.sample(400, np.random.default_rng(2))))
    assert abs(found.mean() - exact.mean()) < 0.02  # 25 000 pairs each, sd .003


# grids


@pytest.mark.parametrize("fill", ["argmax", "draw"])
def test_grid_that_reaches_the_end_is_independent_reveal(fill):
    weights = [0.1, 0.0, 0.5, 0.4]
    one, other = (
        tm.sampler_law(SPARSE, GridReveal(weights, fill)),
        tm.sampler_law(SPARSE, tm.IndependentReveal(weights)),
    )
    np.testing.assert_allclose(one.pmf, other.pmf, rtol=0, atol=1e-15)
    assert (one.impossible, one.mean_steps) == pytest.approx((other.impossible, other.mean_steps))


def test_drawn_fill_is_one_more_weight():
    one, other = (
        tm.sampler_law(CHAIN, GridReveal([0.3, 0.3], "draw")),
        tm.sampler_law(CHAIN, tm.IndependentReveal([0.3, 0.3, 0.4])),
    )
    np.testing.assert_allclose(one.pmf, other.pmf, rtol=0, atol=1e-15)
    argmax = tm.sampler_law(CHAIN, GridReveal([0.3, 0.3]))
    assert tm.generative_cross_entropy(CHAIN, GridReveal([0.3, 0.3])) < tm.generative_cross_entropy(
        CHAIN, tm.IndependentReveal([0.3, 0.3, 0.4])
    )
    assert np.abs(argmax.pmf - other.pmf).sum() > 0.1


def test_gumbel_noise_of_few_bits():
    """One letter, one call of hazard .5, then a drawn fill: written with P(r pi), else drawn."""
    law, bits = np.array([0.9, 0.08, 0.02]), 5
    target = tm.MarkovChain(np.tile(law, (3, 1)), 1)
    share = gumbel_share(0.5 * law, bits)
    expected = share + (1 - share.sum()) * law
    found = tm.sampler_law(target, GridReveal([0.5], "draw", bits)).pmf
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    exact = tm.sampler_law(target, GridReveal([0.5], "draw")).pmf
    np.testing.assert_allclose(exact, law, rtol=1e-14)
    assert found[2] < 0.95 * law[2]
    many = GridReveal(np.full(20, 0.05), "draw", bits)
    assert tm.sampler_law(target, many).pmf[2] < found[2]  # more steps, colder


def test_blocks_of_a_content_free_rule():
    """Blocks of one read from left to right; one block is the rule itself; mixtures multiply."""
    whole = tm.sampler_law(CHAIN, tm.rules.Blockwise(5, tm.IndependentReveal([0.4, 0.6])))
    np.testing.assert_array_equal(whole.pmf, tm.sampler_law(CHAIN, tm.IndependentReveal([0.4, 0.6])).pmf)
    assert tm.trajectory_kl(CHAIN, tm.rules.Blockwise(1, tm.RandomOrder([1]))) < 1e-14
    four = tm.MarkovChain(CHAIN.transition, 4)
    assert len(tm.rules.Blockwise(2, tm.ShiftedReveal(3)).stages(4)) == len(tm.ShiftedReveal(3).stages(2)) ** 2
    one, two = (tm.trajectory_kl(four, tm.rules.Blockwise(b, tm.IndependentReveal([0.5, 0.5]))) for b in (2, 4))
    assert one < two
    with pytest.raises(ValueError, match="block = 2 does not divide the length 5"):
        tm.sampler_law(CHAIN, tm.rules.Blockwise(2, tm.RandomOrder([2])))


def test_first_hitting_against_a_grid_of_as_many_calls():
    assert tm.trajectory_kl(CHAIN, tm.rules.first_hitting(5)) < 1e-14
    assert tm.marginal_kl(CHAIN, tm.IndependentReveal([0.2] * 5)) > 0.02


# remasking


@pytest.mark.parametrize(
    "rule",
    [
        Remasking.capped(4, 0.0),
        Remasking.rescaled(4, 0.0),
        ConfidenceMemory([0.0, 0.25, 0.5, 0.75, 1.0], [0.0, 0.0, 0.0, 0.0]),
    ],
)
def test_no_remasking_is_ancestral_sampling(rule):
    target = tm.MarkovChain(SPARSE.transition, 3)
    expected = tm.sampler_law(target, tm.IndependentReveal([0.25] * 4))
    np.testing.assert_allclose(tm.sampler_law(target, rule).pmf, expected.pmf, rtol=0, atol=1e-14)


def test_revealed_share_follows_the_grid():
    """A fraction alpha of the letters is written after each step, whatever sigma: stop early and count."""
    from toy_models.quantities.product_kernel import product_draw

    rule = Remasking.looped(6, 0.5, 4, 0.3)
    assert rule.alphas.tolist() == pytest.approx([0, 1 / 6, 1 / 3, 0.5, 0.5, 0.5, 0.5, 0.5, 2 / 3, 5 / 6, 1])
    assert rule.sigmas.tolist() == pytest.approx([0, 0, 0, 0.3, 0.3, 0.3, 0.3, 0, 0, 0])
    for upto in (3, 7):
        y = product_draw(CHAIN, rule.steps()[:upto], 4000, np.random.default_rng(0)).tokens
        assert (y >= 0).mean() == pytest.approx(rule.alphas[upto], abs=0.02)  # 20 000 letters, sd .0036


def test_law_is_the_product_of_the_matrices():
    from toy_models.quantities.product_kernel import transition_matrix

    rule, target = Remasking.rescaled(4, 0.5), tm.MarkovChain(CHAIN.transition, 3)
    law = np.eye(27)[0]
    for step in rule.steps():
        matrix = transition_matrix(target, step)
        np.testing.assert_allclose(matrix.sum(axis=1), 1.0, rtol=1e-13)
        law = law @ matrix
    written = law.reshape(3, 3, 3)[1:, 1:, 1:]
    np.testing.assert_allclose(written, tm.sampler_law(target, rule).pmf, rtol=0, atol=1e-15)


def test_remasking_with_the_exact_network():
    """At many steps it only costs; at few it can repair what was written in parallel."""
    kl = {s: [tm.marginal_kl(CHAIN, Remasking.rescaled(s, eta)) for eta in (0.0, 0.5)] for s in (3, 24)}
    assert kl[24][0] < kl[24][1]
    assert kl[3][0] > 0.05 > kl[24][1]


def test_remasking_refusals():
    with pytest.raises(ValueError, match=r"sigmas\[1\] = 0.9, it must lie in \[0, min"):
        Remasking([0.0, 0.5, 0.8, 1.0], [0.0, 0.9, 0.0])
    with pytest.raises(ValueError, match="they must rise from 0 to 1"):
        Remasking([0.0, 0.5], [0.0])
    with pytest.raises(ValueError, match=r"weights sum to 1\.2, they must sum to at most 1"):
        GridReveal([0.6, 0.6])
    with pytest.raises(ValueError, match="fill = 'mode', allowed: argmax, draw"):
        GridReveal([0.6], "mode")


# P2


def test_path_planning_without_leave_one_out_is_drawn_confidence():
    """A written letter has probability one and stays. (No letter of this chain is ever determined.)"""
    one = tm.sampler_law(CHAIN, PathPlanning([1, 3, 5], leave_one_out=False))
    other = tm.sampler_law(CHAIN, tm.DrawnConfidence([1, 2, 2]))
    np.testing.assert_allclose(one.pmf, other.pmf, rtol=0, atol=1e-14)
    assert (one.mean_steps, other.mean_steps) == pytest.approx((3.0, 3.0))


def test_path_planning_refusals():
    with pytest.raises(ValueError, match=r"kept = \(1, 1, 3\), the numbers must rise"):
        PathPlanning([1, 1, 3])
    with pytest.raises(ValueError, match="the last number must be the length 5"):
        tm.sampler_law(CHAIN, PathPlanning([1, 3]))


# end of text


def test_length_law():
    """First eos of a chain, by hand: pi_0 P(0,0)^(j-1) P(0,1)."""
    lengths = length_law(pmf(CHAIN), 1)
    expected = [0.6, *[0.4 * 0.7 ** (j - 1) * 0.3 for j in range(1, 5)], 0.4 * 0.7**4]
    np.testing.assert_allclose(lengths, expected, rtol=1e-13)
    # one token per call on marginals keeps the law of the length, the drawn token's probability does not
    marginal = tm.sampler_law(CHAIN, StopAtEos(1, tm.SemiAutoregressive(5, tm.TopK(1)))).pmf
    np.testing.assert_allclose(length_law(marginal, 1), lengths, rtol=1e-12)
    drawn = tm.sampler_law(CHAIN, StopAtEos(1, tm.DrawnConfidence(1, block=5))).pmf
    assert length_law(drawn, 1)[0] > 0.7 > lengths[0]


def test_stopping_saves_calls_and_changes_no_length():
    for block in (1, 2, 5):
        inner = tm.SemiAutoregressive(block, tm.TopK(1))
        whole, stopped = tm.sampler_law(CHAIN, inner), tm.sampler_law(CHAIN, StopAtEos(1, inner))
        np.testing.assert_allclose(length_law(stopped.pmf, 1), length_law(whole.pmf, 1), rtol=1e-12)
        assert (stopped.mean_steps < whole.mean_steps) == (block < 5)


def test_stop_at_eos_needs_blocks():
    with pytest.raises(ValueError, match="it must be SemiAutoregressive or DrawnConfidence with a block"):
        StopAtEos(1, tm.TopK(1))


@pytest.mark.parametrize(
    "rule",
    [
        tm.Speculative(3),
        GridReveal([0.3, 0.3], bits=4),
        Remasking.forward_backward(4),
        ConfidenceMemory([0.0, 0.5, 0.5, 1.0], [0.0, 0.8, 0.0]),
        PathPlanning([2, 5]),
        StopAtEos(1, tm.DrawnConfidence(1, block=2, ties="uniform")),
    ],
)
def test_draws_follow_the_law(rule):
    law = tm.sampler_law(CHAIN, rule)
    runs = tm.sample(CHAIN, rule, 20_000, np.random.default_rng(5))
    assert total_variation(runs.tokens, law.pmf) < total_variation_radius(32, 20_000)
    assert abs(runs.steps.mean() - law.mean_steps) < 5 * np.sqrt(np.log(2e6) / 40_000)
