"""Figures of the energy topic: files, data, claims, and the same bytes twice."""

import json

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")

import figures.energy as drawing
import theory.energy as energy
from theory.claims import load_claims


@pytest.fixture(scope="module")
def results():
    return energy.results("smoke", np.random.default_rng(0))


@pytest.fixture(scope="module")
def written(results, tmp_path_factory):
    out = tmp_path_factory.mktemp("figures")
    return drawing.save_all(results, out, {"profile": "smoke"}, 0)


def test_three_files_each(written):
    assert [p.stem for p in written] == list(drawing.FIGURES)
    for path in written:
        for suffix in (".svg", ".png", ".json"):
            assert path.with_suffix(suffix).stat().st_size > 1000


def test_records(written):
    claims = load_claims()
    drawn = set()
    for path in written:
        record = json.loads(path.read_text())
        assert record["kind"] == "exact"
        assert set(record["claims"]) <= set(claims)
        drawn |= {path.stem}


def test_same_bytes_twice(results, written, tmp_path):
    again = drawing.save_all(results, tmp_path, {"profile": "smoke"}, 0)
    for first, second in zip(written, again, strict=True):
        for suffix in (".svg", ".json"):
            assert first.with_suffix(suffix).read_bytes() == second.with_suffix(suffix).read_bytes()


def test_ratios_drawn_are_constant(written):
    data = json.loads(written[0].read_text())["data"]["ratios"]
    for name, constant in (("kinetic", 6), ("conditional", 4), ("geodesic", 2)):
        np.testing.assert_allclose(data[name], constant, rtol=1e-12)
    assert np.ptp(np.array(data["source_kinetic"]) / np.array(data["source_conditional"])) > 0.5
