"""references.bib: every source that the suite names, by key.

One field a line, `name = {value},`. `version` of an arXiv entry is the version that was read, or `not recorded`.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from theory.ledger import THEORY

BIBLIOGRAPHY = THEORY / "references.bib"
ENTRY = re.compile(r"^@(\w+)\{([^,\s]+),\n(.*?)^\}$", re.MULTILINE | re.DOTALL)
FIELD = re.compile(r"^ {2}(\w+) = \{(.*)\},?$", re.MULTILINE)


@dataclass(frozen=True)
class Reference:
    """One entry: `surnames` of its authors, `et_al` if the list is cut."""

    key: str
    surnames: tuple[str, ...]
    et_al: bool
    year: str
    eprint: str
    version: str

    def __str__(self) -> str:
        """Chen, Cong and Li 2025, arXiv 2511.04647: all names up to three, else the first and et al."""
        *others, last = self.surnames
        if self.et_al or len(self.surnames) > 3:
            names = f"{self.surnames[0]} et al."
        else:
            names = " and ".join(filter(None, (", ".join(others), last)))
        told = f"{names} {self.year}".strip()
        return f"{told}, arXiv {self.eprint}" if self.eprint else told


@cache
def references(path: Path = BIBLIOGRAPHY) -> dict[str, Reference]:
    """All entries by key; a key twice is an error."""
    found: dict[str, Reference] = {}
    for _, key, body in ENTRY.findall(path.read_text(encoding="utf-8")):
        if key in found:
            raise ValueError(f"{path.name}: key {key!r} appears twice")
        fields = dict(FIELD.findall(body))
        names = [name.strip() for name in fields["author"].split(" and ")]
        surnames = tuple(_plain(name.split(",")[0]) for name in names if name != "others")
        found[key] = Reference(
            key,
            surnames,
            "others" in names,
            fields.get("year", ""),
            fields.get("eprint", ""),
            fields.get("version", ""),
        )
    return found


def _plain(name: str) -> str:
    """A surname without braces and TeX accents."""
    accents = {r"\'a": "á", r"\"o": "ö", r"\"a": "ä", r"\"u": "ü", r"\'e": "é", r"\'y": "ý"}
    for tex, letter in accents.items():
        name = name.replace("{" + tex + "}", letter).replace(tex, letter)
    return name.replace("{", "").replace("}", "")


def resolves(surname: str, year: str) -> bool:
    """Whether some entry of that year has an author of that surname."""
    return any(surname in entry.surnames and entry.year == year for entry in references().values())
