"""Every rule at its published setting beside the best adaptive rule with as many expected calls: regret in nats.

Calls of rules that look at what is drawn are expected under what they write; of all others under q. The front is that
of deterministic adaptive rules with the exact denoiser. A random order mixes orders, so the KL of its text may lie
below it.
"""

from dataclasses import dataclass

import numpy as np

import toy_models as tm
from toy_models.quantities import lattice
from toy_models.rules.protocol import sees_contents, sees_drawn
from toy_models.schedules import floor_sizes

NO_REPEAT = [[0.0, 0.7, 0.3], [0.4, 0.0, 0.6], [0.5, 0.5, 0.0]]
STICKY = [[0.90, 0.08, 0.02], [0.03, 0.90, 0.07], [0.08, 0.02, 0.90]]
NOISY = [[0.90, 0.05, 0.05], [0.05, 0.90, 0.05], [0.05, 0.05, 0.90]]


@dataclass(frozen=True)
class Entry:
    """One rule on one language."""

    rule: str
    language: str
    calls: float
    kl: float
    front: float  # least KL of an adaptive rule with as many calls

    @property
    def regret(self) -> float:
        return self.kl - self.front


@dataclass(frozen=True, eq=False)
class Table:
    """All entries, and the optimal front of each language: calls and KL of its vertices."""

    entries: tuple[Entry, ...]
    fronts: dict[str, tuple[np.ndarray, np.ndarray]]
    entropies: dict[str, float]

    @property
    def rules(self) -> list[str]:
        return list(dict.fromkeys(entry.rule for entry in self.entries))

    @property
    def languages(self) -> list[str]:
        return list(self.fronts)

    def of(self, rule: str, language: str) -> Entry:
        return next(e for e in self.entries if (e.rule, e.language) == (rule, language))


def languages(full: bool) -> dict[str, tm.Target]:
    """Six languages of two or three letters; L = 8 and 6, on the smoke profile 4."""
    two, three = (8, 6) if full else (4, 4)
    return {
        f"coins (.9, .1), L = {two}": tm.MarkovChain([[0.9, 0.1], [0.9, 0.1]], two),
        f"chain (.7,.3),(.2,.8), L = {two}": tm.MarkovChain([[0.7, 0.3], [0.2, 0.8]], two),
        f"slow chain (.97,.03),(.02,.98), L = {two}": tm.MarkovChain([[0.97, 0.03], [0.02, 0.98]], two),
        f"3 letters, no repeats, L = {three}": tm.MarkovChain(NO_REPEAT, three),
        f"hidden Markov, 3 letters, L = {three}": tm.HMM(np.full(3, 1 / 3), np.array(STICKY), np.array(NOISY), three),
        f"even parity, L = {two}": tm.zero_sum(2, two),
    }


def rules(length: int) -> dict[str, tm.Rule]:
    """name -> the rule at length L, with the exact denoiser at temperature 1."""
    pairs = [2] * (length // 2)
    return {
        "drawn confidence, L calls": tm.DrawnConfidence(1),
        "drawn confidence, L/2 calls": tm.DrawnConfidence(2),
        "drawn confidence, 2 blocks, L calls": tm.DrawnConfidence(1, block=length // 2),
        "drawn confidence ≥ .9": tm.DrawnConfidence(tm.rules.Above(0.9)),
        "drawn confidence, factor 1": tm.DrawnConfidence(tm.rules.Factor(1.0)),
        "P2 with drawn tokens, L calls": tm.rules.PathPlanning(tuple(range(1, length + 1))),
        "marginal confidence, L calls": tm.TopK(1),
        "marginal confidence, L/2 calls": tm.TopK(2),
        "marginal confidence ≥ .9": tm.Threshold(0.9),
        "marginal confidence, factor 1": tm.FactorThreshold(1.0),
        "entropy-bounded, γ = .1": tm.EntropyBounded(0.1),
        "entropy sum ≤ .5": tm.EntropySum(0.5),
        "ancestral, N = L slots": tm.IndependentReveal(np.full(length, 1 / length)),
        "random order, L/2 calls": tm.RandomOrder(pairs),
        "random order, floor sizes, N = L": tm.RandomOrder([int(s) for s in floor_sizes(length, length) if s]),
        "dilated": tm.Dilated(length),
        "halving": tm.bisection(length),
    }


def table(full: bool) -> Table:
    """Exact calls, KL and regret of every rule on every language."""
    entries, fronts, entropies = [], {}, {}
    for name, target in languages(full).items():
        law = lattice.to_table(target)
        front = tm.rules.optimal_front(law, solves=16)
        fronts[name] = (front.calls, np.maximum(front.kl, 0.0))
        entropies[name] = law.entropy()
        for label, rule in rules(target.length).items():
            replayed = isinstance(rule, tm.ContentFree) or (sees_contents(rule) and not sees_drawn(rule))
            calls = tm.expected_calls(law, rule) if replayed else tm.sampler_law(law, rule).mean_steps
            kl = max(float(tm.marginal_kl(law, rule)), 0.0)
            entries.append(Entry(label, name, float(calls), kl, float(front.lower_bound(calls))))
    return Table(tuple(entries), fronts, entropies)
