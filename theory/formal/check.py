"""The tier `formal` of a claim: its theorem compiles, rests on nothing unproved, and says what stands beside the words.

Registered from theory/<topic>/checks/formal.py. The numerical checks of the claim stay, and decide its verdict; a proof
lifts its tier, and a proof that does not stand turns the line red. Each changed statement is a control.
"""

from dataclasses import dataclass
from pathlib import Path

from theory.formal import FORMAL, sources
from theory.formal.coq import NoCoq
from theory.formal.found import Found, allowed, at_hand, fresh, record
from theory.formal.statements import Change, Proof, differences, statements
from theory.ledger.registry import REGISTRY, Outcome, Registered, decide


@dataclass(frozen=True)
class Check:
    """The proof of a claim, as a registered function."""

    claim: str
    folder: Path = FORMAL

    def __call__(self, results: object) -> Outcome:
        found, why = at_hand(self.folder)
        problems = faults(statements(self.folder)[self.claim], found, self.folder)
        return decide(not problems, 1, None, "; ".join(problems) or (f"not re-checked here: {why}" if why else ""))

    @property
    def __name__(self) -> str:
        return f"proof_of_{self.claim.replace('-', '_')}"

    @property
    def __doc__(self) -> str:
        proof = statements(self.folder)[self.claim]
        return f"Coq accepts {', '.join(proof.theorems)} in theory/formal/{proof.file}, from no axiom."


@dataclass(frozen=True)
class Control:
    """A changed statement that the same proof must not prove."""

    claim: str
    number: int
    folder: Path = FORMAL

    def __call__(self, results: object) -> Outcome:
        found, why = at_hand(self.folder)
        taken = found.changed.get(sources.digest(self.program()))
        if taken is None:
            raise ValueError("this change was never tried on these sources; `make proofs` where coqc is")
        if taken not in ("rejected", "the changed statement compiles with the same proof"):
            raise ValueError(taken)
        told = f"not re-checked here: {why}" if why else ""
        return decide(taken != "rejected", 1, None, told)

    @property
    def change(self) -> Change:
        return statements(self.folder)[self.claim].changes[self.number]

    def program(self) -> str:
        proof, change = statements(self.folder)[self.claim], self.change
        return sources.with_statement(proof.file, change.theorem, change.old, change.new, self.folder)[0]

    @property
    def __name__(self) -> str:
        return f"changed_{self.number}_of_{self.claim.replace('-', '_')}"

    @property
    def __doc__(self) -> str:
        return f"{self.change.what}: `{self.change.old}` becomes `{self.change.new}`; the proof must not go through."


def faults(proof: Proof, found: Found, folder: Path = FORMAL) -> list[str]:
    """Why the proof does not stand: one line each, none if it does."""
    needed = sources.needed(proof.file, folder)
    stale = [name for name in needed if found.sources.get(name) != sources.digest(sources.read(name, folder))]
    if stale:
        return [f"{', '.join(stale)}: not the text that coqc {found.coq} compiled; `make proofs` where coqc is"]
    problems = [f"{name}: {told}" for name, told in found.errors.items() if name in needed]
    problems += [f"unproved, {told}" for told in sources.unproved(proof.file, folder)]
    problems += differences(proof, folder)
    for name in proof.theorems:
        if name not in found.assumptions:
            problems += [] if found.errors else [f"{name}: nobody asked what it rests on"]
        elif more := sorted(set(found.assumptions[name]) - allowed(folder).get(proof.file, set())):
            problems.append(f"{name} rests on {', '.join(more)}")
    if found.errors and not problems:
        problems = [f"{name}: {told}" for name, told in found.errors.items()]
    return problems


def register(topic: str, claims: tuple[str, ...]) -> None:
    """Register the proofs and the changed statements of these claims."""
    for claim in claims:
        proof = statements()[claim]
        read = "\n".join((*proof.theorems.values(), proof.covers, proof.leaves_out, sources.meaning(proof.file)))
        REGISTRY.entries.append(Registered(claim, "formal", "formal", Check(claim), topic, read))
        for number, change in enumerate(proof.changes):
            REGISTRY.entries.append(
                Registered(claim, "control", "formal", Control(claim, number), topic, f"{change.old}\n{change.new}")
            )


@dataclass(frozen=True)
class Asked:
    """Which proofs Coq was asked about on this machine, and why not about the others."""

    told: str = ""  # one line; empty where no claim has a proof
    not_asked: frozenset[str] = frozenset()
    why: str = ""


def ask(claims: set[str]) -> Asked:
    """Compile once, before the checks look at the result; without Coq, say which lines rest on the record alone."""
    proved = frozenset(claims & {entry.claim for entry in REGISTRY.entries if entry.role == "formal"})
    if not proved:
        return Asked()
    try:
        found = fresh()
    except NoCoq as problem:
        told = (
            f"{len(proved)} proofs NOT re-checked here ({problem}): their sources are held against the digests of "
            f"those that coqc {record().coq} compiled"
        )
        return Asked(told, proved, str(problem))
    return Asked(f"{len(proved)} proofs re-checked by coqc {found.coq}")
