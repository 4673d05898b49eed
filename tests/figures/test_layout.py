"""Captions, tick labels and step axes."""

import matplotlib.pyplot as plt
import pytest

from figures.layout import LINES, MARKERS, caption, plain_ticks, steps_axis, style


@pytest.fixture
def axes():
    fig, ax = plt.subplots()
    ax.set_xscale("log")
    yield ax
    plt.close(fig)


def labels(ax):
    ax.figure.canvas.draw()
    return [t.get_text() for t in ax.get_xticklabels()]


def test_plain_ticks(axes):
    axes.set_xlim(0.5, 20)
    plain_ticks(axes.xaxis, (0.5, 1, 10))
    assert labels(axes) == ["0.5", "1", "10"]
    assert axes.get_xticks(minor=True).size == 0


@pytest.mark.parametrize(
    ("largest", "ticks"), [(1, [1]), (8, [1, 2, 4, 8]), (64, [1, 2, 4, 8, 16, 32, 64]), (100, [1, 4, 16, 64])]
)
def test_steps_axis(axes, largest, ticks):
    steps_axis(axes, largest)
    assert axes.get_xticks().tolist() == ticks
    assert axes.get_xlabel() == "steps N"


def test_caption_is_wrapped_to_the_width_of_the_figure(axes):
    caption(axes.figure, "claims: c · exact")
    assert axes.figure.get_supxlabel() == "claims: c · exact"
    long = ", ".join(f"a-long-claim-id-{k}" for k in range(20))
    caption(axes.figure, long)
    lines = axes.figure.get_supxlabel().split("\n")
    assert " ".join(lines) == long
    assert len(lines) > 1
    axes.figure.canvas.draw()
    assert axes.figure._supxlabel.get_window_extent().x1 <= axes.figure.bbox.x1


def test_styles_differ():
    assert len(set(MARKERS)) == len(MARKERS) == len(LINES) == len({str(line) for line in LINES})
    assert style(1) == {"color": "C1", "marker": MARKERS[1], "linestyle": LINES[1]}
    assert style(len(LINES))["linestyle"] == LINES[0]
