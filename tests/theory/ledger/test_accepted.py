"""A statement and its checks are read together: a change of either is red until it is accepted by hand."""

import json
from dataclasses import replace

import pytest

from theory import __main__ as command
from theory.ledger import accepted, statements
from theory.ledger.claims import Claim, load_claims
from theory.ledger.registry import REGISTRY, Registered, decide, not_claimed_tight
from theory.ledger.run import available_topics, load_topic

CLAIM = Claim("c", "energy", paper="this suite", where="w", form="ours", prior="ours")
PAGE = "# Energy\n\n:::{prf:theorem} T\n:label: c\n\n$x=1$.\n:::\n"


def one(results):
    """x = 1."""
    return decide(True, 1)


def two(results):
    """x = 2."""
    return decide(False, 1)


@pytest.fixture
def house(tmp_path, monkeypatch):
    monkeypatch.setattr(statements, "THEORY", tmp_path)
    monkeypatch.setattr(accepted, "ACCEPTED", tmp_path / "accepted.json")
    monkeypatch.setattr(REGISTRY, "entries", [Registered("c", "check", "rational", one, "energy")])
    monkeypatch.setattr(REGISTRY, "not_tight", {})
    (tmp_path / "energy").mkdir()
    (tmp_path / "energy" / "derivation.md").write_text(PAGE)
    return tmp_path


def test_accepted_once_read(house):
    assert accepted.unaccepted([CLAIM]) == [
        "c: statement or check was never accepted; read both, then `python -m theory --accept c`"
    ]
    accepted.accept([CLAIM], ["c"])
    assert accepted.unaccepted([CLAIM]) == []


def changed_statement(house):
    (house / "energy" / "derivation.md").write_text(PAGE.replace("x=1", "x=2"))


def changed_kind(house):
    (house / "energy" / "derivation.md").write_text(PAGE.replace("theorem", "conjecture"))


def changed_check(house):
    REGISTRY.entries[0] = replace(REGISTRY.entries[0], function=two)


def new_function(house):
    REGISTRY.entries.append(Registered("c", "control", "rational", two, "energy"))


def reason(house):
    not_claimed_tight("c", "an identity")


@pytest.mark.parametrize("change", [changed_statement, changed_kind, changed_check, new_function, reason])
def test_every_change_is_seen(house, change):
    accepted.accept([CLAIM], ["c"])
    change(house)
    (line,) = accepted.unaccepted([CLAIM])
    assert line.startswith("c: statement or check changed since it was accepted")
    accepted.accept([CLAIM], ["c"])
    assert accepted.unaccepted([CLAIM]) == []


def test_only_the_chosen_are_renewed(house):
    (house / "accepted.json").write_text(json.dumps({"other": "0" * 16, "gone": "1" * 16}))
    accepted.accept([CLAIM], ["c", "other"])
    found = json.loads((house / "accepted.json").read_text())
    assert found == {"c": accepted.fingerprint(CLAIM), "other": "0" * 16}


def test_the_title_and_the_order_of_functions_do_not_matter(house):
    REGISTRY.entries.append(Registered("c", "control", "rational", two, "energy"))
    before = accepted.fingerprint(CLAIM)
    REGISTRY.entries.reverse()
    (house / "energy" / "derivation.md").write_text(PAGE.replace("} T", "} Another title"))
    assert accepted.fingerprint(CLAIM) == before


def test_the_command_accepts_known_claims_only(house, monkeypatch, capsys):
    monkeypatch.setattr(command, "load_claims", lambda: {"c": CLAIM})
    monkeypatch.setattr(command, "load_topic", lambda topic: None)
    assert command.main(["--accept", "c", "d"]) == 2
    assert "unknown claim 'd'" in capsys.readouterr().err
    assert not (house / "accepted.json").exists()
    assert command.main(["--accept", "c"]) == 0
    assert accepted.unaccepted([CLAIM]) == []


def test_every_committed_claim_is_accepted():
    for topic in available_topics():
        load_topic(topic)
    assert accepted.unaccepted(load_claims().values()) == []
