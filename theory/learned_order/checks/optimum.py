"""Where the optimum is, and what independent times cannot reach."""

from fractions import Fraction
from itertools import permutations
from math import log, sqrt

import numpy as np
import sympy
import torch

from theory.learned_order import definitions
from theory.learned_order.checks.common import ROUNDING
from theory.learned_order.instances import chain_parents, instance
from theory.learned_order.results import Results
from theory.ledger.registry import Outcome, check, control, decide, not_claimed_tight, tightness
from toy_models.learned_order.losses import best_order_of, order_losses_of, uniform_loss
from toy_models.learned_order.mixtures import (
    TwoWayDenoiser,
    mixture_log_likelihood,
    sandwich,
    two_way_losses,
    two_way_target,
)
from toy_models.learned_order.nelbo import nelbo_gradient, schedule_nelbo
from toy_models.learned_order.plackett_luce import plackett_luce, uniform_orders
from toy_models.learned_order.reveal_times import binned_order_law
from toy_models.learned_order.reveal_weights import plackett_luce_reveals
from toy_models.learned_order.subset_losses import mean_cross_entropies, sequence_cross_entropies
from toy_models.networks.order_learner import subset_loss
from toy_models.targets.denoisers import ParentPointer, Tempered
from toy_models.targets.instances import k1, k2


@check("optimum-is-one-order", tier="float64")
def bounded_by_best_order(results: Results) -> Outcome:
    """optimum-is-one-order: J(w) is never below the best order and never above the worst, for every curve and law."""
    margins = [min(float((c.loss - c.best).min()), float((c.worst - c.loss).min())) for c in results.curves]
    count = sum(len(c.loss) for c in results.curves)
    return decide(
        min(margins) >= -ROUNDING, count, min(margins), "margin: least distance in nats to the best or worst order"
    )


@check("optimum-is-one-order", tier="float64")
def recursions_are_the_orders(results: Results) -> Outcome:
    """optimum-is-one-order: best, worst and mean loss of the recursions against all 24 orders one by one."""
    gaps = []
    for denoiser in (ParentPointer(k1(), chain_parents(4)), Tempered(k1(), 0.5)):
        case = instance("K1", k1(), denoiser)
        losses = {o: float(definitions.order_loss(case.each, o) @ case.probabilities) for o in permutations(range(4))}
        low, high = best_order_of(case.mean), best_order_of(case.mean, worst=True)
        gaps += [abs(low.loss - min(losses.values())), abs(losses[low.order] - low.loss)]
        gaps += [abs(high.loss - max(losses.values())), abs(losses[high.order] - high.loss)]
        gaps.append(abs(uniform_loss(case.mean) - sum(losses.values()) / 24))
        w = (4.0, 2.0, 1.0, 0.5)
        mixed = sum(p * losses[o] for o, p in plackett_luce(w).items())
        learned = subset_loss(case.mean)(torch.log(torch.tensor([w], dtype=torch.float64)))
        gaps += [abs(schedule_nelbo(k1(), denoiser, w) - mixed), abs(float(learned[0]) - mixed)]
    return decide(max(gaps) <= ROUNDING, len(gaps), ROUNDING - max(gaps), "margin: nats")


@tightness("optimum-is-one-order", tier="float64")
def best_order_is_approached(results: Results) -> Outcome:
    """optimum-is-one-order: with ratio R between weights in the best order, J - best shrinks like 1 / R."""
    table = mean_cross_entropies(k1(), ParentPointer(k1(), chain_parents(4)))
    best = best_order_of(table)
    gaps = []
    for ratio in (1e2, 1e4, 1e6):
        w = np.empty(4)
        w[list(best.order)] = ratio ** np.arange(3, -1, -1.0)
        gaps.append(float((plackett_luce_reveals(list(w)) * table).sum()) - best.loss)
    holds = all(g > 0 for g in gaps) and gaps[1] < 0.0101 * gaps[0] and gaps[2] < 0.0101 * gaps[1]
    return decide(holds, 3, gaps[-1], "gap at ratio 1e6, in nats; positive at every finite ratio")


@control("optimum-is-one-order", tier="float64")
def equal_weights_are_not_best(results: Results) -> Outcome:
    """optimum-is-one-order with equal weights claimed optimal."""
    curve = results.curves[0]
    return decide(curve.uniform <= curve.best + ROUNDING, 1, curve.uniform - curve.best)


