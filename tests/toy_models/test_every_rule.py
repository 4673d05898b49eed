"""Every rule of theory/ledger/every.py against a walk over all runs: law, KL, calls, draws, log p(x)."""

from math import log

import numpy as np
import pytest
from oracles import total_variation, total_variation_radius

import toy_models as tm
from theory.ledger import enumeration, every
from theory.ledger.every import ADAPTED, CONTENT_BLIND, RULES, TARGETS, WITH_LIKELIHOOD
from toy_models.rules.kinds import CONTENT_FREE, DRAWN, SAMPLER, kind_of
from toy_models.rules.protocol import Adaptive, ContentFree, Sampler, sees_drawn, select, stages_of, steps_of

ATOL = 1e-12
WHERE = ("table", "chain, stationary", "one position")
MODELS = {
    "oracle": lambda target: None,
    "smoothed": lambda target: tm.Smoothed(target, 0.2),
    "window": lambda target: tm.Windowed(target, 1),
}


@pytest.fixture(params=RULES)
def name(request):
    return request.param


@pytest.fixture(params=WHERE)
def target(request):
    return TARGETS[request.param]


def sized(name, target):
    return RULES[name](target)


@pytest.mark.parametrize("model", MODELS)
def test_law(name, target, model):
    rule, denoiser = sized(name, target), MODELS[model](target) or target
    written, impossible, calls = enumeration.sampler(denoiser, rule)
    law = tm.sampler_law(denoiser, rule)
    assert law.pmf.sum() + law.impossible == pytest.approx(1.0, abs=ATOL)
    assert law.impossible == pytest.approx(impossible, abs=ATOL)
    assert law.mean_steps == pytest.approx(calls, abs=ATOL)
    for x, p in np.ndenumerate(law.pmf):
        assert p == pytest.approx(written.get(x, 0.0), abs=ATOL)
    assert tm.expected_calls(target, rule, denoiser, under="p") == law.mean_steps


@pytest.mark.parametrize("model", MODELS)
def test_what_is_lost(name, target, model):
    rule, denoiser = sized(name, target), MODELS[model](target)
    law = enumeration.words(target)
    written, impossible, _ = enumeration.sampler(denoiser or target, rule)
    error = impossible + sum(p for x, p in written.items() if law[x] == 0)
    assert tm.sequence_error(target, rule, denoiser) == pytest.approx(error, abs=ATOL)
    kl = sum(q * log(q / written[x]) if written[x] > 0 else np.inf for x, q in law.items() if q > 0)
    assert tm.marginal_kl(target, rule, denoiser) == pytest.approx(kl, abs=ATOL)


@pytest.mark.parametrize("model", MODELS)
def test_along_data(name, target, model):
    """Trajectory KL and calls under q; what sees the candidates, or is a sampler, has no path along data: refused."""
    rule, denoiser = sized(name, target), MODELS[model](target)
    if kind_of(rule) in (DRAWN, SAMPLER):
        for quantity in (tm.trajectory_kl, tm.expected_calls):
            with pytest.raises(ValueError, match=f"is {kind_of(rule)}, it must be content-free or adaptive"):
                quantity(target, rule, denoiser)
        return
    loss, calls = enumeration.replayed(target, denoiser or target, rule)
    assert tm.trajectory_kl(target, rule, denoiser) == pytest.approx(loss - target.entropy(), abs=ATOL)
    assert tm.expected_calls(target, rule, denoiser) == pytest.approx(calls, abs=ATOL)


def test_draws(name, target):
    rule, size = sized(name, target), 4000
    law = tm.sampler_law(target, rule)
    runs = tm.sample(target, rule, size, np.random.default_rng(3))
    assert runs.impossible.mean() == pytest.approx(law.impossible, abs=total_variation_radius(2, size))
    whole = runs.tokens[~runs.impossible]
    pmf = law.pmf / law.pmf.sum()
    assert total_variation(whole, pmf) < total_variation_radius(pmf.size, len(whole))
    spread = target.length  # calls lie in 0..L: Hoeffding at 1e-6, two-sided
    assert abs(runs.steps.mean() - law.mean_steps) < spread * np.sqrt(np.log(2e6) / (2 * size))


