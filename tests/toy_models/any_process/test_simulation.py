"""Parallel programs on both layouts, counters, formulas, and emission of pairs."""

from fractions import Fraction as F
from itertools import pairwise, permutations, product

import numpy as np
import pytest

from toy_models.any_process import counter, emitter, pram, qbf
from toy_models.any_process.laws import program_law
from toy_models.any_process.programs import run
from toy_models.validation import MASK

TABLE = pram.symmetric_group_table(3)


def test_symmetric_group_table_is_a_group_and_does_not_commute():
    elements = list(permutations(range(3)))
    for a, b in product(range(6), repeat=2):
        assert elements[TABLE[a, b]] == tuple(elements[b][elements[a][i]] for i in range(3))
    assert (TABLE != TABLE.T).any()


def both_layouts(values):
    n = len(values)
    machine = pram.scan(values, TABLE)
    banks = run(pram.two_bank(machine), pram.two_bank_start(machine))
    layers = run(pram.layered_scan(n, TABLE), (*values, *(MASK,) * (n * (n - 1).bit_length())))
    assert pram.visible_bank(banks.final)[:-1] == layers.final[-n:]
    return banks, layers


def test_scan_on_all_words_of_four():
    for k, values in enumerate(product(range(6), repeat=4)):
        truth = pram.prefix_products(values, TABLE)
        assert pram.scan(values, TABLE).trajectory()[-1][:-1] == truth
        if k % 31 == 0:
            assert both_layouts(values)[1].final[-4:] == truth


@pytest.mark.parametrize(("n", "steps", "once", "banks"), [(8, 3, 32, 18), (16, 4, 80, 34), (128, 7, 1024, 258)])
def test_scan_counts(n, steps, once, banks):
    values = tuple(int(v) for v in np.random.default_rng(n).integers(6, size=n))
    two, layers = both_layouts(values)
    assert layers.final[-n:] == pram.prefix_products(values, TABLE)
    assert (two.steps, layers.steps, layers.peak, two.peak) == (steps, steps, once, banks)


def test_scan_of_256():
    values = tuple(int(v) for v in np.random.default_rng(0).integers(6, size=256))
    two, layers = both_layouts(values)
    assert (two.steps, two.peak, layers.peak) == (8, 514, 2304)
    assert layers.final[-256:] == pram.prefix_products(values, TABLE)


@pytest.mark.parametrize("n", [1, 2, 3, 9, 33])
def test_list_ranking(n):
    order = np.random.default_rng(n).permutation(n)
    successor = np.empty(n, dtype=int)
    successor[order] = np.append(order[1:], order[-1])
    machine = pram.list_ranking(successor)
    banks = run(pram.two_bank(machine), pram.two_bank_start(machine))
    assert banks.trace[-1] == run(pram.two_bank(machine), banks.final).final  # it stops there
    assert banks.steps == len(machine.trajectory()) - 1 == (0 if n < 2 else (n - 2).bit_length())
    ranks = pram.visible_bank(banks.final)[n:]
    assert [ranks[i] for i in order] == list(range(n - 1, -1, -1))
    once = run(pram.write_once(machine), pram.write_once_start(machine, banks.steps))
    assert once.final[-2 * n :] == pram.visible_bank(banks.final)


def test_list_ranking_refuses_other_graphs():
    with pytest.raises(ValueError, match="exactly one node pointing at itself"):
        pram.list_ranking([1, 0])


@pytest.mark.parametrize("n", [3, 4])
def test_connectivity_on_all_graphs(n):
    pairs = list(zip(*np.triu_indices(n, 1), strict=True))
    for bits in product((0, 1), repeat=len(pairs)):
        a = np.zeros((n, n), dtype=int)
        for (i, j), b in zip(pairs, bits, strict=True):
            a[i, j] = a[j, i] = b
        machine = pram.connectivity(a)
        done = run(pram.two_bank(machine), pram.two_bank_start(machine))
        reach = np.linalg.matrix_power(a + np.eye(n, dtype=int), n) > 0
        np.testing.assert_array_equal(np.array(pram.visible_bank(done.final)[:-1]).reshape(n, n), reach)
        assert done.steps == (n - 2).bit_length()
    with pytest.raises(ValueError, match="square 0/1 matrix"):
        pram.connectivity([[0, 2], [2, 0]])


