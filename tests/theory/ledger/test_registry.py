"""What may be registered: known tiers, decided instances, plain booleans."""

import numpy as np
import pytest

from theory.ledger.registry import (
    REGISTRY,
    ROLES,
    TIERS,
    Outcome,
    check,
    condition,
    construction,
    control,
    correction,
    decide,
    definition,
    formal,
    not_claimed_tight,
    sharper,
    tightness,
    topic_of,
)


@pytest.fixture
def registry(monkeypatch):
    monkeypatch.setattr(REGISTRY, "entries", [])
    monkeypatch.setattr(REGISTRY, "not_tight", {})
    return REGISTRY


def test_every_role_registers(registry):
    roles = {"check": check, "condition": condition, "correction": correction, "sharper": sharper}
    roles |= {"definition": definition, "formal": formal, "tightness": tightness, "control": control}
    roles |= {"construction": construction}
    assert tuple(roles) == ROLES
    for name, role in roles.items():

        @role("some-claim", tier="rational")
        def function(results):
            return decide(True, 1)

        (entry,) = registry.of("some-claim", name)
        assert (entry.role, entry.tier, entry.function, entry.topic) == (name, "rational", function, "test_registry")
    assert len(registry.of("some-claim")) == len(ROLES)
    assert registry.of("other-claim") == []


def test_unknown_tier_lists_what_exists(registry):
    with pytest.raises(ValueError, match=r"tier = 'exact' of claim 'c', allowed: " + ", ".join(TIERS)):
        check("c", tier="exact")
    assert registry.entries == []


def test_decide():
    assert decide(True, 3, 0.5, "why") == Outcome("PROVED", 3, 0.5, "why")
    assert decide(np.bool_(False), np.int64(2)) == Outcome("REFUTED", 2)


@pytest.mark.parametrize("holds", ["REFUTED", "PROVED", 1, None, np.ones(2, dtype=bool)])
def test_decide_takes_booleans_only(holds):
    """A verdict such as "REFUTED" is true: it must not pass for one."""
    with pytest.raises(TypeError, match="must be a boolean"):
        decide(holds, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("holds", 1), "allowed: PROVED, REFUTED, UNDECIDED"),
        ((True, 1), "allowed: PROVED"),
        (("PROVED", 0), "nothing was decided"),
        (("PROVED", 1, float("nan")), "margin is nan"),
    ],
)
def test_outcomes_are_validated(arguments, message):
    with pytest.raises(ValueError, match=message):
        Outcome(*arguments)


def test_a_reason_is_needed(registry):
    not_claimed_tight("c", "an identity")
    assert registry.not_tight == {"c": "an identity"}
    with pytest.raises(ValueError, match="needs a reason"):
        not_claimed_tight("c", " ")


@pytest.mark.parametrize(
    ("module", "topic"),
    [
        ("theory.energy.checks.rates", "energy"),
        ("theory.any_process.checks.dyck", "any_process"),
        ("theory.energy.checks", "energy"),
        ("theory.energy.results", "energy"),
    ],
)
def test_the_topic_is_the_package_below_checks(module, topic):
    assert topic_of(module) == topic
