"""Definitions that the lines rest on: adaptive rules against the walk over all runs, on numpy and torch alike."""

import numpy as np
import torch

import toy_models as tm
from theory.entropy_bound.results import Results
from theory.ledger.conformance import ATOL, is_accepted, is_refused, rule_gaps
from theory.ledger.every import ADAPTED, RULES, TARGETS
from theory.ledger.registry import Outcome, decide, definition


@definition("eb-order-free", tier="float64")
def adaptive_rules_are_their_runs(_: Results) -> Outcome:
    """Law, calls, SER, KLs, log p(x), draws of adaptive rules by the walk over all runs; two denoisers err."""
    gaps = rule_gaps(ADAPTED, ("table", "chain, stationary"))
    gaps += rule_gaps(("top-2, margin", "entropy bounded", "optimal policy"), ("one letter", "one position", "pairs"))
    return decide(max(gaps) < ATOL, len(gaps), max(gaps))


@definition("eb-largest-set", tier="float64")
def torch_selects_the_same(_: Results) -> Outcome:
    """Every adaptive rule selects on torch what it selects on numpy, in every context of two targets."""
    count, same = 0, True
    for where in ("table", "chain, stationary"):
        target = TARGETS[where]
        y = np.indices((target.vocab_size + 1,) * target.length).reshape(target.length, -1).T - 1
        y = y[(y == tm.MASK).any(axis=1)]
        marginals = target.marginals(y, on_impossible="uniform")
        for name in ADAPTED:
            rule = RULES[name](target)
            if name in ("optimal policy", "adaptive of one's own"):
                continue  # tables and numpy alone
            one = rule.select(marginals, y == tm.MASK)
            two = rule.select(torch.from_numpy(marginals), torch.from_numpy(y == tm.MASK))
            same &= bool((one == two.numpy()).all())
            count += len(y)
    return decide(same, count)


@definition("eb-gamma-zero", tier="float64")
def edges_of_the_hypotheses(_: Results) -> Outcome:
    """gamma = 0, a threshold of 0, k = 1 are allowed; negative, infinite, nan or wrong kinds are refused."""
    table = TARGETS["table"]
    good = [
        lambda: tm.EntropyBounded(0.0),
        lambda: tm.Threshold(0.0),
        lambda: tm.TopK(1),
        lambda: tm.EntropySum(0.0),
        lambda: tm.optimal_policy(table, 0.0),
        lambda: tm.Threshold(1.5),
        lambda: tm.SemiAutoregressive(1, tm.TopK(1)),
        lambda: tm.sampler_law(table, tm.Threshold(0.0)),
    ]
    bad = [
        lambda: tm.EntropyBounded(-1e-9),
        lambda: tm.EntropyBounded(float("nan")),
        lambda: tm.Threshold(-1e-9),
        lambda: tm.Threshold(float("inf")),
        lambda: tm.TopK(0),
        lambda: tm.EntropySum(-1.0),
        lambda: tm.TopK(1, "none"),
        lambda: tm.optimal_policy(table, -1e-9),
        lambda: tm.SemiAutoregressive(0, tm.TopK(1)),
        lambda: tm.LinearCode(np.eye(2, dtype=int), 4),
        lambda: tm.LinearCode(np.zeros((1, 2), dtype=int)),
    ]
    holds = all(map(is_accepted, good)) and all(map(is_refused, bad))
    return decide(holds, len(good) + len(bad))
