"""Dyck words by insertion: supports, laws, state counts, over-generation, all exact."""

from fractions import Fraction as F

import pytest

from toy_models.any_process import dyck
from toy_models.any_process.laws import next_law, support


def words(k, longest, one_sided=False):
    return set().union(*(dyck.language(k, n, one_sided) for n in range(0, longest + 1, 2)))


def test_sizes():
    assert [len(dyck.language(1, n)) for n in (0, 2, 4, 6, 8)] == [1, 2, 6, 20, 70]
    assert [len(dyck.language(2, n)) for n in (0, 2, 4, 6)] == [1, 4, 28, 232]
    assert [len(dyck.language(3, n)) for n in (0, 2, 4)] == [1, 6, 66]
    assert [len(dyck.language(1, n, True)) for n in (0, 2, 4, 6, 8)] == [1, 1, 2, 5, 14]
    assert [len(dyck.language(2, n, True)) for n in (0, 2, 4, 6)] == [1, 2, 8, 40]


@pytest.mark.parametrize(("k", "longest"), [(1, 10), (2, 8)])
@pytest.mark.parametrize("parallel", [False, True])
def test_insertion_reaches_exactly_the_language(k, longest, parallel):
    rounds = dyck.insertion_rounds(k, longest, parallel)
    assert set(rounds) == words(k, longest)
    last = [r for w, r in rounds.items() if len(w) == longest]
    assert max(last) == longest // 2
    mean = F(sum(last), len(last))
    assert mean == ({1: F(200, 63), 2: F(1559, 523)}[k] if parallel else longest // 2)


@pytest.mark.parametrize(("k", "longest"), [(1, 6), (2, 4)])
def test_the_edit_program_has_the_same_support(k, longest):
    reached = support(dyck.grower(k), dyck.grower_start(k), longest + 2)
    assert {x for x in reached if not x or 0 <= x[0] < 2 * k} == words(k, longest)
    one_sided = support(dyck.grower(k, one_sided=True), dyck.grower_start(k), longest + 2)
    assert {x for x in one_sided if not x or 0 <= x[0] < 2 * k} == words(k, longest, one_sided=True)


def test_terminal_masses_and_laws_given_the_length():
    one, two = dyck.grown_words(1, 8), dyck.grown_words(2, 6)
    assert float(sum(one.values())) == pytest.approx(0.93183, abs=5e-6)
    assert float(sum(two.values())) == pytest.approx(0.91443, abs=5e-6)
    assert set(two) == words(2, 6)
    for k in (1, 2, 3):
        law = dyck.grown_words(k, 2)
        assert (law[()], sum(law.values()) - law[()]) == (F(2, 3), F(8, 45))
    for n, tv in ((2, 0), (4, 0.1786), (6, 0.3012)):
        law = {w: p for w, p in two.items() if len(w) == n}
        total = sum(law.values())
        assert float(sum(abs(p / total - F(1, len(law))) for p in law.values()) / 2) == pytest.approx(tv, abs=5e-5)


def test_visits_agree_with_direct_propagation():
    """Forty steps of the string law miss only runs with more rounds."""
    with_loops = dyck.grown_words(1, 4)
    law, alive = {}, {dyck.grower_start(1): F(1)}
    for _ in range(40):
        following = {}
        for x, mass in alive.items():
            step = next_law(x, dyck.grower(1), 6)
            if step is None:
                law[x] = law.get(x, 0) + mass
                continue
            for z, w in step.items():
                following[z] = following.get(z, 0) + mass * w
        alive = following
    for word, mass in with_loops.items():
        assert law[word] <= mass
        assert float(mass - law[word]) < 2e-4


def test_prefix_classes():
    for k, n in ((1, 8), (2, 6)):
        for t in range(n + 1):
            assert dyck.prefix_classes(k, n, t) == dyck.prefix_classes_by_enumeration(k, n, t)
    assert [dyck.most_classes(2, n) for n in range(2, 14, 2)] == [4, 13, 40, 121, 364, 1093]
    assert [dyck.most_classes(1, n) for n in (2, 4, 10)] == [2, 3, 6]
    assert [dyck.longest_covered(2, q) for q in (4, 16, 64, 256, 1024, 65536)] == [2, 4, 6, 8, 10, 18]


def test_windows_over_generate():
    assert [dyck.window_support(dyck.language(2, 6), c) for c in range(6)] == [4096, 4096, 4096, 1504, 568, 232]
    assert [dyck.window_support(dyck.language(2, 8), c) for c in (3, 4, 7)] == [65536, 29248, 2092]


@pytest.mark.parametrize(
    ("groups", "valid"),
    [
        ([[0, 1, 2, 3, 4, 5]], F(29, 512)),
        ([[0, 1, 2], [3, 4, 5]], F(505, 784)),
        ([[0, 2, 4], [1, 3, 5]], F(793, 2000)),
        ([[0, 1, 2, 3, 4], [5]], F(29, 128)),
        ([[0, 1], [2, 3], [4, 5]], F(479, 800)),
        ([[i] for i in range(6)], F(1)),
    ],
)
def test_parallel_decoding_fails_by_factorisation_only(groups, valid):
    assert dyck.valid_probability(dyck.language(2, 6), groups) == valid
