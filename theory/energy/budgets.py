"""The best Beta schedule of each target and number of steps, against the optimum."""

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator
from tqdm import tqdm

import toy_models as tm
from toy_models.energy.beta_search import RULES, BudgetRow, schedule_kl
from toy_models.schedules.optimal import sizes_cost, weights_cost


@dataclass(frozen=True)
class EstimatedText:
    """The 3-gram text, no exact curve known: sampled information curve, with the exact entropy it should sum to."""

    row: BudgetRow
    sum_of_curve: float
    entropy: float


def language_curves(full: bool, corpus: str = "") -> dict[str, np.ndarray]:
    """Information curves at L = 1024 (smoke: 256): exact for every target listed."""
    length = 1024 if full else 256

    def sticky(stay):
        return tm.MarkovChain(np.array([[stay, 1 - stay], [1 - stay, stay]]), length)

    targets = {"sticky chain, 0.99": sticky(0.99), "text, 2-gram": tm.corpus.language(2, length, corpus)}
    targets["copies in blocks of 8"] = tm.Blocks(tm.repetition(2, 8), length // 8)
    if full:
        targets["parity in blocks of 8"] = tm.Blocks(tm.zero_sum(2, 8), length // 8)
        targets |= {"sticky chain, 0.9": sticky(0.9), "pairs": tm.pairs(4, length)}
    return {name: tm.information_curve(target) for name, target in targets.items()}


def estimated_text(full: bool, corpus: str, rng: np.random.Generator) -> EstimatedText:
    """Sampled information curve of the 3-gram text at a few numbers of revealed tokens, monotone cubic in between."""
    length, size, points = (1024, 12, 25) if full else (256, 4, 9)
    target = tm.corpus.language(3, length, corpus)
    revealed = np.unique(np.rint(np.linspace(0, 1, points) ** 1.5 * (length - 1)).astype(np.int64))
    values = tm.estimate_information_curve(target, size, rng, revealed=revealed).value
    g = PchipInterpolator(revealed, np.minimum.accumulate(values))(np.arange(length))
    rows, _ = compare_budgets({"text, 3-gram, estimated": g}, (16,), points=30)
    return EstimatedText(next(r for r in rows if r.rule == "sizes"), float(g.sum()), float(target.entropy()))


def compare_budgets(curves, steps, points: int):
    """Linear, sin^2, the best Beta schedule and the optimum of each rule, per target and number of steps."""
    rows, searches = [], {}
    jobs = [(name, n, rule) for name in curves for n in steps for rule in RULES]
    for name, n, rule in tqdm(jobs, desc="schedules", leave=False):
        g = curves[name]
        found = tm.energy.search_beta(g, n, rule, points=points)
        searches[name, n, rule] = found
        if rule == "independent":
            optimum = weights_cost(g, tm.optimal_weights(g, n))
        else:
            optimum = sizes_cost(g, tm.optimal_sizes(g, n))
        plain = schedule_kl(g, tm.LinearSchedule(), n, rule), schedule_kl(g, tm.SineSquaredSchedule(), n, rule)
        rows.append(BudgetRow(name, n, rule, *plain, found.kl, found.a, found.b, optimum))
    return tuple(rows), searches
