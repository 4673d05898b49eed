"""The learned edit programs: data, exact certificate, and what an untrained network does."""

import numpy as np
import pytest
import torch

from toy_models.any_process import even_parity, sudoku
from toy_models.any_process.laws import support
from toy_models.any_process.parity import first_pair
from toy_models.any_process.transition import write
from toy_models.networks import edit_learner as learner
from toy_models.validation import MASK


def test_transitions_label_what_the_program_does():
    data = learner.transitions(first_pair, [first_pair.encode("<01"), first_pair.encode("<MM0")], pad=4)
    assert data.tokens.tolist() == [[3, 1, 2, 4], [3, 0, 0, 1]]
    assert data.bits[0, :, 0].tolist() == [0, 1, 0, 0]
    assert data.bits[1, :, 2].tolist() == [0, 1, 1, 0]
    assert data.valid.tolist() == [[True, True, True, False], [True] * 4]
    assert (data.candidate == learner.IGNORE).all()


def test_transitions_of_a_program_that_draws():
    start = even_parity.start(3)
    data = learner.transitions(even_parity.hidden_bits, [start], pad=4)
    assert data.candidate[:, 1:].tolist() == [[0, 0], [1, 1]]
    assert data.bits[:, :, 1].tolist() == [[1, 1, 1]] * 2
    assert data.bits[:, :, 0].tolist() == [[1, 0, 0]] * 2
    with pytest.raises(ValueError, match="uniform among 2"):
        learner.transitions(lambda x: [((0.9, write(0)), (0.1, write(1)))], [(-1,)], pad=4)
    all_states = sorted(support(even_parity.hidden_bits, start, 6))
    assert len(learner.transitions(even_parity.hidden_bits, all_states, pad=4).tokens) == len(all_states) + 1


def test_training_from_length_two_gives_a_certified_program():
    torch.set_num_threads(1)
    model = learner.train_parity(0, indexed=True, steps=300)
    assert sum(p.numel() for p in model.parameters()) == 219
    assert learner.agrees_at_every_length(model)
    bits = np.random.default_rng(0).integers(2, size=(20, 40))
    np.testing.assert_array_equal(learner.parity_answers(model, bits, 82), bits.sum(axis=1) % 2)
    start, zero, one = (2,), (2, 0), (2, 1)
    assert learner.endings(model) == {start: (start,), zero: (zero, (2, MASK), start), one: (one,)}
    with torch.no_grad():
        model.gain[5] = 0.1  # a later position that speaks voids the certificate
    assert not learner.agrees_at_every_length(model)


def test_answers_are_read_where_the_network_stops():
    """On `<0` the rules stop and the trained network goes on; a network that keeps everything answers on `<1` alone."""
    silent = learner.LocalEncoder(3, 4, 2, 8, indexed=True)  # no gain: it keeps what it reads
    assert all(len(trace) == 1 for trace in learner.endings(silent).values())
    assert learner.parity_answers(silent, np.array([[1], [0]]), 8).tolist() == [1, -1]
    torch.set_num_threads(1)
    model = learner.train_parity(1, indexed=True, steps=300)
    assert learner.parity_answers(model, np.array([[1], [0]]), 8).tolist() == [1, 0]


def test_untrained_and_relative_networks_are_not_certified():
    torch.manual_seed(0)
    fresh = learner.LocalEncoder(3, 4, 2, 8, indexed=True)
    assert not learner.agrees_at_every_length(fresh)
    assert not learner.agrees_at_every_length(learner.LocalEncoder(3, 4, 2, 8, indexed=False))


def test_sudoku_labels_and_filling():
    puzzles = sudoku.minimal_puzzles().puzzles[:3]
    states = sudoku.single_states(puzzles)
    forced = sudoku.forced_values(states)
    assert ((forced >= 0) <= (states == MASK)).all()
    candidate = np.where(forced >= 0, forced, learner.IGNORE)
    model = learner.train_sudoku(states, candidate, seed=0, steps=300, width=8)
    finished, _ = sudoku.solve_singles(puzzles)
    np.testing.assert_array_equal(learner.fill_grids(model, puzzles), finished)  # it can hold what it was shown
    with torch.no_grad():
        model.control.bias[1] = 50.0  # an insert bit spoils the row
    assert (learner.fill_grids(model, puzzles) == -2).all()
