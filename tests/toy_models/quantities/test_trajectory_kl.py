"""KL, sequence error and calls: routes against each other and against the law."""

import numpy as np
import pytest

import toy_models as tm
from toy_models.quantities import lattice
from toy_models.quantities.trajectory_kl import curve_kl


def table(target):
    """The same target without its structure: forces the enumeration routes."""
    return lattice.to_table(target)


RULES = (
    tm.RandomOrder((2, 3, 1)),
    tm.IndependentReveal([0.2, 0.5, 0.3]),
    tm.ShiftedReveal(3),
)


@pytest.mark.parametrize("rule", RULES, ids=lambda r: type(r).__name__)
@pytest.mark.parametrize(
    "target", [tm.pairs(2, 6), tm.zero_sum(2, 6), tm.repetition(3, 6)], ids=("pairs", "parity", "rep")
)
def test_curve_and_enumeration_agree(target, rule):
    by_curve = tm.trajectory_kl(target, rule, method="curve")
    assert by_curve == pytest.approx(tm.trajectory_kl(target, rule, method="enumeration"), abs=1e-12)
    assert tm.sequence_error(target, rule) == pytest.approx(tm.sequence_error(table(target), rule), abs=1e-12)
    assert tm.marginal_kl(target, rule) == pytest.approx(tm.marginal_kl(table(target), rule), abs=1e-12)


def test_learned_denoiser_adds_its_error(chain_a):
    """E KL of an imperfect denoiser on random orders, against the laws of the fixed orders."""
    target = tm.MarkovChain(chain_a.transition, 4)
    denoiser = tm.Smoothed(target, 0.1)
    q = lattice.to_table(target).pmf
    seen, total = q > 0, 0.0
    orders = [
        ((0, 1), (2, 3)),
        ((0, 2), (1, 3)),
        ((0, 3), (1, 2)),
        ((1, 2), (0, 3)),
        ((1, 3), (0, 2)),
        ((2, 3), (0, 1)),
    ]
    for blocks in orders:
        p = tm.sampler_law(denoiser, tm.FixedOrder(blocks)).pmf
        total += (q[seen] * np.log(q[seen] / p[seen])).sum() / len(orders)
    assert tm.trajectory_kl(target, tm.RandomOrder((2, 2)), denoiser) == pytest.approx(total, abs=1e-12)
    assert total > tm.trajectory_kl(target, tm.RandomOrder((2, 2)))


@pytest.mark.parametrize("rule", [tm.TopK(2), tm.FixedOrder(((0, 3), (1, 5), (2, 4))), tm.Threshold(0.6)], ids=str)
def test_deterministic_rules_have_no_gap(chain_a, rule):
    for denoiser in (None, tm.Smoothed(chain_a, 0.05)):
        trajectory = tm.trajectory_kl(chain_a, rule, denoiser)
        assert trajectory == pytest.approx(tm.marginal_kl(chain_a, rule, denoiser), abs=1e-12)


def test_random_order_has_a_gap(chain_a):
    assert tm.trajectory_kl(chain_a, RULES[0]) > 1.2 * tm.marginal_kl(chain_a, RULES[0])


@pytest.mark.parametrize(
    ("steps", "independent", "fixed", "excess"),
    [
        (64, 0.9705, 0.9542, 0.00688),
        (128, 0.8273, 0.7321, 0.00343),
        (256, 0.5838, 0.3549, 0.00171),
        (320, 0.5039, 0.2802, 0.00137),
        (512, 0.3546, 0.0, 0.000855),
        (1024, 0.1966, None, 0.000427),
        (2048, 0.1036, None, 0.000214),
    ],
)
def test_pair_language_table(steps, independent, fixed, excess):
    pairs = tm.pairs(8, 512)
    uniform = tm.IndependentReveal(np.full(steps, 1 / steps))
    assert tm.sequence_error(pairs, uniform) == pytest.approx(independent, abs=5.1e-5)
    assert tm.marginal_kl(pairs, uniform) / 512 == pytest.approx(excess, rel=4e-3)
    if fixed is not None:
        sizes = tuple(int(s) for s in tm.LinearSchedule().sizes(steps, 512))
        assert tm.sequence_error(pairs, tm.RandomOrder(sizes)) == pytest.approx(fixed, abs=5.1e-5)


def test_small_pair_vectors():
    pairs = tm.pairs(2, 6)
    assert tm.sequence_error(pairs, tm.IndependentReveal(np.full(3, 1 / 3))) == pytest.approx(0.4212963, abs=5e-8)
    assert tm.marginal_kl(pairs, tm.IndependentReveal(np.full(3, 1 / 3))) == pytest.approx(0.54696467, abs=5e-9)
    for sizes, error in (((2, 2, 2), 0.2583333), ((1, 2, 3), 0.35), ((6,), 0.875)):
        assert tm.sequence_error(pairs, tm.RandomOrder(sizes)) == pytest.approx(error, abs=5e-8)


def test_binary_symmetric_vectors():
    chain = tm.MarkovChain([[0.9, 0.1], [0.1, 0.9]], 64)
    assert chain.entropy() == pytest.approx(21.173375, abs=5e-7)
    assert tm.total_correlation(chain) == pytest.approx(23.188045, abs=5e-7)
    assert tm.dual_total_correlation(chain) == pytest.approx(9.439316, abs=5e-7)
    g = tm.information_curve(chain)
    for steps, independent, fixed in (
        (8, 2.18136, 1.93978),
        (16, 1.05537, 0.80333),
        (32, 0.51876, 0.26304),
        (64, 0.25714, 0),
    ):
        assert curve_kl(g, tm.IndependentReveal(np.full(steps, 1 / steps))) == pytest.approx(independent, abs=5.1e-6)
        assert curve_kl(g, tm.RandomOrder((64 // steps,) * steps)) == pytest.approx(fixed, abs=5.1e-6)


def test_calls(chain_a):
    uniform = tm.IndependentReveal(np.full(4, 0.25))
    assert tm.expected_calls(chain_a, uniform) == pytest.approx(4 * (1 - 0.75**6), abs=1e-12)
    assert tm.expected_calls(chain_a, tm.TopK(2)) == pytest.approx(3.0, abs=1e-12)
    assert tm.expected_calls(chain_a, tm.FixedOrder(((0, 1), (2, 3, 4, 5)))) == 2.0
    assert tm.expected_calls(chain_a, tm.TopK(2), under="p") < 3.0
    full_support = tm.MarkovChain([[0.9, 0.1], [0.2, 0.8]], 5)
    for rule in (uniform, tm.ShiftedReveal(3)):
        along_data, written = tm.expected_calls(full_support, rule), tm.expected_calls(full_support, rule, under="p")
        assert along_data == pytest.approx(written, abs=1e-12)
    with pytest.raises(ValueError, match="allowed"):
        tm.expected_calls(chain_a, uniform, under="r")


def test_generative_cross_entropy(chain_a):
    assert tm.generative_cross_entropy(chain_a, tm.RandomOrder((6,))) == np.inf
    full_support = tm.MarkovChain([[0.9, 0.1], [0.2, 0.8]], 5)
    exact = tm.generative_cross_entropy(full_support, tm.RandomOrder((1,) * 5))
    assert exact == pytest.approx(full_support.entropy(), abs=1e-12)


def test_method_is_checked(chain_a):
    with pytest.raises(ValueError, match="allowed"):
        tm.trajectory_kl(chain_a, RULES[0], method="guess")
    with pytest.raises(ValueError, match="does not serve TopK"):
        tm.trajectory_kl(chain_a, tm.TopK(2), method="curve")
