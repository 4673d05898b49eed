"""Sequence error by gaps: printed values, rational brute force, the lattice law, loops, corner chains, bad input."""

from fractions import Fraction
from itertools import pairwise, product

import numpy as np
import pytest
from slow_chains import naive_levels, naive_sequence_error

import toy_models as tm
from toy_models.chains.level import apply_level, no_reveal
from toy_models.chains.recursion import exact_levels
from toy_models.chains.tables import adjacent_weights, gap_powers

CHAIN_A = np.array([[0.7, 0.3, 0], [0, 0.6, 0.4], [0.5, 0, 0.5]])


def sparse_chain(vocab_size: int, length: int, rng: np.random.Generator, stationary: bool = True) -> tm.MarkovChain:
    """A random irreducible chain with about a third of its transitions removed."""
    rows = rng.dirichlet(np.ones(vocab_size), vocab_size) * (rng.random((vocab_size, vocab_size)) > 0.35)
    rows += 0.3 * np.roll(np.eye(vocab_size), 1, axis=1) + 0.1 * np.eye(vocab_size)[0] * np.eye(vocab_size)
    rows /= rows.sum(axis=1, keepdims=True)
    initial = None if stationary else rng.dirichlet(np.ones(vocab_size)) * np.r_[0.0, np.ones(vocab_size - 1)]
    return tm.MarkovChain(rows, length, None if initial is None else initial / initial.sum())


def lattice_error(chain: tm.MarkovChain, weights) -> float:
    """1 - p(supp q) by pushing mass over all masked states: no use of the Markov property."""
    pmf = tm.sampler_law(chain, tm.IndependentReveal(np.asarray(weights))).pmf
    x = np.stack([k.ravel() for k in np.indices(pmf.shape)], axis=1)
    return 1.0 - pmf.ravel()[np.isfinite(chain.log_prob(x))].sum()


def rational_valid_mass(rows, initial, length: int, steps: int) -> Fraction:
    """p(supp q) of the uniform schedule: the sum over every assignment of positions to steps and every valid x."""
    powers = [[[Fraction(int(a == b)) for b in range(len(rows))] for a in range(len(rows))]]
    for _ in range(length):
        powers.append(
            [[sum(row[k] * rows[k][b] for k in range(len(rows))) for b in range(len(rows))] for row in powers[-1]]
        )
    law = [initial]
    for _ in range(length - 1):
        law.append([sum(law[-1][a] * rows[a][b] for a in range(len(rows))) for b in range(len(rows))])

    def conditional(x, i, known):
        left = max((k for k in known if k < i), default=None)
        right = min((k for k in known if k > i), default=None)
        before = law[i][x[i]] if left is None else powers[i - left][x[left]][x[i]]
        after = 1 if right is None else powers[right - i][x[i]][x[right]]
        if right is None:
            total = 1
        else:
            total = law[right][x[right]] if left is None else powers[right - left][x[left]][x[right]]
        return before * after / total

    mass = Fraction(0)
    for x in product(range(len(rows)), repeat=length):
        if initial[x[0]] == 0 or any(rows[a][b] == 0 for a, b in pairwise(x)):
            continue
        for step in product(range(steps), repeat=length):
            weight = Fraction(1, steps**length)
            for i in range(length):
                weight *= conditional(x, i, [k for k in range(length) if step[k] < step[i]])
            mass += weight
    return mass


def test_printed_brute_force_values():
    chain = tm.MarkovChain(CHAIN_A, 6)
    uniform = tm.sequence_error_table(chain, 3, [6])
    assert uniform.error[2, 0] == pytest.approx(0.37876189, abs=5e-9)
    other = tm.chains.gap_sequence_error(chain, [0.2, 0.5, 0.3], [6])
    assert other.error[0, 0] == pytest.approx(0.42011009, abs=5e-9)
    assert uniform.error[0, 0] == pytest.approx(0.865846, abs=5e-7)


