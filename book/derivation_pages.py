"""Derivations as pages: blocks without numbers, each with its verdict; displays on lines of their own."""

import re
from collections.abc import Mapping

from book import BookError
from book.markdown import displays, links, references
from theory.ledger import THEORY
from theory.ledger.claims import Claim, notebook_of
from theory.ledger.readable import OPEN, plain
from theory.ledger.statements import LABEL, derivation, statements


def chip(found: Mapping[str, dict], claim: str, up: str) -> str:
    """The verdict of a claim as a coloured link to its page."""
    told = found[claim]
    kind = told["verdict"].replace(",", "").replace(" ", "-")
    return f'<a class="chip {kind}" href="{up}claims/{claim}.html">{told["shown"]} · {told["tier"]}</a>'


def page(topic: str, claims: Mapping[str, Claim], found: Mapping[str, dict]) -> str:
    """The derivation of a topic for MyST; BookError names a block that does not end."""
    source = derivation(topic)
    text = with_verdicts(plain(source.read_text(encoding="utf-8")), claims, found, source.relative_to(THEORY).as_posix())
    place = f"theory/{topic}/derivation.md"
    text = displays(links(references(text, claims), place, place))
    heading, rest = text.split("\n", 1)
    notebook = notebook_of(topic)
    ways = [f"[its claims and figures](../../topics/{topic}.md)"]
    ways += [f"[the notebook](../../notebooks/{notebook}.ipynb)"] if notebook else []
    return f"{heading}\n\n{{.ways}}\nThe derivation. See also {' and '.join(ways)}.\n{rest}"


def with_verdicts(text: str, claims: Mapping[str, Claim], found: Mapping[str, dict], where: str) -> str:
    """Every block unnumbered, with its verdict and its permanent name as the last line."""
    out, position = [], 0
    while block := OPEN.search(text, position):
        fence, kind, title, options = block.groups()
        end = re.compile(rf"^{fence}[ \t]*$", re.MULTILINE).search(text, block.end())
        if end is None:
            raise BookError(f"{where}: the block {title or kind!r} is not closed by {fence}")
        label = LABEL.search(options)
        number = "" if kind == "proof" else ":nonumber:\n"
        inside = text[block.end() : end.start()].rstrip("\n")
        out += [text[position : block.start()], f"{fence}{{prf:{kind}}} {title}".rstrip() + f"\n{options}{number}", inside]
        if label and label[1] in claims and label[1] in found:
            out.append(f"\n\n<p class=\"told\">{chip(found, label[1], '../../')} <code>{label[1]}</code></p>")
        out.append(f"\n{fence}")
        position = end.end()
    return "".join([*out, text[position:]])


def claims_without_block(claims: Mapping[str, Claim]) -> list[str]:
    """One line for each claim that no block of its topic's derivation states."""
    return [
        f"claim {claim.id}: theory/{claim.topic}/derivation.md has no block labelled {claim.id!r}"
        for claim in claims.values()
        if claim.id not in statements(claim.topic)
    ]
