"""Correctors, floors and certified mixtures against slow routes."""

from itertools import product

import numpy as np
import pytest

import toy_models as tm
from toy_models.any_process import corrector, mixtures, remask, remdm
from toy_models.any_process.laws import program_law
from toy_models.quantities import lattice
from toy_models.rules.fixed_schedule import fixed_schedule_front

FLIP = np.array([[0.9, 0.1], [0.1, 0.9]])


def hmm(length):
    return tm.HMM(np.array([0.5, 0.5]), FLIP, FLIP, length)


def test_ising_table_and_classes():
    model = corrector.grid(2, 2, 0.3)
    assert (model.a, model.b) == ((0, 3), (1, 2))
    aligned, checker = model.pmf[0, 0, 0, 0], model.pmf[0, 1, 1, 0]
    assert aligned / checker == pytest.approx(np.exp(8 * 0.3), rel=1e-12)
    with pytest.raises(ValueError, match="odd cycle"):
        corrector.ising([(0, 1), (1, 2), (0, 2)], 3, 0.1)


@pytest.mark.parametrize("steps", [2, 3, 4])
def test_two_colour_through_the_transition(steps):
    model = corrector.ising([(0, 1), (1, 2), (2, 3), (0, 3), (3, 4)], 5, 0.4)
    law = program_law(*corrector.two_colour_program(model, steps))
    pmf = np.zeros((2,) * 5)
    for x, p in law.final.items():
        pmf[x[2:]] += float(p)
    assert law.longest == steps
    kl = float((model.pmf * np.log(model.pmf / pmf)).sum())
    assert abs(kl - corrector.two_colour_kl(model, steps)[-1]) < 1e-12
    with pytest.raises(ValueError, match="steps = 1"):
        corrector.two_colour_program(model, 1)


def row(model, steps=6):
    best = [s.loss - model.target().entropy() for s in fixed_schedule_front(model.target(), steps=steps)]
    return np.array(best), corrector.two_colour_kl(model, steps)


@pytest.mark.parametrize(
    ("model", "once", "twice"),
    [
        (corrector.grid(3, 3, 0.1), (9.00e-4, 1.03e-4, 1.87e-8), (9.98e-4, 2.60e-6, 8.25e-9)),
        (corrector.grid(3, 3, 0.44), (0.301, 0.0343, 6.2e-4), (0.334, 0.0659, 0.0176)),
        (corrector.chain(9, 0.3), (0.0108, 2.6e-5), (0.0144, 2.8e-4)),
    ],
)
def test_published_table(model, once, twice):
    best, colour = row(model)
    np.testing.assert_allclose(best[1 : 1 + len(once)], once, rtol=8e-3)
    np.testing.assert_allclose(colour[1 : 1 + len(twice)], twice, rtol=2e-2)


def test_complete_graph_wins_and_write_once_ends_exact():
    best, colour = row(corrector.complete(5, 0.1))
    np.testing.assert_allclose(colour[2:5], (3.62e-4, 1.06e-5, 3.15e-7), rtol=3e-3)
    assert (colour[2:5] < best[2:5]).all()
    assert abs(best[5]) < 1e-12 < colour[5]


def test_mixture_bound_encloses_the_best_schedule_and_beats_it():
    model, orbits = corrector.grid(3, 3, 0.2), mixtures.grid_orbits(3)
    assert len(np.unique(orbits)) == 51
    laws = mixtures.schedule_laws(model, 2, orbits, mixtures.grid_symmetries(3))
    unreduced = mixtures.schedule_laws(model, 2, orbits)
    assert len(laws) <= len(unreduced) <= 2**9
    p = np.bincount(orbits, weights=model.pmf.ravel())
    np.testing.assert_allclose(laws.sum(axis=1), 1, atol=1e-12)
    bound = mixtures.best_mixture(p, laws)
    other = mixtures.best_mixture(p, unreduced)
    best = row(model, 2)[0][1]
    assert 0 < bound.low <= bound.high < best
    assert max(bound.low, other.low) <= min(bound.high, other.high)  # the same optimum without the symmetry
    single = mixtures.best_mixture(p, laws[:1])
    assert single.low == pytest.approx(single.high, rel=1e-9)
    with pytest.raises(tm.IntractableError, match="all fixed schedules"):
        mixtures.schedule_laws(corrector.chain(12, 0.1), 6, np.arange(2**12))


