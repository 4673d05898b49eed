"""A page for each topic: what it is about, its claims with their verdicts, and its figures."""

import re
from collections.abc import Mapping

from book.ledger_page import shown, titled
from book.markdown import displays, links, references
from book.material import Figure
from theory.ledger.claims import OURS, Claim, notebook_of
from theory.ledger.figures import of as figures_of_topic
from theory.ledger.readable import plain
from theory.ledger.references import references as sources
from theory.ledger.report import TITLES
from theory.ledger.statements import derivation


def page(topic: str, claims: Mapping[str, Claim], found: Mapping[str, dict], figures: Mapping[str, Figure]) -> str:
    """The page of one topic, topics/<topic>.md."""
    notebook = notebook_of(topic)
    first = introduction(topic)
    own = [claim for claim in claims.values() if claim.topic == topic]
    rows = ["| claim | source | verdict |", "|---|---|---|"]
    for claim in own:
        source = "ours" if claim.paper == OURS else f"{sources()[claim.paper]}, {claim.where}"
        rows.append(f"| {titled(claim, '../')} | {source} | {shown(found[claim.id])} |")
    drawn = [figures[entry.name].html("../") for entry in figures_of_topic(topic) if entry.name in figures]
    tree = f"Derivation <../theory/{topic}/derivation>" + (f"\nNotebook <../notebooks/{notebook}>" if notebook else "")
    ways = [f"[the derivation](../theory/{topic}/derivation.md)"]
    ways += [f"[the notebook](../notebooks/{notebook}.ipynb)"] if notebook else []
    return "\n\n".join(
        [
            f"# {TITLES[topic]}: claims and figures",
            displays(links(references(first, claims), f"theory/{topic}/derivation.md", f"topics/{topic}.md")),
            f"Read {' or '.join(ways)}.",
            f"```{{toctree}}\n:hidden:\n\n{tree}\n```",
            "## Claims",
            "{.wide}\n" + "\n".join(rows),
            "## Figures",
            *drawn,
        ]
    )


def introduction(topic: str) -> str:
    """The first paragraph of the derivation."""
    text = plain(derivation(topic).read_text(encoding="utf-8"))
    rest = text.partition("\n")[2]
    return re.split(r"\n\s*\n", rest.strip(), maxsplit=1)[0]


def gallery(figures: Mapping[str, Figure], topics: Mapping[str, str]) -> str:
    """All figures, by topic; `topics` gives their titles."""
    parts = ["# Figures", "Every figure of the batch, with its data. A click opens the drawing."]
    for topic, title in topics.items():
        own = [entry.name for entry in figures_of_topic(topic) if entry.name in figures]
        if own:
            parts += [f"## {title}", *(figures[name].html("") for name in own)]
    return "\n\n".join(parts)
