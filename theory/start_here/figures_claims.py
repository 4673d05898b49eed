"""The claim graph: which claim uses which, coloured by verdict."""

import json
from collections.abc import Mapping

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from figures import ROOT
from figures.layout import Drawn
from figures.registry import figure
from theory.ledger.claims import TOPICS, Claim, load_claims
from theory.ledger.report import TITLES

COLOURS = {
    "holds": ("#3f90da", "o"),
    "sharpened": ("#832db6", "D"),
    "holds with condition": ("#ffa90e", "s"),
    "conjecture, consistent": ("#92dadd", "v"),
    "fails as stated": ("#bd1f01", "X"),
    "construction shown": ("#717581", "^"),
    "other": ("black", "P"),
}


ACROSS = 4  # topics side by side
VERDICTS = ROOT / "theory" / "verdicts.json"


@figure("claim-graph", claims=(), kind="exact", note="verdicts as committed", topic="start_here")
def committed(results) -> Drawn:
    """Every claim of the suite, by topic and coloured by verdict, with an arrow to each claim that it uses."""
    claims, verdicts = load_claims(), json.loads(VERDICTS.read_text(encoding="utf-8"))
    told = {i: {"verdict": verdicts.get(i, {}).get("verdict", "-"), "uses": list(c.uses)} for i, c in claims.items()}
    return claim_graph(claims, verdicts), told


def claim_graph(claims: Mapping[str, Claim], verdicts: Mapping[str, Mapping]) -> Figure:
    """One list per topic, four topics side by side, an arrow from each claim to the ones it uses."""
    topics = [t for t in TOPICS if any(c.topic == t for c in claims.values())]
    place, heads, top = {}, {}, 0
    for first in range(0, len(topics), ACROSS):
        deepest = 0
        for column, topic in enumerate(topics[first : first + ACROSS]):
            own = [c for c in claims.values() if c.topic == topic]
            heads[topic] = (column, top)
            place |= {claim.id: (column, top - 1 - row) for row, claim in enumerate(own)}
            deepest = max(deepest, len(own))
        top -= deepest + 2.5
    columns = min(ACROSS, max(1, len(topics)))
    fig, ax = plt.subplots(figsize=(3.3 * columns, 0.235 * -top + 0.6))
    for claim in claims.values():
        for used in claim.uses:
            _arrow(ax, place[claim.id], place[used])
    for verdict, (colour, marker) in COLOURS.items():
        known = [verdicts.get(i, {}).get("verdict", "other") for i in claims]
        own = [p for p, v in zip(place.values(), _in_order(place, claims, known), strict=True) if v == verdict]
        if own:
            ax.scatter(*zip(*own, strict=True), c=colour, marker=marker, s=40, label=verdict, zorder=3)
    behind = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.6}
    for name, (x, y) in place.items():
        ax.text(x + 0.06, y, name, fontsize=8.5, va="center", bbox=behind, zorder=2)
    for topic, (x, y) in heads.items():
        ax.text(x - 0.02, y, TITLES[topic], fontsize=10.5, weight="bold", va="center", bbox=behind, zorder=2)
    ax.set_xlim(-0.3, columns - 0.25)
    ax.set_ylim(top + 0.5, 1)
    ax.axis("off")
    ax.legend(loc="lower right", ncols=1, fontsize=9.5)
    return fig


def _in_order(place, claims, known):
    by_id = dict(zip(claims, known, strict=True))
    return [by_id[i] if by_id[i] in COLOURS else "other" for i in place]


def _arrow(ax, start, end) -> None:
    within = start[0] == end[0] and abs(start[1] - end[1]) < 30
    style = {"arrowstyle": "-|>", "color": "0.55" if within else "0.75", "lw": 0.8, "shrinkA": 4, "shrinkB": 4}
    bend = -0.25 if within else 0.1
    ax.annotate("", end, start, arrowprops={**style, "connectionstyle": f"arc3,rad={bend}"}, zorder=1)
