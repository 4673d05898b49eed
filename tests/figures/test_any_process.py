"""Figures of the topic are drawn whole, say what they show, and repeat byte for byte."""

import json

import matplotlib
import pytest
from any_process_results import smoke

matplotlib.use("Agg")

from figures import any_process as drawn
from theory.claims import load_claims


@pytest.fixture(scope="module")
def results():
    return smoke()


def test_every_figure_is_written_and_repeats(results, tmp_path):
    first = drawn.save_all(results, tmp_path / "a", {"profile": "smoke"}, 0)
    again = ("any-process-dyck", "any-process-learned")
    second = drawn.save_all(results, tmp_path / "b", {"profile": "smoke"}, 0, names=again)
    claims = {i: c for i, c in load_claims().items() if c.topic == "any_process"}
    assert [p.stem for p in second] == list(again)
    for two in second:
        one = tmp_path / "a" / two.name
        assert one.read_bytes() == two.read_bytes()
        assert one.with_suffix(".svg").read_bytes() == two.with_suffix(".svg").read_bytes()
    for one in first:
        record = json.loads(one.read_text())
        assert set(record["claims"]) <= set(claims)
        assert record["kind"] == ("trained" if "learned" in one.stem else "exact")
        assert record["data"]
