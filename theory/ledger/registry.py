"""Registered functions of a claim. Each takes its topic's Results and returns an Outcome; its docstring says what it
decides, as mathematics.

    @check("ser-from-kl", tier="rational")
    def ser_from_kl(results): ...

Roles of one claim:
    check       the statement as published, or as ours. Of a published one REFUTED is a finding, of ours a fault
    condition   the statement under an added condition; must be PROVED when check is REFUTED
    correction  what is true instead of a statement that fails; must be PROVED, the verdict stays with the check
    sharper     optional: a strictly stronger statement
    definition  what the other functions read, a sweep or a library function, equals its definition by a route of its
                own; must be PROVED, and says nothing about the statement: verdict, tier and margin stay
    formal      a machine-checked proof of the statement; must be PROVED, and lifts the tier. Verdict and margin stay
    tightness   an instance within a stated factor of equality; or `not_claimed_tight(id, why)`
    control     a false neighbour; must come out REFUTED, the run fails if it does not. Several are welcome
    construction   in place of check, for complexity statements that no finite run can verify
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import isnan
from typing import Literal, SupportsFloat

import numpy as np

Verdict = Literal["PROVED", "REFUTED", "UNDECIDED"]
Tier = Literal["formal", "symbolic", "rational", "enclosed", "float64", "sampled"]
VERDICTS = ("PROVED", "REFUTED", "UNDECIDED")
ROLES = ("check", "condition", "correction", "sharper", "definition", "formal", "tightness", "control", "construction")
TIERS = ("formal", "symbolic", "rational", "enclosed", "float64", "sampled")  # strongest first


@dataclass(frozen=True)
class Outcome:
    """What one registered function found."""

    result: Verdict
    instances: int  # how many instances were decided
    margin: float | None = None  # distance from equality, in the unit the note names
    note: str = ""  # one line; the counterexample when REFUTED

    def __post_init__(self):
        if self.result not in VERDICTS:
            raise ValueError(f"result = {self.result!r}, allowed: {', '.join(VERDICTS)}")
        if self.instances < 1:
            raise ValueError(f"instances = {self.instances}: nothing was decided")
        if self.margin is not None and isnan(self.margin):
            raise ValueError("margin is nan")


def decide(holds: bool | np.bool_, instances: int, margin: SupportsFloat | None = None, note: str = "") -> Outcome:
    """PROVED or REFUTED from a plain boolean (float64 and rational tiers)."""
    if not isinstance(holds, bool | np.bool_):  # a verdict such as "REFUTED" is true
        raise TypeError(f"holds = {holds!r}, it must be a boolean")
    return Outcome("PROVED" if holds else "REFUTED", int(instances), None if margin is None else float(margin), note)


@dataclass(frozen=True)
class Registered:
    claim: str
    role: str
    tier: str
    function: Callable
    topic: str
    read: str = ""  # what --accept vouches for, where that is not the source of the function


@dataclass
class Registry:
    entries: list[Registered] = field(default_factory=list)
    not_tight: dict[str, str] = field(default_factory=dict)  # claim id -> why no tightness is claimed

    def of(self, claim: str, role: str | None = None) -> list[Registered]:
        return [e for e in self.entries if e.claim == claim and role in (None, e.role)]


REGISTRY = Registry()


def topic_of(module: str) -> str:
    """The topic of a module: theory.<topic>.checks.<subject>."""
    parts = module.split(".")
    return parts[1] if parts[0] == "theory" and len(parts) > 2 else parts[-1]


def _register(role: str):
    def with_claim(claim: str, tier: Tier):
        if tier not in TIERS:
            raise ValueError(f"tier = {tier!r} of claim {claim!r}, allowed: {', '.join(TIERS)}")

        def decorate(function: Callable) -> Callable:
            REGISTRY.entries.append(Registered(claim, role, tier, function, topic_of(function.__module__)))
            return function

        return decorate

    return with_claim


check = _register("check")
condition = _register("condition")
correction = _register("correction")
sharper = _register("sharper")
definition = _register("definition")
formal = _register("formal")
tightness = _register("tightness")
control = _register("control")
construction = _register("construction")


def not_claimed_tight(claim: str, why: str) -> None:
    """Declare that the statement claims no tightness (an identity, or an existence statement)."""
    if not why.strip():
        raise ValueError(f"not_claimed_tight({claim!r}) needs a reason")
    REGISTRY.not_tight[claim] = why
