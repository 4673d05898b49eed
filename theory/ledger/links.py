"""Links of the ledger, both ways: theorem blocks, notebooks, sources, and what each registered function says."""

from collections.abc import Iterable

from figures import ROOT
from theory.ledger.claims import OURS, Claim, notebook_of
from theory.ledger.figures import figures_of, why_no_figure
from theory.ledger.references import references
from theory.ledger.registry import REGISTRY
from theory.ledger.statements import KINDS, page_of, statements
from toy_models.files import in_checkout

SIDE_LABELS = ("def-", "lem-", "rem-", "cor-", "ex-")  # blocks that support a claim and are none


def broken_links(claims: dict[str, Claim], only: Iterable[Claim] | None = None) -> list[str]:
    """One line for each missing end: of the claims `only`, or of all and of what belongs to none."""
    found = [line for claim in (claims.values() if only is None else only) for line in _of_claim(claim)]
    if only is not None:
        return found
    for topic in dict.fromkeys(claim.topic for claim in claims.values()):
        for label in sorted(set(statements(topic)) - set(claims)):
            if not label.startswith(SIDE_LABELS):
                found.append(f"{page_of(topic)}: label {label!r} belongs to no claim")
    for name in sorted(({entry.claim for entry in REGISTRY.entries} | set(REGISTRY.not_tight)) - set(claims)):
        found.append(f"{name}: functions are registered for it, but there is no such claim")
    return found


def _of_claim(claim: Claim) -> list[str]:
    found = []
    block = statements(claim.topic).get(claim.id)
    if block is None:
        found.append(f"{claim.id}: {page_of(claim.topic)} has no block labelled {claim.id!r}")
    elif block.kind not in KINDS:
        found.append(f"{claim.id}: its block is a {block.kind}, allowed: {', '.join(KINDS)}")
    if notebook_of(claim.topic) is None:
        found.append(f"{claim.id}: topic {claim.topic} has no notebook")
    if claim.paper != OURS and claim.paper not in references():
        found.append(f"{claim.id}: paper = {claim.paper!r}, neither {OURS!r} nor a key of references.bib")
    found += _of_figures(claim.id)
    for entry in REGISTRY.of(claim.id):
        if not (entry.function.__doc__ or "").strip():
            found.append(f"{claim.id}: {entry.function.__name__} does not say what it decides")
    return found


def _of_figures(claim: str) -> list[str]:
    """A claim is shown by figures that exist, or says why none shows it, and not both."""
    names, reason, out = figures_of(claim), why_no_figure(claim), ROOT / "figures" / "out"
    # an installed copy has no figures/out
    found = [f"{claim}: no figure {n!r}" for n in names if in_checkout() and not (out / f"{n}.json").exists()]
    if names and reason:
        found.append(f"{claim}: no_figure, but {names[0]} shows it")
    if not names and not reason:
        found.append(f"{claim}: no figure shows it, and no_figure gives no reason")
    return found
