"""Statements are read from the theorem blocks of the derivations."""

import pytest

from theory.ledger import statements
from theory.ledger.claims import TOPICS, load_claims
from theory.ledger.statements import Statement, statement_of, title_of

PAGE = """# Topic: a subtitle

:::{prf:theorem} First $x$
:label: one

A line,
$$x=1.$$
:::

::::{prf:conjecture} Second
:class: dropdown
:label: two

:::{note}
inside
:::
::::

:::{prf:proof}
No label.
:::
"""


@pytest.fixture
def page(tmp_path, monkeypatch):
    monkeypatch.setattr(statements, "THEORY", tmp_path)
    (tmp_path / "topic").mkdir()
    (tmp_path / "topic" / "derivation.md").write_text(PAGE)


def test_blocks(page):
    found = statements.statements("topic")
    assert list(found) == ["one", "two"]
    assert found["one"] == Statement("one", "theorem", "First $x$", "A line,\n$$x=1.$$")
    assert found["two"] == Statement("two", "conjecture", "Second", ":::{note}\ninside\n:::")
    assert statement_of("topic", "three") is None
    assert statements.statements("absent") == {}


def test_titles(page):
    assert title_of("topic") == "Topic"
    assert title_of("no_page") == "No page"


def test_every_committed_claim_is_stated_once():
    """Each in the derivation of its own topic, with words around its formulas, and in no other derivation."""
    places = {topic: set(statements.statements(topic)) for topic in TOPICS}
    for claim in load_claims().values():
        assert [topic for topic in TOPICS if claim.id in places[topic]] == [claim.topic], claim.id
        assert statement_of(claim.topic, claim.id).text
