"""The slow route that every target, rule and quantity is compared with, in the ledger and in the tests.

Plain Python: laws as dictionaries, conditionals as sums over words, the sampler as a walk over partially masked tuples.
"""

from collections import defaultdict
from itertools import combinations, permutations, product
from math import log

import numpy as np

from theory.ledger import walks
from toy_models.rules.kinds import CONTENT_FREE, DRAWN, SAMPLER, kind_of


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
        return walks.walk(denoiser, rule, walker(denoiser), choices)
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
                    assert law is not None  # on the way to x, which is possible
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
