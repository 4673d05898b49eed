"""Random cases against the brute force of fuzz.py: a fixed budget, every seed that failed once, and a planted fault."""

import fuzz
import pytest

import toy_models as tm

BUDGET = range(90_000, 90_150)  # about 10 s of one core; python -m tests.fuzz runs as many as wanted


def failures(seeds):
    report = fuzz.Report()
    for seed in seeds:
        fuzz.run_case(seed, report)
    assert report.counts["numbers"] > 10 * len(seeds)
    return report.failures


def test_no_wrong_number_no_nan_no_foreign_exception():
    assert failures(BUDGET) == []


def test_cases_that_failed_once():
    assert failures(fuzz.stored_seeds()) == []


@pytest.mark.parametrize(
    ("name", "fault", "kind"),
    [
        ("sequence_error", lambda value: value + 1e-8, "wrong"),
        ("marginal_kl", lambda value: float("nan"), "nan"),
        ("log_likelihood", lambda value: value[len(value)], "exception"),
    ],
)
def test_a_planted_fault_is_reported(monkeypatch, name, fault, kind):
    right = getattr(tm, name)
    monkeypatch.setattr(tm, name, lambda *args: fault(right(*args)))
    assert kind in {found[1] for found in failures(range(3))}
