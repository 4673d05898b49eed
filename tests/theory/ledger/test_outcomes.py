"""What every registered function found, recorded beside the verdicts."""

import json

import pytest

from theory.ledger import THEORY, outcomes
from theory.ledger.claims import Claim, load_claims
from theory.ledger.registry import Outcome, Registered
from theory.ledger.run import Line, Ran

CLAIM = Claim("game-number", "perplexity", paper="this suite", where="w", form="ours", prior="none")


def fails(results):
    """A neighbour."""


NEIGHBOUR = Registered("game-number", "control", "float64", fails, "perplexity")
REJECTED = Ran(NEIGHBOUR, Outcome("REFUTED", 2, 1e-15, "by 1"))
RAISED = Ran(Registered("game-number", "check", "rational", fails, "perplexity"), None, "ValueError: x")
LINE = Line(CLAIM, "holds", "rational", 0.12345, 7, "a note", (), (REJECTED, RAISED))


def test_a_record():
    assert outcomes.record([LINE], "smoke") == {
        "game-number": {
            "profile": "smoke",
            "verdict": "holds",
            "shown": "holds",
            "tier": "rational",
            "margin": "0.123",
            "instances": 7,
            "note": "a note",
            "ran": [
                {
                    "role": "control",
                    "function": "fails",
                    "tier": "float64",
                    "result": "REFUTED",
                    "instances": 2,
                    "margin": "< 1e-12",
                    "note": "by 1",
                },
                {
                    "role": "check",
                    "function": "fails",
                    "tier": "rational",
                    "result": "error",
                    "instances": 0,
                    "margin": "",
                    "note": "ValueError: x",
                },
            ],
        }
    }


@pytest.mark.parametrize("keep", [True, False])
def test_other_claims_stay_only_if_asked(tmp_path, monkeypatch, keep):
    monkeypatch.setattr(outcomes, "OUTCOMES", tmp_path / "outcomes.json")
    assert outcomes.recorded() == {}
    outcomes.write({"one-over-n-law": {"profile": "full"}, "no-claim": {}})
    outcomes.write(outcomes.record([LINE], "full"), keep=keep)
    assert set(outcomes.recorded()) == ({"game-number", "one-over-n-law"} if keep else {"game-number"})


def test_the_committed_records_are_those_of_the_verdicts():
    """Otherwise: make verify, or python -m theory.ledger.outcomes --topic T."""
    verdicts = json.loads((THEORY / "verdicts.json").read_text())
    found = outcomes.recorded()
    assert set(found) == set(verdicts) == set(load_claims())
    for name, told in found.items():
        rejected = [ran for ran in told["ran"] if ran["role"] == "control" and ran["result"] == "REFUTED"]
        assert verdicts[name] == {"verdict": told["verdict"], "tier": told["tier"], "controls": len(rejected)}, name
