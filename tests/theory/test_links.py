"""Links of the ledger: whatever is missing is named, on both ends."""

import pytest

from figures import registry
from figures.registry import Entry
from theory import links
from theory.claims import Claim, load_claims
from theory.ledger import available_topics, load_topic
from theory.registry import REGISTRY, Registered, decide, not_claimed_tight

CLAIM = Claim("claim-x", "energy", "p", "w", "s", "ours", "ours", (), "claim-x", "03-energy")
PICTURE = Entry("picture", print, ("claim-x",), "exact")


def mentions(results):
    """claim-x: a check that names its claim."""
    return decide(True, 1)


def silent(results):
    return decide(True, 1)


@pytest.fixture
def house(tmp_path, monkeypatch):
    """A small repository in which every link of CLAIM is whole."""
    monkeypatch.setattr(links, "ROOT", tmp_path)
    monkeypatch.setattr(REGISTRY, "entries", [Registered("claim-x", "check", "rational", mentions, "energy")])
    monkeypatch.setattr(REGISTRY, "not_tight", {})
    monkeypatch.setitem(registry.FIGURES, "picture", PICTURE)
    for path in ("theory/energy.md", "notebooks/03-energy.ipynb", "figures/out/picture.json"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(
            ":::{prf:theorem} T\n:label: claim-x\n:::\n:::{prf:definition} D\n:label: def-d\n:::\n"
        )
    return tmp_path


def test_whole_links(house):
    assert links.broken_links({"claim-x": CLAIM}) == []
    assert links.labels("energy") == {"claim-x", "def-d"}
    assert links.labels("variance") == set()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("theory/energy.md", "claim-x: theory/energy.md has no label 'claim-x'"),
        ("notebooks/03-energy.ipynb", "claim-x: no notebook '03-energy'"),
        ("figures/out/picture.json", "claim-x: no figure 'picture'"),
    ],
)
def test_missing_ends_are_named(house, path, message):
    (house / path).unlink()
    assert links.broken_links({"claim-x": CLAIM}) == [message]


def test_a_claim_is_shown_or_says_why_not(house, monkeypatch):
    claim = {"claim-x": CLAIM}
    monkeypatch.setitem(registry.WITHOUT, "claim-x", "a number")
    assert links.broken_links(claim) == ["claim-x: no_figure, but picture shows it"]
    del registry.FIGURES["picture"]
    assert links.broken_links(claim) == []
    del registry.WITHOUT["claim-x"]
    assert links.broken_links(claim) == ["claim-x: no figure shows it, and no_figure gives no reason"]


def test_a_label_without_a_claim(house):
    (house / "theory/energy.md").write_text(":label: claim-x\n:label: stray\n")
    assert links.broken_links({"claim-x": CLAIM}) == ["theory/energy.md: label 'stray' belongs to no claim"]


def test_a_check_that_never_mentions_its_claim(house):
    REGISTRY.entries.append(Registered("claim-x", "control", "rational", silent, "energy"))
    assert links.broken_links({"claim-x": CLAIM}) == ["claim-x: silent never mentions its claim"]


def test_functions_for_no_claim(house):
    REGISTRY.entries.append(Registered("ghost", "check", "rational", mentions, "energy"))
    not_claimed_tight("phantom", "an identity")
    assert links.broken_links({"claim-x": CLAIM}) == [
        "ghost: functions are registered for it, but claims.toml has no such claim",
        "phantom: functions are registered for it, but claims.toml has no such claim",
    ]


def test_the_committed_derivations_and_mentions():
    """Notebooks are checked by the run itself; labels, mentions and figures hold at any time."""
    topics = [t for t in available_topics() if (links.ROOT / "theory" / f"{t}.md").exists()]
    for topic in topics:
        load_topic(topic)
    claims = {i: c for i, c in load_claims().items() if c.topic in topics}
    ours = [line for line in links.broken_links(claims) if "no notebook" not in line]
    assert [line for line in ours if "but claims.toml has no such claim" not in line] == []
