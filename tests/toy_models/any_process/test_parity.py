"""Parity by editing and its restricted lower bounds, exact."""

from fractions import Fraction as F
from itertools import product

import numpy as np
import pytest

from toy_models.any_process import even_parity, parity
from toy_models.any_process.laws import program_law
from toy_models.any_process.programs import run
from toy_models.validation import MASK


def all_bits(n):
    return list(product((0, 1), repeat=n))


@pytest.mark.parametrize("n", [2, 3, 4, 5, 6, 7])
def test_seven_rules(n):
    runs = [(parity.decide(parity.first_pair, b), sum(b) % 2) for b in all_bits(n)]
    assert all(answer == truth for (answer, _), truth in runs)
    assert max(r.steps for (_, r), _ in runs) == 2 * n - 2
    assert parity.decide(parity.first_pair, (1,) + (0,) * (n - 1))[1].steps == 2 * n - 2
    lone = F(sum(r.final == (parity.START, 0) for (_, r), _ in runs), 2**n)
    assert lone == parity.lone_zero_probability(n)
    assert lone == (1 + 2 * F(-1, 2) ** (n - 1)) / 6


def test_mean_steps_of_the_seven_rules():
    def steps(bits):
        return parity.decide(parity.first_pair, bits)[1].steps

    means = [F(sum(map(steps, product((0, 1), repeat=n))), 2**n) for n in range(2, 8)]
    assert means == [2, 3, F(9, 2), F(23, 4), F(57, 8), F(135, 16)]


@pytest.mark.parametrize("n", [1, 2, 5, 8, 9])
def test_tournament_on_all_inputs(n):
    runs = [(parity.decide(parity.tournament, b), sum(b) % 2) for b in all_bits(n)]
    assert all(answer == truth for (answer, _), truth in runs)
    assert max(r.steps for (_, r), _ in runs) == (4 if n >= 3 else 2)


def test_tournament_on_long_inputs():
    rng = np.random.default_rng(0)
    for n in (255, 4097):
        bits = rng.integers(2, size=n)
        answer, done = parity.decide(parity.tournament, bits)
        assert answer == bits.sum() % 2
        assert done.steps <= 4


def test_prefix_scratch_takes_n_steps_in_2n_plus_1_tokens():
    for bits in all_bits(5):
        done = run(parity.prefix_scratch, (parity.START, *[v for b in bits for v in (b, MASK)]))
        assert (done.steps, done.peak, done.final[-1]) == (5, 11, sum(bits) % 2)


@pytest.mark.parametrize(("n", "r"), [(4, 1), (4, 2), (8, 2)])
def test_light_cone_accuracy_jumps_at_rt_equal_n(n, r):
    for steps in range(1, n + 1):
        accuracy = parity.best_accuracy(n, parity.light_cone(n, r, steps))
        assert accuracy == (1 if r * steps >= n else F(1, 2))


def test_random_local_rules_stay_in_the_cone_and_fill_it():
    rng = np.random.default_rng(1)
    seen = [parity.dependence(6, 1, 3, rng) for _ in range(20)]
    assert all(s <= {3, 4, 5} for s in seen)
    assert {3, 4, 5} in seen
    assert any(not s <= {4, 5} for s in seen)  # a cone one step shorter would be refuted


def test_matched_pairs_are_counted_right():
    for m in (2, 3, 5, 8):
        counts = [0] * (m + 1)
        for word in product("LR", repeat=m):
            counts["".join(word).count("RL")] += 1
        assert [F(c, 2**m) for c in counts] == [parity.matched_pairs(m, k) for k in range(m + 1)]


def test_matching_rounds():
    assert [parity.matching_rounds(m) for m in (0, 1, 2, 3, 4)] == [0, 0, 4, 2, F(56, 11)]
    assert float(parity.matching_rounds(8)) == pytest.approx(6.1625, abs=5e-5)
    assert float(parity.matching_rounds(64)) == pytest.approx(9.2352, abs=5e-5)


@pytest.mark.parametrize("n", [2, 3, 5, 8])
def test_hidden_bits_give_uniform_even_strings(n):
    law = program_law(even_parity.hidden_bits, even_parity.start(n))
    assert {x[1:]: p for x, p in law.final.items()} == even_parity.even_strings(n)
    assert {x[0] for x in law.final} == {parity.START}
    assert law.longest == 3
    assert run(even_parity.hidden_bits, even_parity.start(n), np.random.default_rng(0)).peak == 2 * n


@pytest.mark.parametrize("n", [4, 5, 6, 7])
def test_smallest_exact_window_is_half_the_length(n):
    even, middle = even_parity.even_strings(n), (n - 1) // 2
    groups = [[i for i in range(n) if i != middle], [middle]]
    exact = [w for w in range(n) if even_parity.windowed_write_once(n, w, groups) == even]
    assert exact == list(range(n // 2, n))
    one_shot = even_parity.windowed_write_once(n, n, [list(range(n))])
    assert even_parity.total_variation(one_shot, even) == F(1, 2)
