"""The topic's figures: all written, byte-stable, and drawn from the results they name."""

import json

import numpy as np
import pytest
from entropy_bound_results import smoke_results

from figures import entropy_bound as figures
from theory.ledger import load_claims

NAMES = {"fronts", "trace", "steps", "speedup", "decomposition"}


@pytest.fixture(scope="module")
def results():
    return smoke_results()


@pytest.fixture(scope="module")
def written(results, tmp_path_factory):
    folders = [tmp_path_factory.mktemp("figures") for _ in range(2)]
    for folder in folders:
        figures.save_all(results, folder, {"profile": "smoke"}, 0)
    return folders


def test_all_figures_with_known_claims(written):
    known = load_claims()
    names = {path.stem.removeprefix("entropy-bound-") for path in written[0].glob("*.json")}
    assert names == NAMES
    for path in written[0].glob("*.json"):
        record = json.loads(path.read_text())
        assert record["kind"] == "exact"
        assert record["claims"]
        assert set(record["claims"]) <= set(known)
        assert path.with_suffix(".png").stat().st_size > 10_000


def test_bytes_are_stable(written):
    for path in sorted(written[0].glob("*.svg")) + sorted(written[0].glob("*.json")):
        assert path.read_bytes() == (written[1] / path.name).read_bytes()


def test_points_of_the_front_panel_are_the_curves(results):
    fig = figures.fronts(results)
    case, ax = results.cases[0], fig.axes[0]
    drawn = [line.get_xdata() for line in ax.get_lines()]
    for curve in case.curves:
        assert any(len(x) == len(curve.calls) and (np.asarray(x) == curve.calls).all() for x in drawn)
