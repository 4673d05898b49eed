"""Streams have the law they claim: every sequence of a small target by its frequency."""

import numpy as np
import pytest
import torch
from scipy.stats import chi2

import toy_models as tm
from toy_models import networks
from toy_models.networks import data
from toy_models.quantities.lattice import to_table

ALPHA = 1e-6
SIZE = 20_000


def statistic(target, tokens):
    """Pearson's statistic against the exact law, and its quantile; inf when an impossible sequence was drawn."""
    pmf = to_table(target).pmf.ravel()
    code = np.ravel_multi_index(tuple(tokens.numpy().T), (target.vocab_size,) * target.length)
    seen = np.bincount(code, minlength=len(pmf))
    if seen[pmf == 0].any():
        return np.inf, 0.0
    wanted = pmf[pmf > 0] * len(tokens)
    value = ((seen[pmf > 0] - wanted) ** 2 / wanted).sum()
    return value, chi2.isf(ALPHA, max(len(wanted) - 1, 1))


TARGETS = {
    "chain": tm.MarkovChain([[0.7, 0.3, 0.0], [0.0, 0.6, 0.4], [0.5, 0.0, 0.5]], 4),
    "3-gram": tm.NGram(np.array([[[0.3, 0.7], [0.6, 0.4]], [[0.5, 0.5], [0.9, 0.1]]]), 5),
    "hmm": tm.HMM([0.4, 0.6], [[0.8, 0.2], [0.1, 0.9]], [[0.7, 0.3, 0.0], [0.0, 0.25, 0.75]], 3),
    "pairs": tm.pairs(2, 4),
    "code": tm.LinearCode(np.array([[1, 0, 1, 1], [0, 1, 1, 0]])),
    "table": tm.Table(np.array([[0.1, 0.2], [0.3, 0.4]])),
}


@pytest.mark.parametrize("name", TARGETS)
def test_frequencies(name):
    draw = networks.stream(TARGETS[name], torch.Generator().manual_seed(5))
    value, limit = statistic(TARGETS[name], draw(SIZE))
    assert value < limit


def test_a_wrong_stream_is_rejected():
    wrong = tm.MarkovChain([[0.66, 0.34, 0.0], [0.0, 0.6, 0.4], [0.5, 0.0, 0.5]], 4)
    value, limit = statistic(TARGETS["chain"], networks.stream(wrong, torch.Generator().manual_seed(5))(SIZE))
    assert value > limit


def test_text_windows_come_from_the_circle():
    corpus = np.array([0, 1, 2, 3, 4])
    windows = networks.text_stream(corpus, 3, torch.Generator().manual_seed(0))(200)
    assert ((windows[:, 1:] - windows[:, :-1]) % 5 == 1).all()
    assert len(windows[:, 0].unique()) == 5
    with pytest.raises(ValueError, match="5 tokens"):
        networks.text_stream(corpus, 6, torch.Generator())


def test_unknown_target():
    with pytest.raises(TypeError, match="no stream for int"):
        networks.stream(3, torch.Generator())


@pytest.mark.parametrize("name", ["chain", "3-gram", "hmm"])
def test_both_ways_of_following_a_chain_draw_the_same_tokens(name, monkeypatch):
    """Row by row, and from the table of every state at every uniform number (the route of a GPU)."""
    draws = {}
    for tabulate in (False, True):
        monkeypatch.setattr(data, "_tabulate", lambda rows, numbers, tabulate=tabulate: tabulate)
        draws[tabulate] = networks.stream(TARGETS[name], torch.Generator().manual_seed(9))(300)
    assert torch.equal(draws[False], draws[True])
    assert len(draws[True].unique(dim=0)) > 10


def test_tokens_of_probability_zero_are_never_drawn():
    """u = 0 and the largest u below 1 on rows that start and end with zeros."""
    rows = data._cdf(np.array([[0.0, 0.5, 0.0, 0.5, 0.0], [0.1, 0.2, 0.7, 0.0, 0.0]]), torch.Generator())
    u = torch.tensor([[0.0, 0.0, 1 - 2.0**-53, 1 - 2.0**-53]], dtype=torch.float64)
    for tabulate in (False, True):
        tokens = data.follow(rows, u, tabulate)(0, torch.tensor([0, 1, 0, 1]))
        assert tokens.tolist() == [1, 0, 3, 2]
