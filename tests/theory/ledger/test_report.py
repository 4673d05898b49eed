"""The ledger as a page, as JSON and as the README's table; differences with the committed verdicts."""

import json
from dataclasses import replace

import pytest

from theory.ledger import report
from theory.ledger.claims import TOPICS, Claim
from theory.ledger.registry import Outcome, Registered
from theory.ledger.run import Line, Ran
from theory.ledger.statements import Statement

CLAIM = Claim("c-one", "energy", paper="feng2025theoretical", where="Thm 1", form="reconstructed", prior="folklore")
REJECTED = Ran(Registered("c-one", "control", "rational", len, "energy"), Outcome("REFUTED", 1))
LINE = Line(CLAIM, "holds", "rational", 0.12345, 7, "a note", (), (REJECTED, REJECTED))
BLOCK = Statement("c-one", "theorem", "One", "Let $a|b$ as in {prf:ref}`c-two`.\n\n$$x=1$$")


@pytest.fixture(autouse=True)
def stated(monkeypatch):
    """Every claim is stated by BLOCK; one figure, `picture`, names c-one."""
    monkeypatch.setattr(report, "statement_of", lambda topic, label: BLOCK)
    monkeypatch.setattr(report, "figures_of", lambda claim: ("picture",) if claim == "c-one" else ())


def test_page():
    two = replace(
        CLAIM, id="c-two", paper="this suite", form="ours", uses=("c-one",), quotation="they say", version="v2"
    )
    page = report.ledger_markdown([LINE, replace(LINE, claim=two, margin=None, note="")])
    assert "2 claims, 4 controls rejected: 2 holds." in page
    assert "| [`c-one`](#c-one) | reconstructed | holds | rational | 0.123 | 7 | 2 |" in page
    assert (
        """
### `c-one`

One. Feng et al. 2025, arXiv 2502.09622, Thm 1, reconstructed.

> Let $a|b$ as in [`c-two`](#c-two).
>
> $$x=1$$

**holds** · prior: folklore · [proof](energy/derivation.md#c-one) · [notebook](../notebooks/03-energy.ipynb) \
· [picture](../figures/out/picture.svg)

- a note
""".replace("\\\n", "")
        in page
    )
    entry = page[page.index("### `c-two`") :]
    assert "One. this suite, Thm 1, ours." in entry
    assert "prior: folklore · uses [`c-one`](#c-one) · [proof]" in entry
    assert "- as printed (v2): they say" in entry
    assert "picture" not in entry
    assert "## Energy" in page
    assert "## Perplexity" not in page
    rows = [row for row in page.splitlines() if row.startswith("|")]
    assert {row.count("|") for row in rows} == {8}


@pytest.mark.parametrize(
    ("form", "verdict", "shown"),
    [
        ("reconstructed", "fails as stated", "fails as stated (this reading)"),
        ("reading", "fails as stated", "fails as stated (this reading)"),
        ("as published", "fails as stated", "fails as stated"),
        ("reading", "holds with condition", "holds with condition"),
    ],
)
def test_a_reading_fails_as_a_reading(form, verdict, shown):
    line = replace(LINE, claim=replace(CLAIM, form=form), verdict=verdict)
    assert f"| {form} | {shown} | rational |" in report.ledger_markdown([line])
    assert report.verdicts([line])["c-one"]["verdict"] == verdict


@pytest.mark.parametrize(
    ("tier", "margin", "shown"),
    [
        ("float64", 2.2e-16, "< 1e-12"),
        ("float64", -8.9e-16, "< 1e-12"),
        ("float64", 0.0, "< 1e-12"),
        ("float64", 2e-12, "2e-12"),
        ("float64", -0.01, "-0.01"),
        ("rational", 0.0, "0"),
        ("rational", -0.0, "0"),
        ("rational", 1e-14, "1e-14"),
        ("rational", None, ""),
    ],
)
def test_rounding_is_not_shown_as_a_margin(tier, margin, shown):
    page = report.ledger_markdown([replace(LINE, tier=tier, margin=margin)])
    assert f"| {tier} | {shown} | 7 | 2 |" in page


def test_page_names_problems():
    red = replace(LINE, verdict="error", problems=("check f raised ValueError: x",))
    page = report.ledger_markdown([red])
    assert "1 error" in page
    assert "- **check f raised ValueError: x**" in page


def test_red():
    assert not report.is_red(LINE)
    assert not report.is_red(replace(LINE, verdict="fails as stated"))
    assert report.is_red(replace(LINE, problems=("p",)))
    for verdict in ("error", "undecided", ""):
        assert report.is_red(replace(LINE, verdict=verdict))


def test_every_topic_has_a_title():
    assert tuple(report.TITLES) == TOPICS
    assert len(set(report.TITLES.values())) == len(TOPICS)


def test_written_files(tmp_path):
    tmp_path = tmp_path / "theory"
    tmp_path.mkdir()
    readme = tmp_path / "README.md"
    readme.write_text("head\n<!-- ledger -->\nstale\n<!-- /ledger -->\ntail\n")
    report.write([LINE], tmp_path, readme)
    assert json.loads((tmp_path / "verdicts.json").read_text()) == {
        "c-one": {"verdict": "holds", "tier": "rational", "controls": 2}
    }
    page = readme.read_text()
    assert page.startswith("head\n<!-- ledger -->\n| topic |")
    assert page.endswith("| 1 holds |\n<!-- /ledger -->\ntail\n")
    assert "stale" not in page
    notebook = "[03-energy](notebooks/03-energy.ipynb): Masked diffusion as energy minimisation"
    assert f"| {notebook} | [energy](theory/energy/derivation.md) | 1 | 2 | 1 holds |" in page
    first = (tmp_path / "LEDGER.md").read_bytes()
    report.write([LINE], tmp_path, readme)
    assert (tmp_path / "LEDGER.md").read_bytes() == first
    assert sorted(p.name for p in tmp_path.iterdir()) == ["LEDGER.md", "README.md", "verdicts.json"]


@pytest.fixture
def committed(tmp_path):
    path = tmp_path / "verdicts.json"
    path.write_text(json.dumps(report.verdicts([LINE])))
    return path


def test_equal_ledgers(committed):
    assert report.differences([LINE], committed) == []
    assert report.differences([replace(LINE, margin=9.0, instances=1, note="")], committed) == []


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([replace(LINE, verdict="sharpened")], ["c-one: verdict was 'holds', is 'sharpened'"]),
        ([replace(LINE, tier="float64")], ["c-one: tier was 'rational', is 'float64'"]),
        ([], ["c-one: in the committed ledger, did not run"]),
        (
            [LINE, replace(LINE, claim=replace(CLAIM, id="new"))],
            ["new: ran, but is not in the committed ledger"],
        ),
    ],
)
def test_each_difference_is_named(committed, lines, message):
    assert report.differences(lines, committed) == message


def test_no_committed_ledger(tmp_path):
    assert report.differences([LINE], tmp_path / "verdicts.json") == [
        "verdicts.json: no committed verdicts to compare with"
    ]
