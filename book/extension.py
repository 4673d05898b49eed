"""Sphinx: mathematics set by KaTeX while building, and theorem blocks named without numbers.

A formula that KaTeX refuses is a warning at its place, and warnings stop the build. Numbers would change with every new
theorem; the label, which is the claim's id, does not.
"""

import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx_proof.nodes import unenumerable_node

from book.katex import render

log = logging.getLogger(__name__)


STRUCTURE = re.compile(r"\\\\|\\[{}]|\\(?:qquad|left|right|begin|end)(?![A-Za-z])|[{}]")


def _formula(writer, node, tex: str, display: bool) -> str:
    try:
        return render(tex, display)
    except ValueError as problem:
        log.warning("%s in the formula %r", problem, tex, location=node)
        return ""


def inline(writer, node) -> None:
    """<span class="formula">, one formula in a line of text."""
    writer.body.append(f'<span class="formula">{_formula(writer, node, node.astext(), False)}</span>')
    raise nodes.SkipNode


def display(writer, node) -> None:
    """<div class="formula">, a formula on lines of its own; it scrolls within its box."""
    parts = "".join(_formula(writer, node, part, True) for part in side_by_side(node.astext()))
    writer.body.append(f'<div class="formula" tabindex="0">{parts}</div>\n')
    raise nodes.SkipNode


def side_by_side(tex: str) -> list[str]:
    r"""The formulas of a display that \qquad keeps apart: on a narrow screen they stand below each other.

    >>> side_by_side(r"a=\text{b \qquad c},\qquad d")
    ['a=\\text{b \\qquad c},', 'd']
    """
    parts, depth, start = [], 0, 0
    for found in STRUCTURE.finditer(tex):
        if found[0] == r"\qquad" and depth == 0:
            parts.append(tex[start : found.start()].strip())
            start = found.end()
        depth += (found[0] in ("{", r"\left", r"\begin")) - (found[0] in ("}", r"\right", r"\end"))
    return [part for part in [*parts, tex[start:].strip()] if part]


def name_blocks(app: Sphinx, doctree: nodes.document) -> None:
    """Theorem blocks say what they are, and each id stands once."""
    for section in list(doctree.findall(nodes.section)):
        if "proof-content" in section["ids"]:  # the same id for every block of a page
            place = section.parent.index(section)
            section.parent[place : place + 1] = section.children  # replace_self would hand the id on
    for block in doctree.findall(unenumerable_node):
        title = next(block.findall(nodes.title))
        title["ids"] = []
        title.insert(0, nodes.inline("", block["realtype"].capitalize(), classes=["caption-number"]))


def keep_punctuation(app: Sphinx, doctree: nodes.document) -> None:
    """A formula and the punctuation that touches it stay on one line."""
    for formula in list(doctree.findall(nodes.math)):
        parent, place = formula.parent, formula.parent.index(formula)
        before, after = _text(parent, place - 1), _text(parent, place + 1)
        head, tail = re.search(r"[(\[“‘]+$", before), re.match(r"[,.;:!?)\]”’]+", after)
        if head is None and tail is None:
            continue
        kept = nodes.inline("", "", classes=["kept"])
        parent[place] = kept
        kept += [nodes.Text(head[0])] if head else []
        kept += formula
        kept += [nodes.Text(tail[0])] if tail else []
        if tail:
            parent[place + 1] = nodes.Text(after[tail.end() :])
        if head:
            parent[place - 1] = nodes.Text(before[: head.start()])


def _text(parent: nodes.Element, place: int) -> str:
    """The text that stands there; empty where something else, or nothing, does."""
    node = parent[place] if 0 <= place < len(parent) else None
    return node.astext() if isinstance(node, nodes.Text) else ""


def open_block(writer, node) -> None:
    writer.body.append(writer.starttag(node, "div", CLASS="admonition"))


def close_block(writer, node) -> None:
    writer.body.append("</div>\n")


def setup(app: Sphinx) -> dict:
    app.add_html_math_renderer("katex", inline_renderers=(inline, None), block_renderers=(display, None))
    app.add_node(unenumerable_node, override=True, html=(open_block, close_block))
    app.connect("doctree-read", name_blocks)
    app.connect("doctree-read", keep_punctuation)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
