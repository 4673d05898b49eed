"""Derivations that read on GitHub too.    python -m theory.ledger.readable

GitHub shows the fences of theorem blocks as text and gives labels no anchor. In the committed form the fences stand in
HTML comments, and above each block an anchor and its name in bold; a reference is a link to the anchor:

    <a id="claim-id"></a>**Theorem (Title).**                 :::{prf:theorem} Title
    <!-- :::{prf:theorem} Title                               :label: claim-id
    :label: claim-id -->                            from
                                                              Statement, see {prf:ref}`other-id`.
    Statement, see [`other-id`](#other-id).                   :::
    <!-- ::: -->

Write the form on the right and call this module: it rewrites every derivation, and changes nothing the second time.
`plain` goes back, so statements and their hashes are the same in both forms.
"""

import re
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from theory.ledger import THEORY
from toy_models.files import write_aside

OPEN = re.compile(r"^(:{3,})\{prf:(\w+)\}[ \t]*([^\n]*)\n((?::\w+:[^\n]*\n)*)", re.MULTILINE)
LABEL = re.compile(r"^:label:\s*(\S+)\s*$", re.MULTILINE)
REFERENCE = re.compile(r"\{prf:ref\}`([^`<>]+)`")
DRESS = re.compile(
    r'^(?:<a id="[^"\n]+"></a>)?(?:\*\*\w+(?: \([^\n]*\))?\.\*\*|\*Proof\.\*)\n(?=<!-- :{3,}\{prf:)', re.MULTILINE
)
COMMENTED_OPEN = re.compile(r"^<!-- (:{3,}\{prf:\w+\}[^\n]*?(?:\n:\w+:[^\n]*?)*) -->$", re.MULTILINE)
COMMENTED_CLOSE = re.compile(r"^<!-- (:{3,}) -->$", re.MULTILINE)
LINKED = re.compile(r"\[`([^`\n]+)`\]\([^()\s]*#\1\)")


@cache
def plain(text: str) -> str:
    """The page with bare fences and `{prf:ref}` roles; a page in that form is returned as it is."""
    text = COMMENTED_CLOSE.sub(r"\1", COMMENTED_OPEN.sub(r"\1", DRESS.sub("", text)))
    return LINKED.sub(r"{prf:ref}`\1`", text)


def dressed(text: str, pages: Mapping[str, str] | None = None) -> str:
    """The page in its committed form. `pages`: {label: the page that a link names}, for labels of other pages."""
    text, out, position = plain(text), [], 0
    own = set(LABEL.findall(text))
    while block := OPEN.search(text, position):
        fence, kind, title, options = block.groups()
        end = re.compile(rf"^{fence}[ \t]*$", re.MULTILINE).search(text, block.end())
        if end is None:
            line = text[: block.start()].count("\n") + 1
            raise ValueError(f"line {line}: the block {title or kind!r} is not closed by {fence}")
        head = f"{fence}{{prf:{kind}}}{' ' * bool(title)}{title}\n{options}".rstrip("\n")
        out += [text[position : block.start()], _name(kind, title, options), f"<!-- {head} -->\n"]
        out += [text[block.end() : end.start()], f"<!-- {fence} -->"]
        position = end.end()
    out.append(text[position:])

    def link(found: re.Match) -> str:
        label = found[1]
        return f"[`{label}`]({'' if label in own else (pages or {}).get(label, '')}#{label})"

    return REFERENCE.sub(link, "".join(out))


def _name(kind: str, title: str, options: str) -> str:
    """The line above a block: its anchor, and what it is called."""
    if kind == "proof":
        return "*Proof.*\n"
    label = LABEL.search(options)
    anchor = f'<a id="{label[1]}"></a>' if label else ""
    return f"{anchor}**{kind.capitalize()}{f' ({title})' if title else ''}.**\n"


def derivations() -> list[Path]:
    return sorted(THEORY.glob("*/derivation.md"))


def committed_forms() -> dict[Path, str]:
    """{derivation: the text it must have}; ValueError names the page with a block that does not end."""
    texts = {path: path.read_text(encoding="utf-8") for path in derivations()}
    pages = {
        label: f"../{path.parent.name}/{path.name}"
        for path, text in texts.items()
        for label in LABEL.findall(plain(text))
    }
    found = {}
    for path, text in texts.items():
        try:
            found[path] = dressed(text, pages)
        except ValueError as problem:
            raise ValueError(f"{path.parent.name}/{path.name}: {problem}") from None
    return found


def main() -> int:
    try:
        forms = committed_forms()
    except ValueError as problem:
        print(f"theory.ledger.readable: {problem}", file=sys.stderr)
        return 2
    for path, text in forms.items():
        if path.read_text(encoding="utf-8") != text:
            write_aside(path, lambda aside, text=text: aside.write_text(text, encoding="utf-8"))
            print(f"{path.parent.name}/{path.name}: rewritten")
    return 0


if __name__ == "__main__":
    sys.exit(main())
