"""The claims of every topic, theory/<topic>/claims.toml: where a statement comes from and what it rests on.

    [ser-from-kl]
    paper = "this suite"          or a key of references.bib
    where = "data processing"     the place in that paper
    form = "ours"                 as published | reconstructed | reading | ours
    prior = "..."                 the nearest earlier result, in words that references.bib resolves
    uses = ["..."]                claims that its proof rests on
    quotation, version            of a published statement that is refuted

The statement itself stands in the theorem block with the same label (theory.ledger.statements), nowhere else. A defect
is named by file, line, claim and key.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from theory.ledger import THEORY

NOTEBOOKS = THEORY.parent / "notebooks"
FIELDS = ("paper", "where", "form", "prior", "uses")
OPTIONAL = ("quotation", "version")
FORMS = ("as published", "reconstructed", "reading", "ours")
OURS = "this suite"  # `paper` of a statement that no paper makes


class LedgerError(ValueError):
    """A defect of the ledger itself: malformed claims, missing links, cycles, unregistered functions."""


@dataclass(frozen=True)
class Claim:
    id: str
    topic: str
    paper: str
    where: str
    form: str
    prior: str
    uses: tuple[str, ...] = ()
    quotation: str = ""
    version: str = ""


def notebook_of(topic: str) -> str | None:
    """The stem of the topic's notebook, NN-<slug>."""
    found = sorted(path.stem for path in NOTEBOOKS.glob(f"[0-9][0-9]-{topic.replace('_', '-')}.ipynb"))
    return found[0] if found else None


def claim_files() -> dict[str, Path]:
    """{topic: its claims file} in the order of the notebooks; topics without one come last."""
    found = {path.parent.name: path for path in THEORY.glob("*/claims.toml")}
    return {topic: found[topic] for topic in sorted(found, key=lambda t: (notebook_of(t) or "~", t))}


TOPICS = tuple(claim_files())


def load_claims(files: Mapping[str, Path] | None = None) -> dict[str, Claim]:
    """All claims by id, in the order of the topics. LedgerError names the file and the claim or key at fault."""
    claims: dict[str, Claim] = {}
    places = {}
    for topic, path in (claim_files() if files is None else files).items():
        for name, raw in _tables(path).items():
            places[name] = f"{_shown(path)}:{_line_of(path, name)}: claim {name}"
            if name in claims:
                raise LedgerError(f"{places[name]} appears in topic {claims[name].topic} too")
            claims[name] = _claim(name, topic, raw, places[name])
    for claim in claims.values():
        for used in claim.uses:
            if used not in claims:
                raise LedgerError(f"{places[claim.id]}: uses {used!r}, which is no claim")
    _refuse_cycles(claims)
    return claims


def _tables(path: Path) -> dict[str, dict]:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise LedgerError(f"{_shown(path)} cannot be read: {problem.strerror}") from problem
    except ValueError as problem:  # bad TOML, a claim twice, or bad UTF-8
        raise LedgerError(f"{_shown(path)}: {problem}") from problem
    if not data:
        raise LedgerError(f"{_shown(path)}: no claims")
    for name, raw in data.items():
        if not isinstance(raw, dict):
            raise LedgerError(f"{_shown(path)}: {name} is no table, each claim is one: [{name}]")
    return data


def _claim(name: str, topic: str, raw: dict, place: str) -> Claim:
    missing, extra = [f for f in FIELDS if f not in raw], [f for f in raw if f not in (*FIELDS, *OPTIONAL)]
    if missing or extra:
        raise LedgerError(f"{place}: missing {missing}, unknown {extra}")
    for key, value in raw.items():
        wanted = list if key == "uses" else str
        if not isinstance(value, wanted):
            raise LedgerError(f"{place}: {key} must be a {wanted.__name__}")
    if not all(isinstance(used, str) for used in raw["uses"]):
        raise LedgerError(f"{place}: uses must be a list of claim ids")
    empty = [key for key in ("paper", "prior") if not raw[key].strip()]
    if empty:
        raise LedgerError(f"{place}: empty {empty}")
    if raw["form"] not in FORMS:
        raise LedgerError(f"{place}: form = {raw['form']!r}, allowed: {', '.join(FORMS)}")
    return Claim(name, topic, **{**raw, "uses": tuple(raw["uses"])})


def _shown(path: Path) -> str:
    """The file as the topic's folder and its name."""
    return f"{path.parent.name}/{path.name}"


def _line_of(path: Path, name: str) -> int:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.strip() == f"[{name}]":
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
