"""The reference toys have their stated entropies."""

import pytest

from toy_models.targets import instances


def test_entropies():
    assert instances.k1().entropy() == pytest.approx(3.691631304919, abs=5e-13)
    assert instances.k2().entropy() == pytest.approx(3.745590036369, abs=5e-13)
    assert (instances.k1(6).length, instances.k2(5).length) == (6, 5)
