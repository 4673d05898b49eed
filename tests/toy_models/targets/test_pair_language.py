"""Closed forms of the pair language against the lattice law, enumeration and the published numbers."""

from itertools import permutations

import numpy as np
import pytest

import toy_models as tm
from toy_models.quantities.lattice import to_table
from toy_models.targets.pair_language import collision_law, is_pair_language, pair_validity


@pytest.mark.parametrize(
    "rule",
    [
        tm.IndependentReveal([0.2, 0.5, 0.3]),
        tm.IndependentReveal([1.0]),
        tm.RandomOrder((2, 2)),
        tm.RandomOrder((1, 0, 3)),
        tm.RandomOrder((4,)),
        tm.RandomOrder((1, 1, 1, 1)),
    ],
)
@pytest.mark.parametrize("K", [2, 3])
def test_validity_against_the_lattice_law(K, rule):
    pairs = tm.pairs(K, 4)
    law = tm.sampler_law(pairs, rule)
    legal = to_table(pairs).pmf > 0
    assert pair_validity(K, 4, rule) == pytest.approx(law.pmf[legal].sum(), abs=1e-14)
    assert tm.sequence_error(pairs, rule) == pytest.approx(1 - law.pmf[legal].sum(), abs=1e-14)


@pytest.mark.parametrize("sizes", [(2, 2, 2), (1, 2, 3), (3, 2, 1), (0, 6), (1, 1, 4), (1,) * 6])
def test_collision_law_by_enumeration_of_orders(sizes):
    step = np.repeat(np.arange(len(sizes)), sizes)
    counts = np.zeros(4)
    for order in permutations(range(6)):
        drawn = step[list(order)]
        counts[int((drawn[::2] == drawn[1::2]).sum())] += 1
    np.testing.assert_allclose(collision_law(np.array(sizes), 6), counts / counts.sum(), atol=1e-15)


def test_mean_number_of_collisions_is_known_at_any_length():
    """E M = sum s_j (s_j - 1) / (2 (L - 1))."""
    for sizes in ([8] * 16, [1] * 64 + [64], [128]):
        law = collision_law(np.array(sizes), 128)
        assert law.min() >= 0
        assert law @ np.arange(65) == pytest.approx(sum(s * (s - 1) for s in sizes) / (2 * 127), rel=1e-11)


@pytest.mark.parametrize(
    ("rule", "error"),
    [
        (tm.IndependentReveal(np.full(3, 1 / 3)), 0.4212963),
        (tm.RandomOrder((2, 2, 2)), 0.2583333),
        (tm.RandomOrder((1, 2, 3)), 0.35),
        (tm.RandomOrder((6,)), 0.875),
    ],
)
def test_small_published_values(rule, error):
    assert tm.sequence_error(tm.pairs(2, 6), rule) == pytest.approx(error, abs=5.1e-8)


@pytest.mark.parametrize(
    ("steps", "independent", "fixed", "excess"),
    [
        (64, 0.9705, None, 0.00688),
        (128, 0.8273, 0.73214848, 0.00343),
        (256, 0.5838, None, 0.00171),
        (320, 0.5039, 0.2802, 0.00137),
        (512, 0.3546, None, 0.000855),
        (1024, 0.1966, None, 0.000427),
        (2048, 0.1036, None, 0.000214),
    ],
)
def test_published_table_at_length_512(steps, independent, fixed, excess):
    """K = 8: SER of independent reveal and of fixed sizes, and KL(q || p) per token."""
    pairs, rule = tm.pairs(8, 512), tm.IndependentReveal(np.full(steps, 1 / steps))
    assert tm.sequence_error(pairs, rule) == pytest.approx(independent, abs=5.1e-5)
    found = tm.marginal_kl(pairs, rule) / 512
    assert found == pytest.approx(excess, abs=0.51 * 10.0 ** (np.floor(np.log10(excess)) - 2))
    assert tm.sequence_error(pairs, rule) == pytest.approx(-np.expm1(-512 * found), rel=1e-12)
    if fixed is not None:
        sizes = tm.LinearSchedule().sizes(steps, 512)
        assert tm.sequence_error(pairs, tm.RandomOrder(sizes.tolist())) == pytest.approx(
            fixed, abs=5.1e-9 if steps == 128 else 5.1e-5
        )


def test_uniform_weights_are_the_best_independent_reveal():
    rng = np.random.default_rng(1)
    best = pair_validity(8, 64, tm.IndependentReveal(np.full(10, 0.1)))
    assert all(pair_validity(8, 64, tm.IndependentReveal(rng.dirichlet(np.ones(10)))) < best for _ in range(50))


def test_is_pair_language():
    assert is_pair_language(tm.pairs(8, 16))
    skewed = np.zeros((4, 4))
    skewed[0, 2], skewed[1, 3] = 0.6, 0.4
    for other in (
        tm.Blocks(tm.Table(skewed), 3),
        tm.Blocks(tm.repetition(2, 2), 3),
        tm.Table(np.full((2, 2), 0.25)),
        tm.Blocks(tm.Table(np.full((3, 3), 1 / 9)), 2),
        tm.Blocks(tm.permutations(3), 2),
    ):
        assert not is_pair_language(other)
