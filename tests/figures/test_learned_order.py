"""The figures of the topic: written whole, byte-stable, with their claims."""

import json

import numpy as np
import pytest

from figures import learned_order as pictures
from theory import learned_order
from theory.claims import load_claims


@pytest.fixture(scope="module")
def results():
    return learned_order.results("smoke", np.random.default_rng(0))


def test_files_are_complete_and_stable(results, tmp_path):
    first = pictures.save_all(results, tmp_path / "a", {"profile": "smoke"}, 0)
    assert len(first) == 8
    claims = set(load_claims())
    for path in first:
        record = json.loads(path.read_text())
        assert set(record["claims"]) <= claims
        assert record["data"]
        assert record["kind"] == ("trained" if path.stem.endswith(("descent", "success")) else "exact")
        assert path.with_suffix(".png").stat().st_size > 10_000
    second = pictures.save_all(results, tmp_path / "b", {"profile": "smoke"}, 0)
    for one, two in zip(first, second, strict=True):
        assert one.read_bytes() == two.read_bytes()
        assert one.with_suffix(".svg").read_bytes() == two.with_suffix(".svg").read_bytes()
