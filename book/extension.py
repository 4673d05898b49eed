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


LAST = "</span>" * 3  # ends of the part, of the HTML and of the whole
STRUCTURE = re.compile(r"\\\\|\\[{}]|\\(?:qquad|left|right|begin|end)(?![A-Za-z])|[{}]")


def _formula(writer, node, tex: str, display: bool) -> str:
    try:
        return render(tex, display)
    except ValueError as problem:
        log.warning("%s in the formula %r", problem, tex, location=node)
        return ""


def inline(writer, node) -> None:
    """<span class="formula">, one formula in a line of text."""
    html = _formula(writer, node, node.astext(), False)
    if node.get("after"):  # into the last part of the formula, between which lines may break
        html = f'{html.removesuffix(LAST)}<span class="after">{node["after"]}</span>{LAST}'
    writer.body.append(f'<span class="formula">{html}</span>')
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
    """Punctuation that touches a formula goes with it: a line may break after a formula, and not before a comma."""
    for formula in doctree.findall(nodes.math):
        place = formula.parent.index(formula) + 1
        after = formula.parent[place] if place < len(formula.parent) else None
        if isinstance(after, nodes.Text) and (mark := re.match(r"[,.;:!?)\]”’]+", after.astext())):
            formula["after"] = mark[0]
            formula.parent[place] = nodes.Text(after.astext()[mark.end() :])


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
