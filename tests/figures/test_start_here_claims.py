"""The figure of verdicts shows every claim beside its paper, and names what did not simply hold."""

from dataclasses import replace

import matplotlib.pyplot as plt
import pytest
from matplotlib.colors import to_hex

from theory.ledger.claims import Claim, load_claims
from theory.ledger.report import GOOD
from theory.start_here.figures_claims import COLOURS, claim_verdicts, paper_name

ONE = Claim("one", "energy", paper="this suite", where="w", form="ours", prior="ours")
CLAIMS = {
    "one": ONE,
    "two": replace(ONE, id="two", topic="variance", paper="feng2025theoretical"),
    "three": replace(ONE, id="three", paper="feng2025theoretical"),
}


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def shown(fig):
    return [t.get_text() for t in fig.axes[0].texts]


def test_papers_dots_and_names():
    fig = claim_verdicts(CLAIMS, {"one": {"verdict": "holds"}, "two": {"verdict": "fails as stated"}})
    assert set(shown(fig)) == {"Feng et al. 2025", "this suite", "two", "three"}  # what holds has no name
    dots = [(round(line.get_xdata()[0]), to_hex(line.get_color()), line.get_marker()) for line in fig.axes[0].lines]
    assert dots == [
        (0, *COLOURS["fails as stated"]),
        (1, to_hex("black"), COLOURS["other"][1]),
        (0, *COLOURS["holds"]),
    ]
    assert fig.axes[0].get_title() == "Of 3 claims 1 hold; the others by name"


def test_every_verdict_has_its_own_look():
    assert set(GOOD) < set(COLOURS)
    colours, markers = zip(*COLOURS.values(), strict=True)
    assert len(set(colours)) == len(set(markers)) == len(COLOURS)


def test_the_committed_claims_are_all_drawn():
    claims = load_claims()
    fig = claim_verdicts(claims, {i: {"verdict": "sharpened"} for i in claims})
    assert len(fig.axes[0].lines) == len(claims)
    assert set(claims) | {paper_name(c.paper) for c in claims.values()} == set(shown(fig))
