"""The topic's figures: all written, byte-stable, and drawn from the results they name."""

import json

import numpy as np
import pytest
from entropy_bound_results import smoke_results

from figures import entropy_bound as figures
from theory.claims import load_claims

NAMES = {"fronts", "trace", "steps", "speedup", "decomposition"}


@pytest.fixture(scope="module")
def results():
    return smoke_results()


@pytest.fixture(scope="module")
def written(results, tmp_path_factory):
    folder = tmp_path_factory.mktemp("figures")
    figures.save_all(results, folder, {"profile": "smoke"}, 0)
    return folder


def test_all_figures_with_known_claims(written):
    known = load_claims()
    names = {path.stem.removeprefix("entropy-bound-") for path in written.glob("*.json")}
    assert names == NAMES
    for path in written.glob("*.json"):
        record = json.loads(path.read_text())
        assert record["kind"] == "exact"
        assert record["claims"]
        assert set(record["claims"]) <= set(known)
        assert path.with_suffix(".png").stat().st_size > 10_000


def test_bytes_are_stable(results, written, tmp_path):
    again = figures.save_all(results, tmp_path, {"profile": "smoke"}, 0, only=("entropy-bound-steps",))
    assert len(again) == 1
    svg = again[0].with_suffix(".svg")
    assert svg.read_bytes() == (written / svg.name).read_bytes()
    first, second = (json.loads(path.read_text()) for path in (written / again[0].name, again[0]))
    for record in (first, second):
        del record["code"]  # a hash of the library's files, not of what is drawn
    assert first == second


def test_points_of_the_front_panel_are_the_curves(results):
    fig = figures.fronts(results)
    case, ax = results.cases[0], fig.axes[0]
    drawn = [line.get_xdata() for line in ax.get_lines()]
    for curve in case.curves:
        assert any(len(x) == len(curve.calls) and (np.asarray(x) == curve.calls).all() for x in drawn)
