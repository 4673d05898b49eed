"""Links of the ledger, both ways: derivation labels, notebooks, figures, and checks that mention their claim."""

import inspect
import re
from pathlib import Path

from figures.registry import figures_of, why_no_figure
from theory.claims import Claim
from theory.registry import REGISTRY

ROOT = Path(__file__).resolve().parent.parent
LABEL = re.compile(r"^:label:\s*(\S+)\s*$", re.MULTILINE)


def labels(topic: str) -> set[str]:
    """Labels of the theorem blocks in theory/<topic>.md."""
    page = ROOT / "theory" / f"{topic}.md"
    return set(LABEL.findall(page.read_text(encoding="utf-8"))) if page.exists() else set()


def missing_figures(claim: str) -> list[str]:
    """A claim is shown by figures that exist, or says why none shows it, and not both."""
    names, reason = figures_of(claim), why_no_figure(claim)
    found = [f"{claim}: no figure {n!r}" for n in names if not (ROOT / "figures" / "out" / f"{n}.json").exists()]
    if names and reason:
        found.append(f"{claim}: no_figure, but {names[0]} shows it")
    if not names and not reason:
        found.append(f"{claim}: no figure shows it, and no_figure gives no reason")
    return found


def broken_links(claims: dict[str, Claim]) -> list[str]:
    """One line for each missing derivation, notebook, figure, claim, or mention."""
    found = []
    for claim in claims.values():
        if claim.derivation not in labels(claim.topic):
            found.append(f"{claim.id}: theory/{claim.topic}.md has no label {claim.derivation!r}")
        if not (ROOT / "notebooks" / f"{claim.notebook}.ipynb").exists():
            found.append(f"{claim.id}: no notebook {claim.notebook!r}")
        found += missing_figures(claim.id)
        for entry in REGISTRY.of(claim.id):
            if claim.id not in inspect.getsource(entry.function):
                found.append(f"{claim.id}: {entry.function.__name__} never mentions its claim")
    for topic in sorted({claim.topic for claim in claims.values()}):
        used = {claim.derivation for claim in claims.values() if claim.topic == topic}
        for label in sorted(labels(topic) - used - set(claims)):
            if not label.startswith(("def-", "lem-", "rem-", "cor-", "ex-")):
                found.append(f"theory/{topic}.md: label {label!r} belongs to no claim")
    for name in sorted(({entry.claim for entry in REGISTRY.entries} | set(REGISTRY.not_tight)) - set(claims)):
        found.append(f"{name}: functions are registered for it, but claims.toml has no such claim")
    return found
