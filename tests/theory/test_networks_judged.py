"""The sampled judge against enumeration, and training followed by hand: what they must notice."""

import numpy as np
import pytest
import torch
from smoke import results as smoke

import toy_models as tm
from theory.networks.judged import entry, misfit
from theory.networks.replay import OPTIONS, by_hand
from toy_models import networks
from toy_models.quantities.intervals import student_interval


@pytest.fixture(scope="module")
def results():
    return smoke("networks")


def test_misfit_tells_a_law_from_its_neighbour(rng):
    """4000 words of a chain: below one under its own law, above under a chain with one row moved by a tenth."""
    chain = tm.MarkovChain([[0.7, 0.3], [0.4, 0.6]], 4)
    other = tm.MarkovChain([[0.6, 0.4], [0.4, 0.6]], 4)
    words = torch.as_tensor(chain.sample(4000, rng))
    pmfs = [np.exp(t.log_prob(np.array(list(np.ndindex(2, 2, 2, 2))))).reshape(2, 2, 2, 2) for t in (chain, other)]
    assert misfit(words, pmfs[0]) < 1 < misfit(words, pmfs[1])
    impossible = np.zeros((2, 2, 2, 2))
    impossible[0, 0, 0, 0] = 1.0
    assert misfit(words, impossible) == np.inf


def test_entry_takes_one_component():
    what, low, value, high, exact = entry("x", student_interval(np.array([[1.0, 5.0], [3.0, 9.0]]), 0.9), 7, 1)
    assert (what, value, exact) == ("x", 7.0, 7.0)
    assert low < 7 < high


def test_every_estimator_is_judged(results):
    told = " ".join(what for what, *_ in results.judged.entries)
    for word in ("entropy", "learning error", "token error", "SER", "calls", "-log q", "stopped", "variance", "causal"):
        assert word in told
    assert len(results.judged.misfits) == 11
    assert all(results.judged.facts.values())


def test_intervals_are_not_trivial(results):
    """Those of the curves are narrower than 0.05 nats, so that a wrong curve lies outside."""
    for what, low, _, high, _ in results.judged.entries:
        if what.startswith(("entropy", "learning", "token error", "of the oracle")):
            assert high - low < 0.05, what


def test_by_hand_is_the_training_of_the_library(results):
    assert results.replay.gap < 1e-5
    assert min(results.replay.changed.values()) > 100 * results.replay.gap
    assert results.replay.clipped > OPTIONS.steps / 2


def test_losses_by_hand_fall(results):
    target = tm.MarkovChain([[0.9, 0.1, 0.0], [0.0, 0.9, 0.1], [0.1, 0.0, 0.9]], 4)
    losses, *_ = by_hand(target, networks.Config(3, 4, width=8, layers=1, heads=2), 0)
    assert losses[0] == pytest.approx(np.log(3), abs=1e-12)
    assert losses[-1] < losses[0]
