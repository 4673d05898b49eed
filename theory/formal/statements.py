"""statements.toml: which theorem proves which claim, what it says, what it covers, and which changes must be refused.

[claim-id]
file = "Trajectory.v"
covers = "..."                what of the claim's words the theorems say
leaves_out = "..."            what they do not say, or "" for nothing
[[claim-id.theorem]]
name = "trajectory_identity"
statement = '''...'''         the text in the file; another one there is seen
[[claim-id.changed]]          a false neighbour: the proof must not go through for it
theorem = "trajectory_identity"
old = "..."                   stands once in the statement
new = "..."
what = "..."
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from theory.formal import FORMAL, sources

INSTANCES = (("Reals.v", "trajectory_identity_reals"),)  # no claims: the reals are an instance of the theorems


@dataclass(frozen=True)
class Change:
    theorem: str
    old: str
    new: str
    what: str


@dataclass(frozen=True)
class Proof:
    """The machine-checked proof of one claim."""

    claim: str
    file: str
    covers: str
    leaves_out: str
    theorems: dict[str, str]  # name -> statement
    changes: tuple[Change, ...]


@cache
def _load(text: str) -> dict[str, Proof]:
    return {
        claim: Proof(
            claim,
            raw["file"],
            raw["covers"],
            raw["leaves_out"],
            {theorem["name"]: theorem["statement"].strip("\n") for theorem in raw["theorem"]},
            tuple(Change(**change) for change in raw["changed"]),
        )
        for claim, raw in tomllib.loads(text).items()
    }


def statements(folder: Path = FORMAL) -> dict[str, Proof]:
    """{claim: its proof}, in the order of the file."""
    return _load((folder / "statements.toml").read_text(encoding="utf-8"))


def differences(proof: Proof, folder: Path = FORMAL) -> list[str]:
    """One line for each theorem whose statement in the file is not the one that stands beside the claim."""
    found = []
    for name, told in proof.theorems.items():
        try:
            there = sources.statement(proof.file, name, folder)
        except ValueError as problem:
            found.append(f"{proof.file}: {problem}")
            continue
        if there != sources.plain(told):
            found.append(f"{proof.file}: {name} states something else than statements.toml")
    return found
