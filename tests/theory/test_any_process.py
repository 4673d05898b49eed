"""The any-process experiment: smoke results, every registered function, links between files."""

from fractions import Fraction as F
from pathlib import Path

import numpy as np
import pytest
from smoke import results as smoke

from theory.any_process import results as any_process
from theory.any_process.checks.transition import length_law, transition_inputs
from theory.any_process.search import interval
from theory.ledger.claims import load_claims
from theory.ledger.registry import REGISTRY
from theory.ledger.run import load_topic, verdict_lines

load_topic("any_process")
ENTRIES = [e for e in REGISTRY.entries if e.topic == "any_process"]
CLAIMS = {i: c for i, c in load_claims().items() if c.topic == "any_process"}


@pytest.fixture(scope="module")
def results():
    return smoke("any_process")


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: f"{e.claim}-{e.function.__name__}")
def test_every_registered_function(results, entry):
    outcome = entry.function(results)
    assert outcome.result == ("REFUTED" if entry.role == "control" else "PROVED"), outcome.note
    assert outcome.instances > 0


def test_claims_and_functions_name_each_other():
    assert {e.claim for e in ENTRIES} == set(CLAIMS)
    text = Path(any_process.__file__).with_name("derivation.md").read_text(encoding="utf-8")
    for name in CLAIMS:
        assert f":label: {name} -->\n" in text
        assert any(e.claim == name and e.role == "control" for e in ENTRIES)
        assert name in REGISTRY.not_tight or any(e.claim == name and e.role == "tightness" for e in ENTRIES)


def test_verdicts_are_as_expected(results):
    lines = verdict_lines("any_process", results)
    assert "fails as stated" not in lines
    assert "error" not in lines
    assert lines.count("construction shown") == len({e.claim for e in ENTRIES if e.role == "construction"})
    assert "holds with condition" not in lines


def test_required_numbers(results):
    assert results.sudoku.solved == 85632
    assert [s.size for s in results.pram.scan][-1] == 1024
    assert results.pram.qbf[2]
    assert results.dyck.rounds[1, 10] == (5, F(200, 63))
    assert results.queens.through_g[4] == (F(28, 3), 20, 1)


def test_intervals_are_exact_binomial():
    assert interval(0, 10)[0] == 0.0
    low, high = interval(10, 10)
    assert (low, high) == (pytest.approx((5e-7) ** 0.1, rel=1e-9), 1.0)


def test_profile_is_checked():
    with pytest.raises(ValueError, match="profile = 'fast'"):
        any_process.results("fast", np.random.default_rng(0))


def test_length_law_helper_can_fail():
    inputs = list(transition_inputs(1))
    assert len(inputs) == 49
    assert any(length_law(x, a) != len(x) for x, a in inputs)
