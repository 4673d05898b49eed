"""The reference toys have their stated entropies."""

import pytest

from toy_models.targets import toys


def test_entropies():
    assert toys.k1().entropy() == pytest.approx(3.691631304919, abs=5e-13)
    assert toys.k2().entropy() == pytest.approx(3.745590036369, abs=5e-13)
    assert (toys.k1(6).length, toys.k2(5).length) == (6, 5)
