"""Every source that the suite names resolves to an entry of references.bib."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from theory.ledger.claims import load_claims
from theory.ledger.references import references, resolves

ROOT = Path(__file__).resolve().parents[3]
ARXIV = re.compile(r"(?<![\d.])\d{4}\.\d{5}(?!\d)|(?<=arXiv )\d{4}\.\d{4}(?!\d)")
NAME = r"(?:De |Van |van )?[A-ZÀ-Ý](?:'[A-Z])?[a-zà-ÿ]+(?:-[A-Z][a-z]+)?"
CITED = re.compile(rf"(?<!\w)({NAME})(?:,? et al\.|(?:, {NAME})*(?:,? and {NAME})?),?\s\(?((?:18|19|20)\d\d)\b")
NOT_AUTHORS = {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October"}
NOT_AUTHORS |= {"November", "December", "Python", "English"}


def texts() -> dict[str, str]:
    """Committed prose and code, and the prior and place of every claim."""
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    kept = [n for n in names if n.endswith((".md", ".py", ".ipynb")) and (ROOT / n).exists()]
    found = {n: (ROOT / n).read_text(encoding="utf-8") for n in kept if n != "tests/theory/ledger/test_references.py"}
    for name, text in found.items():
        if name.endswith(".ipynb"):
            found[name] = "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])
    return found | {f"claim {c.id}": f"{c.where}; {c.prior}" for c in load_claims().values()}


def unresolved(text: str) -> list[str]:
    """Sources in a text without an entry: arXiv numbers, and surnames followed by a year."""
    known = {entry.eprint for entry in references().values()}
    found = [number for number in ARXIV.findall(text) if number not in known and "arxiv" in text.lower()]
    for first, year in CITED.findall(text):
        surname = first.split("-")[0] if first == "Chow-Liu" else first
        if surname not in NOT_AUTHORS and not resolves(surname, year):
            found.append(f"{first} {year}")
    return found


def test_every_source_resolves():
    assert {name: missing for name, text in texts().items() if (missing := unresolved(text))} == {}


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("arXiv 2502.09622, and Feng et al. 2025", []),
        ("arXiv 2502.99999", ["2502.99999"]),
        ("Nobody and Someone 2020", ["Nobody 2020"]),
        ("Feng et al. 1925", ["Feng 1925"]),
        ("Turok, De Sa and Kuleshov 2026; Ben-Hamu et al. 2025; Csiszár 1967; O'Donnell 2014", []),
        ("since May 2026", []),
        ("2.3 of 5105.47538 nats", []),
    ],
)
def test_unresolved_sources_are_seen(text, missing):
    assert unresolved(text) == missing


def test_entries():
    """Authors and a title each; an arXiv number says which version was read, or that it is not recorded."""
    found = references()
    for key, entry in found.items():
        assert entry.surnames, key
        assert re.fullmatch(r"(\d{4}\.\d{4,5})?", entry.eprint), key
        assert bool(entry.version) == bool(entry.eprint), key
    numbers = [entry.eprint for entry in found.values() if entry.eprint]
    assert len(numbers) == len(set(numbers))
    assert str(found["chen2025optimal"]) == "Chen, Cong and Li 2025, arXiv 2511.04647"
    assert str(found["feng2025theoretical"]) == "Feng et al. 2025, arXiv 2502.09622"
    assert str(found["harris1960lower"]) == "Harris 1960"


def test_a_key_twice(tmp_path):
    path = tmp_path / "references.bib"
    path.write_text("@misc{a,\n  author = {A},\n}\n\n@misc{a,\n  author = {B},\n}\n")
    with pytest.raises(ValueError, match=r"references.bib: key 'a' appears twice"):
        references(path)
