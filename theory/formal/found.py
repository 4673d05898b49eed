"""What a run of Coq found, and whether it is about these sources.

The committed record checked.json is such a finding. Where Coq can run, the ledger makes its own and trusts no record;
where it cannot, the record stands in for it, but only for exactly the sources that were compiled, and that is said.
"""

import json
import os
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from theory.formal import FORMAL, coq, sources
from theory.formal.statements import INSTANCES, Proof, statements
from toy_models.files import write_aside

RECORD = "checked.json"


@dataclass(frozen=True)
class Found:
    coq: str  # the version that compiled
    sources: dict[str, str]  # file -> digest of what was compiled
    errors: dict[str, str]  # file -> the first error
    assumptions: dict[str, list[str]]  # theorem -> what it rests on unproved
    changed: dict[str, str]  # digest of a program with a changed statement -> how Coq took it: "rejected", or the fault


def allowed(folder: Path = FORMAL) -> dict[str, set[str]]:
    """{file: the axioms that its theorems may rest on}, from assumptions.txt."""
    found: dict[str, set[str]] = {}
    for line in (folder / "assumptions.txt").read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            file, axiom = line.split()
            found.setdefault(file, set()).add(axiom)
    return found


def run(folder: Path = FORMAL, proofs: list[Proof] | None = None) -> Found:
    """Compile, ask for assumptions, try the changed statements of `proofs` (all of them by default)."""
    version = coq.version(os.environ.get("PATH"))
    place, errors = coq.compiled(folder, version)
    digests = sources.digests(folder)
    if errors:
        return Found(version, digests, errors, {}, {})
    asked = [(p.file, name) for p in statements(folder).values() for name in p.theorems]
    asked += [(file, name) for file, name in INSTANCES if file in digests]
    changed = {}
    for proof in statements(folder).values() if proofs is None else proofs:
        for change in proof.changes:
            program, begins = sources.with_statement(proof.file, change.theorem, change.old, change.new, folder)
            try:
                coq.rejected(place, program, begins)
                changed[sources.digest(program)] = "rejected"
            except ValueError as problem:
                changed[sources.digest(program)] = str(problem)
    return Found(version, digests, {}, coq.assumptions(place, asked), changed)


def fresh(folder: Path = FORMAL) -> Found:
    """The finding of this machine for these sources, made where there is none. NoCoq: it cannot run here."""
    kept = _kept(folder)
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        _write(kept, run(folder))
    return _read(kept)


def at_hand(folder: Path = FORMAL) -> tuple[Found, str]:
    """The finding to judge by, and why it is not one of this machine (empty where it is)."""
    try:
        kept = _kept(folder)
    except coq.NoCoq as problem:
        return record(folder), str(problem)
    if kept.exists():
        return _read(kept), ""
    return record(folder), "coqc is here, but it was not asked; `python -m theory` asks it"


def record(folder: Path = FORMAL) -> Found:
    return _read(folder / RECORD)


def write_record(found: Found, folder: Path = FORMAL) -> None:
    _write(folder / RECORD, found)


def _kept(folder: Path) -> Path:
    version = coq.version(os.environ.get("PATH"))
    told = (folder / "statements.toml").read_text(encoding="utf-8")
    return coq.BUILD / f"{coq.key(folder, version)}-{sources.digest(told)[:12]}.json"


def _write(path: Path, found: Found) -> None:
    text = json.dumps(asdict(found), indent=1, sort_keys=True) + "\n"
    write_aside(path, lambda p: p.write_text(text, encoding="utf-8"))


def _read(path: Path) -> Found:
    return _parse(path.read_text(encoding="utf-8"))


@cache
def _parse(text: str) -> Found:
    return Found(**json.loads(text))
