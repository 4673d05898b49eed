"""Derivations as pages: blocks without numbers, each with its verdict; displays on lines of their own."""

import re
from collections.abc import Mapping

from book import BookError
from book.markdown import displays, links, references
from theory.ledger.claims import Claim, notebook_of
from theory.ledger.readable import OPEN, plain
from theory.ledger.statements import LABEL, derivation, statements

PROVED = ("theorem", "lemma", "corollary")  # propositions may be measured, observations and conjectures are
PROOF = re.compile(r"\{prf:proof\}|\*(?:Proof|Derivation)\b")
PARAGRAPH = "\n\n"


def chip(found: Mapping[str, dict], claim: str, up: str) -> str:
    """The verdict of a claim as a coloured link to its page."""
    told = found[claim]
    kind = told["verdict"].replace(",", "").replace(" ", "-")
    return f'<a class="chip {kind}" href="{up}claims/{claim}.html">{told["shown"]} · {told["tier"]}</a>'


def page(topic: str, claims: Mapping[str, Claim], found: Mapping[str, dict]) -> str:
    """The derivation of a topic for MyST; BookError names a block that does not end."""
    source = derivation(topic)
    place = f"theory/{topic}/derivation.md"
    text = with_verdicts(plain(source.read_text(encoding="utf-8")), claims, found, place)
    text = displays(links(references(text, claims), place, place))
    heading, rest = text.split("\n", 1)
    notebook = notebook_of(topic)
    ways = [f"[its claims and figures](../../topics/{topic}.md)"]
    ways += [f"[the notebook](../../notebooks/{notebook}.ipynb)"] if notebook else []
    return f"{heading}\n\n{{.ways}}\nThe derivation. See also {' and '.join(ways)}.\n{rest}"


def with_verdicts(text: str, claims: Mapping[str, Claim], found: Mapping[str, dict], where: str) -> str:
    """Every block unnumbered, with its verdict and its permanent name as the last line; proofs as text."""
    out, position = [], 0
    while block := OPEN.search(text, position):
        fence, kind, title, options = block.groups()
        end = re.compile(rf"^{fence}[ \t]*$", re.MULTILINE).search(text, block.end())
        if end is None:
            raise BookError(f"{where}: the block {title or kind!r} is not closed by {fence}")
        inside = text[block.end() : end.start()].strip("\n")
        out.append(text[position : block.start()])
        if kind == "proof":
            out.append(f"*Proof.*{' ' if inside[:1].isalnum() or inside[:1] in '$(*' else PARAGRAPH}{inside}\n")
        else:
            label = LABEL.search(options)
            told = f"\n\n{_told(label[1], found)}" if label and label[1] in claims and label[1] in found else ""
            out.append(f"{fence}{{prf:{kind}}} {title}".rstrip() + f"\n{options}:nonumber:\n\n{inside}{told}\n{fence}")
        position = end.end()
    return "".join([*out, text[position:]])


def _told(claim: str, found: Mapping[str, dict]) -> str:
    return f'<p class="told">{chip(found, claim, "../../")} <code>{claim}</code></p>'


def unproved(topic: str) -> list[str]:
    """One line for each theorem, lemma or corollary without a proof before the next block."""
    page = derivation(topic)
    text = plain(page.read_text(encoding="utf-8")) if page.exists() else ""
    blocks = [block for block in OPEN.finditer(text) if block[2] != "proof"]
    ends = [*(block.start() for block in blocks[1:]), len(text)][: len(blocks)]
    problems = []
    for block, end in zip(blocks, ends, strict=True):
        if block[2] in PROVED and not PROOF.search(text, block.end(), end):
            label = LABEL.search(block[4])
            name = label[1] if label else block[3]
            problems.append(f"claim {name}: theory/{topic}/derivation.md has no proof below its {block[2]}")
    return problems


def claims_without_block(claims: Mapping[str, Claim]) -> list[str]:
    """One line for each claim that no block of its topic's derivation states."""
    return [
        f"claim {claim.id}: theory/{claim.topic}/derivation.md has no block labelled {claim.id!r}"
        for claim in claims.values()
        if claim.id not in statements(claim.topic)
    ]
