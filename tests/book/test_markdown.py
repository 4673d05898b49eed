"""From the repository's Markdown to the book's."""

import re

import pytest
from markdown_it import MarkdownIt

from book.markdown import displays, links, plain_text, references, title_text
from theory.ledger.claims import load_claims


def test_displays_stand_on_their_own_lines():
    assert displays("so\n$$x=1.$$\nThen") == "so\n\n$$\nx=1.\n$$\n\nThen"
    assert displays("so $$x=1$$, then") == "so\n\n$$\nx=1,\n$$\n\nthen"
    assert displays("so\n\n$$\nx\n=1\n$$\n\nThen") == "so\n\n$$\nx\n=1\n$$\n\nThen"
    assert displays("```\nprice $$5$$\n```\n") == "```\nprice $$5$$\n```\n"


def test_displays_twice_is_once():
    text = "a\n$$x$$\nb $$y$$.\n"
    assert displays(displays(text)) == displays(text)


def test_links_land_where_the_book_holds_the_page():
    def at(text, page="theory/energy/derivation.md"):
        return links(text, "theory/energy/derivation.md", page)

    assert at("[n](../notation.md)") == "[n](../notation.md)"
    assert at("[n](../notation.md)", "topics/energy.md") == "[n](../theory/notation.md)"
    assert at("[c](../LEDGER.md#game-number)") == "[c](../../claims/game-number.md)"
    assert at("[x](https://a.b/c.md) [y](#here)") == "[x](https://a.b/c.md) [y](#here)"
    assert at("[the runner](../../notebooks/run.py)") == "the runner"
    assert at("[notebooks/run.py](../../notebooks/run.py)") == "`notebooks/run.py`"
    assert at("in `theory/notation.md` and `theory/energy/results.py`") == (
        "in [`theory/notation.md`](../notation.md) and `theory/energy/results.py`"
    )


def test_references_are_titles_and_unknown_ones_stay():
    claims = load_claims()
    stays = "{prf:ref}`no-such-claim`, `no-claim`\n```\n`bisection-exact`\n```\n"
    linked = references(f"by `bisection-exact` and {{prf:ref}}`bisection-exact`, {stays}", claims)
    assert linked.count("{prf:ref}`Bisection <bisection-exact>`") == 2
    assert linked.endswith(stays)


TEXTS = ["a*b*c", "x_1 <= |y|", "$x$ \\ {z}", "# no heading", "1. no list", "`code`", "[a](b) <i>", "--"]


@pytest.mark.parametrize("text", TEXTS)
def test_any_text_shows_itself(text):
    html = MarkdownIt("commonmark").render(plain_text(text))
    shown = re.sub(r"&(lt|gt|amp|quot);", lambda m: {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}[m[1]], html)
    assert shown == f"<p>{text}</p>\n"


def test_titles_without_mathematics():
    assert title_text(r"A density of $t$, $4\times4$") == "A density of t, 4times4"
