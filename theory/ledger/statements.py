"""The theorem blocks of the derivations: the one place where the statement of a claim stands.

    :::{prf:theorem} Title
    :label: claim-id

    Statement.
    :::

The directive says what kind of statement it is; a conjecture gets its own verdict. The committed pages keep the fences
in comments (theory.ledger.readable); the statement is the same text in both forms.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from theory.ledger import THEORY
from theory.ledger.readable import plain

KINDS = ("theorem", "lemma", "proposition", "corollary", "observation", "conjecture")  # observation: measured, no proof
BLOCK = re.compile(
    r"^(?P<fence>:{3,})\{prf:(?P<kind>\w+)\}[ \t]*(?P<title>[^\n]*)\n"
    r"(?P<options>(?::\w+:[^\n]*\n)*)(?P<text>.*?)^(?P=fence)[ \t]*$",
    re.MULTILINE | re.DOTALL,
)
LABEL = re.compile(r"^:label:\s*(\S+)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Statement:
    """One labelled block of a derivation."""

    label: str
    kind: str
    title: str
    text: str


def derivation(topic: str) -> Path:
    """The page that states and proves the claims of a topic."""
    return THEORY / topic / "derivation.md"


def page_of(topic: str) -> str:
    """The same, as a path from theory/ for a link."""
    return derivation(topic).relative_to(THEORY).as_posix()


def statements(topic: str) -> dict[str, Statement]:
    """{label: block} of the topic's derivation, in its order; empty without a page."""
    page = derivation(topic)
    return dict(_blocks(plain(page.read_text(encoding="utf-8")))) if page.exists() else {}


@cache
def _blocks(text: str) -> tuple[tuple[str, Statement], ...]:
    found = []
    for block in BLOCK.finditer(text):
        label = LABEL.search(block["options"])
        if label:
            found.append((label[1], Statement(label[1], block["kind"], block["title"].strip(), block["text"].strip())))
    return tuple(found)


def statement_of(topic: str, label: str) -> Statement | None:
    return statements(topic).get(label)


def title_of(topic: str) -> str:
    """The topic's name for a reader: the first heading of its derivation, up to a colon."""
    page = derivation(topic)
    heading = re.search(r"^# ([^:\n]+)", page.read_text(encoding="utf-8"), re.MULTILINE) if page.exists() else None
    return heading[1].strip() if heading else topic.replace("_", " ").capitalize()
