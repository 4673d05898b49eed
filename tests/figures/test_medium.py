"""The figures of trained networks draw from results alone and land as SVG, PNG and JSON."""

import json

import pytest
from medium_results import smoke_results

from figures import medium as figures


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    out = tmp_path_factory.mktemp("figures")
    results = smoke_results()
    return results, figures.save_all(results, out, {"profile": "smoke"}, 0), out


def test_every_figure_has_its_three_files_and_claims(saved):
    from theory.ledger import load_claims

    _, paths, _ = saved
    claims = load_claims()
    assert [p.stem for p in paths] == [
        "medium-learning",
        "medium-token-error",
        "medium-sequence-error",
        "medium-bounds",
        "medium-rules",
        "medium-variance",
        "medium-planted",
        "medium-edits",
    ]
    for path in paths:
        record = json.loads(path.read_text())
        assert path.with_suffix(".svg").exists()
        assert path.with_suffix(".png").stat().st_size > 10_000
        assert record["kind"] == "trained"
        assert record["data"]["environment"]["device"] == "CPU"
        assert set(record["claims"]) <= set(claims)


def test_drawn_data_are_the_results(saved):
    results, _, out = saved
    record = json.loads((out / "medium-bounds.json").read_text())
    assert record["data"]["values"]["network_kl"] == results.small.network_kl.tolist()
    assert record["data"]["values"]["largest"] == results.small.largest
