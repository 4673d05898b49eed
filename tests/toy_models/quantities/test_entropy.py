"""Entropy and divergence of rows, by hand."""

import numpy as np
import pytest

from toy_models.quantities.entropy import divergence_of_rows, entropy_of_rows

ROWS = np.array([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0], [0.25, 0.25, 0.5]])


def test_entropy():
    np.testing.assert_allclose(entropy_of_rows(ROWS), np.log(2) * np.array([1.0, 0.0, 1.5]), rtol=1e-15)
    assert entropy_of_rows(np.stack([ROWS, ROWS])).shape == (2, 3)


def test_divergence():
    np.testing.assert_allclose(divergence_of_rows(ROWS, ROWS), 0.0)
    assert divergence_of_rows(ROWS[0], ROWS[2]) == pytest.approx(np.log(2), rel=1e-15)
    assert divergence_of_rows(ROWS[0], ROWS[1]) == np.inf
