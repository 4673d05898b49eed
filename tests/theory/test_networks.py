"""The networks topic on the smoke profile: trained networks, verdicts that do not depend on how well they learned."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from smoke import results as smoke

from theory.ledger.registry import REGISTRY
from theory.ledger.run import load_claims, run_topic
from theory.networks import results as topic
from theory.networks.languages import judge, languages, train_twins
from theory.networks.plans import PLANS


@pytest.fixture(scope="module")
def results():
    return smoke("networks")


@pytest.fixture(scope="module")
def lines(results):
    return {line.claim.id: line for line in run_topic("networks", "smoke", results=results)}


CLAIMS = {
    "network-error-adds",
    "network-two-curves",
    "network-kl-from-max",
    "network-ser-from-max",
    "causal-error-adds",
    "device-posterior-bound",
    "sampled-judge",
    "averaged-weights",
    "learning-error-chernoff",
}


def test_verdicts(lines):
    assert {name: line.verdict for name, line in lines.items()} == dict.fromkeys(CLAIMS, "holds")
    assert {name: line.problems for name, line in lines.items() if line.problems} == {}


def test_every_registered_function_has_a_claim(lines):
    mine = {e.claim for e in REGISTRY.entries if e.topic.startswith("networks")}
    assert mine == {c.id for c in load_claims().values() if c.topic == "networks"} == set(lines)


def test_a_wrong_learning_error_is_noticed(results):
    """Half the maximal learning error, or a network that claims the oracle's KL: the checks must come out REFUTED."""
    small = results.small
    lying = dataclasses.replace(small, network_kl=small.oracle_kl)
    shrunk = dataclasses.replace(small, largest=0.0, budget=0.0)
    for changed, claim in ((lying, "network-error-adds"), (shrunk, "network-ser-from-max")):
        altered = SimpleNamespace(profile="smoke", small=changed)
        line = run_topic("networks", "smoke", only=claim, results=altered)[0]
        assert line.verdict == "fails as stated"


def test_the_network_learned_something(results):
    small = results.small
    assert 0 < small.mean < 0.3  # nats per token; log 3 - h(1) would be 0.9
    assert small.mean < small.largest
    assert small.sampled_largest <= small.largest * (1 + 1e-5)
    assert (small.network_kl > small.oracle_kl).all()
    for part in results.languages:
        assert np.mean(part.losses[-5:]) < part.losses[0]


def test_enumerated_variance_lies_in_the_sampled_intervals(results):
    """Intervals of eight groups, widened threefold: eight values at 99 % are told to within a factor."""
    small = results.small
    for exact, sampled in (
        (small.variance["network"], small.sampled_variance),
        ({name: row["network"] for name, row in small.methods.items()}, small.sampled_methods),
    ):
        for name, found in sampled.items():
            radius = 3 * (found.high - found.low) / 2
            assert abs(found.value - exact[name]) < radius, name


def test_curves_and_intervals(results):
    for part in results.languages:
        for curve in (part.errors, part.oracle_errors, part.causal_error, part.oracle_path):
            assert (curve.low <= curve.value + 1e-12).all()
            assert (curve.value <= curve.high + 1e-12).all()
        assert (part.learning.largest >= part.learning.mean.value).all()
        assert (part.path.learning.value <= part.path.total.high).all()
        np.testing.assert_allclose(part.path.total.value, (part.path.exact.value + part.path.learning.value), rtol=1e-9)


def test_the_bound_holds_on_every_language(results):
    """(TC + DTC)/N plus the learning error met along the path."""
    for part in results.languages:
        bound = part.budget / part.oracle_path.steps + part.path.learning.high
        assert (part.path.total.low <= bound).all(), part.name


def test_sampled_token_error_agrees_with_the_exact_one(results):
    """The replayed curve of chain A against the gap formula, the HMM's against its enclosure; intervals doubled."""
    for part in (results.languages[0], results.languages[3]):
        radius = part.path.exact.high - part.path.exact.low
        assert (np.abs(part.path.exact.value - part.oracle_path.value) <= radius + 0.01).all(), part.name


def test_rules_are_counted(results):
    families = {f.name: f for f in results.rules}
    assert families["halving"].calls == [4]  # twelve positions
    assert families["one by one"].calls == [12]
    assert families["halving"].oracle_errors == [0.0]
    assert families["one by one"].oracle_errors == [0.0]
    assert (np.diff(families["entropy-bounded"].calls) >= 0).all()


def test_environment_is_named(results):
    assert results.environment["device"] == "CPU"
    assert results.environment["torch"].count(".") == 2


def test_the_gpu_profile_in_small(rng):
    """bf16 autocast, hidden layers and grid as on a card, sizes cut down: every number is there and finite."""
    plan = dataclasses.replace(PLANS["gpu"], length=8, width=32, layers=2, steps=3, batch=4, judged=4, written=8)
    plan = dataclasses.replace(plan, oracle_written=8, enclosure=0.1, grid=(1, 2, 8))
    for name, target in languages(plan.length).items():
        found = judge(name, train_twins(target, plan, 0, torch.device("cpu")), plan, rng)
        for values in (found.path.total.value, found.errors.value, found.oracle_errors.value, found.oracle_path.value):
            assert values.shape == (3,)
            assert np.isfinite(values).all()
        assert list(found.seconds) == ["training", *(f"masked, N = {n}" for n in plan.grid), "left to right, 8 calls"]


def test_cuda_is_asked_for_by_name():
    if torch.cuda.is_available():
        assert topic.results("gpu", np.random.default_rng(0)).device.type == "cuda"
    else:
        with pytest.raises(ValueError, match="finds no CUDA here"):
            topic.results("gpu", np.random.default_rng(0))


def test_unknown_profile():
    with pytest.raises(ValueError, match="smoke, full, gpu"):
        topic.results("huge", np.random.default_rng(0))
