"""The medium topic on the smoke profile: trained networks, verdicts that do not depend on how well they learned."""

import dataclasses

import numpy as np
import pytest
from medium_results import smoke_results

from theory import medium as topic
from theory.ledger import load_claims, run_topic
from theory.registry import REGISTRY


@pytest.fixture(scope="module")
def results():
    return smoke_results()


@pytest.fixture(scope="module")
def lines(results):
    return {line.claim.id: line for line in run_topic("medium", "smoke", results=results)}


CLAIMS = {
    "network-error-adds",
    "network-kl-from-max",
    "network-ser-from-max",
    "causal-error-adds",
    "device-posterior-bound",
}


def test_verdicts(lines):
    assert {name: line.verdict for name, line in lines.items()} == dict.fromkeys(CLAIMS, "holds")
    assert {name: line.problems for name, line in lines.items() if line.problems} == {}


def test_every_registered_function_has_a_claim(lines):
    mine = {e.claim for e in REGISTRY.entries if e.topic.startswith("medium")}
    assert mine == {c.id for c in load_claims().values() if c.topic == "medium"} == set(lines)


def test_a_wrong_learning_error_is_noticed(results):
    """Half the maximal learning error, or a network that claims the oracle's KL: the checks must come out REFUTED."""
    small = results.small
    lying = dataclasses.replace(small, network_kl=small.oracle_kl)
    shrunk = dataclasses.replace(small, largest=0.0, budget=0.0)
    for changed, claim in ((lying, "network-error-adds"), (shrunk, "network-ser-from-max")):
        altered = dataclasses.replace(results, small=changed)
        line = run_topic("medium", "smoke", only=claim, results=altered)[0]
        assert line.verdict == "fails as stated"


def test_the_network_learned_something(results):
    small = results.small
    assert 0 < small.mean < 0.3  # nats per token; log 3 - h(1) would be 0.9
    assert small.mean < small.largest
    assert small.sampled_largest <= small.largest * (1 + 1e-5)
    assert (small.network_kl > small.oracle_kl).all()
    for part in results.languages:
        assert np.mean(part.losses[-5:]) < part.losses[0]


def test_enumerated_and_estimated_variance_agree(results):
    exact, found = results.small.variance["network"], results.small.variance["estimated"]
    for name in ("pattern", "rate", "data"):
        assert found[name] == pytest.approx(exact[name], rel=0.5)


def test_curves_and_intervals(results):
    for part in results.languages:
        for curve in (part.errors, part.oracle_errors, part.causal_error, part.oracle_path):
            assert (curve.low <= curve.value + 1e-12).all()
            assert (curve.value <= curve.high + 1e-12).all()
        assert (part.learning.largest >= part.learning.mean.value).all()
        assert (part.path.learning.value <= part.path.total.high).all()
    assert results.policies.calls[-1] == 4  # halving of eight positions


def test_environment_is_named(results):
    assert results.environment["device"] == "CPU"
    assert results.environment["torch"].count(".") == 2


def test_unknown_profile():
    with pytest.raises(ValueError, match="smoke, full, gpu"):
        topic.results("huge", np.random.default_rng(0))
