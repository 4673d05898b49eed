"""Denoisers whose best orders are known."""

import numpy as np

from theory.learned_order.checks.common import ROUNDING
from theory.learned_order.instances import PLANTED, chain_parents, planted_parents
from theory.learned_order.results import Results
from theory.ledger.registry import Outcome, check, control, decide, not_claimed_tight, sharper
from toy_models.learned_order.losses import (
    best_order,
    best_order_local,
    best_order_of,
    count_best_orders,
    linear_extensions,
    order_losses_of,
)
from toy_models.learned_order.reveal_weights import plackett_luce_reveals
from toy_models.learned_order.subset_losses import local_losses, mean_cross_entropies
from toy_models.quantities.lattice import subset_cross_entropies
from toy_models.targets.denoisers import ParentPointer, Windowed
from toy_models.targets.instances import k1, k2


@check("parent-pointer-order", tier="float64")
def closed_form(results: Results) -> Outcome:
    """parent-pointer-order: subset recursion = sum H - sum I over respected edges = sum H - sum I w_a / (w_a + w_i)."""
    gaps, count = [], 0
    for target in (k1(), k2()):
        for parents in (chain_parents(4), planted_parents((2, 0, 3, 1)), (-1, 0, 0, 1), (2, 0, 1, -1)):
            table = mean_cross_entropies(target, ParentPointer(target, parents))
            values = local_losses(target, ParentPointer(target, parents)).values
            entropy, information = values[:, 0].sum(), values[:, 0] - values[:, 1]
            for order, loss in order_losses_of(table).items():
                kept = sum(
                    information[i] for i in range(4) if parents[i] >= 0 and order.index(parents[i]) < order.index(i)
                )
                gaps.append(abs(loss - (entropy - kept)))
            w = np.array([4.0, 2.0, 1.0, 0.5])
            share = sum(information[i] * w[a] / (w[a] + w[i]) for i, a in enumerate(parents) if a >= 0)
            gaps.append(abs(float((plackett_luce_reveals(list(w)) * table).sum()) - (entropy - share)))
            count += 25
    return decide(max(gaps) <= ROUNDING, count, max(gaps), "margin: largest gap in nats")


@sharper("parent-pointer-order", tier="float64")
def best_orders_counted(results: Results) -> Outcome:
    """parent-pointer-order: the best orders of a forest are its linear extensions, counted; a planted chain has one."""
    right = []
    for parents in (chain_parents(5), planted_parents(PLANTED), (-1, 0, 0, 1, 1), (-1, -1, 0, 1, 2)):
        table = mean_cross_entropies(k1(5), ParentPointer(k1(5), parents))
        right.append(count_best_orders(table) == linear_extensions(np.array(parents)))
    planted_best = best_order(k1(5), ParentPointer(k1(5), planted_parents(PLANTED)))
    right.append(planted_best.order == PLANTED and abs(planted_best.loss - 5.240918537657773) < 1e-9)
    for denoiser in (ParentPointer(k1(5), (1, -1, 1, 2, 2)), Windowed(k1(5), 1), Windowed(k1(5), 2)):
        table = mean_cross_entropies(k1(5), denoiser)
        right.append(float(np.abs(table - subset_cross_entropies(k1(5), denoiser)).max()) <= ROUNDING)
        losses = np.array(list(order_losses_of(table).values()))
        right.append(count_best_orders(table) == int((losses <= losses.min() + ROUNDING).sum()))
        local = local_losses(k1(5), denoiser)
        right.append(local is not None and abs(best_order_local(local).loss - losses.min()) <= ROUNDING)
    return decide(all(right), len(right), 0.0)


@control("parent-pointer-order", tier="float64")
def child_before_parent(results: Results) -> Outcome:
    """parent-pointer-order with the edge counted when the child comes first."""
    loss = order_losses_of(mean_cross_entropies(k1(), ParentPointer(k1(), chain_parents(4))))
    gap = loss[3, 2, 1, 0] - loss[0, 1, 2, 3]
    return decide(gap <= ROUNDING, 1, gap)


not_claimed_tight("parent-pointer-order", "an identity")


@check("window-interval-growth", tier="float64")
def interval_growth(results: Results) -> Outcome:
    """window-interval-growth: with radius 1 on a Markov chain exactly the interval-growth orders reach the entropy."""
    right, count = [], 0
    for length in (3, 4, 5, 6):
        table = mean_cross_entropies(k1(length), Windowed(k1(length), 1))
        entropy = k1(length).entropy()
        right.append(count_best_orders(table) == 2 ** (length - 1))
        right.append(abs(best_order_of(table).loss - entropy) <= ROUNDING)
        count += 1
    table, entropy = mean_cross_entropies(k1(5), Windowed(k1(5), 1)), k1(5).entropy()
    for order, loss in order_losses_of(table).items():
        grows = all(min(abs(i - j) for j in order[:k]) == 1 for k, i in enumerate(order) if k)
        right.append(grows == (loss <= entropy + ROUNDING))
    return decide(all(right), count + 120, 0.0, "2^(L-1) best orders at L = 3, 4, 5, 6")


@control("window-interval-growth", tier="float64")
def hidden_chain_misses_entropy(results: Results) -> Outcome:
    """window-interval-growth with a hidden Markov target, whose best window order stays above the entropy."""
    from toy_models.quantities.lattice import to_table

    gap = best_order(k2(5), Windowed(k2(5), 1)).loss - to_table(k2(5)).entropy()
    return decide(abs(gap) <= ROUNDING, 1, gap)


not_claimed_tight("window-interval-growth", "the best loss is attained, by every interval-growth order and no other")
