"""Coq sources as text: the statement of a theorem, what its words mean, and the same file with another statement."""

import hashlib
import re
from functools import cache
from pathlib import Path

from theory.formal import FORMAL

# the sentences that give words a meaning: a change of one changes what the theorems say
MEANING = re.compile(
    r"(Local )?(Structure|Record|Definition|Fixpoint|Inductive|Notation|Variables?|Hypothes[ie]s|Context|Section|End"
    r"|Canonical|Coercion|Implicit|From|Import|Axioms?|Parameters?|Conjecture)\b"
)
STATEMENT = r"\b(?:Theorem|Lemma|Corollary)\s+{name}\b(?P<statement>.*?)\.\s*\nProof\."


def files(folder: Path = FORMAL) -> list[str]:
    """The names of the sources in the order in which they need each other (_CoqProject)."""
    return [line for line in (folder / "_CoqProject").read_text(encoding="utf-8").split() if line.endswith(".v")]


def read(name: str, folder: Path = FORMAL) -> str:
    return (folder / name).read_text(encoding="utf-8")


def digest(text: str) -> str:
    """The SHA-256 of a text, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def digests(folder: Path = FORMAL) -> dict[str, str]:
    """{file: the digest of its text}."""
    return {name: digest(read(name, folder)) for name in files(folder)}


def needed(name: str, folder: Path = FORMAL) -> list[str]:
    """`name` and all files that it rests on."""
    found = {name}
    for line in re.findall(r"^From Formal Require Import (.*)\.$", read(name, folder), re.MULTILINE):
        for used in line.split():
            found |= set(needed(f"{used}.v", folder))
    return sorted(found)


def plain(text: str) -> str:
    """A text with every run of blanks as one blank."""
    return " ".join(text.split())


def _find(name: str, text: str) -> re.Match:
    found = re.search(STATEMENT.format(name=re.escape(name)), text, re.DOTALL)
    if found is None:
        raise ValueError(f"theorem = {name!r} is not in the file")
    return found


def statement(file: str, theorem: str, folder: Path = FORMAL) -> str:
    """What stands between the name of the theorem and its proof."""
    return plain(_find(theorem, read(file, folder))["statement"])


def with_statement(file: str, theorem: str, old: str, new: str, folder: Path = FORMAL) -> tuple[str, int]:
    """The file up to the theorem, the changed statement without a proof, and again with the proof of the true one.

    Also the number of the line at which the second begins: an error before it says that the change is no statement.
    """
    text = read(file, folder)
    found = _find(theorem, text)
    told = plain(found["statement"])
    if told.count(old) != 1:
        raise ValueError(f"old = {old!r} stands {told.count(old)} times in the statement of {theorem}, once is needed")
    changed = told.replace(old, new)
    head = f"{text[: found.start()]}Theorem {theorem}_changed {changed}.\nProof. Admitted.\n\n"
    proof = text[found.end() : text.index("Qed.", found.end())]
    return f"{head}Theorem {theorem} {changed}.\nProof.{proof}Qed.\n", head.count("\n") + 1


@cache
def _sentences(text: str) -> tuple[str, ...]:
    """The sentences of a Coq text outside comments and proofs."""
    depth, kept = 0, []
    for part in re.split(r"(\(\*|\*\))", text):
        depth += (part == "(*") - (part == "*)")
        if not depth and part != "*)":
            kept.append(part)
    bare = re.sub(r"\bProof\..*?\b(?:Qed|Defined|Admitted|Abort)\.", "", "".join(kept), flags=re.DOTALL)
    return tuple(plain(sentence) for sentence in re.split(r"\.(?=\s|$)", bare) if sentence.strip())


def meaning(file: str, folder: Path = FORMAL) -> str:
    """Every sentence that gives the words of the file's theorems a meaning: definitions, variables, hypotheses."""
    told = [s for name in needed(file, folder) for s in _sentences(read(name, folder)) if MEANING.match(s)]
    return "\n".join(told)


def unproved(file: str, folder: Path = FORMAL) -> list[str]:
    """Words that leave something unproved, in the file or in one that it rests on."""
    words = r"\b(Admitted|admit|give_up|Axioms?|Parameters?|Conjecture|bypass_check|Unset Guard Checking)\b"
    return [f"{name}: {word}" for name in needed(file, folder) for word in re.findall(words, _code(read(name, folder)))]


def _code(text: str) -> str:
    while True:
        shorter = re.sub(r"\(\*(?:(?!\(\*|\*\)).)*\*\)", "", text, flags=re.DOTALL)
        if shorter == text:
            return text
        text = shorter
