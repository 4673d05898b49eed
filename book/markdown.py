"""From the repository's Markdown to the book's: displays on their own lines, links that land, references by title."""

import re
from collections.abc import Mapping
from posixpath import dirname, join, normpath, relpath

from theory.ledger.claims import Claim
from theory.ledger.statements import statement_of

FENCED = re.compile(r"^(`{3,}|~{3,})[^\n]*\n.*?^\1[ \t]*$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)", re.DOTALL)
DISPLAY = re.compile(r"[ \t]*\n?[ \t]*\$\$[ \t]*\n?(.*?)\n?[ \t]*\$\$([.,;:]?)[ \t]*\n?", re.DOTALL)
LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")
ID = re.compile(r"(?<![`\w\[])`([a-z0-9]+(?:-[a-z0-9]+)+)`(?!`)")
FILE = re.compile(r"(?<![\[`])`((?:theory|notebooks)/[\w/.-]+)`(?!`)")
FIGURE = re.compile(r"figures/(?:out/)?([\w-]+\.(?:png|svg|json|gif))")
ROLE = re.compile(r"\{prf:ref\}`([^`<>]+)`")
SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|$~\"'&^:=@])")

# pages of the repository -> pages of the book; None: shown as code, the book does not hold it
PAGES = {
    "README.md": "repository/readme.md",
    "CONTRIBUTING.md": "repository/contributing.md",
    "CHANGELOG.md": "repository/changelog.md",
    "GLOSSARY.md": "glossary.md",
    "theory/LEDGER.md": "ledger.md",
    "theory/notation.md": "theory/notation.md",
}


def plain_text(text: str) -> str:
    """Any text as Markdown that shows exactly that text."""
    return SPECIAL.sub(r"\\\1", " ".join(text.split()))


def title_text(title: str) -> str:
    """A title without its dollars, for places that set no mathematics."""
    return re.sub(r"\$([^$]*)\$", r"\1", title).replace("\\", "")


def outside_code(text: str, change) -> str:
    """`change` applied to everything but fenced code."""
    out, position = [], 0
    for block in FENCED.finditer(text):
        out += [change(text[position : block.start()]), block.group()]
        position = block.end()
    return "".join([*out, change(text[position:])])


def displays(text: str) -> str:
    """Every $$ ... $$ as a block of its own, blank lines around; a full stop behind it moves inside."""

    def own_lines(found: re.Match) -> str:
        return f"\n\n$$\n{found[1].strip()}{found[2]}\n$$\n\n"

    return outside_code(text, lambda part: re.sub(r"\n{3,}", "\n\n", DISPLAY.sub(own_lines, part)))


def link_to_block(claim: Claim) -> str:
    """A reference to the block of a claim, by its title."""
    block = statement_of(claim.topic, claim.id)
    return f"{{prf:ref}}`{title_text(block.title) or claim.id} <{claim.id}>`" if block else f"{{prf:ref}}`{claim.id}`"


def references(text: str, claims: Mapping[str, Claim], link=link_to_block) -> str:
    """{prf:ref} roles and ids in code become links made by `link`; a role to no claim stays, for Sphinx to report."""

    def role(found: re.Match) -> str:
        return link(claims[found[1]]) if found[1] in claims else found.group()

    def change(part: str) -> str:
        return ID.sub(role, ROLE.sub(role, part))

    return outside_code(text, change)


def links(text: str, source: str, page: str) -> str:
    """Relative links of `source`, a file of the repository, as they must stand in `page` of the book.

    Derivations, notation and notebooks keep their place; a claim's anchor leads to its page. Files that the book does
    not hold become code; those that it holds become links where they are named in code.
    """

    def change(found: re.Match) -> str:
        shown, target = found.groups()
        if re.match(r"[a-z]+:|#", target):
            return found.group()
        path, _, anchor = target.partition("#")
        whole = normpath(join(dirname(source), path))
        if drawn := FIGURE.fullmatch(whole):
            return f'<a href="{relpath(f"figures/{drawn[1]}", dirname(page) or ".")}">{shown}</a>'
        place = book_page(whole)
        if place is None:
            return shown if shown.startswith("`") else f"`{shown}`" if "/" in shown or "." in shown else shown
        if anchor and (whole == "theory/LEDGER.md" or whole.endswith("/derivation.md")):
            place, anchor = f"claims/{anchor}.md", ""
        return f"[{shown}]({relpath(place, dirname(page) or '.')}{f'#{anchor}' if anchor else ''})"

    def name(found: re.Match) -> str:
        place = book_page(found[1])
        return f"[{found.group()}]({relpath(place, dirname(page) or '.')})" if place else found.group()

    return outside_code(text, lambda part: FILE.sub(name, LINK.sub(change, part)))


def book_page(path: str) -> str | None:
    """Where the book holds a file of the repository."""
    if re.fullmatch(r"theory/\w+/derivation\.md|notebooks/\d\d-[\w-]+\.ipynb", path):
        return path
    return PAGES.get(path)
