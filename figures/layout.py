"""Small pieces every figure shares: the caption, markers and lines, notes, ticks."""

import textwrap
from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

Drawn = tuple[Figure, Mapping]  # what a draw function returns: the figure, and the data that it draws

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<")
LINES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)), (0, (8, 2)), (0, (5, 1, 1, 1, 1, 1)))
GREY = "0.45"
LETTERS_PER_INCH = 19  # of the caption's font


def style(k: int) -> dict:
    """Colour, marker and line of the k-th series: all three differ, so that none is needed to tell two apart."""
    return {"color": f"C{k}", "marker": MARKERS[k % len(MARKERS)], "linestyle": LINES[k % len(LINES)]}


def caption(fig: Figure, text: str) -> None:
    """The foot of a figure, small and grey, wrapped to its width."""
    lines = textwrap.wrap(text, int(LETTERS_PER_INCH * fig.get_figwidth()), break_on_hyphens=False)
    fig.supxlabel("\n".join(lines), fontsize=7, color=GREY, x=0.01, ha="left")


def note(ax: Axes, text: str, at, offset) -> None:
    """Small label on a light patch, readable on any colour."""
    patch = {"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.75}
    ax.annotate(text, at, offset, textcoords="offset points", fontsize=8, bbox=patch)


def plain_ticks(axis, values) -> None:
    """Whole or short decimal tick labels on a logarithmic axis, instead of powers of ten."""
    axis.set_major_locator(FixedLocator(list(values)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))


def steps_axis(ax: Axes, largest: int, label: str = "steps N") -> None:
    """Powers of two (of four beyond 64) up to `largest` on the x axis."""
    factor = 2 if largest <= 64 else 4
    ticks, value = [], 1
    while value <= largest:
        ticks.append(value)
        value *= factor
    plain_ticks(ax.xaxis, ticks)
    ax.set_xlabel(label)
