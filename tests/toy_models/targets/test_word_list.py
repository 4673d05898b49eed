"""Word lists and the 288 grids: marginals against a full table, symmetries, bad input."""

from itertools import permutations

import numpy as np
import pytest

import toy_models as tm
from toy_models.quantities.lattice import sequences, states
from toy_models.targets.sudoku import sudoku4
from toy_models.targets.word_list import WordList, first_occurrence

WORDS = np.array([[0, 1, 2], [1, 1, 0], [2, 0, 0], [0, 0, 1]])


def as_table(words, vocab_size):
    pmf = np.zeros((vocab_size,) * words.shape[1])
    pmf[tuple(words.T)] = 1.0 / len(words)
    return tm.Table(pmf)


def test_there_are_288_grids_in_12_orbits():
    grid = sudoku4()
    assert grid.words.shape == (288, 16)
    assert len(np.unique(grid.classes)) == 12
    assert np.bincount(grid.classes).tolist() == [24] * 12
    assert len(np.unique(grid.moves, axis=0)) == 128
    for word in grid.words.reshape(288, 4, 4):
        boxes = word.reshape(2, 2, 2, 2).swapaxes(1, 2).reshape(4, 4)
        for lines in (word, word.T, boxes):
            assert (np.sort(lines, axis=1) == np.arange(4)).all()


def test_marginals_are_those_of_the_table():
    words, table = WordList(WORDS, 3), as_table(WORDS, 3)
    y = states(3, 3)
    np.testing.assert_allclose(words.marginals(y, "nan"), table.marginals(y, "nan"), rtol=1e-14)
    x = sequences(3, 3)
    np.testing.assert_allclose(words.log_prob(x), table.log_prob(x), rtol=1e-14)
    assert words.entropy() == pytest.approx(table.entropy(), rel=1e-14)
    with pytest.raises(tm.ImpossibleContext, match="row"):
        words.marginals(np.array([[2, 2, -1]]))


def test_samples_are_words():
    draws = sudoku4().sample(2000, np.random.default_rng(0))
    assert np.isfinite(sudoku4().log_prob(draws)).all()
    assert len(np.unique(draws, axis=0)) > 250


def test_first_occurrence_names_symbols_in_order():
    assert first_occurrence(np.array([[2, 0, 2, 1]])).tolist() == [[0, 1, 0, 2]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"words": np.array([[0, 1], [0, 1]]), "vocab_size": 2}, "2 rows of which 1 are distinct"),
        ({"words": np.array([[0, 3]]), "vocab_size": 2}, r"tokens\[0, 1\] = 3"),
        ({"words": np.zeros((0, 2), dtype=int), "vocab_size": 2}, "non-empty"),
        (
            {"words": np.array([[0, 1]]), "vocab_size": 2, "relabelling": True},
            "exchanging (symbols )?0 and 1 leaves the list",
        ),
        ({"words": np.array([[0, 1]]), "vocab_size": 2, "moves": np.array([[1, 0]])}, r"moves\[0\]"),
        ({"words": np.array([[0, 1]]), "vocab_size": 2, "moves": np.array([[0, 0]])}, r"moves\[0\]"),
    ],
)
def test_bad_lists(arguments, message):
    with pytest.raises(ValueError, match=message):
        WordList(**arguments)


def test_permutations_are_closed_under_relabelling():
    words = WordList(np.array(list(permutations(range(3)))), 3, relabelling=True)
    assert len(np.unique(words.classes)) == 1
