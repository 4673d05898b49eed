"""claims.toml: what each claim states, and the defects of the file named by line, claim and key."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOPICS = (
    "perplexity",
    "sequence_error",
    "energy",
    "entropy_bound",
    "variance",
    "learned_order",
    "any_process",
    "medium",
)
FIELDS = (
    "id",
    "topic",
    "paper",
    "where",
    "statement",
    "form",
    "prior",
    "uses",
    "derivation",
    "notebook",
)
FORMS = ("as published", "reconstructed", "ours")


class LedgerError(ValueError):
    """A defect of the ledger itself: malformed claims, missing links, cycles, unregistered functions."""


@dataclass(frozen=True)
class Claim:
    id: str
    topic: str
    paper: str
    where: str
    statement: str
    form: str
    prior: str
    uses: tuple[str, ...]
    derivation: str
    notebook: str


def load_claims(path: Path = HERE / "claims.toml") -> dict[str, Claim]:
    """All claims by id. LedgerError names the file and the claim or key at fault."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise LedgerError(f"{path.name} cannot be read: {problem.strerror}") from problem
    except ValueError as problem:  # bad TOML or bad UTF-8
        raise LedgerError(f"{path.name}: {problem}") from problem
    unknown = set(data) - {"claim"}
    if unknown:
        raise LedgerError(f"{path.name}: unknown table(s) {sorted(unknown)}, only [[claim]] is allowed")
    blocks = data.get("claim", [])
    if not isinstance(blocks, list) or not blocks or not all(isinstance(raw, dict) for raw in blocks):
        raise LedgerError(f"{path.name}: no [[claim]] blocks")
    claims: dict[str, Claim] = {}
    for number, raw in enumerate(blocks, start=1):
        name = raw.get("id", f"number {number}")
        line = _line_of(path, f'id = "{name}"')
        missing, extra = [f for f in FIELDS if f not in raw], [f for f in raw if f not in FIELDS]
        if missing or extra:
            raise LedgerError(f"{path.name}:{line}: claim {name}: missing {missing}, unknown {extra}")
        for key in FIELDS:
            wanted = list if key == "uses" else str
            if not isinstance(raw[key], wanted):
                raise LedgerError(f"{path.name}:{line}: claim {name}: {key} must be a {wanted.__name__}")
        if not all(isinstance(used, str) for used in raw["uses"]):
            raise LedgerError(f"{path.name}:{line}: claim {name}: uses must be a list of claim ids")
        empty = [key for key in ("id", "paper", "statement", "prior") if not raw[key].strip()]
        if empty:
            raise LedgerError(f"{path.name}:{line}: claim {name}: empty {empty}")
        if raw["form"] not in FORMS:
            raise LedgerError(f"{path.name}:{line}: claim {name}: form = {raw['form']!r}, allowed: {', '.join(FORMS)}")
        if raw["topic"] not in TOPICS:
            raise LedgerError(
                f"{path.name}:{line}: claim {name}: topic = {raw['topic']!r}, allowed: {', '.join(TOPICS)}"
            )
        if name in claims:
            raise LedgerError(f"{path.name}:{line}: claim {name} appears twice")
        claims[name] = Claim(**{**raw, "uses": tuple(raw["uses"])})
    for claim in claims.values():
        for used in claim.uses:
            if used not in claims:
                line = _line_of(path, f'id = "{claim.id}"')
                raise LedgerError(f"{path.name}:{line}: claim {claim.id}: uses {used!r}, which is no claim")
    _refuse_cycles(claims)
    return claims


def _line_of(path: Path, text: str) -> int:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.strip().startswith(text):
            return number
    return 0


def _refuse_cycles(claims: dict[str, Claim]) -> None:
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        if name in trail:
            raise LedgerError(f"claims use each other in a circle: {' -> '.join((*trail[trail.index(name) :], name))}")
        if name not in done:
            for used in claims[name].uses:
                visit(used, (*trail, name))
            done.add(name)

    for name in claims:
        visit(name, ())
