"""The rules of the regret table written out: every state, every candidate at every mask, by the definition alone."""

from collections.abc import Callable
from itertools import product

import numpy as np

import toy_models as tm
from theory.decoding import regret
from theory.decoding.results import Results
from theory.ledger.registry import Outcome, decide, definition
from toy_models.quantities import lattice

Choice = Callable[[dict[int, np.ndarray], dict[int, int]], set[int]]  # (marginals, candidates) by mask -> kept masks
TIE = 1e-12


def ranked(scores: dict[int, float]) -> list[int]:
    """Masks by falling score, equal ones from the left."""
    return sorted(scores, key=lambda i: (-round(scores[i], 12), i))


def entropy(p: np.ndarray) -> float:
    return float(-sum(v * np.log(v) for v in p if v > 0))


def longest(order: list[int], allowed: Callable[[int], bool]) -> set[int]:
    """The first k of the order, k the largest with allowed(k), at least one."""
    return set(order[: max([k for k in range(1, len(order) + 1) if allowed(k)], default=1)])


def drawn(keep: Callable[[list[float], int], bool]) -> Choice:
    """Masks by the probability of their candidate; keep(scores in that order, k) allows the first k."""

    def choose(laws, candidates):
        scores = {i: float(laws[i][candidates[i]]) for i in laws}
        order = ranked(scores)
        return longest(order, lambda k: keep([scores[i] for i in order], k))

    return choose


def marginal(keep: Callable[[list[float], int], bool]) -> Choice:
    """Masks by their largest probability."""

    def choose(laws, candidates):
        scores = {i: float(laws[i].max()) for i in laws}
        order = ranked(scores)
        return longest(order, lambda k: keep([scores[i] for i in order], k))

    return choose


def by_entropy(allowed: Callable[[list[float]], bool]) -> Choice:
    """Masks by rising entropy; allowed(entropies of a prefix)."""

    def choose(laws, candidates):
        h = {i: entropy(laws[i]) for i in laws}
        order = ranked({i: -v for i, v in h.items()})
        return longest(order, lambda k: allowed([h[i] for i in order[:k]]))

    return choose


def written_out(target: tm.Target, choose: Choice) -> tuple[np.ndarray, float]:
    """(law of the text, expected calls) by summing over all candidates in every state, V^masks each."""
    vocab, length = target.vocab_size, target.length
    front, law, calls = {(-1,) * length: 1.0}, np.zeros((vocab,) * length), 0.0
    while front:
        following: dict[tuple[int, ...], float] = {}
        for y, mass in front.items():
            calls += mass
            rows = target.marginals(np.array([y]))[0]
            masks = [i for i, v in enumerate(y) if v < 0]
            laws = {i: rows[i] for i in masks}
            for values in product(range(vocab), repeat=len(masks)):
                candidates = dict(zip(masks, values, strict=True))
                chance = mass * float(np.prod([rows[i][v] for i, v in candidates.items()]))
                if chance > 0:
                    kept = choose(laws, candidates)
                    z = tuple(candidates[i] if i in kept else v for i, v in enumerate(y))
                    if -1 in z:
                        following[z] = following.get(z, 0.0) + chance
                    else:
                        law[z] += chance
        front = following
    return law, calls


RULES: dict[str, tuple[tm.Rule, Choice]] = {
    "drawn, one": (tm.DrawnConfidence(1), drawn(lambda s, k: k <= 1)),
    "drawn, two": (tm.DrawnConfidence(2), drawn(lambda s, k: k <= 2)),
    "drawn, sizes 1 and 3": (tm.DrawnConfidence([1, 3]), drawn(lambda s, k: k <= (1 if len(s) == 4 else 3))),
    "drawn, threshold": (tm.DrawnConfidence(tm.rules.Above(0.9)), drawn(lambda s, k: s[k - 1] >= 0.9 - TIE)),
    "drawn, factor": (tm.DrawnConfidence(tm.rules.Factor(1.0)), drawn(lambda s, k: s[k - 1] >= 1 - 1 / (k + 1) - TIE)),
    "marginal, two": (tm.TopK(2), marginal(lambda s, k: k <= 2)),
    "marginal, threshold": (tm.Threshold(0.9), marginal(lambda s, k: s[k - 1] >= 0.9 - TIE)),
    "marginal, factor": (tm.FactorThreshold(1.0), marginal(lambda s, k: (k + 1) * (1 - s[k - 1]) <= 1 + TIE)),
    "entropy sum": (tm.EntropySum(0.5), by_entropy(lambda h: sum(h) <= 0.5 + TIE)),
    "entropy-bounded": (tm.EntropyBounded(0.3), by_entropy(lambda h: sum(h) - max(h) <= 0.3 + TIE)),
}


def languages() -> list[tm.Target]:
    """Two chains of four letters, one of them slow, coins, and a random law of three symbols."""
    law = np.random.default_rng(7).dirichlet(np.full(27, 0.4)).reshape(3, 3, 3)
    return [
        tm.MarkovChain([[0.7, 0.3], [0.2, 0.8]], 4),
        tm.MarkovChain([[0.97, 0.03], [0.02, 0.98]], 4),
        tm.MarkovChain([[0.9, 0.1], [0.9, 0.1]], 4),
        tm.Table(law),
    ]


@definition("released-rules-regret", tier="float64")
def rules_by_their_definition(results: Results) -> Outcome:
    """Law and expected calls of ten rules on four languages, against the sum over all candidates in every state."""
    gaps = []
    for target in languages():
        for name, (rule, choose) in RULES.items():
            if "sizes" in name and target.length != 4:
                continue
            found = tm.sampler_law(target, rule)
            law, calls = written_out(target, choose)
            gaps += [float(np.abs(found.pmf - law).max()), abs(found.mean_steps - calls)]
    return decide(max(gaps) < 1e-12, len(gaps), max(gaps), "largest difference of two laws or two numbers of calls")


@definition("released-rules-regret", tier="float64")
def regret_by_hand(results: Results) -> Outcome:
    """KL and calls of the table are those of the law by its definition, and the front's ends: L calls 0, one call TC."""
    table, gaps = results.regret, []
    for language in table.languages[:2]:
        target = regret.languages(results.full)[language]
        q = lattice.to_table(target).pmf
        if target.length <= 4:
            for rule, name in (
                ("drawn confidence, L/2 calls", "drawn, two"),
                ("drawn confidence, factor 1", "drawn, factor"),
            ):
                law, calls = written_out(target, RULES[name][1])
                entry = table.of(rule, language)
                gaps += [abs(entry.kl - float((q * np.log(q / law)).sum())), abs(entry.calls - calls)]
        calls, kl = table.fronts[language]
        gaps += [abs(calls[0] - 1), abs(kl[0] - max(tm.total_correlation(target), 0.0)), float(kl[-1])]
    return decide(max(gaps) < 1e-9, len(gaps), max(gaps))
