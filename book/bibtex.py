"""BibTeX of a source, as references.bib has it, and of a claim."""

import os
import re
from functools import cache

from book import ROOT
from book.markdown import title_text
from theory.ledger.claims import Claim
from theory.ledger.references import BIBLIOGRAPHY, ENTRY
from theory.ledger.statements import Statement


@cache
def _entries() -> dict[str, str]:
    return {found[2]: found.group() for found in ENTRY.finditer(BIBLIOGRAPHY.read_text(encoding="utf-8"))}


def entry(key: str) -> str:
    """The entry of references.bib with this key."""
    return _entries()[key]


def field(key: str, name: str) -> str:
    """One field of an entry, braces left out; empty without it."""
    found = re.search(rf"^ {{2}}{name} = \{{(.*)\}},?$", entry(key), re.MULTILINE)
    return re.sub(r"[{}]", "", found[1]) if found else ""


@cache
def suite() -> dict[str, str]:
    """Title, version, year and author of the suite, from CITATION.cff."""
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")

    def value(name: str) -> str:
        found = re.search(rf'^(?: *- )?{name}: "?([^"\n]*)"?$', text, re.MULTILINE)
        return found[1] if found else ""

    return {name: value(name) for name in ("title", "version")} | {
        "author": value("name"),
        "year": value("date-released")[:4],
    }


def of_claim(claim: Claim, block: Statement) -> str:
    """A claim as an entry: key, title, and where it stands."""
    about = suite()
    base = os.environ.get("BOOK_URL", "").rstrip("/")
    where = f"{base}/claims/{claim.id}.html" if base else f"claims/{claim.id}.html"
    lines = [
        f"@misc{{mdt:{claim.id},",
        f"  title = {{{block.kind.capitalize()} `{claim.id}' ({title_text(block.title)})}},",
        f"  author = {{{{{about['author']}}}}},",
        f"  year = {{{about['year']}}},",
        f"  howpublished = {{{about['title']}, version {about['version']}}},",
        f"  {'url' if base else 'note'} = {{{where}}}",
        "}",
    ]
    return "\n".join(lines)


def of_suite() -> str:
    """The suite itself as an entry."""
    about = suite()
    lines = [f"  {name} = {{{about[name]}}}," for name in ("title", "year", "version")]
    return "\n".join(["@software{mdt,", f"  author = {{{{{about['author']}}}}},", *lines, "}"])
