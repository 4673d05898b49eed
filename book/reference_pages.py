"""The sources with their claims, and the glossary."""

from collections.abc import Mapping
from html import escape

from book.api_pages import anchor_of
from book.bibtex import entry, field
from book.ledger_page import shown, titled
from book.markdown import plain_text
from theory.ledger.claims import Claim
from theory.ledger.glossary import words
from theory.ledger.references import references
from theory.ledger.statements import statement_of


def sources(claims: Mapping[str, Claim], found: Mapping[str, dict]) -> str:
    """Every paper whose statements are checked, with its claims and its entry; then the others that are named."""
    cited = {claim.paper for claim in claims.values()}
    parts = [
        "# Sources",
        "Papers whose statements are checked here, with what came out; below them others that are named.",
    ]
    for key, reference in references().items():
        if key not in cited:
            continue
        parts += [f"({key.lower()})=\n## {reference}", f"{plain_text(field(key, 'title'))}{_where(key)}"]
        own = [claim for claim in claims.values() if claim.paper == key]
        parts.append("\n".join(f"- {titled(claim)} {claim.where} {shown(found[claim.id])}" for claim in own))
        parts.append(_folded(key))
    parts.append("## Also named")
    for key, reference in references().items():
        if key not in cited:
            parts += [f"{reference}. {plain_text(field(key, 'title'))}{_where(key)}", _folded(key)]
    return "\n\n".join(parts)


def _where(key: str) -> str:
    number = field(key, "eprint")
    return f" ([arXiv {number}](https://arxiv.org/abs/{number}))." if number else "."


def _folded(key: str) -> str:
    return f'<details class="code"><summary>BibTeX</summary><pre>{escape(entry(key))}</pre></details>'


def glossary(claims: Mapping[str, Claim]) -> str:
    """The words of the papers, what stands for them here, and the claims about them."""
    parts = [
        "# Glossary",
        "The word of the papers, the name here, the file, the claims that say the word or use the name. "
        "`tm` stands for `toy_models`.",
    ]
    for word in sorted(words(), key=lambda word: word.word.lower()):
        also = [way for way in word.also if way not in word.word]
        place = anchor_of(word.name)
        name = f'<a href="{place}"><code>{word.name}</code></a>' if place else f"`{word.name}`"
        own = ", ".join(_by_title(claims[name]) for name in word.claims(dict(claims)))
        told = f"{name} in `{word.path}`" + (f"\\\n{own}" if own else "")
        ways = f" ({plain_text(', '.join(also))})" if also else ""
        parts.append(f"**{plain_text(word.word)}**{ways}\\\n{told}")
    return "\n\n".join(parts)


def _by_title(claim: Claim) -> str:
    block = statement_of(claim.topic, claim.id)
    return f"[{block.title if block else claim.id}](claims/{claim.id}.md)"
