"""Captions, tick labels and step axes."""

import re

import matplotlib.pyplot as plt
import pytest

from figures.layout import LINES, MARKERS, caption, plain_ticks, sources, steps_axis
from figures.save import ROOT


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


def test_caption(axes):
    caption(axes.figure, "claims: c · exact")
    assert axes.figure.get_supxlabel() == "claims: c · exact"


def test_styles_differ():
    assert len(set(MARKERS)) == len(MARKERS) >= 6
    assert len({str(line) for line in LINES}) == len(LINES) >= 6


def test_sources_are_the_modules_that_a_topic_imports():
    """Every module of theory and figures that a figure module reaches by imports and that bears the topic's name."""
    for topic in ("any_process", "energy", "entropy_bound", "learned_order", "variance"):
        listed = set(sources(topic))
        assert {f"theory/{topic}.py", f"figures/{topic}.py"} < listed
        for name in listed:
            found = re.findall(rf"^from (theory|figures)\.({topic}\w*) import", (ROOT / name).read_text(), re.MULTILINE)
            assert {f"{folder}/{module}.py" for folder, module in found} <= listed
