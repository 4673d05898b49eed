"""The glossary: every word leads to a file by name, no name dangles, and the committed table is the generated one."""

import pytest

from theory.ledger.claims import LedgerError
from theory.ledger.glossary import ROOT, Word, glossary, words

WORDS = words()
# what a reader of the papers looks for, and a part of the path that must be met
PAPERS = {
    "total correlation": "total_correlation",
    "dual total correlation": "dual_total_correlation",
    "information curve": "information_curve",
    "token error rate": "token_error",
    "sequence error rate": "sequence_error",
    "trajectory KL": "trajectory_kl",
    "EB-Sampler": "entropy_bounded",
    "semi-autoregressive": "semi_autoregressive",
    "confidence": "confidence",
    "remask": "remask",
    "ReMDM": "remdm",
    "any-process": "any_process",
    "PRAM": "pram",
    "Dyck": "dyck",
    "P-POTS": "p_pots",
    "EPR": "epr",
    "MIRROR": "mirror",
    "ISAD": "isad",
    "SyRM": "syrm",
    "StraTS": "strats",
    "Plackett–Luce": "plackett_luce",
    "NELBO": "nelbo",
    "RLOO": "rloo",
    "geodesic energy": "geodesic",
    "kinetic energy": "kinetic",
    "conditional kinetic energy": "conditional_kinetic",
    "Fisher–Rao": "fisher_rao",
    "Beta schedule": "beta",
    "exact likelihood": "likelihood",
    "n-gram": "ngram",
    "HMM": "hmm",
    "Sudoku": "sudoku",
    "trained network": "training",
    "optimal policy": "optimal_policy",
    "drawn-token confidence": "drawn_confidence",
    "DUS": "dilated",
    "nucleus": "truncated",
    "speculative decoding": "speculative",
    "P2": "path_planning",
}


def test_no_name_dangles():
    assert [word.word for word in WORDS if not (ROOT / word.path).is_file()] == []
    assert len({word.word for word in WORDS}) == len(WORDS)
    for name in ("tm.total_corelation", "tm.energy.potential", "toy_models.nowhere"):
        with pytest.raises(LedgerError, match=rf"glossary, 'x': there is no {name}"):
            Word("x", name).path  # noqa: B018


def test_every_word_leads_to_its_file_by_name():
    assert [word.word for word in WORDS if not word.leads] == []
    assert not Word("entropy", "tm.total_correlation").leads


@pytest.mark.parametrize("word", PAPERS)
def test_the_papers_words_stand_in_paths(word):
    """The file's own path, not only the name in it, bears the word; exactly one entry says it."""
    (entry,) = [found for found in WORDS if word in found.said]
    assert PAPERS[word] in entry.path


def test_the_committed_glossary_is_the_generated_one():
    assert (ROOT / "GLOSSARY.md").read_text(encoding="utf-8") == glossary(), "run `python -m theory.ledger.glossary`"


def test_claims_are_those_that_say_or_use_the_word():
    rows = {row.split(" | ")[0].removeprefix("| "): row for row in glossary().splitlines() if row.startswith("| ")}
    assert "[dyck-support]" in rows["Dyck"]
    assert "[bisection-exact]" in rows["bisection, halving"]
    assert "[dyck-support]" not in rows["Sudoku"]
