"""Small pieces every figure shares."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from figures.save import ROOT

MARKERS = ("o", "s", "^", "D", "v", "P", "X")
LINES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))


def sources(topic: str) -> tuple[str, ...]:
    """Code that the figures of a topic depend on, beside the library: theory/<topic>*.py and figures/<topic>*.py."""
    return tuple(
        sorted(p.relative_to(ROOT).as_posix() for f in ("theory", "figures") for p in (ROOT / f).glob(f"{topic}*.py"))
    )


def caption(fig: Figure, text: str) -> None:
    """The claim ids and the kind of data at the foot of a figure, small and grey."""
    fig.supxlabel(text, fontsize=7, color="0.45", x=0.01, ha="left")


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
