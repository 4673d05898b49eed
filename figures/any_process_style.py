"""Line styles and the claims at the foot of the any-process figures."""

from matplotlib.figure import Figure

MARKS = ("o", "s", "^", "D", "v", "P", "X")


LINES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (1, 1)), (0, (3, 1, 1, 1)))


GREY = "0.45"


def foot(fig: Figure, claims: str) -> None:
    fig.supxlabel(f"claims: {claims}", fontsize=7, color=GREY, x=0.01, ha="left")


def style(k: int) -> dict:
    return {"color": f"C{k}", "marker": MARKS[k % len(MARKS)], "linestyle": LINES[k % len(LINES)]}
