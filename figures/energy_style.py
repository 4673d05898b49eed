"""Line styles, labels and the claims at the foot of the energy figures."""

from matplotlib.figure import Figure

STYLES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)), (0, (8, 2)), (0, (3, 1, 1, 1)))


MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<")


def foot(fig: Figure, text: str) -> None:
    fig.supxlabel(text, fontsize=7, color="0.45", x=0.01, ha="left")


def note(axis, text: str, at, offset) -> None:
    """Small label on a light patch, readable on any colour."""
    patch = {"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.75}
    axis.annotate(text, at, offset, textcoords="offset points", fontsize=8, bbox=patch)
