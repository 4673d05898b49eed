"""Figures of the opening notebook: files, data, claims, and the same bytes twice."""

import json

import numpy as np
import pytest

from figures import start_here as drawing
from theory import start_here
from theory.claims import load_claims


@pytest.fixture(scope="module")
def results():
    return start_here.results("smoke", np.random.default_rng(0))


@pytest.fixture(scope="module")
def written(results, tmp_path_factory):
    return drawing.save_all(results, tmp_path_factory.mktemp("figures"), {"profile": "smoke"}, 0)


def test_files_and_claims(written):
    assert [p.stem for p in written] == ["start-here-trace", "start-here-law", "claim-graph"]
    for path in written:
        for suffix in (".svg", ".png", ".json"):
            assert path.with_suffix(suffix).stat().st_size > 1000
        assert set(json.loads(path.read_text())["claims"]) <= set(load_claims())


def test_drawn_data_are_the_results(results, written):
    trace, law, graph = (json.loads(p.read_text()) for p in written)
    np.testing.assert_array_equal(trace["data"]["trace"], results.trace)
    np.testing.assert_array_equal(law["data"]["written"], results.written)
    assert set(graph["data"]) == set(load_claims())


def test_same_bytes_twice(results, written, tmp_path):
    again = drawing.save_all(results, tmp_path, {"profile": "smoke"}, 0)
    for first, second in zip(written, again, strict=True):
        for suffix in (".svg", ".json"):
            assert first.with_suffix(suffix).read_bytes() == second.with_suffix(suffix).read_bytes()