def test_printed_values_at_length_64_and_128():
    """16, 32, 64 steps to the 13 printed digits; ln(1 - SER) to its 12."""
    table = tm.sequence_error_table(tm.MarkovChain(CHAIN_A, 2), 64, [64, 128], method="exact")
    expected = [0.6159251727351, 0.3765745826985, 0.2092776960888]
    np.testing.assert_allclose(table.error[[15, 31, 63], 0], expected, rtol=0, atol=1e-13)
    assert table.error[15, 1] == pytest.approx(0.8539299439451, abs=1e-13)
    np.testing.assert_allclose(table.log_valid[15], [-0.956917882709, -1.92366893637], rtol=0, atol=5.1e-12)
    np.testing.assert_allclose(table.log_valid[63], [-0.234808442498, -0.471970049482], rtol=0, atol=5.1e-13)


def test_extended_precision_reference():
    """A separate numpy.longdouble evaluation of the recursion for this chain at L = 64 (1, 2, 4, 16, 32, 64 steps)."""
    table = tm.sequence_error_table(tm.MarkovChain(CHAIN_A, 2), 64, [64], method="exact")
    reference = [
        -25.471277375299325,
        -9.3146180407148600,
        -4.1411194161134957,
        -0.95691788270878454,
        -0.47252614042125385,
        -0.23480844249836151,
    ]
    found = table.log_valid[[0, 1, 3, 15, 31, 63], 0]
    np.testing.assert_allclose(found, reference, rtol=1e-15, atol=2e-14)
    assert (np.abs(found - reference) <= table.error_bound[[0, 1, 3, 15, 31, 63], 0]).all()


def test_rational_brute_force_over_all_reveal_patterns():
    rows = [[Fraction(1, 2), Fraction(1, 2), Fraction(0)], [Fraction(0), Fraction(1, 4), Fraction(3, 4)], [1, 0, 0]]
    initial = [Fraction(1, 8), Fraction(0), Fraction(7, 8)]
    chain = tm.MarkovChain(np.array(rows, dtype=float), 4, np.array(initial, dtype=float))
    table = tm.sequence_error_table(chain, 3, [2, 4])
    for row, steps in enumerate((1, 2, 3)):
        for column, length in enumerate((2, 4)):
            exact = float(rational_valid_mass(rows, initial, length, steps))
            assert np.exp(table.log_valid[row, column]) == pytest.approx(exact, rel=1e-14)


@pytest.mark.parametrize("seed", range(6))
def test_agrees_with_the_lattice_law(seed):
    rng = np.random.default_rng(seed)
    chain = sparse_chain(2 + seed % 3, 5 if seed % 3 else 7, rng, stationary=seed < 3)
    for weights in (np.ones(3) / 3, rng.dirichlet(np.ones(4)), np.array([0.0, 0.5, 0.0, 0.5, 0.0])):
        found = tm.chains.gap_sequence_error(chain, weights, [chain.length]).error[0, 0]
        assert found == pytest.approx(lattice_error(chain, weights), abs=1e-13)


@pytest.mark.parametrize("seed", range(4))
def test_level_operator_agrees_with_loops_entry_by_entry(seed):
    """Long enough for several panels and several tiles of distances."""
    rng = np.random.default_rng(seed)
    chain = sparse_chain(2 + seed % 3, 2, rng, stationary=seed % 2 == 0)
    length = (26, 16, 12, 26)[seed]
    hazards = [0.4, 0.2, 1.0]
    *_, (weights, log_scale) = exact_levels(chain, hazards[::-1], length + 1)
    scale = np.exp(log_scale * np.arange(length + 2))[:, None, None]
    np.testing.assert_allclose(weights * scale, naive_levels(chain, hazards, length), rtol=1e-12, atol=0)


def test_many_tiles_of_distances_and_left_values():
    """L beyond the tile of 64 distances, V beyond the tile of left values, against the loop over s alone."""
    chain = sparse_chain(6, 2, np.random.default_rng(3))
    power = gap_powers(chain, 90)
    kept = no_reveal(adjacent_weights(power), 1.0)
    value = apply_level(power, kept, 1.0)
    assert value[2:].min() >= 0
    # one step: independent draws from the bridge marginals, kept when every neighbouring pair is possible
    n, u, v = 80, 2, 4
    message = np.eye(7)[u, :6] * 0 + 1.0
    allowed = chain.transition > 0
    message = allowed[u] * power[1, u, :6] * power[n - 1, :6, v] / power[n, u, v]
    for s in range(2, n):
        message = (message @ allowed) * power[s, u, :6] * power[n - s, :6, v] / power[n, u, v]
    assert value[n, u, v] == pytest.approx(message @ allowed[:, v], rel=1e-12)