@check("oracle-every-order-equal", tier="float64")
def oracle_is_flat(results: Results) -> Outcome:
    """oracle-every-order-equal: NELBO(x) = -log q(x) for every x, and the gradient in w vanishes."""
    gaps = []
    for target in (k1(), k2()):
        case = instance("oracle", target, None)
        for w in ((3.0, 0.5, 2.0, 1.2), (1.0, 1.0, 1.0, 1.0)):
            each = np.tensordot(plackett_luce_reveals(list(w)), case.each, axes=([0, 1], [0, 1]))
            gaps.append(float(np.abs(each + np.log(case.probabilities)).max()))
            gaps.append(float(np.abs(nelbo_gradient(case.mean, w)).max()))
    return decide(max(gaps) <= ROUNDING, len(gaps), max(gaps), "margin: largest gap in nats")


@control("oracle-every-order-equal", tier="float64")
def smoothed_is_not_flat(results: Results) -> Outcome:
    """oracle-every-order-equal for the tempered denoiser."""
    losses = order_losses_of(mean_cross_entropies(k1(), Tempered(k1(), 0.5))).values()
    spread = max(losses) - min(losses)
    return decide(spread <= ROUNDING, len(losses), spread)


not_claimed_tight("oracle-every-order-equal", "an identity")


@check("mixture-below-nelbo", tier="float64")
def jensen(results: Results) -> Outcome:
    """mixture-below-nelbo: -log sum pi p_sigma(x) <= NELBO(x) for every x of K1, left parent."""
    case = instance("left parent", k1(), ParentPointer(k1(), chain_parents(4)))
    from toy_models.quantities.lattice import sequences

    x, w = sequences(3, 4), (4.0, 2.0, 1.0, 0.5)
    likelihood = mixture_log_likelihood(ParentPointer(k1(), chain_parents(4)), plackett_luce(w), x)
    nelbo = np.tensordot(plackett_luce_reveals(list(w)), case.each, axes=([0, 1], [0, 1]))
    margin = float((nelbo + likelihood).min())
    return decide(
        margin >= -ROUNDING, len(x), margin, f"mean gap {float((nelbo + likelihood) @ case.probabilities):.4f} nats"
    )


@tightness("mixture-below-nelbo", tier="float64")
def jensen_at_a_vertex(results: Results) -> Outcome:
    """mixture-below-nelbo: equality for one order."""
    from toy_models.quantities.lattice import sequences

    denoiser, x = ParentPointer(k1(), chain_parents(4)), sequences(3, 4)
    each = sequence_cross_entropies(denoiser, x)
    nelbo = sum(each[sum(1 << j for j in range(i)), i] for i in range(4))
    gap = float(np.abs(nelbo + mixture_log_likelihood(denoiser, {(0, 1, 2, 3): 1.0}, x)).max())
    return decide(gap <= ROUNDING, len(x), gap)


@control("mixture-below-nelbo", tier="float64")
def jensen_reversed(results: Results) -> Outcome:
    """mixture-below-nelbo with the inequality turned round."""
    from toy_models.quantities.lattice import sequences

    denoiser, x = ParentPointer(k1(), chain_parents(4)), sequences(3, 4)
    likelihood = mixture_log_likelihood(denoiser, uniform_orders(4), x)
    nelbo = schedule_nelbo(k1(), denoiser, (1.0,) * 4, x=x)
    margin = float((nelbo + likelihood).max())
    return decide(margin <= ROUNDING, len(x), margin)


@check("independent-times-bound", tier="float64")
def sandwich_bound(results: Results) -> Outcome:
    """independent-times-bound: sqrt P(0,1,2) + sqrt P(2,1,0) <= 1 on random independent times and Plackett-Luce."""
    roots = np.sqrt(np.concatenate([results.sandwiches, results.sandwich_pl])).sum(axis=1)
    return decide(roots.max() <= 1.0 + ROUNDING, len(roots), 1.0 - float(roots.max()), "margin: 1 - sum of the roots")


