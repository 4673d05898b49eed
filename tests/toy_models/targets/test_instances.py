"""The named instances are the laws they are said to be."""

import re
from itertools import permutations, product
from math import factorial, log

import numpy as np
import pytest

import toy_models as tm
from toy_models.quantities.lattice import sequences


def support(target):
    x = sequences(target.vocab_size, target.length)
    log_p = target.log_prob(x)
    inside = np.isfinite(log_p)
    np.testing.assert_allclose(log_p[inside], -log(inside.sum()), rtol=1e-13)  # uniform
    return {tuple(w) for w in x[inside].tolist()}


@pytest.mark.parametrize(("K", "length"), [(2, 4), (3, 2)])
def test_pairs(K, length):
    words = support(tm.pairs(K, length))
    assert words == {tuple(t for s in firsts for t in (s, K + s)) for firsts in product(range(K), repeat=length // 2)}
    assert tm.pairs(8, 512).vocab_size == 16


@pytest.mark.parametrize(("K", "length"), [(2, 3), (4, 3)])
def test_repetition(K, length):
    assert support(tm.repetition(K, length)) == {(s,) * length for s in range(K)}


@pytest.mark.parametrize(("K", "length", "kind"), [(2, 4, tm.LinearCode), (3, 3, tm.LinearCode), (4, 3, tm.Table)])
def test_zero_sum(K, length, kind):
    target = tm.zero_sum(K, length)
    assert type(target) is kind
    assert support(target) == {x for x in product(range(K), repeat=length) if sum(x) % K == 0}


@pytest.mark.parametrize("n", [1, 3, 4])
def test_permutations(n):
    assert support(tm.permutations(n)) == set(permutations(range(n)))
    assert tm.permutations(n).entropy() == pytest.approx(log(factorial(n)), abs=1e-13)


def test_information_curves_are_the_extremes():
    """Repetition: everything from one token. Zero sum: nothing before the last."""
    assert tm.information_curve(tm.repetition(4, 5)) == pytest.approx([log(4), 0, 0, 0, 0], abs=1e-14)
    assert tm.information_curve(tm.zero_sum(3, 4)) == pytest.approx([log(3), log(3), log(3), 0], abs=1e-14)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tm.pairs(1, 4), "K = 1, it must be an integer >= 2"),
        (lambda: tm.pairs(2, 5), "length = 5, the pair language needs an even length"),
        (lambda: tm.repetition(1, 5), "K = 1, it must be an integer >= 2"),
        (lambda: tm.repetition(3, 0), "length = 0, it must be an integer >= 1"),
        (lambda: tm.zero_sum(3, 1), "length = 1, it must be an integer >= 2"),
        (lambda: tm.permutations(0), "n = 0, it must be an integer >= 1"),
    ],
)
def test_refused_arguments(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tm.permutations(8), "n = 8 is beyond the exact limit (n <= 7)"),
        (lambda: tm.zero_sum(4, 40), f"length = 40, hence K^L = {4**40} is beyond the exact limit"),
    ],
)
def test_sizes_beyond_a_table(call, message):
    with pytest.raises(tm.IntractableError, match=re.escape(message)):
        call()
