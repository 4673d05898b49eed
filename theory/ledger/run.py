"""The claims ledger: claims and what the registered functions found -> verdicts, LEDGER.md, verdicts.json.

A verdict is computed from what ran, never typed:
    check PROVED                        holds            (sharpened, when a sharper statement is PROVED too)
    check PROVED, block a conjecture    conjecture, consistent
    check REFUTED, condition PROVED     holds with condition
    check REFUTED                       fails as stated
    construction PROVED                 construction shown
    anything UNDECIDED                  undecided
    a function that raised              error
A machine-checked proof lifts the tier of its line to formal and leaves the verdict to the check.
Every claim needs a check or a construction, a tightness witness (or the reason why none is claimed) and at least one
control. A line is red with undecided, error, a control that is not REFUTED, or a verdict that is not supported: a
statement of our own may not be refuted; "fails as stated" needs a PROVED correction and a counterexample in the note;
a published statement is refuted only with its quotation.
"""

import importlib
import importlib.util
import pkgutil
import time
from dataclasses import dataclass, field

import numpy as np

from theory.ledger.claims import TOPICS, Claim, load_claims
from theory.ledger.registry import REGISTRY, ROLES, TIERS, Outcome, Registered
from theory.ledger.statements import statement_of


@dataclass(frozen=True)
class Ran:
    """One registered function and what it found; `outcome` is None when it raised."""

    entry: Registered
    outcome: Outcome | None
    error: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Line:
    """One line of the ledger."""

    claim: Claim
    verdict: str
    tier: str
    margin: float | None
    instances: int
    note: str
    problems: tuple[str, ...]
    ran: tuple[Ran, ...] = field(repr=False)

    @property
    def controls(self) -> int:
        """Controls that were rejected."""
        return sum(r.entry.role == "control" and bool(r.outcome) and r.outcome.result == "REFUTED" for r in self.ran)


def load_topic(topic: str):
    """Import the results of a topic and the modules of its checks, so that its functions are registered."""
    module = importlib.import_module(f"theory.{topic}.results")
    package = importlib.import_module(f"theory.{topic}.checks")
    for subject in sorted(found.name for found in pkgutil.iter_modules(package.__path__)):
        importlib.import_module(f"theory.{topic}.checks.{subject}")
    return module


def available_topics() -> list[str]:
    return [t for t in TOPICS if importlib.util.find_spec(f"theory.{t}.results") is not None]


def run_claim(claim: Claim, results) -> Line:
    """Run everything registered for one claim on its topic's results."""
    ran = tuple(_run(entry, results) for entry in REGISTRY.of(claim.id))
    block = statement_of(claim.topic, claim.id)
    return judge(claim, ran, conjecture=block is not None and block.kind == "conjecture")


def _run(entry: Registered, results) -> Ran:
    start = time.perf_counter()
    try:
        outcome = entry.function(results)
    except Exception as problem:
        return Ran(entry, None, f"{type(problem).__name__}: {problem}", time.perf_counter() - start)
    if not isinstance(outcome, Outcome):
        return Ran(entry, None, f"returned {type(outcome).__name__}, not an Outcome", time.perf_counter() - start)
    return Ran(entry, outcome, "", time.perf_counter() - start)


def judge(claim: Claim, ran: tuple[Ran, ...], conjecture: bool = False) -> Line:
    """The verdict of one claim from what its functions found; `conjecture`: its block states it as one."""
    by_role = {role: [r for r in ran if r.entry.role == role] for role in ROLES}
    results = {role: [r.outcome.result for r in runs if r.outcome] for role, runs in by_role.items()}
    statement = by_role["check"] or by_role["construction"]
    problems = structural_problems(claim, by_role)
    for r in by_role["control"]:
        if r.outcome and r.outcome.result != "REFUTED":
            problems.append(f"control {r.entry.function.__name__} came out {r.outcome.result}, it must be REFUTED")
    for r in by_role["tightness"]:
        if r.outcome and r.outcome.result != "PROVED":
            problems.append(f"tightness {r.entry.function.__name__} came out {r.outcome.result}")
    for role in ("condition", "correction", "sharper", "definition", "formal"):
        for r in by_role[role]:
            if r.outcome and r.outcome.result != "PROVED":
                why = f": {r.outcome.note}" if role == "formal" else ""
                problems.append(f"{role} {r.entry.function.__name__} came out {r.outcome.result}{why}")
    for r in ran:
        if r.error:
            problems.append(f"{r.entry.role} {r.entry.function.__name__} raised {r.error}")
    raised = any(r.error for r in ran)
    deciding = by_role["condition"] if "REFUTED" in results["check"] and by_role["condition"] else statement
    tier = max((r.entry.tier for r in deciding), key=TIERS.index, default="-")
    if results["formal"] and set(results["formal"]) == {"PROVED"}:
        tier = "formal"
    outcomes = [r.outcome for r in deciding if r.outcome]
    margins = [o.margin for o in outcomes if o.margin is not None]
    notes = [r.outcome.note for r in statement if r.outcome and r.outcome.note]
    verdict = _verdict(results, raised, not by_role["check"] and bool(by_role["construction"]), conjecture)
    problems += unsupported(claim, verdict, results["correction"], notes)
    return Line(
        claim,
        verdict,
        tier,
        min(margins) if margins else None,
        sum(o.instances for o in outcomes),
        "; ".join(notes),
        tuple(problems),
        ran,
    )


