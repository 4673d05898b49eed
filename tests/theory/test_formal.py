"""Machine-checked proofs: what they state is seen when it changes, and nothing is green because Coq is absent."""

import json
import re
import shutil
from pathlib import Path

import pytest

from theory import __main__ as command
from theory.formal import FORMAL, check, coq, found, sources, statements
from theory.formal import __main__ as proofs
from theory.ledger import run as ledger
from theory.ledger.claims import load_claims
from theory.ledger.registry import REGISTRY, Outcome
from theory.ledger.report import is_red, ledger_markdown

PROOFS = statements.statements()


def why_no_coq() -> str:
    try:
        coq.version()
    except coq.NoCoq as problem:
        return str(problem)
    return ""


with_coq = pytest.mark.skipif(bool(why_no_coq()), reason=f"the proofs cannot be compiled: {why_no_coq()}")


@pytest.fixture
def without_coq(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A folder with one proof, ser-from-kl, and the file that it rests on; what Coq builds goes beside it."""
    folder = tmp_path / "formal"
    folder.mkdir()
    for name in ("Logarithm.v", "SequenceError.v", "assumptions.txt", "checked.json"):
        shutil.copy(FORMAL / name, folder / name)
    (folder / "_CoqProject").write_text("-Q . Formal\nLogarithm.v\nSequenceError.v\n")
    text = (FORMAL / "statements.toml").read_text(encoding="utf-8")
    (folder / "statements.toml").write_text(re.search(r"^\[ser-from-kl\].*?(?=^\[eb-bound\])", text, re.M | re.S)[0])
    monkeypatch.chdir(tmp_path)
    return folder


def edit(folder, name, old, new):
    text = (folder / name).read_text(encoding="utf-8")
    assert text.count(old) == 1, (old, text.count(old))
    (folder / name).write_text(text.replace(old, new), encoding="utf-8")


# ---------------------------------------------------------------- the committed proofs


def test_ten_claims_are_proved_and_the_files_are_short():
    assert len(PROOFS) >= 10
    assert sum(sources.read(name).count("\n") for name in sources.files()) <= 1800
    assert sorted(sources.files()) == sorted(p.name for p in FORMAL.glob("*.v"))


@pytest.mark.parametrize("claim", PROOFS)
def test_each_proof_belongs_to_a_claim_and_says_what_stands_beside_it(claim):
    ledger.load_topic(load_claims()[claim].topic)
    proof = PROOFS[claim]
    assert [e.tier for e in REGISTRY.of(claim, "formal")] == ["formal"]
    assert sum(e.tier == "formal" for e in REGISTRY.of(claim, "control")) == len(proof.changes)
    assert {change.theorem for change in proof.changes} == set(proof.theorems), "a theorem without a false neighbour"
    assert statements.differences(proof) == []
    assert sources.unproved(proof.file) == []
    assert proof.covers


def test_no_file_leaves_anything_unproved():
    assert [word for name in sources.files() for word in sources.unproved(name)] == []
    assert "Abort" not in "".join(map(sources.read, sources.files()))


def test_only_the_reals_may_rest_on_axioms():
    assert set(found.allowed()) == {"Reals.v"}
    assert all(found.record().assumptions[name] == [] for proof in PROOFS.values() for name in proof.theorems)


def test_the_record_is_that_of_the_committed_sources():
    assert found.record().sources == sources.digests()
    assert found.record().errors == {}
    programs = [check.Control(c, n).program() for c, p in PROOFS.items() for n in range(len(p.changes))]
    assert found.record().changed == {sources.digest(program): "rejected" for program in programs}


def test_the_readable_page_names_every_theorem():
    page = (FORMAL / "README.md").read_text(encoding="utf-8")
    assert [name for proof in PROOFS.values() for name in proof.theorems if f"`{name}`" not in page] == []
    assert [claim for claim in PROOFS if f"`{claim}`" not in page] == []


# ---------------------------------------------------------------- no coqc


def test_without_coq_the_lines_say_that_they_were_not_re_checked(without_coq, capsys):
    assert command.main(["--claim", "eb-monotone", "--fast"]) in (0, 1)  # 1 while it waits to be accepted
    told = capsys.readouterr().out
    assert re.search(r"^   eb-monotone +holds +formal ", told, re.M)
    assert "proof not re-checked here: no coqc on PATH" in told
    assert "1 proofs NOT re-checked here (no coqc on PATH): their sources are held against the digests" in told
    kept = json.loads(Path("build/ledger-environment.json").read_text(encoding="utf-8"))
    assert kept["proofs not re-checked"] == {"why": "no coqc on PATH", "claims": ["eb-monotone"]}


def test_without_coq_every_proof_and_control_rests_on_the_record(without_coq):
    for claim, proof in PROOFS.items():
        outcome = check.Check(claim)(None)
        assert (outcome.result, outcome.note) == ("PROVED", "not re-checked here: no coqc on PATH")
        for number in range(len(proof.changes)):
            assert check.Control(claim, number)(None).result == "REFUTED"


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("Logarithm.v", "(* ln 1 = 0. *)", "(* ln 1 is 0. *)", "Logarithm.v: not the text that coqc 8.16.1 compiled"),
        ("SequenceError.v", "SER q p <= 1 - e\n", "SER q p <= 1 + e\n", "SequenceError.v: not the text that coqc"),
        ("statements.toml", "SER q p <= 1 - e\n", "SER q p <= 1 + e\n", "states something else than statements.toml"),
        ("checked.json", '"ser_from_kl": []', '"ser_from_kl": ["magic"]', "ser_from_kl rests on magic"),
        ("checked.json", '"ser_from_kl": []', '"other": []', "ser_from_kl: nobody asked what it rests on"),
    ],
)
def test_without_coq_a_change_turns_the_line_red(without_coq, small, name, old, new, told):
    assert check.Check("ser-from-kl", small)(None).result == "PROVED"
    edit(small, name, old, new)
    outcome = check.Check("ser-from-kl", small)(None)
    assert outcome.result == "REFUTED"
    assert told in outcome.note


def test_without_coq_an_untried_change_is_an_error(without_coq, small):
    assert check.Control("ser-from-kl", 0, small)(None).result == "REFUTED"
    edit(small, "statements.toml", "new = '''SER q p >= 1 - e'''", "new = '''SER q p < 1 - e'''")
    with pytest.raises(ValueError, match="never tried on these sources"):
        check.Control("ser-from-kl", 0, small)(None)


def test_make_proofs_says_what_to_install(without_coq, capsys):
    assert proofs.main([]) == 2
    told = capsys.readouterr().err
    assert told.startswith("proofs: no coqc on PATH; install: apt-get install ")
    assert told.count("\n") == 1


def test_another_version_is_not_asked(tmp_path, monkeypatch):
    (tmp_path / "coqc").write_text("#!/bin/sh\necho 8.20.0 5.2.0\n")
    (tmp_path / "coqc").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    with pytest.raises(coq.NoCoq, match=r"coqc is 8.20.0, the proofs are for 8.16"):
        coq.version(str(tmp_path))


# ---------------------------------------------------------------- with coqc


@with_coq
def test_a_proof_and_its_planted_faults(small):
    """The proof stands; `Admitted` below it, an axiom below it and a false statement each turn the line red."""
    assert found.fresh(small).assumptions == {"ser_from_kl": []}
    assert check.Check("ser-from-kl", small)(None) == Outcome("PROVED", 1)
    assert check.Control("ser-from-kl", 0, small)(None) == Outcome("REFUTED", 1)
    right = (small / "Logarithm.v").read_text(encoding="utf-8")
    proof = right[right.index("move=> p0 r0 pr rp; apply:") : right.index("(* The divergence of two laws")]
    for wrong, told in (
        (right.replace(proof, "Admitted.\n\n"), "gibbs"),
        (right.replace(proof, "exact: magic.\nQed.\n\n").replace("Structure law", AXIOM, 1), "magic"),
    ):
        (small / "Logarithm.v").write_text(wrong, encoding="utf-8")
        assert found.fresh(small).errors == {}
        outcome = check.Check("ser-from-kl", small)(None)
        assert outcome.result == "REFUTED"
        assert f"ser_from_kl rests on Logarithm.{told}" in outcome.note
    (small / "Logarithm.v").write_text(right.replace("ln_of x <= x - 1 }.", "ln_of x <= x + 1 }."), encoding="utf-8")
    assert "Logarithm.v" in found.fresh(small).errors
    assert check.Check("ser-from-kl", small)(None).result == "REFUTED"


AXIOM = "Axiom magic : forall P : Prop, P.\n\nStructure law"


@with_coq
def test_a_control_is_rejected_for_the_right_reason(small):
    place, errors = coq.compiled(small)
    assert errors == {}
    for new, told in (
        ("1 - e >= SER q p", "the changed statement compiles with the same proof"),
        ("SER q p <= 1 -", "the change is no statement"),
        ("SER q p <= nothing", "the change is no statement"),
    ):
        program, begins = sources.with_statement("SequenceError.v", "ser_from_kl", "SER q p <= 1 - e", new, small)
        with pytest.raises(ValueError, match=told):
            coq.rejected(place, program, begins)
    false = ("SER q p <= 1 - e", "SER q p <= e")
    program, begins = sources.with_statement("SequenceError.v", "ser_from_kl", *false, small)
    assert coq.rejected(place, program, begins)


# ---------------------------------------------------------------- the ledger


def line_with(result, note=""):
    claim = load_claims()["eb-monotone"]
    ledger.load_topic(claim.topic)
    entries = REGISTRY.of(claim.id)
    ran = []
    for entry in entries:
        said = {"control": "REFUTED", "formal": result}.get(entry.role, "PROVED")
        ran.append(ledger.Ran(entry, Outcome(said, 1, None, note if entry.role == "formal" else "")))
    return ledger.judge(claim, tuple(ran))


def test_a_proof_lifts_the_tier_and_leaves_the_verdict():
    line = line_with("PROVED", "not re-checked here: no coqc on PATH")
    assert (line.verdict, line.tier, line.problems) == ("holds", "formal", ())
    text = ledger_markdown([line])
    assert "Theorem eb_monotone : (forall k," in text
    assert "not re-checked" not in text  # the ledger is the same on every machine


def test_a_proof_that_does_not_stand_turns_the_line_red():
    line = line_with("REFUTED", "ser_from_kl rests on magic")
    assert line.tier != "formal"
    assert is_red(line)
    assert "formal proof_of_eb_monotone came out REFUTED: ser_from_kl rests on magic" in line.problems


def test_a_changed_definition_must_be_read_again(small):
    """What --accept vouches for holds the definitions too: the words of an unchanged statement can change."""
    before = sources.meaning("SequenceError.v", small)
    assert "Definition SER (q p : A -> R) := 1 - \\sum_(a | 0 < q a) p a" in before
    assert "ln_le : forall x, 0 < x -> ln_of x <= x - 1" in before
    edit(small, "SequenceError.v", "(a | 0 < q a) p a.\n", "(a | 0 <= q a) p a.\n")
    assert sources.statement("SequenceError.v", "ser_from_kl", small) == sources.plain(
        PROOFS["ser-from-kl"].theorems["ser_from_kl"]
    )
    assert sources.meaning("SequenceError.v", small) != before


def test_a_registered_proof_names_what_was_read():
    ledger.load_topic("entropy_bound")
    (entry,) = REGISTRY.of("eb-monotone", "formal")
    assert PROOFS["eb-monotone"].theorems["eb_monotone"] in entry.read
    assert "Definition B (k : nat) : R" in entry.read
