"""Links of the ledger: whatever is missing is named, on both ends."""

import pytest

from figures import registry
from figures.registry import Entry
from theory.ledger import claims as claims_module
from theory.ledger import links, statements
from theory.ledger.claims import Claim, load_claims
from theory.ledger.registry import REGISTRY, Registered, check, decide, not_claimed_tight
from theory.ledger.run import available_topics, load_topic

CLAIM = Claim("claim-x", "energy", paper="chen2025energy", where="w", form="ours", prior="ours")
PAGE = """# Energy: a page

:::{prf:theorem} T
:label: claim-x

For every $x$, $x=x$.
:::

:::{prf:definition} D
:label: def-d

Text.
:::
"""


def speaks(results):
    """One equals one."""
    return decide(True, 1)


PICTURE = Entry("picture", speaks, ("claim-x",), "exact")


def silent(results):
    return decide(True, 1)


@pytest.fixture
def house(tmp_path, monkeypatch):
    """A small repository in which every link of CLAIM is whole."""
    monkeypatch.setattr(statements, "THEORY", tmp_path / "theory")
    monkeypatch.setattr(claims_module, "NOTEBOOKS", tmp_path / "notebooks")
    monkeypatch.setattr(REGISTRY, "entries", [Registered("claim-x", "check", "rational", speaks, "energy")])
    monkeypatch.setattr(REGISTRY, "not_tight", {})
    monkeypatch.setattr(links, "ROOT", tmp_path)
    monkeypatch.setitem(registry.FIGURES, "picture", PICTURE)
    files = {"theory/energy/derivation.md": PAGE, "notebooks/03-energy.ipynb": "{}", "figures/out/picture.json": "{}"}
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def test_whole_links(house):
    assert links.broken_links({"claim-x": CLAIM}) == []
    assert links.broken_links({"claim-x": CLAIM}, only=[CLAIM]) == []


@pytest.mark.parametrize("only", [None, [CLAIM]])
@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("theory/energy/derivation.md", "claim-x: energy/derivation.md has no block labelled 'claim-x'"),
        ("notebooks/03-energy.ipynb", "claim-x: topic energy has no notebook"),
        ("figures/out/picture.json", "claim-x: no figure 'picture'"),
    ],
)
def test_missing_ends_are_named_by_whole_and_partial_runs(house, path, message, only):
    (house / path).unlink()
    assert links.broken_links({"claim-x": CLAIM}, only) == [message]


def test_an_unknown_paper(house):
    claim = Claim("claim-x", "energy", paper="nobody2020", where="w", form="ours", prior="ours")
    assert links.broken_links({"claim-x": claim}) == [
        "claim-x: paper = 'nobody2020', neither 'this suite' nor a key of references.bib"
    ]


def test_a_remark_states_no_claim(house):
    (house / "theory/energy/derivation.md").write_text(PAGE.replace("prf:theorem", "prf:remark"))
    (found,) = links.broken_links({"claim-x": CLAIM})
    assert found.startswith("claim-x: its block is a remark, allowed: theorem, lemma, ")


def test_a_label_without_a_claim(house):
    (house / "theory/energy/derivation.md").write_text(PAGE.replace("def-d", "stray"))
    assert links.broken_links({"claim-x": CLAIM}) == ["energy/derivation.md: label 'stray' belongs to no claim"]
    assert links.broken_links({"claim-x": CLAIM}, only=[CLAIM]) == []


def test_a_check_that_says_nothing(house):
    """The decorator names the claim; what is decided has to be said in words, and no decorator can say it."""
    check("claim-x", tier="rational")(silent)
    assert links.broken_links({"claim-x": CLAIM}) == ["claim-x: silent does not say what it decides"]


def test_functions_for_no_claim(house):
    REGISTRY.entries.append(Registered("ghost", "check", "rational", speaks, "energy"))
    not_claimed_tight("phantom", "an identity")
    assert links.broken_links({"claim-x": CLAIM}) == [
        "ghost: functions are registered for it, but there is no such claim",
        "phantom: functions are registered for it, but there is no such claim",
    ]


def test_the_committed_links_are_whole():
    for topic in available_topics():
        load_topic(topic)
    assert links.broken_links(load_claims()) == []


def test_a_claim_is_shown_or_says_why_not(house, monkeypatch):
    claim = {"claim-x": CLAIM}
    monkeypatch.setitem(registry.WITHOUT, "claim-x", "a number")
    assert links.broken_links(claim) == ["claim-x: no_figure, but picture shows it"]
    del registry.FIGURES["picture"]
    assert links.broken_links(claim) == []
    del registry.WITHOUT["claim-x"]
    assert links.broken_links(claim) == ["claim-x: no figure shows it, and no_figure gives no reason"]
