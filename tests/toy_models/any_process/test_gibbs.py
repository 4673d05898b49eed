"""Gibbs correctors: the kernel by enumeration, and whose choice keeps the law."""

from itertools import combinations

import numpy as np
import pytest

import toy_models as tm
from toy_models.any_process.gibbs import (
    AtRandom,
    Lowest,
    current_probability,
    drift,
    gibbs_kernel,
    log_margin,
    max_probability,
)

TARGETS = {
    "table": tm.Table(np.random.default_rng(0).dirichlet(np.ones(27)).reshape(3, 3, 3)),
    "chain": tm.MarkovChain([[0.7, 0.3], [0.2, 0.8]], 4),
    "zeros": tm.Table(np.array([[[0.3, 0.0], [0.1, 0.2]], [[0.0, 0.25], [0.15, 0.0]]])),
}
SCORES = (log_margin, current_probability, max_probability)


def slow_kernel(pmf, pick):
    """Row by row: pick(x, conditional at each position) -> positions; each alone from its own conditional."""
    shape = pmf.shape
    words = list(np.ndindex(shape))
    kernel = np.zeros((len(words), len(words)))
    for a, x in enumerate(words):
        given = []
        for i in range(len(shape)):
            row = np.array([pmf[(*x[:i], v, *x[i + 1 :])] for v in range(shape[i])])
            given.append(row / row.sum() if row.sum() > 0 else None)
        if any(row is None for row in given):
            kernel[a, a] = 1.0
            continue
        for chance, positions in pick(x, given):
            for b, z in enumerate(words):
                if all(x[i] == z[i] for i in range(len(x)) if i not in positions):
                    kernel[a, b] += chance * np.prod([given[i][z[i]] for i in positions])
    return kernel


def pick_random(k):
    def pick(x, given):
        sets = list(combinations(range(len(x)), k))
        return [(1 / len(sets), s) for s in sets]

    return pick


def pick_lowest(name):
    def score(x, given, i):
        own, others = given[i][x[i]], max(p for v, p in enumerate(given[i]) if v != x[i])
        if name == "log_margin":
            return -np.inf if own == 0 else np.inf if others == 0 else np.log(own / others)
        return own if name == "current_probability" else max(given[i])

    def pick(x, given):
        return [(1.0, (min(range(len(x)), key=lambda i: (np.round(score(x, given, i), 12), i)),))]

    return pick


@pytest.mark.parametrize("name", TARGETS)
def test_kernel_by_enumeration(name):
    pmf = tm.quantities.to_table(TARGETS[name]).pmf
    for k in (1, 2):
        np.testing.assert_allclose(
            gibbs_kernel(TARGETS[name], AtRandom(k)), slow_kernel(pmf, pick_random(k)), atol=1e-14
        )
    for score in SCORES:
        found = gibbs_kernel(TARGETS[name], Lowest(score))
        np.testing.assert_allclose(found, slow_kernel(pmf, pick_lowest(score.__name__)), atol=1e-14)


@pytest.mark.parametrize("name", TARGETS)
def test_rows_are_laws(name):
    for choice in (AtRandom(1), AtRandom(2), *[Lowest(s) for s in SCORES], Lowest(log_margin, 2)):
        np.testing.assert_allclose(gibbs_kernel(TARGETS[name], choice).sum(axis=1), 1.0, rtol=1e-13)


@pytest.mark.parametrize("name", TARGETS)
def test_a_random_position_keeps_the_law(name):
    assert drift(TARGETS[name], AtRandom(1), 30).max() < 1e-13


@pytest.mark.parametrize("name", ["table", "chain"])
@pytest.mark.parametrize("score", SCORES)
def test_a_choice_that_looks_does_not(name, score):
    """Also the largest probability, which does not look at x_i: x_i decides how the others score."""
    away = drift(TARGETS[name], Lowest(score), 30)
    assert away[0] > 0.01
    assert away[-1] > 0.05


@pytest.mark.parametrize("name", ["table", "chain"])
def test_two_positions_at_once_do_not(name):
    assert drift(TARGETS[name], AtRandom(2), 30)[-1] > 0.01


def test_where_the_choice_does_not_matter():
    """Independent letters: a letter redrawn from its own law is redrawn from its law, whoever is chosen at random."""
    coins = tm.Table(np.multiply.outer([0.6, 0.4], [0.7, 0.3]))
    assert drift(coins, AtRandom(2), 5).max() < 1e-15
    assert drift(coins, Lowest(max_probability), 5).max() < 1e-15  # the scores do not depend on the text
    assert drift(coins, Lowest(current_probability), 5)[-1] > 0.05  # these do


def test_exact_numbers():
    """Two letters, q = (1/2, 0), (1/4, 1/4); where the own token is least likely, by hand.

    From 00: 2/3 down the column, 1 along the row, so position 0 is redrawn. From 10: 1/3 and 1/2, position 0. From 11:
    1 and 1/2, position 1. Hence q K = (1/2, 0, 3/8, 1/8).
    """
    target = tm.Table(np.array([[0.5, 0.0], [0.25, 0.25]]))
    kernel = gibbs_kernel(target, Lowest(current_probability))
    np.testing.assert_allclose(kernel[0], [2 / 3, 0, 1 / 3, 0])
    np.testing.assert_allclose(kernel[2], [2 / 3, 0, 1 / 3, 0])
    np.testing.assert_allclose(kernel[3], [0, 0, 1 / 2, 1 / 2])
    assert drift(target, Lowest(current_probability), 1)[0] == pytest.approx(1 / 8)
