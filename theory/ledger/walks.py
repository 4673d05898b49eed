"""The slow twins of the samplers that bring their own law: walks over dictionaries of histories, by definition."""

from collections import defaultdict
from itertools import product
from math import exp, prod

import numpy as np


def walk(denoiser, rule, law_at, choices):
    """(law of what is written, impossible mass, mean calls that write) of a sampler, by its name."""
    twin = {
        "GridReveal": grid,
        "Remasking": remasking,
        "ConfidenceMemory": memory,
        "PathPlanning": planning,
        "Speculative": speculative,
    }.get(type(rule).__name__)
    return stop_at_eos(denoiser, rule, law_at, choices) if twin is None else twin(denoiser, rule, law_at)


def grid(denoiser, rule, law_at):
    """Every assignment of calls to positions; the last call is the fill."""
    shares = [*rule.weights.tolist(), 1 - rule.weights.sum()]
    written, lost, calls = defaultdict(float), 0.0, 0.0
    for when in product(range(len(shares)), repeat=denoiser.length):
        front = {(-1,) * denoiser.length: prod(shares[j] for j in when)}
        for j in sorted(set(when)):
            fresh = defaultdict(float)
            for y, p in front.items():
                law = law_at(y) if p > 0 else None
                if law is None:
                    lost += p
                    continue
                calls += p
                places = [i for i, c in enumerate(when) if c == j]
                for tokens in product(range(denoiser.vocab_size), repeat=len(places)):
                    fill = j == len(shares) - 1 and rule.fill == "argmax"
                    share = prod(
                        float(v == (law[i] >= law[i].max() - 1e-12).argmax()) if fill else law[i, v]
                        for i, v in zip(places, tokens, strict=True)
                    )
                    z = list(y)
                    for i, v in zip(places, tokens, strict=True):
                        z[i] = v
                    fresh[tuple(z)] += p * share
            front = fresh
        for x, p in front.items():
            written[x] += p
    return written, lost, calls


def _step(history, rows):
    """Every combination of one option per position: (history after, chance, whether a mask was written)."""
    parts = [((), 1.0, False)]
    for cell, options in zip(history, rows, strict=True):
        parts = [
            (*_append(head, new), p * w, seen or (cell[0] == -1 != new[0]))
            for head, p, seen in parts
            for new, w in options
        ]
    return parts


def _append(head, new):
    return ((*head, new),)


def _remask_walk(denoiser, rule, law_at, remask_chance, reveal_chance):
    """Histories are tuples of (token, its probability when it was written)."""
    front, lost, calls = {((-1, 0.0),) * denoiser.length: 1.0}, 0.0, 0.0
    for j, sigma in enumerate(rule.sigmas):
        fresh = defaultdict(float)
        for history, p in front.items():
            law = law_at(tuple(v for v, _ in history))
            if law is None:
                lost += p
                continue
            reveal, rows = reveal_chance(j), []
            for i, (v, c) in enumerate(history):
                if v == -1:
                    options = [((-1, 0.0), 1 - reveal)]
                    options += [((w, float(law[i, w])), reveal * law[i, w]) for w in range(denoiser.vocab_size)]
                else:
                    again = sigma * remask_chance(history, i)
                    options = [((v, c), 1 - again), ((-1, 0.0), again)]
                rows.append([(new, w) for new, w in options if w > 0])
            for after, share, wrote in _step(history, rows):
                fresh[after] += p * share
                calls += p * share * wrote
        front = fresh
    written = defaultdict(float)
    for history, p in front.items():
        written[tuple(v for v, _ in history)] += p
    return written, lost, calls


def remasking(denoiser, rule, law_at):
    a = rule.alphas
    reveal = lambda j: (a[j + 1] - (1 - rule.sigmas[j]) * a[j]) / (1 - a[j])  # noqa: E731
    return _remask_walk(denoiser, rule, law_at, lambda history, i: 1.0, reveal)


