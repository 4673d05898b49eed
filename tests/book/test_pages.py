"""The pages, from the committed figures and without notebooks: one for each claim, from where its facts stand."""

import inspect
import re

import pytest

from book import ROOT, BookError, api_pages, derivation_pages, front, sources
from book.bibtex import of_claim
from theory.ledger import statements as statements_module
from theory.ledger.claims import TOPICS, load_claims
from theory.ledger.outcomes import recorded
from theory.ledger.registry import REGISTRY
from theory.ledger.statements import statement_of

CLAIMS = load_claims()


@pytest.fixture(scope="module")
def pages():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources, "read_notebooks", lambda folder: {})
        return sources.pages(ROOT / "figures" / "out")


def test_every_claim_has_its_page(pages):
    """Statement, source, numbers, every control with what it found, figures, code and how to cite."""
    found = recorded()
    for claim in CLAIMS.values():
        page = pages[f"claims/{claim.id}.md"]
        block = statement_of(claim.topic, claim.id)
        assert f"\n# {block.title}\n" in page
        assert claim.prior in page
        assert claim.quotation in page
        assert f"derivation.html#{claim.id}" in page
        controls = page.split("## Controls")[1].split("## Figures")[0]
        rejected = sum(ran["role"] == "control" for ran in found[claim.id]["ran"])
        assert controls.count("REFUTED") == rejected > 0, claim.id
        assert page.count("<details") == sum(inspect.isroutine(e.function) for e in REGISTRY.of(claim.id)), claim.id
        assert '<figure class="shown"' in page or "No figure shows it: " in page
        assert of_claim(claim, block) in page


def test_a_statement_is_the_text_of_its_block(pages):
    """Word by word, up to where formulas and references stand."""
    for claim in CLAIMS.values():
        page = pages[f"claims/{claim.id}.md"]
        shown = page.split(":class: statement\n")[1].split("\n::::::\n")[0]
        block = statement_of(claim.topic, claim.id)
        stated = re.sub(r"\{prf:ref\}`[^`]*`|`[^`]*`", "", block.text)
        shown = re.sub(r"\[[^\]]*\]\([\w-]+\.md\)|`[^`]*`", "", shown)
        assert re.sub(r"[\s$.,;:]", "", shown) == re.sub(r"[\s$.,;:]", "", stated), claim.id


def test_the_ledger_names_every_claim(pages):
    rows = [line for line in pages["ledger.md"].splitlines() if line.startswith("| [")]
    assert [re.search(r"`([\w-]+)` \|", row)[1] for row in rows] == list(CLAIMS)
    assert sum(pages["graph.md"].count(f'href="claims/{name}.html"') for name in CLAIMS) == len(CLAIMS)
    assert pages["graph.md"].count("<path ") == sum(len(claim.uses) for claim in CLAIMS.values())


def test_corrections_are_what_did_not_simply_hold(pages):
    """Their names, once each."""
    found = recorded()
    wanted = {name for name in CLAIMS if found[name]["verdict"] not in ("holds", "construction shown")}
    assert set(re.findall(r"\]\(claims/([\w-]+)\.md\)", pages["corrections.md"])) == wanted
    assert len(wanted) >= 20


def test_every_public_name_is_described(pages):
    for subject in ("", *api_pages.SUBJECTS):
        page = pages[f"api/{subject or 'top'}.md"]
        for name in api_pages.names(subject):
            assert page.count(f'id="{api_pages.dotted(subject, name)}"') == 1, name
    assert "KL(q || p)" in pages["api/top.md"].replace("\\", "")


def test_glossary_words_lead_to_their_names():
    assert api_pages.anchor_of("tm.marginal_kl") == "api/top.html#tm.marginal_kl"
    assert api_pages.anchor_of("tm.LinearCode.marginals") == "api/top.html#tm.LinearCode"
    assert api_pages.anchor_of("tm.rules.GridReveal") == "api/rules.html#tm.rules.GridReveal"
    assert api_pages.anchor_of("tm.nothing") == ""