def structural_problems(claim: Claim, by_role: dict[str, list[Ran]]) -> list[str]:
    """What is missing from the triple statement / tightness / control."""
    problems = []
    if not by_role["check"] and not by_role["construction"]:
        problems.append("no check is registered")
    if by_role["check"] and by_role["construction"]:
        problems.append("a check and a construction are registered, one of them decides")
    if not by_role["control"]:
        problems.append("no control is registered")
    if not by_role["tightness"] and claim.id not in REGISTRY.not_tight:
        problems.append("no tightness witness, and no reason why none is claimed")
    for runs in by_role.values():
        for r in runs:
            if r.entry.topic != claim.topic:
                problems.append(f"{r.entry.function.__name__} is registered from topic {r.entry.topic}")
    return problems


def unsupported(claim: Claim, verdict: str, corrections: list[str], notes: list[str]) -> list[str]:
    """What is missing behind a verdict that refutes the statement as it stands."""
    problems = []
    if verdict not in ("fails as stated", "holds with condition"):
        return problems
    if claim.form == "ours":
        problems.append("a statement of our own is refuted")
    elif verdict == "fails as stated" and "PROVED" not in corrections:
        problems.append("fails as stated, and no correction is proved")
    if verdict == "fails as stated" and not notes:
        problems.append("fails as stated, and no note names the counterexample")
    if claim.form == "as published" and not claim.quotation.strip():
        problems.append("a published statement is refuted without its quotation")
    return problems


def _verdict(results: dict[str, list[str]], raised: bool, construction: bool, conjecture: bool) -> str:
    statement = results["construction"] if construction else results["check"]
    if raised or not statement:
        return "error"
    if "REFUTED" in statement:
        if construction or not results["condition"]:
            return "fails as stated"
        return "holds with condition" if set(results["condition"]) == {"PROVED"} else "undecided"
    if "UNDECIDED" in statement:
        return "undecided"
    if construction:
        return "construction shown"
    if conjecture:
        return "conjecture, consistent"
    return "sharpened" if results["sharper"] and set(results["sharper"]) == {"PROVED"} else "holds"


def run_topic(topic: str, profile: str, seed: int = 0, only: str | None = None, results=None) -> list[Line]:
    """All lines of one topic; `results` are computed once, or passed in. If that raises, every line is an error."""
    claims = [c for c in load_claims().values() if c.topic == topic and only in (None, c.id)]
    try:
        module = load_topic(topic)
        if results is None and claims:
            results = module.results(profile, np.random.default_rng(seed))
    except Exception as problem:
        why = f"theory.{topic} raised {type(problem).__name__}: {problem}"
        return [Line(claim, "error", "-", None, 0, "", (why,), ()) for claim in claims]
    return [run_claim(claim, results) for claim in claims]


def verdict_lines(topic: str, results) -> str:
    """The topic's verdicts as text, for a notebook's last cell."""
    lines = run_topic(topic, "given", results=results)
    width = max((len(line.claim.id) for line in lines), default=0)
    return "\n".join(
        f"{line.claim.id:<{width}}  {line.verdict:<20} {line.tier:<9} {line.controls} control(s) rejected"
        + (f"\n{'':<{width}}  ! {'; '.join(line.problems)}" if line.problems else "")
        for line in lines
    )
