"""Committed measurements are found by their markers."""

import pytest

from notebooks.measured import measured


def test_the_gpu_table_is_whole():
    table = measured("networks-gpu")
    rows = [line for line in table.splitlines() if line.startswith("| ")]
    assert len(rows) > 20
    for what in ("posterior", "training", "sampling"):
        assert any(row.startswith(f"| {what}") for row in rows)


def test_unknown_markers_are_named():
    with pytest.raises(ValueError, match=r"RESULTS.md has no markers <!-- nothing -->"):
        measured("nothing")