def test_full_support_has_no_error_and_shows_the_rounding():
    chain = tm.MarkovChain(np.random.default_rng(1).dirichlet(np.ones(3), 3), 2)
    table = tm.sequence_error_table(chain, 40, [1, 7, 150], method="exact")
    assert np.abs(table.log_valid).max() < 1e-13
    assert (np.abs(table.log_valid) <= table.error_bound).all()


def test_more_steps_help_and_one_token_is_never_wrong():
    table = tm.sequence_error_table(tm.MarkovChain(CHAIN_A, 2), 12, [1, 2, 30])
    assert np.abs(table.error[:, 0]).max() < 1e-15
    assert (np.diff(table.error[:, 1:], axis=0) < 0).all()
    np.testing.assert_array_equal(table.steps, np.arange(1, 13))


def test_a_wrong_reveal_probability_is_noticed():
    """Control: 1/(m+1) in place of 1/m, the off-by-one schedule, changes the answer."""
    chain = tm.MarkovChain(CHAIN_A, 2)
    right = list(exact_levels(chain, [1.0, 1 / 2, 1 / 3], 7))[-1][0][7, -1, -1]
    wrong = list(exact_levels(chain, [1.0, 1 / 3, 1 / 4], 7))[-1][0][7, -1, -1]
    assert 1 - right == pytest.approx(0.37876189, abs=5e-9)
    assert abs(wrong - right) > 1e-3


@pytest.mark.parametrize(
    ("transition", "initial"),
    [
        ([[0.0, 1.0], [1.0, 0.0]], [0.3, 0.7]),  # periodic
        ([[1.0, 0.0], [0.5, 0.5]], [0.2, 0.8]),  # transient token
        ([[1.0, 0.0], [0.0, 1.0]], [0.5, 0.5]),  # reducible
        ([[1.0, 0.0, 0.0], [0.0, 1 - 1e-14, 1e-14], [0.5, 0.25, 0.25]], [0.2, 0.3, 0.5]),
    ],
)
def test_corner_chains_take_the_exact_route(transition, initial):
    chain = tm.MarkovChain(np.array(transition), 5, np.array(initial))
    weights = [0.25, 0.35, 0.4]
    table = tm.chains.gap_sequence_error(chain, weights, [5, 100])
    assert table.method == ("exact", "exact")
    assert table.error[0, 0] == pytest.approx(lattice_error(chain, weights), abs=1e-13)
    assert table.error[0, 0] == pytest.approx(naive_sequence_error(chain, [0.25, 0.35 / 0.75, 1.0], 5), abs=1e-13)


def test_valid_mass_far_below_float64():
    """A deterministic cycle of 4 tokens in one step: each of L-1 pairs is right with probability 1/4."""
    chain = tm.MarkovChain(np.roll(np.eye(4), 1, axis=1), 2, np.full(4, 1 / 4))
    found = tm.sequence_error_table(chain, 1, [300]).log_valid[0, 0]
    assert found == pytest.approx(-299 * np.log(4), rel=1e-13)
    with pytest.raises(tm.IntractableError, match="of the largest gap value"):
        tm.sequence_error_table(chain, 1, [450])


def test_slow_chain_beyond_the_exact_range_is_refused():
    chain = tm.MarkovChain(np.array([[0.9999, 0.0001], [0.0001, 0.9999]]), 2)
    with pytest.raises(tm.IntractableError, match=r"L = 1000000, 64 steps.*tm\.sample"):
        tm.sequence_error_table(chain, 64, [10**6])
    with pytest.raises(tm.IntractableError, match="flops"):
        tm.sequence_error_table(tm.MarkovChain(CHAIN_A, 2), 64, [10**6], method="exact")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, [5]), "max_steps = 0"),
        ((3, []), "lengths must not be empty"),
        ((3, [5, 0]), r"lengths\[1\] = 0"),
        ((3, [5], "fast"), "method = 'fast'"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        tm.sequence_error_table(tm.MarkovChain(CHAIN_A, 2), *arguments)


def test_weights_that_do_not_add_up():
    with pytest.raises(ValueError, match=r"weights sum to 0\.9"):
        tm.chains.gap_sequence_error(tm.MarkovChain(CHAIN_A, 2), [0.5, 0.4], [6])
