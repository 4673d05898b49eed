"""The energy topic: its claims come out as registered, its numbers as derived."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

import theory.energy.results as energy
from theory.energy import paths as energy_paths
from theory.energy import schedules as energy_schedules
from theory.energy import toy as energy_toy
from theory.energy.instances import rational_illegal_mass
from theory.ledger.claims import load_claims
from theory.ledger.registry import REGISTRY
from theory.ledger.run import load_topic, run_claim, run_topic


@pytest.fixture(scope="module")
def results():
    return energy.results("smoke", np.random.default_rng(0))


@pytest.fixture(scope="module")
def lines(results):
    return {line.claim.id: line for line in run_topic("energy", "smoke", results=results)}


CONDITIONAL = {"energy-kinetic-constant", "energy-discrete-spacing", "energy-rates-marginal"}
SHARPENED = {"energy-rates-conditional"}


def test_verdicts(lines):
    for name, line in lines.items():
        expected = "holds with condition" if name in CONDITIONAL else "sharpened" if name in SHARPENED else "holds"
        assert (name, line.verdict) == (name, expected)
        assert line.problems == ()


def test_every_registered_function_has_a_claim():
    load_topic("energy")
    mine = {e.claim for e in REGISTRY.entries if e.topic == "energy"}
    assert mine == {c.id for c in load_claims().values() if c.topic == "energy"}


PRINTED = {
    "linear": (0.40509, 0.11691),
    "sin": (0.58157, 0.11130),
    "sin²": (0.38818, 0.12766),
    "1-cos": (0.32348, 0.17203),
    "(0.9, 0.3)": (0.38669, 0.29102),
    "(1, 0.2)": (0.60245, 0.34125),
    "(0.3, 0.9)": (0.83660, 0.18552),
    "(0.9, 0.9)": (0.38650, 0.12357),
    "(0.3, 0.3)": (0.44135, 0.12552),
}


def test_toy_table(results):
    found = {n: (a, b) for n, a, b in zip(results.toy.names, results.toy.left, results.toy.right, strict=True)}
    assert set(found) == set(PRINTED)
    for name, pair in PRINTED.items():
        np.testing.assert_allclose(found[name], pair, atol=5.01e-6, rtol=0)


def test_toy_optima(results):
    x = results.toy
    np.testing.assert_allclose(x.left_best, (0.281123, 0.15841, 0.38100), atol=(6e-6), rtol=0)
    np.testing.assert_allclose(x.right_best, (0.101302, 0.48372, 0.77954), atol=(6e-6), rtol=0)
    np.testing.assert_allclose((*x.left_beta, *x.right_beta), (0.496, 0.272, 0.389, 0.538), atol=5.01e-4, rtol=0)


def test_toy_by_a_closed_form(results):
    """aaaaa/bbbbb: legal iff the first step that reveals k >= 1 tokens gives them one value, 2^(1-k)."""
    for schedule in energy_schedules.NAMED.values():
        cuts = schedule.on_grid(3)
        legal, waiting = 0.0, 1.0
        for low, high in pairwise(cuts):
            r = (high - low) / (1 - low)
            legal += waiting * 2 * ((1 - r / 2) ** 5 - (1 - r) ** 5)
            waiting *= (1 - r) ** 5
        assert energy_toy.illegal_mass(energy_toy.toy_targets()[0], schedule.weights(3)) == pytest.approx(
            1 - legal, abs=1e-12
        )


def test_rational_route_agrees(results):
    from fractions import Fraction

    support = {tuple(int(v) for v in x) for x in np.argwhere(energy_toy.toy_targets()[1].pmf > 0)}
    weights = [Fraction(1, 2), Fraction(1, 3), Fraction(1, 6)]
    found = energy_toy.illegal_mass(energy_toy.toy_targets()[1], [float(w) for w in weights])
    assert float(rational_illegal_mass(support, weights)) == pytest.approx(found, abs=1e-14)


def test_source_optima(results):
    x = results.optima
    omega = np.arccos(np.sqrt(1 / 3))
    assert x.half_conditional == pytest.approx(1 - np.sin(omega / 2) ** 2 / np.sin(omega) ** 2, abs=1e-5)
    found = (x.half_conditional, x.half_marginal, x.half_kinetic, x.weight_one_half_marginal, x.marginal_of_conditional)
    np.testing.assert_allclose(found, (0.6830, 0.5160, 0.5183, 0.7770, 0.7236), atol=1e-4, rtol=0)
    np.testing.assert_allclose((x.least_conditional, x.least_marginal), (3.650, 0.6196), atol=6e-4, rtol=0)
    assert x.weight_one_half_conditional == pytest.approx(0.75, abs=1e-5)


def test_conditional_energy_of_the_marginal_optimum_diverges():
    """Integrand I_cond / sqrt(I_marg) ~ 1/(1 - kappa): each decade towards 1 adds the same amount."""
    parts = []
    for k in (2, 3, 4):
        kappa = 1 - np.geomspace(10.0**-k, 10.0 ** -(k + 1), 400)
        values = np.array([energy_paths.source_integrands(float(v)) for v in kappa])
        parts.append(np.trapezoid(values[:, 3] / np.sqrt(values[:, 2]), kappa))
    assert parts[0] > 1
    assert parts[2] == pytest.approx(parts[1], rel=2e-2)


def test_schedules(results):
    rows = {row.name: row for row in results.schedules}
    assert {n for n, r in rows.items() if np.isfinite(r.energy)} == {"sin²", "3t²-2t³"}
    assert all(bool(r.reason) == np.isinf(r.energy) for r in rows.values())


def test_best_beta_lies_between(results):
    for row in results.budgets:
        assert row.optimum * (1 - 1e-9) <= row.best_beta <= min(row.linear, row.sine_squared)


def test_unknown_profile():
    with pytest.raises(ValueError, match="profile = 'quick', allowed"):
        energy.results("quick", np.random.default_rng(0))


@pytest.mark.parametrize("rule", ["sizes", "independent"])
@pytest.mark.parametrize("fault", [lambda row: 1.02 * row.optimum, lambda row: row.best_beta])
def test_an_optimum_that_is_too_large_turns_the_line_red(results, rule, fault):
    rows = [replace(row, optimum=fault(row)) if row.rule == rule else row for row in results.budgets]
    claim = load_claims()["energy-beta-against-optimum"]
    load_topic("energy")
    assert not run_claim(claim, results).problems
    problems = run_claim(claim, replace(results, budgets=tuple(rows))).problems
    assert any("optimum_by_plain_recursion" in problem for problem in problems)