@tightness("independent-times-bound", tier="rational")
def sandwich_attained(results: Results) -> Outcome:
    """independent-times-bound: equality at every a, with T_1 fixed and T_0, T_2 on either side of it."""
    right = 0
    for a in (Fraction(1, 2), Fraction(1, 3), Fraction(9, 10)):
        masses = [[1 - a, 0, a], [0, 1, 0], [a, 0, 1 - a]]
        law = binned_order_law([[Fraction(v) for v in row] for row in masses])
        right += law[0, 1, 2] == a * a and law[2, 1, 0] == (1 - a) ** 2
    return decide(right == 3, 3, 0.0, "P = a^2 and (1 - a)^2, so the roots add up to 1 exactly")


@control("independent-times-bound", tier="rational")
def mixtures_break_it(results: Results) -> Outcome:
    """independent-times-bound for half (0,1,2), half (2,1,0), which needs dependent times."""
    both = sandwich({(0, 1, 2): 0.5, (2, 1, 0): 0.5})
    return decide(sqrt(both[0]) + sqrt(both[1]) <= 1, 1, sqrt(both[0]) + sqrt(both[1]) - 1)


@check("two-way-gap", tier="float64")
def two_way_values(results: Results) -> Outcome:
    """two-way-gap: log 2, 2 log 2 and -log(3 - 2 sqrt 2) are attained on the two-way instance."""
    denoiser, target = TwoWayDenoiser(), two_way_target()
    x = np.array([[0, 0, 0], [1, 1, 1]])
    laws = {
        "any order law": {(0, 1, 2): 0.5, (2, 1, 0): 0.5},
        "independent times": binned_order_law([[0.5, 0, 0.5], [0, 1, 0], [0.5, 0, 0.5]]),
        "Plackett-Luce": plackett_luce((1.0, sqrt(2.0), 1.0)),
    }
    wanted = two_way_losses()
    gaps = [abs(-mixture_log_likelihood(denoiser, law, x).mean() - wanted[n]) for n, law in laws.items()]
    gaps.append(abs(target.entropy() - log(2.0)))
    products = np.concatenate([results.sandwiches, results.sandwich_pl]).prod(axis=1)
    best = -0.5 * log(float(results.sandwich_pl.prod(axis=1).max()))
    holds = max(gaps) <= ROUNDING and products.max() <= 1 / 16 + ROUNDING and best >= wanted["Plackett-Luce"] - ROUNDING
    return decide(holds, len(gaps) + len(products), max(gaps), "0.6931 < 1.3863 < 1.7627 nats; one order: infinite")


@check("two-way-gap", tier="symbolic")
def plackett_luce_with_any_ends(results: Results) -> Outcome:
    """two-way-gap for weights (a, w, b): at fixed a + b the product p q increases with a b, so a = b is best."""
    a, w, b, product, total = sympy.symbols("a w b product total", positive=True)
    law = plackett_luce((Fraction(5), Fraction(3), Fraction(2)))
    both = (a * w / ((a + w + b) * (w + b))) * (b * w / ((a + w + b) * (w + a)))
    form = product * w**2 / ((total + w) ** 2 * (w**2 + total * w + product))
    same = sympy.simplify(both - form.subs({product: a * b, total: a + b})) == 0
    slope = sympy.factor(sympy.diff(form, product)) - w**3 / ((total + w) * (w**2 + total * w + product) ** 2)
    value = Fraction(str(both.subs({a: 5, w: 3, b: 2})))
    return decide(bool(same and sympy.simplify(slope) == 0 and law[0, 1, 2] * law[2, 1, 0] == value), 3, 0.0)


@tightness("two-way-gap", tier="symbolic")
def plackett_luce_optimum(results: Results) -> Outcome:
    """two-way-gap: the best Plackett-Luce law, by sympy over the symmetric weights (1, w, 1)."""
    w = sympy.Symbol("w", positive=True)
    p = w / ((2 + w) * (1 + w))
    roots = [r for r in sympy.solve(sympy.diff(p, w), w) if r.is_positive]
    value = sympy.radsimp(p.subs(w, roots[0]))
    return decide(roots == [sympy.sqrt(2)] and sympy.simplify(value - (3 - 2 * sympy.sqrt(2))) == 0, 1, 0.0)


@control("two-way-gap", tier="float64")
def independent_reach_mixture(results: Results) -> Outcome:
    """two-way-gap with independent times claimed to reach log 2."""
    products = np.concatenate([results.sandwiches, results.sandwich_pl]).prod(axis=1)
    best = -0.5 * log(float(products.max()))
    return decide(best <= log(2.0) + ROUNDING, len(products), best - log(2.0))
