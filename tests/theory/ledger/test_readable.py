"""Derivations in the form that GitHub shows: the same statements, an anchor and a name above each block."""

import re

import pytest

from theory.ledger import readable
from theory.ledger.claims import TOPICS
from theory.ledger.readable import committed_forms, derivations, dressed, main, plain
from theory.ledger.statements import BLOCK, statements

PLAIN = """# Topic

:::{prf:theorem} First $x$ (again)
:label: one

A line, see {prf:ref}`two` and {prf:ref}`far`.
:::

::::{prf:conjecture}
:class: dropdown
:label: two

:::{note}
inside
:::
::::

:::{prf:proof}
Text. **Lemma.**
:::
"""
DRESSED = """# Topic

<a id="one"></a>**Theorem (First $x$ (again)).**
<!-- :::{prf:theorem} First $x$ (again)
:label: one -->

A line, see [`two`](#two) and [`far`](../other/derivation.md#far).
<!-- ::: -->

<a id="two"></a>**Conjecture.**
<!-- ::::{prf:conjecture}
:class: dropdown
:label: two -->

:::{note}
inside
:::
<!-- :::: -->

*Proof.*
<!-- :::{prf:proof} -->
Text. **Lemma.**
<!-- ::: -->
"""
PAGES = {"far": "../other/derivation.md"}


def test_both_ways():
    assert dressed(PLAIN, PAGES) == DRESSED
    assert plain(DRESSED) == PLAIN
    assert plain(PLAIN) == PLAIN
    assert dressed(DRESSED, PAGES) == DRESSED


def test_a_changed_title_changes_the_name_above():
    changed = DRESSED.replace("{prf:theorem} First $x$ (again)", "{prf:lemma} Second")
    assert '<a id="one"></a>**Lemma (Second).**\n' in dressed(changed, PAGES)
    assert "First" not in dressed(changed, PAGES)


def test_an_open_block_is_named():
    with pytest.raises(ValueError, match=r"^line 3: the block 'T' is not closed by :::$"):
        dressed("# A\n\n:::{prf:theorem} T\n:label: t\n\ntext\n")


def test_every_committed_derivation_is_in_this_form():
    """Otherwise: python -m theory.ledger.readable."""
    assert len(committed_forms()) == len(TOPICS)
    assert [path.parent.name for path, text in committed_forms().items() if path.read_text() != text] == []


def test_every_block_has_an_anchor_where_the_ledger_links():
    """The ledger links derivation.md#label; on GitHub nothing of a fence is left."""
    for path in derivations():
        text = path.read_text(encoding="utf-8")
        anchors = re.findall(r'<a id="([^"]+)"></a>\*\*', text)
        assert anchors == list(statements(path.parent.name)), path
        shown = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
        assert "{prf:" not in shown, path
        assert not re.search(r"^:::", shown, re.MULTILINE), path
        assert len(BLOCK.findall(plain(text))) == text.count("{prf:"), path


def test_the_module_rewrites_once(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(readable, "THEORY", tmp_path)
    for name, text in (("topic", PLAIN), ("other", ":::{prf:theorem} F\n:label: far\n\nx\n:::\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "derivation.md").write_text(text)
    assert main() == 0
    assert (tmp_path / "topic" / "derivation.md").read_text() == DRESSED
    assert capsys.readouterr().out.count("rewritten") == 2
    assert main() == 0
    assert capsys.readouterr().out == ""
    (tmp_path / "other" / "derivation.md").write_text(":::{prf:theorem} F\n")
    assert main() == 2
    assert "other/derivation.md: line 1: the block 'F' is not closed by :::" in capsys.readouterr().err
