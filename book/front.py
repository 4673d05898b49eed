"""The front page: what this is, what readers come for, and every way in."""

import re
import tomllib
from collections.abc import Mapping
from html import escape

from book import BOOK, ROOT, BookError
from book.bibtex import of_suite
from book.ledger_page import counted, summary
from book.markdown import links
from book.material import Figure, images
from notebooks.run import notebook_names
from theory.ledger.claims import Claim, notebook_of
from theory.ledger.report import TITLES
from theory.ledger.statements import statement_of

LIVE = "page/index.html"  # book/page/index.html, where it exists


def live() -> bool:
    """Whether the page that moves is there: then the front page leads to it, and the link is checked like others."""
    return (BOOK / LIVE).exists()


def questions(claims: Mapping[str, Claim]) -> list[dict]:
    """The questions of questions.toml; BookError names one that asks for an unknown claim."""
    found = tomllib.loads((BOOK / "questions.toml").read_text(encoding="utf-8"))["question"]
    for question in found:
        for name in question["claims"]:
            if name not in claims:
                raise BookError(f"questions.toml, {question['ask']!r}: no claim {name!r}")
    return found


def page(claims: Mapping[str, Claim], found: Mapping[str, dict], figures: Mapping[str, Figure]) -> str:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    heading, first, picture, findings = opening(readme, figures)
    rows = ["| topic | claims | verdicts | read |", "|---|---|---|---|"]
    for topic, title in TITLES.items():
        number = sum(claim.topic == topic for claim in claims.values())
        ways = f"[derivation](theory/{topic}/derivation.md)"
        if notebook := notebook_of(topic):
            ways += f", [notebook](notebooks/{notebook}.ipynb)"
        rows.append(f"| [{title}](topics/{topic}.md) | {number} | {counted(topic, claims, found)} | {ways} |")
    parts = [
        f"# {heading}",
        first,
        '<p class="live"><a href="page/index.html">See the sampler move</a></p>' if live() else "",
        picture,
        "New here? [Start here](notebooks/00-start-here.ipynb): what a masked diffusion sampler is, exactly.",
        "## What are you looking for?",
        _cards(claims),
        f"## What we found\n\n{{.wide}}\n{findings}" if findings else "",
        "## Topics",
        f"{summary(claims, found)} Each verdict is computed; each claim has controls that must be rejected.",
        "{.wide}\n" + "\n".join(rows),
        "## Everything",
        _everything(),
        "## Cite",
        f"The suite:\n\n```bibtex\n{of_suite()}\n```\n\nA claim: at the foot of its page.",
        _trees(),
    ]
    return "\n\n".join(part for part in parts if part)


def opening(readme: str, figures: Mapping[str, Figure]) -> tuple[str, str, str, str]:
    """The README's heading, first paragraph, first picture and table of findings: they stand there, and only there."""
    heading, _, rest = readme.removeprefix("# ").partition("\n")
    parts = [part.strip() for part in rest.split("\n\n")]
    paragraph = next(part for part in parts if part and not part.startswith(("!", "<", "[!")))
    picture = next((part for part in parts if part.startswith("![")), "")
    found = re.search(r"<!-- findings -->\n(.*?)\n<!-- /findings -->", readme, re.DOTALL)
    told = [links(text, "README.md", "index.md") for text in (paragraph, found[1] if found else "")]
    return heading, told[0], images(picture, "", figures), told[1]


def _cards(claims: Mapping[str, Claim]) -> str:
    """The questions, each with its answer and the pages that give it."""
    cards = []
    for question in questions(claims):
        answer = escape(" ".join(question["answer"].split()))
        for k, part in enumerate(pieces := answer.split("`")):
            pieces[k] = f"<code>{part}</code>" if k % 2 else part
        ways = [f'<a href="claims/{name}.html">{_title(claims[name])}</a>' for name in question["claims"]]
        ways += [f'<a href="{place}">{escape(name)}</a>' for name, place in question["more"]]
        cards.append(
            f'<section class="question"><h3>{escape(question["ask"])}</h3><p>{"".join(pieces)}</p>'
            f"<p>{' · '.join(ways)}</p></section>"
        )
    return f'<div class="questions">{"".join(cards)}</div>'


def _title(claim: Claim) -> str:
    block = statement_of(claim.topic, claim.id)
    return escape(block.title.replace("$", "")) if block else claim.id


def _everything() -> str:
    return "\n".join(
        [
            "- [The ledger](ledger.md), with filters; [what did not simply hold](corrections.md); "
            "[the claim graph](graph.md)",
            "- [Sources](sources.md) with BibTeX; [glossary](glossary.md): the papers' word, the name here, the claims",
            "- [The library](api/index.md); [all figures](figures.md), each with its data; "
            "[notation](theory/notation.md)",
            "- [The repository](repository/readme.md): commands, a sampler or a text of your own; "
            "[how to add a claim](repository/contributing.md); [changes](repository/changelog.md)",
        ]
    )


def _trees() -> str:
    """The contents, for the side bar. A notebook of no topic stands by itself."""
    of_topics = {notebook_of(topic) for topic in TITLES} | {"00-start-here"}
    parts = {
        "Start": ["Start here <notebooks/00-start-here>", "theory/notation"],
        "Topics": [f"{title} <topics/{topic}>" for topic, title in TITLES.items()],
        "Claims": ["ledger", "corrections", "graph", "sources", "glossary", "figures"],
        "Yours": [f"notebooks/{name}" for name in notebook_names() if name not in of_topics],
        "Use": ["The repository <repository/readme>", "api/index", "repository/contributing", "repository/changelog"],
    }
    return "\n\n".join(
        f"```{{toctree}}\n:hidden:\n:caption: {name}\n\n" + "\n".join(pages) + "\n```" for name, pages in parts.items()
    )