def test_the_front_page_answers(pages):
    """Every question leads to pages that exist; the page that moves is linked when it is there."""
    front_page = pages["index.md"]
    for question in front.questions(CLAIMS):
        assert question["ask"].replace("'", "&#x27;") in front_page
        for place in [f"claims/{name}.html" for name in question["claims"]] + [way[1] for way in question["more"]]:
            path = place.split("#")[0].replace(".html", ".md")
            assert path in pages or path.startswith("notebooks/"), place
    assert ("page/index.html" in front_page) == (ROOT / "book" / "page" / "index.html").exists()


def test_a_question_about_no_claim(monkeypatch, tmp_path):
    text = '[[question]]\nask = "Why?"\nanswer = ""\nclaims = ["no-claim"]\nmore = []\n'
    (tmp_path / "questions.toml").write_text(text)
    monkeypatch.setattr(front, "BOOK", tmp_path)
    with pytest.raises(BookError, match=r"^questions\.toml, 'Why\?': no claim 'no-claim'$"):
        front.questions(CLAIMS)


PAGE = """# Energy: a page

:::{prf:theorem} First
:label: claim-x

Text.
:::

*Proof.* Short. $\\square$

:::{prf:theorem} Second
:label: claim-y

Text.
:::

A remark, no proof.

:::{prf:observation} Measured
:label: claim-z

Text.
:::
"""


@pytest.fixture
def derivation(tmp_path, monkeypatch):
    monkeypatch.setattr(statements_module, "THEORY", tmp_path)
    (tmp_path / "energy").mkdir()
    path = tmp_path / "energy" / "derivation.md"
    path.write_text(PAGE)
    return path


def test_a_theorem_without_a_proof(derivation):
    assert derivation_pages.unproved("energy") == [
        "claim claim-y: theory/energy/derivation.md has no proof below its theorem"
    ]
    derivation.write_text(PAGE.replace("A remark, no proof.", ":::{prf:proof}\nText.\n:::"))
    assert derivation_pages.unproved("energy") == []


def test_a_claim_without_a_block(derivation):
    claim = next(claim for claim in CLAIMS.values() if claim.topic == "energy")
    assert derivation_pages.claims_without_block({claim.id: claim}) == [
        f"claim {claim.id}: theory/energy/derivation.md has no block labelled '{claim.id}'"
    ]


def test_defects_stop_the_pages(derivation):
    """All claims whose blocks are gone are named at once."""
    with pytest.raises(BookError) as told:
        sources.pages(ROOT / "figures" / "out")
    assert str(told.value).count("has no block labelled") == len(CLAIMS)


def test_blocks_carry_their_verdict():
    found = {"claim-x": {"verdict": "holds with condition", "shown": "holds with condition", "tier": "rational"}}
    claims = {"claim-x": next(iter(CLAIMS.values()))}
    page = derivation_pages.with_verdicts(PAGE + "\n:::{prf:proof}\nText.\n:::\n", claims, found, "here")
    assert (
        ":::{prf:theorem} First\n:label: claim-x\n:nonumber:\n\nText.\n\n"
        '<p class="told"><a class="chip holds-with-condition" href="../../claims/claim-x.html">'
        "holds with condition · rational</a> <code>claim-x</code></p>\n:::\n"
    ) in page
    assert page.endswith("\n*Proof.* Text.\n\n")
    with pytest.raises(BookError, match=r"^here: the block 'T' is not closed by :::$"):
        derivation_pages.with_verdicts(":::{prf:theorem} T\n", claims, found, "here")


def test_topics_are_those_of_the_ledger(pages):
    assert {name.split("/")[1] for name in pages if name.startswith("topics/")} == {f"{topic}.md" for topic in TOPICS}


def test_the_opening_is_the_readmes():
    readme = (
        "# Heading\n\n![moving](figures/sampler.gif)\n\nFirst *words*.\n\nMore.\n\n"
        "<!-- findings -->\n| a |\n|---|\n"
        "| [x](theory/energy/derivation.md#claim-x) [f](figures/out/f.png) |\n<!-- /findings -->\n"
    )
    assert front.opening(readme, {}) == (
        "Heading",
        "First *words*.",
        '<figure class="shown"><img src="figures/sampler.gif" alt="moving"></figure>\n',
        '| a |\n|---|\n| [x](claims/claim-x.md) <a href="figures/f.png">f</a> |',
    )