def memory(denoiser, rule, law_at):
    a = rule.alphas

    def share(history, i):
        return exp(-history[i][1]) / sum(exp(-c) for v, c in history if v != -1)

    return _remask_walk(denoiser, rule, law_at, share, lambda j: (a[j + 1] - a[j]) / (1 - a[j]))


def planning(denoiser, rule, law_at):
    """Every joint draw of all positions; the k best are kept, ties to the left."""
    front, lost, calls = {(-1,) * denoiser.length: 1.0}, 0.0, 0.0
    for k in rule.kept:
        fresh = defaultdict(float)
        for y, p in front.items():
            law = law_at(y)
            if law is None:
                lost += p
                continue
            calls += p
            rows = []
            for i in range(denoiser.length):
                without = law_at((*y[:i], -1, *y[i + 1 :]))
                rows.append(law[i] if y[i] == -1 or without is None else without[i])
            for tokens in product(range(denoiser.vocab_size), repeat=denoiser.length):
                values = [float(row[v]) for row, v in zip(rows, tokens, strict=True)]
                if min(values) == 0:
                    continue
                order = sorted(range(len(values)), key=lambda i: (-round(values[i], 12), i))
                fresh[tuple(v if i in order[:k] else -1 for i, v in enumerate(tokens))] += p * prod(values)
        front = fresh
    return front, lost, calls


def speculative(denoiser, rule, law_at):
    """Every draft, then the verifier token by token."""
    written, lost, calls = defaultdict(float), 0.0, 0.0
    front = {(-1,) * denoiser.length: 1.0}
    while front:
        fresh = defaultdict(float)
        for y, p in front.items():
            if -1 not in y:
                written[y] += p
                continue
            law = law_at(y)
            if law is None:
                lost += p
                continue
            window = [i for i, v in enumerate(y) if v == -1][: rule.draft]
            calls += p * min(2, len(window))
            for tokens in product(range(denoiser.vocab_size), repeat=len(window)):
                chance, z = p * prod(law[i, v] for i, v in zip(window, tokens, strict=True)), list(y)
                for i, v in zip(window, tokens, strict=True):
                    exact = law_at(tuple(z)) if chance > 0 else None
                    if exact is None:
                        lost += chance
                        chance = 0.0
                        break
                    accept = min(1.0, exact[i, v] / law[i, v])
                    rest = np.maximum(exact[i] - law[i], 0.0)
                    if accept < 1:
                        for w in np.flatnonzero(rest):
                            other = [*z[:i], int(w), *z[i + 1 :]]
                            fresh[tuple(other)] += chance * (1 - accept) * rest[w] / rest.sum()
                    chance *= accept
                    z[i] = v
                if chance > 0:
                    fresh[tuple(z)] += chance
        front = fresh
    return written, lost, calls


def stop_at_eos(denoiser, rule, law_at, choices):
    """Blocks from left to right; a finished block with an eos ends the run."""
    written, lost, calls = defaultdict(float), 0.0, 0.0
    front, block = {(-1,) * denoiser.length: 1.0}, rule.rule.block
    while front:
        fresh = defaultdict(float)
        for y, p in front.items():
            whole = len(y) if -1 not in y else y.index(-1) // block * block
            if rule.eos in y[:whole] or -1 not in y:
                end = y.index(rule.eos) if rule.eos in y else len(y)
                written[(*y[:end], *[rule.eos] * (len(y) - end))] += p
                continue
            law = law_at(y)
            if law is None:
                lost += p
                continue
            calls += p
            for chance, positions, drawn in choices(rule.rule, y, law):
                for tokens in product(range(law.shape[1]), repeat=len(positions) if drawn is None else 0):
                    z, share = list(y), p * chance
                    for i, v in zip(positions, tokens if drawn is None else drawn[list(positions)], strict=True):
                        z[i] = int(v)
                        share *= law[i, v] if drawn is None else 1.0
                    fresh[tuple(z)] += share
        front = {y: p for y, p in fresh.items() if p > 0}
    return written, lost, calls