def test_single_site_remask_keeps_the_target_and_pairs_do_not():
    for target in (tm.MarkovChain(FLIP, 4), hmm(4)):
        q = lattice.to_table(target).pmf.ravel()
        one = remask.remask_kernel(target, [(i,) for i in range(4)])
        np.testing.assert_allclose(one.sum(axis=1), 1, atol=1e-12)
        assert np.abs(q @ one - q).max() < 1e-14
        two = remask.remask_kernel(target, [(0, 1), (1, 2), (2, 3)])
        assert np.abs(q @ two - q).max() > 1e-3


def test_floor_numbers():
    chain, hidden = tm.MarkovChain(FLIP, 6), hmm(6)
    np.testing.assert_allclose(
        [remask.stationary_floor(chain, m)[0] for m in (2, 3, 6)], (0.03549, 0.09225, 0.73104), atol=5e-6
    )
    np.testing.assert_allclose(
        [remask.stationary_floor(chain, m)[1] for m in (1, 2, 3)], (0.99009, 0.97192, 0.93672), atol=5e-6
    )
    np.testing.assert_allclose(
        [remask.stationary_floor(hidden, m)[0] for m in (2, 3, 6)], (0.02947, 0.07274, 0.47790), atol=5e-6
    )
    found = [remask.alternating_floor(t) for t in (chain, hidden, remask.two_mode(6, 0.05))]
    np.testing.assert_allclose(found, (0, 0.09579, 0.0475), atol=2e-5)


def slow_remdm(target, steps, eta):
    """The kernel by enumeration of every outcome of every position."""
    vocab_size, length = target.vocab_size, target.length
    law = {(-1,) * length: 1.0}
    for k in range(steps):
        before, after = k / steps, (k + 1) / steps
        sigma = eta * min(1.0, (1 - after) / before) if before else 0.0
        reveal = (after - (1 - sigma) * before) / (1 - before)
        following = {}
        for y, mass in law.items():
            marginals = target.marginals(np.array([y]), on_impossible="nan")[0]
            if np.isnan(marginals).any():  # an impossible context: the run stops there
                following[y] = following.get(y, 0.0) + mass
                continue
            options = [
                [(-1, 1 - reveal), *((v, reveal * marginals[i, v]) for v in range(vocab_size))]
                if y[i] < 0
                else [(-1, sigma), (y[i], 1 - sigma)]
                for i in range(length)
            ]
            for choice in product(*options):
                z, p = tuple(c[0] for c in choice), float(np.prod([c[1] for c in choice]))
                following[z] = following.get(z, 0.0) + mass * p
        law = following
    pmf = np.zeros((vocab_size,) * length)
    for z, p in law.items():
        if min(z) >= 0:
            pmf[z] = p
    return pmf


@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
def test_remdm_law_against_enumeration(eta):
    target = tm.MarkovChain(np.array([[0.8, 0.2, 0.0], [0.1, 0.6, 0.3], [0.3, 0.3, 0.4]]), 2)
    np.testing.assert_allclose(remdm.remdm_law(target, 4, eta), slow_remdm(target, 4, eta), atol=1e-14)


def test_remdm_table():
    for target, at_four in (
        (tm.MarkovChain(FLIP, 4), (0.18010, 0.18978)),
        (remask.two_mode(4, 0.05), (0.23876, 0.20247)),
    ):
        pmf = lattice.to_table(target).pmf
        found = [np.abs(remdm.remdm_law(target, 4, eta) - pmf).sum() / 2 for eta in (0.0, 1.0)]
        np.testing.assert_allclose(found, at_four, atol=5e-6)
    even = tm.Table(np.array([[0.5, 0], [0, 0.5]]))
    assert remdm.remdm_law(even, 8, 1.0).sum() == pytest.approx(1, abs=1e-12)
    with pytest.raises(ValueError, match="eta = 2"):
        remdm.remdm_law(even, 4, 2.0)
