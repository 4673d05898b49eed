"""Every registered function of the topic comes out as the ledger needs it."""

import numpy as np
import pytest

from theory.learned_order import results as learned_order
from theory.learned_order.descent import interval
from theory.ledger.claims import load_claims
from theory.ledger.registry import REGISTRY
from theory.ledger.run import load_topic

load_topic("learned_order")
MINE = [e for e in REGISTRY.entries if e.topic == "learned_order"]
PUBLISHED_AND_WRONG = {"nelbo-is-order-average", "descent-finds-best-order", "learned-schedules-lower-loss"}


@pytest.fixture(scope="module")
def results():
    return learned_order.results("smoke", np.random.default_rng(0))


def test_claims_and_functions_match():
    stated = {c.id for c in load_claims().values() if c.topic == "learned_order"}
    assert stated == {e.claim for e in MINE}
    for claim in stated:
        assert REGISTRY.of(claim, "control"), claim
        assert REGISTRY.of(claim, "tightness") or claim in REGISTRY.not_tight, claim


@pytest.mark.parametrize("entry", MINE, ids=lambda e: f"{e.claim}-{e.role}-{e.function.__name__}")
def test_outcome(entry, results):
    refuted = entry.role == "control" or (entry.role == "check" and entry.claim in PUBLISHED_AND_WRONG)
    outcome = entry.function(results)
    assert outcome.result == ("REFUTED" if refuted else "PROVED"), outcome.note
    assert outcome.instances >= 1


def test_intervals_contain_the_share_and_are_exact():
    low, high = interval(0, 240)
    assert low == 0.0
    assert (1 - high) ** 240 == pytest.approx(0.025, rel=1e-9)
    low, high = interval(19, 240)
    assert low < 19 / 240 < high
