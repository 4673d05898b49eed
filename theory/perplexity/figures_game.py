"""The game between random grids and languages."""

import matplotlib.pyplot as plt

from figures.layout import LINES, Drawn, plain_ticks, style
from figures.registry import figure
from theory.perplexity.results import Results


@figure(
    "perplexity-game",
    claims=("game-values", "game-number", "shifted-grid-halves", "uniform-minimax"),
    kind="exact",
    note="waits: mean over 4000 shifts; an MDS code whose curve drops at a costs (TC + DTC) times the wait there",
)
def game(results: Results) -> Drawn:
    """What a language can charge a schedule at each reveal fraction, and the worst case against the number of steps."""
    part = results.game
    fig, (left, right) = plt.subplots(1, 2, figsize=(9.8, 4.2))
    for k, (name, wait) in enumerate(part.wait.items()):
        left.plot(part.a, wait, color=f"C{k}", ls=LINES[k], label=f"{name}: worst {max(wait):.3f}")
    left.set(xlabel="reveal fraction a", ylabel="mean wait E[next(a) − a]", ylim=(0, 0.45))
    left.set_title(f"N = {part.steps}, all languages", fontsize=10)
    left.legend(fontsize=8, loc="upper right")
    rows = (
        ("uniform, fixed: 1/N", part.uniform),
        ("uniform, shifted: 1/(2(N − 1))", part.shifted),
        ("minimax: 1/m(N − 1)", part.value),
    )
    for k, (name, value) in enumerate(rows):
        right.plot(part.numbers, value * part.numbers, label=name, **style(k))
    right.axhline(0.5, color="k", lw=0.8)
    right.annotate("no random grid below N · E_N = ½", (7, 0.5), (0, -13), textcoords="offset points", fontsize=8.5)
    right.set(xlabel="slots N", ylabel="N × worst E KL / (TC + DTC)", ylim=(0.42, 1.05))
    plain_ticks(right.xaxis, part.numbers)
    right.set_title("worst case over all languages", fontsize=10)
    right.legend(fontsize=8, loc="upper right", bbox_to_anchor=(1.0, 0.93))
    fig.suptitle("The best random grid makes every reveal fraction wait alike", fontsize=11)
    return fig, {"curves": part}
