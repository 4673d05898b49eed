"""Moments of S(x, M) by mask size against plain enumeration, and the limits of the exact route."""

import numpy as np
import pytest

import toy_models as tm
from toy_models.targets import instances
from toy_models.variance import loss_moments as lm


def random_table(seed, vocab_size, length):
    pmf = np.random.default_rng(seed).dirichlet(np.ones(vocab_size**length)).reshape((vocab_size,) * length)
    return tm.Table(pmf)


CASES = [
    (instances.k1(), None),
    (instances.k2(3), None),
    (instances.k1(3), tm.Tempered(instances.k1(3), 0.5)),
    (random_table(0, 2, 4), None),
    (random_table(1, 3, 3), tm.Smoothed(random_table(2, 3, 3), 0.3)),
    (tm.MarkovChain(np.array([[1.0, 0.0], [0.5, 0.5]]), 4, initial=np.array([0.4, 0.6])), None),
    (random_table(3, 4, 1), None),
]


@pytest.mark.parametrize(("target", "denoiser"), CASES)
def test_summed_losses_equal_token_losses_one_by_one(target, denoiser):
    s = lm.summed_losses(target, denoiser)
    np.testing.assert_allclose(s, lm.token_losses(target, denoiser).sum(axis=2), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(("target", "denoiser"), CASES)
def test_moments_by_size_equal_enumeration_over_masks(target, denoiser):
    s, q = lm.summed_losses(target, denoiser), target.log_prob(lm.support(target))
    found = lm.loss_moments(target, denoiser, pairs=True)
    average, length, q = found.average, target.length, np.exp(q)
    size = np.array([bin(m).count("1") for m in range(2**length)])
    full = 2**length - 1
    for t in (0.2, 0.5, 0.8, 1.0):
        law = t**size * (1 - t) ** (length - size)
        loss = s / (length * t)
        g, second = loss @ law, loss**2 @ law
        at = np.array([t])
        basis = average.basis(at)[:, 0]
        np.testing.assert_allclose(found.first @ basis, g, rtol=1e-12, atol=1e-14)
        noise = found.second @ basis / (length * t) - (found.first @ basis) ** 2
        np.testing.assert_allclose(noise, second - g**2, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(average.second_moment(at), q @ second, rtol=1e-12)
        np.testing.assert_allclose(average.mean_square(at), q @ g**2, rtol=1e-12)
        np.testing.assert_allclose(average.square_of_mean(at), (q @ g) ** 2, rtol=1e-12)
        np.testing.assert_allclose(average.spread_of_mean(at), q @ (g - q @ g) ** 2, rtol=1e-9, atol=1e-14)
        cross = 0.0
        for a in range(2**length):
            for b in range(2**length):
                if t <= 0.5 and a & b == 0:
                    chance = t ** (size[a] + size[b]) * (1 - 2 * t) ** (length - size[a] - size[b])
                elif t > 0.5 and a | b == full:
                    both = size[a & b]
                    chance = (2 * t - 1) ** both * (1 - t) ** (length - both)
                else:
                    continue
                cross += chance * float(q @ (loss[:, a] * loss[:, b]))
        np.testing.assert_allclose(average.cross(at), cross, rtol=1e-11)


def test_pair_tables_hold_the_sums_over_disjoint_sets():
    s, q = lm.summed_losses(instances.k1(3)), np.exp(instances.k1(3).log_prob(lm.support(instances.k1(3))))
    found = lm.loss_moments(instances.k1(3), pairs=True)
    products = np.einsum("x,xa,xb->ab", q, s, s)
    disjoint, covering = np.zeros((4, 4)), np.zeros((4, 4))
    for a in range(8):
        for b in range(8):
            if a & b == 0:
                disjoint[a.bit_count(), b.bit_count()] += products[a, b]
                covering[a.bit_count(), b.bit_count()] += products[7 ^ a, 7 ^ b]
    np.testing.assert_allclose(found.disjoint, disjoint, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(found.covering, covering, rtol=1e-12, atol=1e-14)


def test_cross_needs_pairs():
    with pytest.raises(ValueError, match="pairs=True"):
        lm.loss_moments(instances.k1(2)).average.cross(np.array([0.5]))


def test_infinite_loss_names_the_sequence_and_the_mask():
    class Certain:
        vocab_size, length = 2, 2

        def marginals(self, y, on_impossible="raise"):
            return np.broadcast_to([1.0, 0.0], (*np.asarray(y).shape, 2)).copy()

    with pytest.raises(ValueError, match=r"probability 0 to a token of x = \[0, 1\] when positions \[1\] are masked"):
        lm.loss_moments(random_table(0, 2, 2), Certain())


def test_exact_route_says_what_to_use_instead():
    with pytest.raises(tm.IntractableError, match=r"estimate_variance"):
        lm.loss_moments(tm.MarkovChain(np.array([[0.9, 0.1], [0.2, 0.8]]), 20))
    with pytest.raises(ValueError, match=r"has no vocab_size.*as_denoiser"):
        lm._prepare(instances.k1(), lambda y: y, False)  # past the annotation, which refuses it first in tests
    with pytest.raises(ValueError, match="L = 3, the target V = 3, L = 4"):
        lm.loss_moments(instances.k1(), instances.k1(3))


def test_uncompiled_kernels_agree():
    target = instances.k1(3)
    _, x, log_loss = lm._prepare(target, None, True)
    s = lm._sum_losses(x, log_loss, 3)
    np.testing.assert_allclose(s, lm.summed_losses(target), rtol=1e-13)
    size, plain, fast = lm._sizes(3), np.zeros((2, 4, 4)), np.zeros((2, 4, 4))
    lm._add_pairs(s[:4], np.full(4, 0.25), size, *plain)
    lm.add_pairs(s[:4], np.full(4, 0.25), size, *fast)
    np.testing.assert_allclose(plain, fast, rtol=1e-12)
