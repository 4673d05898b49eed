"""Best orders against enumeration; the local route against the lattice of all contexts."""

from itertools import permutations

import numpy as np
import pytest

from toy_models.errors import IntractableError
from toy_models.learned_order.losses import (
    best_order,
    best_order_of,
    count_best_orders,
    linear_extensions,
    order_losses,
    order_losses_of,
    uniform_loss,
)
from toy_models.learned_order.subset_losses import local_losses, mean_cross_entropies, sequence_cross_entropies
from toy_models.quantities.lattice import sequences, subset_cross_entropies, to_table
from toy_models.targets.denoisers import ParentPointer, Smoothed, Tempered, Windowed
from toy_models.targets.instances import k1, k2
from toy_models.targets.table import Table


def random_table(seed: int, length: int) -> np.ndarray:
    table = np.random.default_rng(seed).random((2**length, length))
    hidden = (np.arange(2**length)[:, None] >> np.arange(length) & 1) == 0
    return np.where(hidden, table, 0.0)


@pytest.mark.parametrize("seed", range(3))
def test_subset_recursion_against_all_orders(seed):
    table = random_table(seed, 6)
    losses = order_losses_of(table)
    best, worst = best_order_of(table), best_order_of(table, worst=True)
    assert best.loss == pytest.approx(min(losses.values()), abs=1e-13)
    assert losses[best.order] == pytest.approx(best.loss, abs=1e-13)
    assert worst.loss == pytest.approx(max(losses.values()), abs=1e-13)
    assert uniform_loss(table) == pytest.approx(np.mean(list(losses.values())), abs=1e-12)
    assert count_best_orders(table) == 1


@pytest.mark.parametrize(
    "denoiser",
    [ParentPointer(k2(5), (-1, 0, 4, 0, 1)), Windowed(k2(5), 1), Windowed(k2(5), 2), Windowed(k2(5), 4)],
)
def test_local_losses_against_the_lattice(denoiser):
    found = mean_cross_entropies(k2(5), denoiser)
    np.testing.assert_allclose(found, subset_cross_entropies(k2(5), denoiser), atol=1e-13, rtol=0)
    local = local_losses(k2(5), denoiser)
    assert (local is None) == (isinstance(denoiser, Windowed) and denoiser.radius == 4)


def test_mean_of_the_sequences_is_the_mean_table():
    denoiser, x = Tempered(k2(4), 0.5), sequences(3, 4)
    each = sequence_cross_entropies(denoiser, x)
    q = to_table(k2(4)).pmf.ravel()
    np.testing.assert_allclose(each @ q, subset_cross_entropies(k2(4), denoiser), atol=1e-13, rtol=0)


def test_reference_values():
    chain = order_losses(k1(), ParentPointer(k1(), (-1, 0, 1, 2)))
    assert chain[0, 1, 2, 3] == pytest.approx(3.691631304919, abs=1e-11)
    assert chain[3, 2, 1, 0] == pytest.approx(4.281656, abs=1e-6)
    found = best_order(k1(), Tempered(k1(), 0.5))
    assert found.order == (3, 0, 2, 1)
    assert found.loss == pytest.approx(3.83616168, abs=1e-8)
    planted = ParentPointer(k1(5), (2, 4, -1, 1, 0))
    assert best_order(k1(5), planted).order == (2, 0, 4, 1, 3)
    window = mean_cross_entropies(k1(5), Windowed(k1(5), 1))
    assert count_best_orders(window) == 16
    assert best_order_of(window).loss == pytest.approx(k1(5).entropy(), abs=1e-12)
    assert best_order_of(window, worst=True).order == (4, 2, 3, 0, 1)
    tree = np.array([-1, 0, 0, 1, 1])
    assert count_best_orders(mean_cross_entropies(k1(5), ParentPointer(k1(5), tree.tolist()))) == 8
    assert linear_extensions(tree) == 8


def test_oracle_makes_every_order_equal():
    losses = list(order_losses(k2()).values())
    assert max(losses) - min(losses) < 1e-13
    assert losses[0] == pytest.approx(3.745590036369, abs=1e-11)


def test_twenty_positions():
    parents = [-1, *range(19)]
    found = best_order(k1(20), ParentPointer(k1(20), parents))
    assert found.order == tuple(range(20))
    window = best_order(k1(20), Windowed(k1(20), 1))
    assert window.loss == pytest.approx(k1(20).entropy(), abs=1e-11) == found.loss
    grown = [min(abs(i - j) for j in window.order[:k]) for k, i in enumerate(window.order) if k]
    assert grown == [1] * 19


def test_eleven_positions_of_a_generic_denoiser():
    pmf = np.random.default_rng(2).dirichlet(np.ones(2**11)).reshape((2,) * 11)
    target = Table(pmf)
    found = best_order(target, Smoothed(target, 0.2))
    random_orders = [np.random.default_rng(k).permutation(11) for k in range(20)]
    table = mean_cross_entropies(target, Smoothed(target, 0.2))
    for order in random_orders:
        revealed, loss = 0, 0.0
        for i in order:
            loss += table[revealed, i]
            revealed |= 1 << int(i)
        assert loss > found.loss


def test_bad_input_is_named():
    with pytest.raises(IntractableError, match=r"L = 25.*L <= 24"):
        best_order(k1(25), ParentPointer(k1(25), [-1] * 25))
    with pytest.raises(IntractableError, match=r"L = 21.*L <= 20"):
        best_order(k1(21), Tempered(k1(21), 0.5))
    with pytest.raises(IntractableError, match="L <= 8"):
        order_losses(k1(9))
    with pytest.raises(ValueError, match="cycle"):
        linear_extensions(np.array([1, 0]))
    assert len(list(permutations(range(4)))) == len(order_losses(k1()))
