"""The claim graph: which claim uses which, coloured by verdict."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from figures import STYLE
from figures.save import save
from theory.ledger import TOPICS, Line
from theory.report import TITLES, is_red

COLOURS = {
    "holds": "#3f90da",
    "sharpened": "#832db6",
    "holds with condition": "#ffa90e",
    "fails as stated": "#bd1f01",
    "construction shown": "#717581",
}
MARKERS = {
    "holds": "o",
    "sharpened": "D",
    "holds with condition": "s",
    "fails as stated": "X",
    "construction shown": "^",
}


def claim_graph(lines: Sequence[Line]) -> Figure:
    """One column per topic, claims from top to bottom, an arc from each claim to the ones it uses."""
    topics = [t for t in TOPICS if any(line.claim.topic == t for line in lines)]
    place = {}
    for column, topic in enumerate(topics):
        own = [line for line in lines if line.claim.topic == topic]
        for row, line in enumerate(own):
            place[line.claim.id] = (column, -row)
    depth = 1 - min((y for _, y in place.values()), default=0)
    with plt.style.context(STYLE):
        fig, ax = plt.subplots(figsize=(2.5 * len(topics) + 0.6, 0.27 * depth + 1.3))
        for line in lines:
            x, y = place[line.claim.id]
            for used in line.claim.uses:
                if used in place:
                    ux, uy = place[used]
                    ax.annotate(
                        "",
                        (ux, uy),
                        (x, y),
                        arrowprops={
                            "arrowstyle": "-|>",
                            "color": "0.6",
                            "lw": 0.7,
                            "shrinkA": 4,
                            "shrinkB": 4,
                            "connectionstyle": "arc3,rad=-0.3" if ux == x else "arc3,rad=0.12",
                        },
                    )
        for verdict, colour in [*COLOURS.items(), ("red", "black")]:
            own = [x for x in lines if ("red" if is_red(x) else x.verdict) == verdict]
            if own:
                xy = [place[line.claim.id] for line in own]
                ax.scatter(
                    *zip(*xy, strict=True), c=colour, marker=MARKERS.get(verdict, "P"), s=34, label=verdict, zorder=3
                )
        for line in lines:
            x, y = place[line.claim.id]
            ax.text(x + 0.07, y, line.claim.id, fontsize=6.5, va="center")
        for column, topic in enumerate(topics):
            ax.text(column, 0.9, TITLES[topic], fontsize=9, weight="bold", va="bottom")
        ax.set_xlim(-0.2, len(topics))
        ax.set_ylim(-depth, 2)
        ax.axis("off")
        ax.legend(loc="lower center", ncols=6, bbox_to_anchor=(0.5, -0.02))
    return fig


def save_graph(lines: Sequence[Line], out_dir: Path) -> Path:
    """claim-graph.svg/png/json; an arrow points from a claim to one it uses."""
    data = {
        line.claim.id: {"verdict": line.verdict, "tier": line.tier, "uses": list(line.claim.uses)} for line in lines
    }
    claims = [line.claim.id for line in lines]
    return save(
        claim_graph(lines), "claim-graph", out_dir, data=data, claims=claims, kind="exact", parameters={}, seed=0
    )
