"""Figures of the sequence-error topic: files, data, claims, and the same bytes twice."""

import json

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sequence_error_results import smoke_results

from figures import sequence_error as drawing
from figures.sequence_error_calls import calls
from theory.claims import load_claims

SAMPLED = {"sequence-error-text"}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return drawing.save_all(smoke_results(), tmp_path_factory.mktemp("figures"), {"profile": "smoke"}, 0)


def record(written, name):
    return json.loads(next(p for p in written if p.stem == name).read_text())


def test_three_files_each(written):
    assert len({p.stem for p in written}) == 7
    for path in written:
        for suffix in (".svg", ".png", ".json"):
            assert path.with_suffix(suffix).stat().st_size > 500


def test_records_name_their_claims(written):
    claims = load_claims()
    for path in written:
        found = json.loads(path.read_text())
        assert found["claims"]
        assert set(found["claims"]) <= set(claims)
        assert found["kind"] == ("sampled" if path.stem in SAMPLED else "exact")
        assert found["parameters"] == {"profile": "smoke"}
    assert {c.figure for c in claims.values() if c.topic == "sequence_error"} <= {p.stem for p in written}


def test_same_bytes_twice(written, tmp_path):
    again = drawing.save_all(smoke_results(), tmp_path, {"profile": "smoke"}, 0)
    for first, second in zip(written, again, strict=True):
        for suffix in (".svg", ".json"):
            assert first.with_suffix(suffix).read_bytes() == second.with_suffix(suffix).read_bytes()
    assert len({p.with_suffix(".svg").read_bytes() for p in written}) == len(written)


def test_drawn_data_are_the_results(written):
    drawn = record(written, "sequence-error-chain")["data"]["curves"]
    np.testing.assert_array_equal(drawn["error"], smoke_results().chain.error)
    assert drawn["kappa"] == smoke_results().chain.kappa


def test_no_axis_called_calls_passes_the_length():
    """A write-once sampler makes at most L calls that reveal a token, whatever its number of time slots."""
    results, seen = smoke_results(), 0
    fig = calls(results)
    for ax, part in zip(fig.axes, results.costs, strict=True):
        assert "calls" in fig.axes[0].get_ylabel()
        for line in ax.get_lines():
            assert (np.asarray(line.get_ydata()) <= part.lengths + 1e-9).all()
            seen += 1
    assert seen == 8
    plt.close(fig)
    fig = drawing.cost(results)
    for ax in fig.axes:
        solid = [line for line in ax.get_lines() if line.get_linestyle() == "-" and len(line.get_xdata()) > 0]
        assert len(solid) >= 3
        assert max(np.max(line.get_ydata()) for line in solid) <= 1 + 1e-12  # per token
    plt.close(fig)


def test_sampled_curves_carry_their_interval(written):
    texts = record(written, "sequence-error-text")["data"]["curves"]
    assert [p["order"] for p in texts] == [2, 3, 4]
    assert isinstance(texts[0]["error"], list)
    for part in texts[1:]:
        low, value, high = (np.array(part["error"][k]) for k in ("low", "value", "high"))
        assert ((low <= value) & (value <= high) & (low < high)).all()
