"""The ledger as a page, as JSON and as the README's table; differences with the committed verdicts."""

import json
from dataclasses import replace

import pytest

from theory import report
from theory.claims import TOPICS, Claim
from theory.ledger import Line, Ran
from theory.registry import Outcome, Registered

CLAIM = Claim("c-one", "energy", "A | B 2025", "Thm 1", "s", "ours", "ours", (), "c-one", "03-energy")
PICTURES = {"c-one": ("picture",), "c-two": ()}
REJECTED = Ran(Registered("c-one", "control", "rational", len, "energy"), Outcome("REFUTED", 1))
LINE = Line(CLAIM, "holds", "rational", 0.12345, 7, "a note", (), (REJECTED, REJECTED))


def test_page(monkeypatch):
    monkeypatch.setattr(report, "figures_of", PICTURES.__getitem__)
    page = report.ledger_markdown([LINE, replace(LINE, claim=replace(CLAIM, id="c-two"), margin=None)])
    assert "2 claims, 4 controls rejected: 2 holds." in page
    assert (
        r"| `c-one` | A \| B 2025, Thm 1 | ours | holds | rational | 0.123 | 7 | 2 | [proof](energy.md#c-one) "
        "· [notebook](../notebooks/03-energy.ipynb) · [figure](../figures/out/picture.svg) |"
    ) in page
    assert "| `c-two` |" in page
    assert page.count("[figure]") == 1
    assert "- `c-one`: a note" in page
    assert "## Energy" in page
    assert "## Perplexity" not in page
    rows = [row.replace(r"\|", "") for row in page.splitlines() if row.startswith("|")]
    assert {row.count("|") for row in rows} == {10}


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
    assert "- `c-one`: **check f raised ValueError: x**" in page


def test_red():
    assert not report.is_red(LINE)
    assert not report.is_red(replace(LINE, verdict="fails as stated"))
    assert report.is_red(replace(LINE, problems=("p",)))
    for verdict in ("error", "undecided", ""):
        assert report.is_red(replace(LINE, verdict=verdict))


def test_every_topic_has_a_title():
    assert tuple(report.TITLES) == TOPICS


def test_written_files(tmp_path):
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
    assert "| [Energy](theory/energy.md) | 1 | 2 | 1 holds |" in page
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
