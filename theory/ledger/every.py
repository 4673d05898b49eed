"""Every target and every rule, by name, on instances small enough for the slow route of enumeration.py.

A new target or rule joins the conformance suites, in the ledger and in the tests, by one line in TARGETS or RULES.
"""

from math import log

import numpy as np

import toy_models as tm
from toy_models.rules.kinds import ADAPTIVE, CONTENT_FREE, DRAWN, kind_of

CHAIN_A = [[0.7, 0.3, 0.0], [0.0, 0.6, 0.4], [0.5, 0.0, 0.5]]
SKEW = [[0.8, 0.15, 0.05], [0.05, 0.7, 0.25], [0.3, 0.1, 0.6]]
CODE = np.array([[1, 0, 1, 1], [0, 1, 1, 0]])


class Coins:
    """A target of one's own with the protocol's members and nothing more: independent biased coins."""

    vocab_size, length, heads = 2, 4, 0.3

    def log_prob(self, x):
        return np.log(np.where(np.asarray(x) == 1, self.heads, 1 - self.heads)).sum(axis=1)

    def sample(self, size, rng):
        return (rng.random((size, self.length)) < self.heads).astype(np.int64)

    def entropy(self):
        return -self.length * (self.heads * log(self.heads) + (1 - self.heads) * log(1 - self.heads))

    def marginals(self, y, on_impossible="raise"):
        law = np.broadcast_to([1 - self.heads, self.heads], (*y.shape, 2))
        return np.where((y >= 0)[..., None], np.eye(2)[y], law)


class BothWays:
    """A content-free rule of one's own: left to right, or right to left, each with probability one half."""

    def stages(self, length):
        forward = [(i,) for i in range(length)]
        return [(0.5, tm.FixedOrder(blocks).stages(length)[0][1]) for blocks in (forward, forward[::-1])]

    def draw_steps(self, size, length, rng):
        steps = np.arange(length)
        return np.where(rng.random((size, 1)) < 0.5, steps, steps[::-1])


class Leftmost:
    """An adaptive rule of one's own."""

    def select(self, marginals, masked):
        return masked & (np.cumsum(masked, axis=1) == 1)


class KeepLikeliest:
    """A rule that sees the candidates: keep the one of largest probability, the leftmost of equals."""

    def select(self, marginals, masked, drawn):
        own = np.take_along_axis(marginals, np.where(masked, drawn, 0)[..., None], axis=2)[..., 0]
        best = np.where(masked, own, -1.0).argmax(axis=1)
        return masked & (np.arange(masked.shape[1]) == best[:, None])


def random_table(vocab_size, length, seed=0):
    pmf = np.random.default_rng(seed).dirichlet(np.full(vocab_size**length, 0.5))
    return tm.Table(pmf.reshape((vocab_size,) * length))


