"""The claim graph shows every claim, every use, and its verdict by colour and marker."""

from dataclasses import replace

import matplotlib.pyplot as plt
import pytest
from matplotlib.colors import to_hex
from matplotlib.text import Annotation

from theory.ledger.claims import Claim, load_claims
from theory.ledger.report import GOOD
from theory.start_here.figures_claims import COLOURS, claim_graph

ONE = Claim("one", "energy", paper="this suite", where="w", form="ours", prior="ours")
CLAIMS = {"one": ONE, "two": replace(ONE, id="two", topic="variance", uses=("one",)), "three": replace(ONE, id="three")}


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def shown(fig):
    return [t.get_text() for t in fig.axes[0].texts if not isinstance(t, Annotation)]


def arrows(fig):
    return [t for t in fig.axes[0].texts if isinstance(t, Annotation)]


def test_claims_uses_and_colours():
    verdicts = {"one": {"verdict": "holds"}, "two": {"verdict": "fails as stated"}}
    fig = claim_graph(CLAIMS, verdicts)
    assert set(shown(fig)) == {*CLAIMS, "Energy", "Training variance"}
    assert len(arrows(fig)) == 1
    points = {tuple(c.get_offsets()[0].tolist()): to_hex(c.get_facecolor()[0]) for c in fig.axes[0].collections}
    assert points == {
        (0.0, -1.0): COLOURS["holds"][0],  # a list starts one line below its title
        (0.0, -2.0): to_hex("black"),
        (1.0, -1.0): COLOURS["fails as stated"][0],
    }


def test_every_verdict_has_its_own_look():
    assert set(GOOD) < set(COLOURS)
    assert (
        len({colour for colour, _ in COLOURS.values()})
        == len({marker for _, marker in COLOURS.values()})
        == len(COLOURS)
    )


def test_the_committed_claims_are_all_drawn():
    claims = load_claims()
    fig = claim_graph(claims, {i: {"verdict": "holds"} for i in claims})
    assert set(claims) <= set(shown(fig))
    assert len(arrows(fig)) == sum(len(c.uses) for c in claims.values())
