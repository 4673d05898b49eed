"""Figures are written whole, the same bytes each time, with a record of what was drawn."""

import json
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest

import figures.save as module
from figures import ROOT, STYLE
from figures.registry import Entry
from figures.save import code_hash, dependencies, plain, save
from toy_models import files


def draw():
    with plt.style.context(STYLE):
        fig, ax = plt.subplots()
        ax.plot([0, 1, 2], [0, 1, 4], marker="o", label="squares")
        ax.legend()
    return fig


def picture(results):
    """Squares."""


def store(out, name="picture", data=None, **changes):
    entry = Entry(name, picture, **({"claims": ("c",), "kind": "exact"} | changes))
    return save(entry, draw(), {"x": np.arange(3)} if data is None else data, out, {"profile": "smoke"}, 0)


def contents(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir()}


def test_bytes_repeat(tmp_path):
    store(tmp_path / "a")
    store(tmp_path / "b")
    first, second = contents(tmp_path / "a"), contents(tmp_path / "b")
    assert set(first) == {"picture.svg", "picture.png", "picture.json"}
    assert first == second
    assert store(tmp_path / "c", data={"x": [0, 1, 3]}).read_bytes() != first["picture.json"]


def test_record(tmp_path):
    record = json.loads(store(tmp_path, accuracy={"x": 1e-6}).read_text())
    assert record["data"] == {"x": [0, 1, 2]}
    assert (record["claims"], record["kind"], record["seed"]) == (["c"], "exact", 0)
    assert (record["alt"], record["needs"], record["accuracy"]) == ("Squares.", None, {"x": 1e-6})
    assert record["parameters"] == {"profile": "smoke"}
    assert record["versions"]["numpy"] == np.__version__
    assert record["code"] == code_hash(dependencies(Path(__file__))) != code_hash()
    assert "Squares." in (tmp_path / "picture.svg").read_text()


def test_dependencies_are_followed_by_their_imports():
    """A draw module, the experiments it reads, what those import; no other topic's, and no library module twice."""
    found = {p.relative_to(ROOT).as_posix() for p in dependencies(ROOT / "theory" / "energy" / "figures_targets.py")}
    assert {
        "theory/energy/figures_targets.py",
        "figures/layout.py",
        "figures/mdm.mplstyle",
        "theory/energy/results.py",
    } <= found
    assert {"theory/energy/schedules.py", "theory/energy/toy.py"} <= found
    assert not any("variance" in name or name.startswith("toy_models") for name in found)


def test_figures_are_closed(tmp_path):
    before = len(plt.get_fignums())
    store(tmp_path)
    assert len(plt.get_fignums()) == before


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"data": {"x": object()}}, TypeError),
        ({"accuracy": {"y": 1e-6}}, ValueError),
        ({"accuracy": {"x": 1e-9}}, ValueError),
    ],
)
def test_a_figure_that_cannot_be_told_leaves_nothing(tmp_path, changes, error):
    with pytest.raises(error):
        store(tmp_path, **changes)
    assert list(tmp_path.iterdir()) == []
    plt.close("all")


def test_a_failed_drawing_leaves_the_old_figure(tmp_path, monkeypatch):
    store(tmp_path)
    before = contents(tmp_path)

    def torn(self, target, **options):
        target.write(b"half a picture")
        raise KeyboardInterrupt

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", torn)
    with pytest.raises(KeyboardInterrupt):
        store(tmp_path, data={"x": 5})
    plt.close("all")
    assert contents(tmp_path) == before


def test_a_killed_write_leaves_no_part(tmp_path):
    target = tmp_path / "page.txt"
    target.write_text("old")

    def torn(path):
        path.write_text("ne")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        files.write_aside(target, torn)
    assert contents(tmp_path) == {"page.txt": b"old"}
    files.write_aside(target, lambda path: path.write_text("new"))
    assert contents(tmp_path) == {"page.txt": b"new"}


def test_a_kill_while_writing_leaves_no_json(tmp_path, monkeypatch):
    """The JSON is what the comparison reads: it is renamed into place last."""

    def killed(target, write):
        if target.suffix == ".png":
            raise KeyboardInterrupt
        files.write_aside(target, write)

    monkeypatch.setattr(module, "write_aside", killed)
    with pytest.raises(KeyboardInterrupt):
        store(tmp_path)
    assert set(contents(tmp_path)) == {"picture.svg"}


@dataclass
class Point:
    x: np.ndarray
    y: float


def test_plain():
    value = {"p": Point(np.array([1.5, 2.0]), np.float64(3.0)), 1: (np.int64(2), None, "s", True), "i": np.inf}
    assert plain(value) == {"p": {"x": [1.5, 2.0], "y": 3.0}, "1": [2, None, "s", True], "i": float("inf")}
    assert type(plain(np.float64(3.0))) is float