TARGETS = {
    "table": random_table(2, 4),
    "table, three symbols": random_table(3, 3, 1),
    "permutations": tm.permutations(3),
    "zero sum, a table": tm.zero_sum(4, 3),
    "chain, stationary": tm.MarkovChain(CHAIN_A, 4),
    "chain, started": tm.MarkovChain(SKEW, 4, [0.5, 0.2, 0.3]),
    "chain, tiny rows": tm.MarkovChain([[1.0 - 1e-14, 1e-14], [1e-14, 1.0 - 1e-14]], 4),
    "repetition": tm.repetition(2, 4),
    "one letter": tm.MarkovChain([[1.0]], 3),
    "one position": tm.MarkovChain(SKEW, 1),
    "1-gram": tm.NGram(np.array([0.2, 0.8]), 4),
    "2-gram": tm.NGram(np.array(SKEW), 4),
    "3-gram": tm.NGram(np.random.default_rng(2).dirichlet([1, 1], size=(2, 2)), 4),
    "hmm": tm.HMM([1 / 3, 2 / 3], [[0.8, 0.2], [0.1, 0.9]], [[0.7, 0.3, 0.0], [0.0, 0.25, 0.75]], 4),
    "code": tm.LinearCode(CODE, 2),
    "zero sum, a code": tm.zero_sum(3, 4),
    "code over seven": tm.LinearCode(np.array([[1, 2]]), 7),
    "blocks": tm.Blocks(random_table(2, 2, 3), 2),
    "blocks with zeros": tm.Blocks(tm.MarkovChain([[0.5, 0.5], [1.0, 0.0]], 2), 2),
    "one block": tm.Blocks(random_table(2, 3, 4), 1),
    "pairs": tm.pairs(2, 4),
    "word list": tm.targets.WordList(np.array([[0, 1, 1, 0], [1, 1, 0, 0], [0, 0, 0, 1]]), 2),
    "of one's own": Coins(),
}
RULES = {
    "independent": lambda target: tm.IndependentReveal([0.2, 0.5, 0.3]),
    "independent, empty steps": lambda target: tm.IndependentReveal([0.0, 0.6, 0.0, 0.4]),
    "one step": lambda target: tm.IndependentReveal([1.0]),
    "shifted": lambda target: tm.ShiftedReveal(3),
    "random order": lambda target: tm.RandomOrder((1, 0, target.length - 1)),
    "fixed order": lambda target: tm.FixedOrder((tuple(range(1, target.length)), (), (0,))),
    "bisection": lambda target: tm.bisection(target.length),
    "first hitting": lambda target: tm.rules.first_hitting(target.length),
    "blocks of a grid": lambda target: tm.rules.Blockwise(max(1, target.length // 2), tm.IndependentReveal([0.3, 0.7])),
    "top-1, confidence": lambda target: tm.TopK(1),
    "top-2, margin": lambda target: tm.TopK(2, "margin"),
    "top-9, entropy": lambda target: tm.TopK(9, "entropy"),
    "entropy bounded": lambda target: tm.EntropyBounded(0.4),
    "entropy sum": lambda target: tm.EntropySum(0.8),
    "factor": lambda target: tm.FactorThreshold(0.9),
    "frechet": lambda target: tm.FrechetBound(0.7),
    "dilated": lambda target: tm.Dilated(target.length),
    "threshold": lambda target: tm.Threshold(0.6),
    "semi-autoregressive": lambda target: tm.SemiAutoregressive(2, tm.TopK(1, "entropy")),
    "optimal policy": lambda target: tm.optimal_policy(target, 0.2),
    "content-free of one's own": lambda target: BothWays(),
    "adaptive of one's own": lambda target: Leftmost(),
    "sees the candidates": lambda target: KeepLikeliest(),
    "drawn confidence": lambda target: tm.DrawnConfidence(1),
    "drawn confidence, random ties, tempered": lambda target: tm.DrawnConfidence(2, 0.5, ties="uniform"),
    "drawn confidence, factor": lambda target: tm.DrawnConfidence(tm.rules.Factor(1.2), 1.0, "margin"),
    "grid, argmax": lambda target: tm.rules.GridReveal([0.3, 0.4]),
    "remasking": lambda target: tm.rules.Remasking([0.0, 0.4, 0.7, 1.0], [0.0, 0.5, 0.0]),
    "remembered confidence": lambda target: tm.rules.ConfidenceMemory([0.0, 0.5, 0.5, 1.0], [0.0, 0.8, 0.0]),
    "path planning": lambda target: tm.rules.PathPlanning(sorted({1, (target.length + 1) // 2, target.length})),
    "speculative": lambda target: tm.Speculative(3),
    "stop at eos": lambda target: tm.rules.StopAtEos(1, tm.SemiAutoregressive(2, tm.TopK(1, "margin"))),
    "stop at eos, drawn": lambda target: tm.rules.StopAtEos(1, tm.DrawnConfidence(1, block=2)),
}
KINDS = {name: kind_of(rule(TARGETS["table"])) for name, rule in RULES.items()}
CONTENT_BLIND = [name for name, kind in KINDS.items() if kind == CONTENT_FREE]
ADAPTED = [name for name, kind in KINDS.items() if kind == ADAPTIVE]
WITH_LIKELIHOOD = [n for n, kind in KINDS.items() if kind != DRAWN or hasattr(RULES[n](TARGETS["table"]), "push")]
