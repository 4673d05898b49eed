"""Tables: marginals, entropy and samples against sums over the pmf."""

import re
from fractions import Fraction
from itertools import product

import numpy as np
import oracles
import pytest

import toy_models as tm
from toy_models.quantities.lattice import states


def random_table(rng, vocab_size, length, zeros):
    """A table of dyadic rationals, so that every partial sum is exact in float64."""
    raw = rng.integers(1, 38, size=(vocab_size,) * length)
    raw[rng.random(raw.shape) < zeros] = 0
    raw.ravel()[0] += 2**10 - raw.sum()
    return tm.Table(raw / 2**10)


@pytest.mark.parametrize(("vocab_size", "length"), [(2, 1), (1, 3), (2, 4), (3, 3)])
@pytest.mark.parametrize("zeros", [0.0, 0.6])
def test_marginals_match_the_rational_conditionals(rng, vocab_size, length, zeros):
    table = random_table(rng, vocab_size, length, zeros)
    law = {x: Fraction(float(table.pmf[x])) for x in product(range(vocab_size), repeat=length)}
    y = states(vocab_size, length)
    found, impossible = table.marginals(y, on_impossible="nan"), []
    for row, context in enumerate(y):
        expected = oracles.conditionals(law, tuple(context), vocab_size)
        if expected is None:
            impossible.append(row)
            assert np.isnan(found[row][context < 0]).all()
        else:
            np.testing.assert_array_equal(found[row], expected)  # exact sums, one rounded division
    if impossible:
        with pytest.raises(tm.ImpossibleContext) as raised:
            table.marginals(y)
        assert raised.value.rows == impossible
        uniform = table.marginals(y[impossible], on_impossible="uniform")
        np.testing.assert_array_equal(uniform[y[impossible] < 0], 1 / vocab_size)


def test_log_prob_entropy_and_context_sums():
    pmf = np.array([[0.5, 0.25], [0.25, 0.0]])
    table = tm.Table(pmf)
    np.testing.assert_array_equal(
        table.log_prob(np.array([[0, 0], [0, 1], [1, 1]])), [np.log(0.5), np.log(0.25), -np.inf]
    )
    assert table.entropy() == pytest.approx(1.5 * np.log(2), abs=1e-15)
    assert table.context_probabilities.tolist() == [[1.0, 0.75, 0.25], [0.75, 0.5, 0.25], [0.25, 0.25, 0.0]]


def test_samples_have_the_law_and_a_neighbour_is_rejected(rng):
    table = random_table(rng, 3, 3, 0.3)
    x = table.sample(100_000, rng)
    radius = oracles.total_variation_radius(27, len(x))
    assert oracles.total_variation(x, table.pmf) < radius
    assert np.isfinite(table.log_prob(x)).all()
    wrong = tm.Table(table.pmf.transpose(2, 1, 0))
    assert oracles.total_variation(wrong.sample(100_000, rng), table.pmf) > radius


@pytest.mark.parametrize(
    ("pmf", "message"),
    [
        (np.full((2, 3), 1 / 6), "pmf must have shape (V,)*L, got (2, 3)"),
        (np.ones(()), "pmf must have shape (V,)*L, got ()"),
        (np.array([[0.5, -0.5], [0.5, 0.5]]), "pmf[0, 1] = -0.5, every entry must be finite and >= 0"),
        (np.array([0.5, np.nan]), "pmf[1] = nan, every entry must be finite and >= 0"),
        (np.array([0.5, 0.4]), "pmf sums to 0.9, it must sum to 1"),
    ],
)
def test_refused_tables(pmf, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        tm.Table(pmf)


def test_the_table_is_a_read_only_copy():
    pmf = np.full(4, 0.25)
    table = tm.Table(pmf)
    pmf[0] = 9.0
    assert table.pmf[0] == 0.25
    with pytest.raises(ValueError, match="read-only"):
        table.pmf[0] = 0.5


def test_too_many_masked_states():
    """2^16 words fit, their 3^16 masked states do not."""
    table = tm.Table(np.full((2,) * 16, 2.0**-16))
    assert table.entropy() == pytest.approx(16 * np.log(2))
    message = re.escape(f"hence (V+1)^L = {3**16}") + ".*" + re.escape(f"(V+1)^L <= {2**28 // 8}")  # 256 MiB
    with pytest.raises(tm.IntractableError, match=message):
        table.marginals(np.full((1, 16), -1))


def test_the_limit_itself_is_allowed(monkeypatch):
    for cells, allowed in ((9, True), (8, False)):
        monkeypatch.setattr("toy_models.targets.table.MAX_CELLS", cells)
        if allowed:
            assert tm.Table(np.full((2, 2), 0.25)).context_probabilities[0, 0] == 1.0
        else:
            with pytest.raises(tm.IntractableError, match=re.escape("(V+1)^L <= 8")):
                _ = tm.Table(np.full((2, 2), 0.25)).context_probabilities


def test_refused_tokens():
    table = tm.Table(np.full((2, 2), 0.25))
    with pytest.raises(ValueError, match=re.escape("tokens[0, 1] = 2, allowed: 0..1")):
        table.log_prob(np.array([[0, 2]]))
    with pytest.raises(ValueError, match="a masked sequence has no probability; use marginals"):
        table.log_prob(np.array([[0, -1]]))
    with pytest.raises(ValueError, match='on_impossible = \'skip\', allowed: "raise", "uniform", "nan"'):
        table.marginals(np.array([[0, -1]]), on_impossible="skip")