@pytest.mark.parametrize("b", [1, 2, 5, 8])
def test_counter_and_gray_walk(b):
    machine = counter.counter(b)
    done = run(pram.two_bank(machine), pram.two_bank_start(machine))
    assert (done.steps, done.peak) == (2**b - 1, 2 * b)
    walk = run(counter.gray_walk, (0,) * b)
    full = [x for x in walk.trace if MASK not in x]
    assert (walk.steps, walk.peak, len(set(full))) == (2 * (2**b - 1), b, 2**b)
    assert all(sum(u != v for u, v in zip(x, y, strict=True)) == 1 for x, y in pairwise(full))


def test_longest_walks_attain_the_bound():
    assert [counter.longest_walk(*a) for a in ((2, 2), (2, 1), (1, 2))] == [9, 4, 3]


def test_write_once_steps_never_exceed_masks():
    rng = np.random.default_rng(0)
    most = 0
    for _ in range(400):
        sequences, asked = counter.random_write_once_run(8, int(rng.integers(9)), 3, rng)
        for x, y, revealed in zip(sequences, sequences[1:], asked, strict=False):
            assert [i for i in range(8) if x[i] != y[i]] == list(revealed)
            assert all(x[i] == MASK for i in revealed)
        masks, steps = sequences[0].count(MASK), sum(map(bool, asked))
        assert steps <= masks
        most = max(most, steps * (steps == masks))
    assert most > 0


def test_longest_write_once_runs_write_one_mask_per_step():
    for size, vocab in ((3, 2), (2, 3)):
        longest = counter.longest_write_once_runs(size, vocab)
        assert len(longest) == (vocab + 1) ** size
        assert all(most == x.count(MASK) for x, most in longest.items())


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_qbf_against_brute_force(n):
    rng = np.random.default_rng(n)
    answers = set()
    for _ in range(12):
        universal, clauses = qbf.random_formula(n, int(rng.integers(1, 2 * n + 1)), rng)
        machine = qbf.evaluator(universal, clauses)
        done = run(pram.two_bank(machine), pram.two_bank_start(machine))
        answers.add(qbf.brute_force(universal, clauses))
        assert pram.visible_bank(done.final)[-1] == qbf.brute_force(universal, clauses)
        assert (done.steps, done.peak) == (4 * 2**n - 2, 2 * (2 * n + 3))
    assert answers == {True, False}
    with pytest.raises(ValueError, match="literal 9"):
        qbf.evaluator([True], [[9]])


def test_known_formulas():
    assert not qbf.brute_force([True, True], [[1, 2]])
    assert qbf.brute_force([True, False], [[1, 2], [-1, -2]])  # for all a there is b != a
    assert not qbf.brute_force([False, True], [[1, 2], [-1, -2]])


@pytest.mark.parametrize(("size", "vocab_size"), [(2, 2), (3, 2), (2, 3), (4, 2)])
def test_emitter_has_the_any_order_law(size, vocab_size):
    oracle = emitter.random_oracle(size, vocab_size, np.random.default_rng(size))
    law = program_law(emitter.emitter(oracle, size, vocab_size), emitter.emitter_start(size, vocab_size))
    rebuilt = {}
    for x, p in law.final.items():
        word = emitter.rebuilt(x, size, vocab_size)
        rebuilt[word] = rebuilt.get(word, F(0)) + p
    assert rebuilt == emitter.any_order_law(oracle, size)
    assert law.longest == size + 1
    other = emitter.random_oracle(size, vocab_size, np.random.default_rng(99))
    assert rebuilt != emitter.any_order_law(other, size)


def test_all_orders_of_exact_conditionals_agree():
    weights = np.random.default_rng(0).integers(0, 9, size=16)
    pmf = {x: F(int(w), int(weights.sum())) for x, w in zip(product((0, 1), repeat=4), weights, strict=True)}
    laws = emitter.fixed_order_laws(pmf, 4, 2)
    assert len(laws) == 24
    for law in laws.values():
        assert law == pmf
