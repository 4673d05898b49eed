"""Languages and rules by name, as the command line gives them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import toy_models as tm
from toy_models.audit.standing import even_sizes
from toy_models.rules.protocol import Rule
from toy_models.targets.protocol import Target


@dataclass(frozen=True)
class Language:
    """make(length) -> target; `length` is the default, `longest` what fits into memory with thousands of texts."""

    told: str
    length: int
    make: Callable[[int], Target]
    longest: int = 4096


def _table(length: int) -> tm.Table:
    weights = np.random.default_rng(5).dirichlet(np.full(3**length, 0.7))
    weights[weights < 0.16 / 3**length] = 0.0
    return tm.Table((weights / weights.sum()).reshape((3,) * length))


LANGUAGES = {
    "chain": Language(
        "two letters, a Markov chain [[.7, .3], [.2, .8]]", 6, lambda n: tm.MarkovChain([[0.7, 0.3], [0.2, 0.8]], n)
    ),
    "no-repeats": Language(
        "three letters, never the same twice in a row",
        5,
        lambda n: tm.MarkovChain([[0.0, 0.6, 0.4], [0.5, 0.0, 0.5], [0.3, 0.7, 0.0]], n),
    ),
    "slow": Language(
        "two letters, a Markov chain that changes once in a hundred",
        16,
        lambda n: tm.MarkovChain([[0.99, 0.01], [0.01, 0.99]], n),
    ),
    "hidden": Language(
        "two letters seen through a noisy hidden chain",
        6,
        lambda n: tm.HMM([0.5, 0.5], [[0.95, 0.05], [0.05, 0.95]], [[0.9, 0.1], [0.2, 0.8]], n),
    ),
    "table": Language("three letters, a random table, a part of the texts impossible, no ties", 4, _table, 12),
    "parity": Language("bits of even sum", 6, lambda n: tm.zero_sum(2, n)),
    "repetition": Language("one of two letters, repeated", 6, lambda n: tm.repetition(2, n)),
    "english": Language("27 symbols, bigrams of English text", 32, lambda n: tm.corpus.language(2, n)),
    "english-letters": Language(
        "27 symbols, independent, of English frequency", 32, lambda n: tm.corpus.language(1, n)
    ),
    "english-trigrams": Language("27 symbols, trigrams of English text", 32, lambda n: tm.corpus.language(3, n)),
}

RULES: dict[str, tuple[str, Callable[..., Rule]]] = {
    "one-by-one": ("one letter per call, in a random order", lambda n: tm.RandomOrder([1] * n)),
    "random:N": ("N even steps of a random order", lambda n, steps: tm.RandomOrder(even_sizes(n, _whole(steps, 1, n)))),
    "left-to-right": ("one letter per call, from the left", lambda n: tm.FixedOrder([[i] for i in range(n)])),
    "halving": ("the positions in the middle first", tm.bisection),
    "grid:N": (
        "each position draws one of N steps",
        lambda n, steps: tm.IndependentReveal(np.full(_whole(steps), 1.0 / _whole(steps))),
    ),
    "confidence:K": ("the K positions of largest marginal probability", lambda n, k: tm.TopK(_whole(k))),
    "entropy:K": ("the K positions of least entropy", lambda n, k: tm.TopK(_whole(k), "entropy")),
    "margin:K": ("the K positions of largest margin", lambda n, k: tm.TopK(_whole(k), "margin")),
    "drawn:K": (
        "draw at every mask, keep the K most probable",
        lambda n, k: tm.DrawnConfidence(_whole(k)),
    ),
    "threshold:P": ("all positions of marginal probability at least P", lambda n, p: tm.Threshold(_real(p))),
    "factor:F": (
        "as many positions as a confidence of 1 - F/(k + 1) allows",
        lambda n, f: tm.FactorThreshold(_real(f)),
    ),
    "entropy-sum:GAMMA": ("entropies that sum to GAMMA nats", lambda n, gamma: tm.EntropySum(_real(gamma))),
    "dilated": ("far positions first, strides halved", lambda n: tm.Dilated(n)),
    "eb:GAMMA": ("EB-Sampler, GAMMA nats", lambda n, gamma: tm.EntropyBounded(_real(gamma))),
    "blocks:B:K": (
        "blocks of B from the left, in each the K most confident positions",
        lambda n, block, k: tm.SemiAutoregressive(_whole(block), tm.TopK(_whole(k))),
    ),
}


def language(name: str, length: int | None) -> Target:
    """The target of that name. ValueError lists the names."""
    if name not in LANGUAGES:
        raise ValueError(f"no language {name!r}; there are: {', '.join(LANGUAGES)}")
    found = LANGUAGES[name]
    length = found.length if length is None else length
    if not 1 <= length <= found.longest:
        raise ValueError(f"length = {length} of {name!r}, allowed: 1..{found.longest}")
    return found.make(length)


def rule(text: str, length: int) -> Rule:
    """The rule such as eb:0.1. ValueError lists the forms."""
    name, *values = text.split(":")
    for form, (_, make) in RULES.items():
        if form.split(":")[0] == name:
            if len(values) != form.count(":"):
                raise ValueError(f"rule {text!r}, its form is {form}")
            return make(length, *values)
    raise ValueError(f"no rule {text!r}; there are: {', '.join(RULES)}")


def _whole(text: str, least: int = 1, most: int | None = None) -> int:
    if not text.isdigit() or int(text) < least or (most is not None and int(text) > most):
        raise ValueError(f"{text!r} in a rule, allowed: a whole number {least}..{'' if most is None else most}")
    return int(text)


def _real(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{text!r} in a rule is no number") from None
