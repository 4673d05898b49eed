"""The topic's results, its ledger lines, and the numbers that its page quotes."""

import re
from pathlib import Path

import numpy as np
import pytest
from smoke import results as smoke

import toy_models as tm
from theory.entropy_bound import results as entropy_bound
from theory.entropy_bound import targets as entropy_bound_targets
from theory.ledger.claims import load_claims
from theory.ledger.run import run_claim, run_topic
from toy_models.quantities.lattice import to_table
from toy_models.rules import proxies
from toy_models.rules.policy_front import optimal_front

PAGE = Path(entropy_bound.__file__).with_name("derivation.md").read_text(encoding="utf-8")
VERDICTS = {
    "eb-decomposition": "sharpened",
    "eb-gamma-zero": "holds with condition",
    "eb-model-entropies": "holds with condition",
}


@pytest.fixture(scope="module")
def results():
    return smoke("entropy_bound")


def test_every_claim_has_its_verdict_and_rejected_controls(results):
    lines = run_topic("entropy_bound", "smoke", results=results)
    assert {line.claim.id for line in lines} == {c.id for c in load_claims().values() if c.topic == "entropy_bound"}
    for line in lines:
        assert line.problems == ()
        assert line.controls >= 1
        assert line.verdict == VERDICTS.get(line.claim.id, "holds")


def test_every_label_is_a_claim():
    labels = set(re.findall(r"^:label: (\S+) -->$", PAGE, re.MULTILINE))
    assert labels == {c.id for c in load_claims().values() if c.topic == "entropy_bound"}


def test_matched_calls_are_ordered(results):
    for case in results.cases:
        assert case.optimal_calls <= min(case.fixed_calls, case.best_calls("EB"), case.best_calls("top-k")) + 1e-9
        assert case.best_calls("EB") <= case.length + 1e-9
        assert case.distance >= 1 - 1e-9
    assert results.case("pairs").distance == pytest.approx(5 / 2, abs=1e-3)


def test_numbers_on_the_page(results):
    target = to_table(entropy_bound_targets.sticky_hmm(5))
    trajectory, text = entropy_bound.random_orders(target, tm.rules.subset_entropies(target))
    quoted = [text[1], float(optimal_front(target).lower_bound(2.0)), trajectory[1]]
    assert [f"{value:.4f}" for value in quoted] == ["0.2638", "0.2937", "0.4398"]
    for value in quoted:
        assert f"{value:.4f}" in PAGE


def test_switch_rewards_adaptivity():
    target = entropy_bound_targets.switch()
    assert target.pmf.sum() == pytest.approx(1.0, abs=1e-15)
    front, fixed = optimal_front(target), tm.rules.fixed_schedule_front(target)
    assert front.calls[-1] == pytest.approx(3.0, abs=1e-12)
    assert fixed[2].loss - target.entropy() > 0.01
    assert fixed[3].loss - target.entropy() == pytest.approx(0.0, abs=1e-12)


def test_call_bounds_hold_call_by_call(results):
    for steps in results.steps:
        assert (steps.total_correlation <= steps.bound + 1e-12).all()
        assert steps.probability.max() <= 1.0 + 1e-12
    tight = next(s for s in results.steps if "pairs" in s.label)
    np.testing.assert_allclose(tight.total_correlation, tight.bound, atol=1e-12)


def test_summary_has_a_line_per_target(results):
    assert len(entropy_bound.summary(results).splitlines()) == len(results.cases) + 1


def test_unknown_profile():
    with pytest.raises(ValueError, match="profile = 'quick', allowed"):
        entropy_bound.results("quick", np.random.default_rng(0))


def hardest(rule, marginals, masked):
    order = proxies.easiest_first(marginals, masked, rule.proxy)
    rank = order.argsort(axis=1)
    return masked & (rank >= masked.sum(axis=1, keepdims=True) - rule.k)


FAULTS = {
    "TopK reveals the hardest": (tm.TopK, "select", hardest),
    "Threshold ignores its value": (tm.Threshold, "select", lambda r, m, k: tm.TopK(1, r.proxy).select(m, k)),
    "EB reveals one token": (tm.EntropyBounded, "select", lambda r, m, k: tm.TopK(1, r.proxy).select(m, k)),
    "ties by the last place": (proxies, "TIE", 0),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_in_a_rule_turns_a_line_red(results, monkeypatch, name):
    where, attribute, fault = FAULTS[name]
    claims = load_claims()
    lines = [run_claim(claims[c], results) for c in ("optimal-front", "eb-kl-gamma")]
    assert not any(line.problems for line in lines)
    monkeypatch.setattr(where, attribute, fault)
    assert any(run_claim(claims[c], results).problems for c in ("optimal-front", "eb-kl-gamma"))


def test_margin_that_is_confidence_turns_a_line_red(results, monkeypatch):
    plain = proxies.proxy_scores
    confused = {"margin": "confidence", "confidence": "confidence", "entropy": "entropy"}
    monkeypatch.setattr(proxies, "proxy_scores", lambda m, proxy: plain(m, confused[proxy]))
    assert run_claim(load_claims()["optimal-front"], results).problems
