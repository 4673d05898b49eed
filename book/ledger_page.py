"""The ledger as one table, which static/book.js gives filters; and what did not simply hold."""

from collections import Counter
from collections.abc import Mapping

from book.markdown import plain_text
from theory.ledger.claims import OURS, Claim
from theory.ledger.references import references
from theory.ledger.report import GOOD, LEGEND, TITLES
from theory.ledger.statements import statement_of

CORRECTED = ("fails as stated", "holds with condition", "sharpened", "conjecture, consistent")


def page(claims: Mapping[str, Claim], found: Mapping[str, dict]) -> str:
    """Every claim with topic, form, verdict, tier, margin and controls."""
    rows = ["| claim | topic | verdict | tier | form | margin | controls |", "|---|---|---|---|---|---|---|"]
    for claim in claims.values():
        told = found[claim.id]
        controls = sum(ran["role"] == "control" for ran in told["ran"])
        rows.append(
            f"| {titled(claim)} | {TITLES[claim.topic]} | {shown(told)} | {told['tier']} | {claim.form} "
            f"| {plain_text(told['margin'])} | {controls} |"
        )
    return "\n\n".join(
        [
            "# The ledger",
            f"{summary(claims, found)} A name leads to the claim's page: statement, source, numbers, controls, proof, "
            "code. What did not simply hold stands also [in one list](corrections.md).",
            '<div id="filters"></div>',
            "{.wide #ledger}\n" + "\n".join(rows),
            "## How to read it",
            LEGEND,
        ]
    )


def titled(claim: Claim, up: str = "") -> str:
    """A claim by title and id, linked to its page, for a Markdown table."""
    block = statement_of(claim.topic, claim.id)
    title = (block.title if block else claim.id).replace("|", r"\|")
    return f"[{title}]({up}claims/{claim.id}.md) `{claim.id}`"


def shown(told: Mapping) -> str:
    kind = told["verdict"].replace(",", "").replace(" ", "-")
    return f'<span class="chip {kind}">{told["shown"]}</span>'


def summary(claims: Mapping[str, Claim], found: Mapping[str, dict]) -> str:
    """How many claims, controls, and verdicts of each kind."""
    counts = Counter(found[name]["verdict"] for name in claims)
    controls = sum(ran["role"] == "control" for name in claims for ran in found[name]["ran"])
    told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in GOOD if counts[verdict])
    return f"{len(claims)} claims, {controls} controls rejected: {told}."


def corrections(claims: Mapping[str, Claim], found: Mapping[str, dict]) -> str:
    """The claims whose verdict is not simply `holds`, by verdict, with their source and what was found."""
    parts = [
        "# What did not simply hold",
        "Statements that were found loose, in need of a condition, or false as they stand. A verdict against a "
        "reconstruction or a reading is one against that form of the statement, not against the source.",
    ]
    for verdict in CORRECTED:
        own = [claim for claim in claims.values() if found[claim.id]["verdict"] == verdict]
        if not own:
            continue
        parts.append(f"## {verdict.capitalize()}")
        for claim in own:
            source = "ours" if claim.paper == OURS else f"{references()[claim.paper]}, {claim.where}, {claim.form}"
            note = plain_text(found[claim.id]["note"])
            told = f"{titled(claim)} {shown(found[claim.id])} {source}."
            parts.append(f"{told}\\\n{note}" if note else told)
    return "\n\n".join(parts)


def counted(topic: str, claims: Mapping[str, Claim], found: Mapping[str, dict]) -> str:
    """The verdicts of a topic in words."""
    counts = Counter(found[claim.id]["verdict"] for claim in claims.values() if claim.topic == topic)
    return ", ".join(f"{n} {verdict}" for verdict, n in counts.most_common())
