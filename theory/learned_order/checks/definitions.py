"""Definitions that the lines rest on: subset entropies and word lists by sums over words, and what is refused."""

import numpy as np

import toy_models as tm
from theory.learned_order.results import Results
from theory.ledger.conformance import ATOL, is_accepted, is_refused, target_gaps
from theory.ledger.registry import Outcome, decide, definition

WORDS = np.array([[0, 1, 1, 0], [1, 1, 0, 0], [0, 0, 0, 1]])
TWO = np.array([0.5, 0.5])


@definition("nelbo-is-order-average", tier="float64")
def subset_entropies_by_words(_: Results) -> Outcome:
    """H(X_S) of every S, conditionals, draws of word lists, permutations and chains, by sums over words."""
    gaps = target_gaps(("word list", "permutations", "chain, started", "table", "pairs"))
    relabelled = tm.targets.WordList(np.array([[0, 0, 1], [1, 1, 0], [0, 1, 0], [1, 0, 1]]), 2, relabelling=True)
    plain = tm.targets.WordList(relabelled.words, 2)
    gaps.append(float(np.abs(tm.rules.subset_entropies(relabelled) - tm.rules.subset_entropies(plain)).max()))
    return decide(max(gaps) < ATOL, len(gaps), max(gaps))


@definition("estimators-unbiased", tier="float64")
def edges_of_the_hypotheses(_: Results) -> Outcome:
    """Weights > 0, word lists that their symmetries keep, estimators by name: the edges are taken, the rest refused."""
    table = tm.learned_order.sequence_cross_entropies(tm.repetition(2, 2), np.array([[0, 0], [1, 1]]))

    def moments(weights, name="score"):
        return tm.learned_order.estimator_moments(table, TWO, weights, name)

    good = [
        lambda: moments([1.0, 1.0]),
        lambda: moments([1.1, 2.0]),
        lambda: moments([0.5, 1.05]),
        lambda: moments([1.05, 2.0], "orders"),
    ]
    bad = [
        lambda: moments([1.05, 2.0]),
        lambda: moments([0.0, 1.0]),
        lambda: moments([-1.0, 1.0]),
        lambda: moments([1.0, 1.0], "luck"),
        lambda: tm.targets.WordList(np.vstack([WORDS, WORDS[:1]]), 2),
        lambda: tm.targets.WordList(WORDS, 2, relabelling=True),
        lambda: tm.targets.WordList(np.array([[0, 1], [1, 0], [0, 2], [2, 0]]), 3, relabelling=True),
        lambda: tm.targets.WordList(WORDS, 2, moves=np.array([[1, 0, 2, 3]])),
        lambda: tm.targets.WordList(WORDS, 1),
        lambda: tm.plackett_luce([0.0, 1.0]),
        lambda: tm.plackett_luce([1.0, np.inf]),
    ]
    return decide(all(map(is_accepted, good)) and all(map(is_refused, bad)), len(good) + len(bad))
