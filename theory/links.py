"""Links of the ledger, both ways: derivation labels, notebooks, figures, and checks that mention their claim."""

import inspect
import re
from pathlib import Path

from theory.claims import Claim
from theory.files import in_checkout
from theory.registry import REGISTRY

ROOT = Path(__file__).resolve().parent.parent
LABEL = re.compile(r"^:label:\s*(\S+)\s*$", re.MULTILINE)


def labels(topic: str) -> set[str]:
    """Labels of the theorem blocks in theory/<topic>.md."""
    page = ROOT / "theory" / f"{topic}.md"
    return set(LABEL.findall(page.read_text(encoding="utf-8"))) if page.exists() else set()


def broken_links(claims: dict[str, Claim]) -> list[str]:
    """One line for each missing derivation, notebook, figure, claim, or mention."""
    found = []
    for claim in claims.values():
        if claim.derivation not in labels(claim.topic):
            found.append(f"{claim.id}: theory/{claim.topic}.md has no label {claim.derivation!r}")
        if not (ROOT / "notebooks" / f"{claim.notebook}.ipynb").exists():
            found.append(f"{claim.id}: no notebook {claim.notebook!r}")
        if in_checkout() and claim.figure and not (ROOT / "figures" / "out" / f"{claim.figure}.json").exists():
            found.append(f"{claim.id}: no figure {claim.figure!r}")
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
