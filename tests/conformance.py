"""Every target and every rule, by name, and the slow route that all of them are compared with.

A new target or rule joins the conformance suites by one line in TARGETS or RULES. The reference is plain Python: laws
as dictionaries, conditionals as sums over words, the sampler as a walk over partially masked tuples.
"""

from collections import defaultdict
from itertools import combinations, permutations, product
from math import log

import numpy as np
import samplers

import toy_models as tm
from toy_models.door import ADAPTIVE, CONTENT_FREE, DRAWN, SAMPLER, kind_of

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
    "blocks": tm.Blocks(random_table(2, 2, 3), 2),
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


def words(target):
    """{x: q(x)} over V^L, from log_prob."""
    x = np.array(list(product(range(target.vocab_size), repeat=target.length)))
    return dict(zip(map(tuple, x.tolist()), np.exp(target.log_prob(x)).tolist(), strict=True))


def entropy(law):
    return -sum(p * log(p) for p in law.values() if p > 0)


def margin(law, positions):
    """{x_S: q(x_S)}."""
    result = defaultdict(float)
    for x, p in law.items():
        result[tuple(x[i] for i in positions)] += p
    return result


def conditionals(law, y, vocab_size):
    """q(x_i = v | revealed), one-hot where revealed, or None for an impossible context."""
    table = np.zeros((len(y), vocab_size))
    for x, p in law.items():
        if all(t in (-1, v) for t, v in zip(y, x, strict=True)):
            for i, v in enumerate(x):
                table[i, v] += p
    total = table[0].sum()
    return table / total if total > 0 else None


def walker(denoiser):
    """y -> the denoiser's marginals of one context, None where it refuses; all contexts are asked at once."""
    y = list(product(range(-1, denoiser.vocab_size), repeat=denoiser.length))
    found = denoiser.marginals(np.array(y), on_impossible="nan")
    return {row: None if np.isnan(law).any() else law for row, law in zip(y, found, strict=True)}.get


def choices(rule, y, law):
    """(chance, positions, candidates or None) of an adaptive rule in one context."""
    masked = np.array([t == -1 for t in y])
    if kind_of(rule) != DRAWN:
        yield 1.0, np.flatnonzero(rule.select(law[None], masked[None])[0]).tolist(), None
        return
    open_positions = np.flatnonzero(masked)
    source = rule.candidates(law[None])[0] if hasattr(rule, "candidates") else law
    shuffles = [None]
    if getattr(rule, "randomised", False):  # of the noise only the order matters
        shuffles = [np.full(len(y), 0.5) for _ in permutations(open_positions)]
        for noise, order in zip(shuffles, permutations(range(len(open_positions))), strict=True):
            noise[open_positions] = (np.array(order) + 0.5) / len(y)
    for tokens, noise in product(product(range(law.shape[1]), repeat=len(open_positions)), shuffles):
        drawn = np.array(y)
        drawn[open_positions] = tokens
        chance = float(np.prod(source[open_positions, tokens])) / len(shuffles)
        if chance > 0:
            more = () if noise is None else (noise[None],)
            yield chance, np.flatnonzero(rule.select(law[None], masked[None], drawn[None], *more)[0]).tolist(), drawn


def sampler(denoiser, rule):
    """(law of what is written as a dictionary, impossible mass, mean calls), by walking over all runs."""
    if kind_of(rule) == SAMPLER:
        return samplers.walk(denoiser, rule, walker(denoiser), choices)
    if kind_of(rule) == CONTENT_FREE:
        parts = [(w, _staged(denoiser, stages)) for w, stages in rule.stages(denoiser.length)]
    else:
        parts = [(1.0, _adaptive(denoiser, rule))]
    written = defaultdict(float)
    for w, (law, _, _) in parts:
        for x, p in law.items():
            written[x] += w * p
    return written, sum(w * part[1] for w, part in parts), sum(w * part[2] for w, part in parts)


def _reveal(into, y, p, positions, law):
    """Add the mass of every way to write the positions, tokens drawn independently from `law`."""
    branches = [(y, p)]
    for i in positions:
        row = law[i].tolist()
        branches = [
            ((*z[:i], v, *z[i + 1 :]), w * row[v]) for z, w in branches for v in range(len(row)) if row[v] > 0.0
        ]
    for z, w in branches:
        into[z] += w


def _staged(denoiser, stages):
    law_at, mass, lost, calls = walker(denoiser), {(-1,) * denoiser.length: 1.0}, 0.0, 0.0
    for stage in stages:
        fresh = defaultdict(float)
        for y, p in mass.items():
            if p == 0.0:
                continue
            law = law_at(y)
            if law is None:
                lost += p
                continue
            free = [i for i in range(len(y)) if y[i] == -1 and stage.active[i]]
            for size in range(len(free) + 1):
                weight = float(stage.weights[len(free), size])
                calls += (size > 0) * p * weight * len(list(combinations(free, size)))
                for positions in combinations(free, size) if weight > 0 else ():
                    _reveal(fresh, y, p * weight, positions, law)
        mass = fresh
    return mass, lost, calls


def _adaptive(denoiser, rule):
    law_at, written, lost, calls = walker(denoiser), defaultdict(float), 0.0, 0.0
    mass = {(-1,) * denoiser.length: 1.0}
    while mass:
        fresh = defaultdict(float)
        for y, p in mass.items():
            if -1 not in y:
                written[y] += p
                continue
            law = law_at(y) if p > 0 else None
            if law is None:
                lost += p
                continue
            calls += p
            for chance, positions, drawn in choices(rule, y, law):
                if drawn is None:
                    _reveal(fresh, y, p, positions, law)
                else:
                    fresh[tuple(int(drawn[i]) if i in positions else t for i, t in enumerate(y))] += p * chance
        mass = fresh
    return written, lost, calls


def replayed(target, denoiser, rule):
    """(E_q of -log p along the path, E_q[calls]) with the text drawn from q and the order from the rule."""
    law_at, loss, calls = walker(denoiser), 0.0, 0.0
    for x, q in words(target).items():
        if q == 0:
            continue
        blank = (-1,) * len(x)
        if kind_of(rule) == CONTENT_FREE:
            runs = [(w, {blank: q}, stages) for w, stages in rule.stages(len(x))]
        else:
            runs = [(1.0, {blank: q}, [None] * len(x))]
        for w, mass, stages in runs:
            for stage in stages:
                fresh = defaultdict(float)
                for y, p in mass.items():
                    if -1 not in y:
                        continue
                    law = law_at(y)
                    for chance, positions in _moves(rule, stage, y, law):
                        calls += w * p * chance * (len(positions) > 0)
                        loss -= sum(w * p * chance * log(law[i, x[i]]) for i in positions)
                        after = tuple(x[i] if i in positions else t for i, t in enumerate(y))
                        fresh[after] += p * chance
                mass = fresh
    return loss, calls


def _moves(rule, stage, y, law):
    if stage is None:
        return [(chance, positions) for chance, positions, _ in choices(rule, y, law)]
    free = [i for i in range(len(y)) if y[i] == -1 and stage.active[i]]
    sets = [s for size in range(len(free) + 1) for s in combinations(free, size)]
    return [(float(stage.weights[len(free), len(s)]), s) for s in sets if stage.weights[len(free), len(s)] > 0]
