"""The claim graph: which claim uses which, coloured by verdict."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from figures import STYLE
from theory.ledger import TOPICS, Claim
from theory.report import TITLES

COLOURS = {
    "holds": ("#3f90da", "o"),
    "sharpened": ("#832db6", "D"),
    "holds with condition": ("#ffa90e", "s"),
    "fails as stated": ("#bd1f01", "X"),
    "construction shown": ("#717581", "^"),
    "other": ("black", "P"),
}


def claim_graph(claims: Mapping[str, Claim], verdicts: Mapping[str, Mapping]) -> Figure:
    """One column per topic, claims from top to bottom, an arrow from each claim to the ones it uses."""
    topics = [t for t in TOPICS if any(c.topic == t for c in claims.values())]
    place = {}
    for column, topic in enumerate(topics):
        for row, claim in enumerate(c for c in claims.values() if c.topic == topic):
            place[claim.id] = (column, -row)
    depth = 1 - min((y for _, y in place.values()), default=0)
    with plt.style.context(STYLE):
        fig, ax = plt.subplots(figsize=(2.6 * len(topics) + 0.6, 0.27 * depth + 1.3))
        for claim in claims.values():
            for used in claim.uses:
                _arrow(ax, place[claim.id], place[used])
        for verdict, (colour, marker) in COLOURS.items():
            known = [verdicts.get(i, {}).get("verdict", "other") for i in claims]
            own = [p for p, v in zip(place.values(), _in_order(place, claims, known), strict=True) if v == verdict]
            if own:
                ax.scatter(*zip(*own, strict=True), c=colour, marker=marker, s=34, label=verdict, zorder=3)
        for name, (x, y) in place.items():
            ax.text(x + 0.07, y, name, fontsize=6.5, va="center")
        for column, topic in enumerate(topics):
            ax.text(column, 0.9, TITLES[topic], fontsize=9, weight="bold", va="bottom")
        ax.set_xlim(-0.35, len(topics) - 0.1)
        ax.set_ylim(-depth, 2)
        ax.axis("off")
        ax.legend(loc="lower center", ncols=6, bbox_to_anchor=(0.5, -0.02))
    return fig


def _in_order(place, claims, known):
    by_id = dict(zip(claims, known, strict=True))
    return [by_id[i] if by_id[i] in COLOURS else "other" for i in place]


def _arrow(ax, start, end) -> None:
    bend = -0.22 if start[0] == end[0] else 0.12
    style = {"arrowstyle": "-|>", "color": "0.6", "lw": 0.7, "shrinkA": 4, "shrinkB": 4}
    ax.annotate("", end, start, arrowprops={**style, "connectionstyle": f"arc3,rad={bend}"})
