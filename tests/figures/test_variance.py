"""The figures draw from results alone and land as SVG, PNG and JSON."""

import json

import pytest
from variance_results import smoke_results

from figures import variance as figures
from figures.save import save


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    out = tmp_path_factory.mktemp("figures")
    results = smoke_results()
    return results, figures.save_all(results, out, {"profile": "smoke"}, 0), out


def test_every_figure_has_its_three_files_and_claims(saved):
    from theory.claims import load_claims

    _, paths, _ = saved
    claims = load_claims()
    assert len(paths) == 6
    for path in paths:
        record = json.loads(path.read_text())
        assert path.with_suffix(".svg").exists()
        assert path.with_suffix(".png").stat().st_size > 10_000
        assert record["kind"] in ("exact", "sampled", "trained")
        assert record["claims"]
        for claim in record["claims"]:
            assert claim in claims


def test_drawn_data_are_the_results(saved):
    results, _, out = saved
    record = json.loads((out / "variance-parts.json").read_text())
    drawn = record["data"]["K1 oracle"]["uniform"]["per_call"]
    assert drawn == results.instances["K1 oracle"].methods["uniform"].per_call


def test_bytes_repeat(saved, tmp_path):
    results, _, out = saved
    again = save(
        figures.front(results), "variance-front", tmp_path, data={}, claims=[], kind="exact", parameters={}, seed=0
    )
    assert again.with_suffix(".svg").read_bytes() == (out / "variance-front.svg").read_bytes()
    assert again.with_suffix(".svg").read_bytes() != (out / "variance-mirror.svg").read_bytes()