@pytest.mark.parametrize("name", WITH_LIKELIHOOD)
def test_log_likelihood(name, target):
    rule, x = sized(name, target), np.array(list(enumeration.words(target)))
    with np.errstate(divide="ignore"):
        expected = np.log(tm.sampler_law(target, rule).pmf.ravel())
    np.testing.assert_allclose(tm.log_likelihood(target, rule, x), expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize("name", CONTENT_BLIND)
def test_drawn_steps_follow_the_stages(name):
    """The law of the first revealed set, from the stages and from draws."""
    length, size = 4, 4000
    rule = RULES[name](TARGETS["table"])
    mixture = stages_of(rule, length)
    expected = np.zeros(2**length)
    for w, stages in mixture:
        first = next(s for s in stages if s.active.any() and s.weights[int(s.active.sum()), 0] < 1)
        active = np.flatnonzero(first.active)
        for code in range(2 ** len(active)):
            chosen = [int(i) for k, i in enumerate(active) if code >> k & 1]
            expected[sum(1 << i for i in chosen)] += w * first.weights[len(active), len(chosen)]
    steps = steps_of(rule, size, length, np.random.default_rng(5))
    when = int(steps.min()) if name not in ("independent", "shifted") else 0
    found = np.bincount((steps == when) @ (1 << np.arange(length)), minlength=2**length) / size
    assert 0.5 * np.abs(found - expected).sum() < total_variation_radius(2**length, size)


def test_kinds(name):
    rule = RULES[name](TARGETS["table"])
    assert isinstance(rule, {CONTENT_FREE: ContentFree, SAMPLER: Sampler}.get(kind_of(rule), Adaptive))
    if kind_of(rule) == SAMPLER:
        return
    assert sees_drawn(rule) == (kind_of(rule) == DRAWN) if isinstance(rule, Adaptive) else name in CONTENT_BLIND


@pytest.mark.parametrize("dtype", [np.int64, np.int8, np.uint8])
@pytest.mark.parametrize("name", [n for n in ADAPTED if n != "adaptive of one's own"])
def test_integer_masks_are_read_as_booleans(name, dtype):
    """An attention mask of zeros and ones selects what the boolean mask selects, as booleans."""
    rule, target = RULES[name](TARGETS["table"]), TARGETS["table"]
    y = np.array([[-1, 0, -1, -1], [-1, -1, -1, -1]])
    marginals, masked = target.marginals(y), y == -1
    found = rule.select(marginals, masked.astype(dtype))
    assert found.dtype == np.bool_
    np.testing.assert_array_equal(found, rule.select(marginals, masked))


class Silent:
    def select(self, marginals, masked):
        return np.zeros_like(masked)


class Greedy:
    def select(self, marginals, masked):
        return np.ones_like(masked)


class Numbers:
    def select(self, marginals, masked):
        return masked.astype(int)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (Silent(), r"Silent.select chose \[\] in row 0, it must choose at least one of \[0, 1, 2, 3\]"),
        (Numbers(), r"Numbers.select returned int64 \(\d+, 4\), it must return a boolean array"),
    ],
)
@pytest.mark.parametrize("quantity", [tm.trajectory_kl, tm.sampler_law, tm.sequence_error, tm.expected_calls])
def test_a_rule_that_does_not_choose_is_refused(rule, message, quantity):
    """Without the check the walk along data would never end."""
    with pytest.raises(ValueError, match=message):
        quantity(TARGETS["chain, stationary"], rule)


def test_a_rule_that_chooses_revealed_positions_is_refused():
    masked = np.array([[True, False]])
    with pytest.raises(
        ValueError, match=r"Greedy.select chose \[0, 1\] in row 0, it must choose at least one of \[0\]"
    ):
        select(Greedy(), np.full((1, 2, 2), 0.5), masked)


def test_calls_of_ones_own_long_order_are_out_of_reach():
    long = tm.MarkovChain([[0.9, 0.1], [0.2, 0.8]], 30)
    with pytest.raises(tm.IntractableError, match=r"give the rule a method expected_calls"):
        tm.expected_calls(long, every.BothWays())
    too_long = tm.MarkovChain([[0.9, 0.1], [0.2, 0.8]], 12)
    with pytest.raises(tm.IntractableError, match="the law of a rule that sees the drawn tokens"):
        tm.sampler_law(too_long, every.KeepLikeliest())
