"""What became of each paper's claims: one dot per claim, and the name of every claim that did not simply hold."""

import json
from collections.abc import Mapping
from textwrap import wrap

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures import ROOT
from figures.layout import Drawn
from figures.registry import figure
from theory.ledger.claims import Claim, load_claims
from theory.ledger.references import references

COLOURS = {
    "holds": ("#3f90da", "o"),
    "sharpened": ("#832db6", "D"),
    "holds with condition": ("#c77d00", "s"),
    "conjecture, consistent": ("#0f8a8a", "v"),
    "fails as stated": ("#bd1f01", "X"),
    "construction shown": ("#717581", "^"),
    "other": ("black", "P"),
}
OWN = "this suite"
VERDICTS = ROOT / "theory" / "verdicts.json"
ACROSS, WIDE, SMALL = 24, 76, 7.8  # dots in a line, letters in a line of names and their size


@figure("claim-verdicts", claims=(), kind="exact", note="verdicts as committed", topic="start_here")
def committed(results) -> Drawn:
    """Every claim of the suite as a dot beside its paper, by verdict; those that did not simply hold by name."""
    claims, verdicts = load_claims(), json.loads(VERDICTS.read_text(encoding="utf-8"))
    told = {i: {"verdict": verdicts.get(i, {}).get("verdict", "-"), "paper": c.paper} for i, c in claims.items()}
    return claim_verdicts(claims, verdicts), told


def claim_verdicts(claims: Mapping[str, Claim], verdicts: Mapping[str, Mapping]) -> Figure:
    """Papers from top to bottom by their number of claims, our own last."""
    found = {i: verdicts.get(i, {}).get("verdict", "other") for i in claims}
    found = {i: v if v in COLOURS else "other" for i, v in found.items()}
    by_paper: dict[str, list[str]] = {}
    for claim in claims.values():
        by_paper.setdefault(claim.paper, []).append(claim.id)
    papers = sorted(by_paper, key=lambda paper: (paper == OWN, -len(by_paper[paper]), paper))
    rank = list(COLOURS)
    fig, ax = plt.subplots()
    y = 0.0
    for paper in papers:
        own = sorted(by_paper[paper], key=lambda i: (rank.index(found[i]), i))
        ax.text(-0.8, y, paper_name(paper), ha="right", va="center", fontsize=9.5)
        for k, claim in enumerate(own):
            colour, marker = COLOURS[found[claim]]
            ax.plot(k % ACROSS, y - k // ACROSS, marker=marker, color=colour, ms=6.5, ls="none")
        lines = _names([i for i in own if found[i] != "holds"], found)
        for row, line in enumerate(lines):
            _write(ax, line, y - row)
        y -= max(1 + (len(own) - 1) // ACROSS, len(lines), 1) + 0.45
    ax.set(xlim=(-9.5, ACROSS + 28), ylim=(y - 0.2, 1.0))
    fig.set_size_inches(14, 0.21 * -y + 1.3)
    ax.axis("off")
    shown = [v for v in COLOURS if v in found.values()]
    handles = [Line2D([], [], color=COLOURS[v][0], marker=COLOURS[v][1], ls="none", label=v) for v in shown]
    ax.legend(handles=handles, loc="lower right", fontsize=9.5)
    odd = sum(v != "holds" for v in found.values())
    ax.set_title(f"Of {len(found)} claims {len(found) - odd} hold; the others by name", fontsize=12)
    return fig


def paper_name(paper: str) -> str:
    """Jia et al. 2025, without the arXiv number; a paper that is no key as it stands."""
    known = references().get(paper)
    return paper if known is None else str(known).split(", arXiv")[0]


def _names(ids: list[str], found: Mapping[str, str]) -> list[list[tuple[str, str]]]:
    """Lines of (name, colour), at most WIDE letters each."""
    colour = {i: COLOURS[found[i]][0] for i in ids}
    lines = wrap("  ".join(ids), WIDE, break_on_hyphens=False, break_long_words=False)
    return [[(name, colour[name]) for name in line.split()] for line in lines]


def _write(ax, line: list[tuple[str, str]], y: float) -> None:
    """Names side by side; monospaced, so that each one's place follows from the letters before it."""
    done = 0
    for name, colour in line:
        place = (done * 0.61 * SMALL, 0)  # points: a letter of DejaVu Sans Mono is .602 of its size
        style = {"color": colour, "fontsize": SMALL, "family": "DejaVu Sans Mono", "va": "center"}
        ax.annotate(name, (ACROSS + 0.2, y), place, textcoords="offset points", **style)
        done += len(name) + 2
