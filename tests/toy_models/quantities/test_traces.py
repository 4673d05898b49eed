"""A trace is a run: its calls add up to its text, under every kind of rule."""

import numpy as np
import pytest

import toy_models as tm

CHAIN = tm.MarkovChain([[0.0, 0.6, 0.4], [0.5, 0.0, 0.5], [0.3, 0.7, 0.0]], 6)
RULES = [
    tm.RandomOrder([2, 2, 2]),
    tm.IndependentReveal(np.full(4, 0.25)),
    tm.ShiftedReveal(3),
    tm.bisection(6),
    tm.TopK(2),
    tm.EntropyBounded(0.5),
    tm.DrawnConfidence(1),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)
def test_a_run_adds_up(rule):
    rng = np.random.default_rng(0)
    for _ in range(20):
        run = tm.quantities.trace(CHAIN, rule, rng)
        assert sorted(set(run.call.tolist()) - {-1}) == list(range(run.calls))
        assert run.stuck == bool((run.tokens == tm.MASK).any())
        assert (run.after(run.calls) == run.tokens).all()
        assert (run.after(0) == tm.MASK).all()
        written = [int((run.after(j + 1) != run.after(j)).sum()) for j in range(run.calls)]
        assert sum(written) == int((run.tokens != tm.MASK).sum())
        if isinstance(rule, tm.DrawnConfidence):
            assert written == [1] * 6


def test_traces_have_the_law_of_the_sampler():
    """400 traces of a rule with clashes: as many stuck runs as the exact law says."""
    rule, rng = tm.RandomOrder([3, 3]), np.random.default_rng(1)
    stuck = np.mean([tm.quantities.trace(CHAIN, rule, rng).stuck for _ in range(400)])
    exact = tm.sampler_law(CHAIN, rule).impossible
    assert 0.1 < exact < 0.9
    assert abs(stuck - exact) < 5 * np.sqrt(exact * (1 - exact) / 400)


def test_rules_that_draw_by_themselves_are_refused():
    with pytest.raises(ValueError, match="a trace needs a rule that writes each letter once"):
        tm.quantities.trace(CHAIN, tm.rules.PathPlanning((1, 2, 3, 4, 5, 6)), np.random.default_rng(0))
