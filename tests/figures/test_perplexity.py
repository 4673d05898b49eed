"""Figures of the perplexity topic: files, data, claims, and the same bytes twice."""

import json

import matplotlib.pyplot as plt
import numpy as np
import pytest
from perplexity_results import smoke_results

from figures import perplexity as drawing
from theory.claims import load_claims

SAMPLED = {"perplexity-order"}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return drawing.save_all(smoke_results(), tmp_path_factory.mktemp("figures"), {"profile": "smoke"}, 0)


def record(written, name):
    return json.loads(next(p for p in written if p.stem == name).read_text())


def test_three_files_each(written):
    assert len({p.stem for p in written}) == 9
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
    assert {c.figure for c in claims.values() if c.topic == "perplexity"} <= {p.stem for p in written}


def test_same_bytes_twice(written, tmp_path):
    again = drawing.save_all(smoke_results(), tmp_path, {"profile": "smoke"}, 0)
    for first, second in zip(written, again, strict=True):
        for suffix in (".svg", ".json"):
            assert first.with_suffix(suffix).read_bytes() == second.with_suffix(suffix).read_bytes()
    assert len({p.with_suffix(".svg").read_bytes() for p in written}) == len(written)


def test_drawn_data_are_the_results(written):
    curves = record(written, "perplexity-collapse")["data"]["curves"]
    for drawn, part in zip(curves["trajectory"], smoke_results().collapses, strict=True):
        assert drawn["language"] == part.language
        np.testing.assert_array_equal(drawn["excess"], part.excess)
    for drawn, part in zip(curves["written"], smoke_results().written, strict=True):
        np.testing.assert_array_equal(drawn["excess"], part.excess)


def test_the_two_divergences_are_never_called_by_one_name():
    """A label that says "excess log TER" belongs to the written law alone."""
    for draw in (drawing.collapse, drawing.schedules, drawing.order):
        fig = draw(smoke_results())
        for ax in fig.axes:
            words = [ax.get_ylabel(), *(str(line.get_label()) for line in ax.get_lines())]
            words += [] if "ε" in ax.get_xlabel() else [ax.get_xlabel()]  # ε: what Thm 4.2 asks of the excess itself
            assert not any("excess" in word and "written law" not in word for word in words)
        plt.close(fig)


def test_sampled_curves_carry_their_interval(written):
    orders = record(written, "perplexity-order")["data"]["curves"]
    assert [p["order"] for p in orders] == [2, 3, 4]
    assert isinstance(orders[0]["excess"], list)
    for part in orders[1:]:
        low, value, high = (np.array(part["excess"][k]) for k in ("low", "value", "high"))
        assert ((low <= value) & (value <= high)).all()
        assert (low < high)[1:].all()
