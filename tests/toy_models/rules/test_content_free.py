"""Content-free rules: the partitions they draw against the stages that describe them, and what they refuse."""

import re
from itertools import product

import numpy as np
import oracles
import pytest

import toy_models as tm

LENGTH, SIZE = 4, 40_000
RULES = {
    "independent": tm.IndependentReveal([0.2, 0.5, 0.3]),
    "independent, empty steps": tm.IndependentReveal([0.0, 0.7, 0.0, 0.3, 0.0]),
    "shifted, two steps": tm.ShiftedReveal(2),
    "shifted, four steps": tm.ShiftedReveal(4),
    "random order": tm.RandomOrder((1, 0, 2, 1)),
    "fixed order": tm.FixedOrder(((2,), (), (0, 3), (1,))),
    "halving": tm.bisection(LENGTH),
}


def assignment_law(rule):
    """P(position i is revealed in step s_i for all i), from the stages; shape (steps,)*L."""
    law = np.zeros((rule.steps,) * LENGTH)
    for steps in product(range(rule.steps), repeat=LENGTH):
        for mixture, stages in rule.stages(LENGTH):
            chance = mixture
            for j, stage in enumerate(stages):
                open_here = [i for i in range(LENGTH) if steps[i] >= j and stage.active[i]]
                written = [i for i in range(LENGTH) if steps[i] == j]
                legal = set(written) <= set(open_here)
                chance *= stage.weights[len(open_here), len(written)] if legal else 0.0
            law[steps] += chance
    return law


@pytest.mark.parametrize("name", RULES)
def test_stages_are_a_law_over_assignments(name):
    law = assignment_law(RULES[name])
    assert law.min() >= 0
    assert law.sum() == pytest.approx(1.0, abs=1e-13)


@pytest.mark.parametrize("name", RULES)
def test_drawn_steps_follow_the_stages(name):
    rule = RULES[name]
    law = assignment_law(rule)
    drawn = rule.draw_steps(SIZE, LENGTH, np.random.default_rng(1))
    assert drawn.shape == (SIZE, LENGTH)
    radius = oracles.total_variation_radius(law.size, SIZE)
    assert oracles.total_variation(drawn, law) < radius
    if rule.steps > 2:  # a schedule read one step late is told apart (with two steps it is the same law)
        assert oracles.total_variation((drawn + 1) % rule.steps, law) > radius


def test_independent_reveal_is_a_product():
    law = assignment_law(RULES["independent"])
    w = RULES["independent"].weights
    np.testing.assert_allclose(law, np.einsum("a,b,c,d->abcd", w, w, w, w), atol=1e-16)
    np.testing.assert_allclose(RULES["independent"].hazards, [0.2, 0.5 / 0.8, 1.0], atol=1e-15)
    assert RULES["independent, empty steps"].hazards.tolist() == pytest.approx([0.0, 0.7, 0.0, 1.0, 0.0])


def test_shifted_reveal_shares_one_shift():
    """Given U the positions are independent: P(all in step 0) = E (U/(N-1))^L, not the L-th power of the mean."""
    law = assignment_law(tm.ShiftedReveal(4))
    assert law[0, 0, 0, 0] == pytest.approx(1 / 5 / 3**4, abs=1e-15)
    assert law[1, 1, 1, 1] == pytest.approx(1 / 3**4, abs=1e-15)
    assert law[3, 3, 3, 3] == pytest.approx(law[0, 0, 0, 0], abs=1e-15)
    marginal = law.sum(axis=(1, 2, 3))
    np.testing.assert_allclose(marginal, [1 / 6, 1 / 3, 1 / 3, 1 / 6], atol=1e-15)


@pytest.mark.parametrize("degree", [1, 2, 5, 10])
def test_shift_mixture_is_exact_up_to_its_degree(degree):
    parts = tm.ShiftedReveal(2).mixture(degree)
    moment = sum(w * rule.weights[0] ** degree for w, rule in parts)
    assert moment == pytest.approx(1 / (degree + 1), abs=1e-14)
    assert sum(w for w, _ in parts) == pytest.approx(1.0, abs=1e-14)


@pytest.mark.parametrize("length", [1, 2, 3, 7, 8, 20])
def test_bisection_halves_every_gap(length):
    blocks = tm.bisection(length).blocks
    assert len(blocks) == int(np.ceil(np.log2(length + 1)))
    shown = {-1, length}
    for block in blocks:
        gaps = [sorted(shown)[k : k + 2] for k in range(len(shown) - 1)]
        inside = [[i for i in block if low < i < high] for low, high in gaps]
        assert all(len(found) == (high - low > 1) for found, (low, high) in zip(inside, gaps, strict=True))
        shown |= set(block)
    assert shown == set(range(-1, length + 1))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: tm.IndependentReveal([0.5, 0.4]), "weights sum to 0.9, they must sum to 1"),
        (lambda: tm.IndependentReveal([1.5, -0.5]), "weights[1] = -0.5, every entry must be finite and >= 0"),
        (lambda: tm.IndependentReveal([float("nan"), 1.0]), "weights[0] = nan, every entry must be finite and >= 0"),
        (lambda: tm.IndependentReveal([float("inf"), 1.0]), "weights[0] = inf, every entry must be finite and >= 0"),
        (lambda: tm.IndependentReveal([]), "weights must be a non-empty vector, got shape (0,)"),
        (lambda: tm.ShiftedReveal(1), "steps = 1, it must be an integer >= 2"),
        (lambda: tm.RandomOrder(()), "sizes must not be empty"),
        (lambda: tm.RandomOrder((2, -1)), "sizes[1] = -1, it must be an integer >= 0"),
        (lambda: tm.FixedOrder(((0, 1), (1,))), "are no partition of 0..2: each position exactly once"),
        (lambda: tm.FixedOrder(((0,), (2,))), "are no partition of 0..1: each position exactly once"),
        (lambda: tm.FixedOrder(((0, -1),)), "blocks[0][1] = -1, it must be an integer >= 0"),
        (lambda: tm.FixedOrder(()), "blocks () are no partition"),
    ],
)
def test_refused_rules(make, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        make()


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (tm.RandomOrder((2, 1)), "sizes (2, 1) sum to 3, they must sum to the length 4"),
        (tm.FixedOrder(((0, 1), (2,))), "blocks cover 3 positions, the length is 4"),
    ],
)
def test_rules_that_do_not_fit_the_length(rule, message):
    for use in (lambda: rule.stages(4), lambda: rule.draw_steps(3, 4, np.random.default_rng(0))):
        with pytest.raises(ValueError, match=re.escape(message)):
            use()


def test_weights_are_a_read_only_copy():
    given = np.array([0.5, 0.5])
    rule = tm.IndependentReveal(given)
    given[0] = 3.0
    assert rule.weights.tolist() == [0.5, 0.5]
    with pytest.raises(ValueError, match="read-only"):
        rule.weights[0] = 1.0
