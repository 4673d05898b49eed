"""Entropy of rows, by hand."""

import numpy as np

from toy_models.quantities.entropy import entropy_of_rows

ROWS = np.array([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0], [0.25, 0.25, 0.5]])


def test_entropy():
    np.testing.assert_allclose(entropy_of_rows(ROWS), np.log(2) * np.array([1.0, 0.0, 1.5]), rtol=1e-15)
    assert entropy_of_rows(np.stack([ROWS, ROWS])).shape == (2, 3)
