"""Order and parallelism: the best ordered partitions."""

from itertools import product
from math import log2

import numpy as np

from theory.learned_order.checks.common import ROUNDING
from theory.learned_order.instances import chain_parents
from theory.learned_order.partitions import random_partition_losses
from theory.learned_order.results import Results
from theory.ledger.registry import Outcome, check, control, decide, not_claimed_tight
from toy_models.learned_order.subset_losses import local_losses, mean_cross_entropies
from toy_models.rules.content_free import FixedOrder
from toy_models.rules.fixed_schedule import (
    chain_partition_loss,
    fixed_schedule_front,
    fixed_schedule_front_of,
    schedule_loss,
)
from toy_models.targets.denoisers import ParentPointer, Tempered
from toy_models.targets.instances import k1, k2


@check("chain-partition-front", tier="float64")
def partition_closed_form(results: Results) -> Outcome:
    """chain-partition-front: subset recursion = sum H - sum I + cheapest edges hitting every N in a row."""
    gaps, count = [], 0
    for target in (k1(7), k2(6)):
        denoiser = ParentPointer(target, chain_parents(target.length))
        values = local_losses(target, denoiser).values
        information = (values[:, 0] - values[:, 1])[1:]
        for n, found in enumerate(fixed_schedule_front(target, denoiser), start=1):
            gaps.append(abs(found.loss - chain_partition_loss(values[:, 0], information, n)))
            count += 1
    return decide(max(gaps) <= ROUNDING, count, max(gaps), "margin: largest gap in nats")


@control("chain-partition-front", tier="float64")
def one_edge_more(results: Results) -> Outcome:
    """chain-partition-front with runs of N + 1 edges allowed in N steps."""
    target, denoiser = k1(7), ParentPointer(k1(7), chain_parents(7))
    values = local_losses(target, denoiser).values
    found = fixed_schedule_front(target, denoiser, 2)[1].loss
    wrong = chain_partition_loss(values[:, 0], (values[:, 0] - values[:, 1])[1:], 3)
    return decide(abs(found - wrong) <= ROUNDING, 1, abs(found - wrong))


not_claimed_tight("chain-partition-front", "an identity")


@check("markov-bisection-front", tier="float64")
def bisection_is_enough(results: Results) -> Outcome:
    """markov-bisection-front: oracle on a Markov chain, best partition at the entropy iff N >= floor(log2 L) + 1."""
    right, count = [], 0
    for length in range(1, 9 if results.profile == "full" else 8):
        found = fixed_schedule_front(k1(length))
        steps = int(log2(length)) + 1
        excess = [p.loss - k1(length).entropy() for p in found]
        right += [(e <= ROUNDING) == (n >= steps) for n, e in enumerate(excess, start=1)]
        count += length
    return decide(all(right), count, 0.0, "excess 0 from floor(log2 L) + 1 steps on, positive before")


@check("markov-bisection-front", tier="float64")
def fronts_by_enumeration(results: Results) -> Outcome:
    """markov-bisection-front: the recursion against all ordered partitions of 4 positions, random ones at both ends."""
    gaps = []
    for denoiser in (None, Tempered(k1(4), 0.5)):
        table = mean_cross_entropies(k1(4), denoiser)
        costs = {n: [] for n in range(1, 5)}
        for labels in product(range(4), repeat=4):
            steps = sorted(set(labels))
            blocks = tuple(tuple(i for i in range(4) if labels[i] == s) for s in steps)
            costs[len(steps)].append(schedule_loss(table, FixedOrder(blocks)))
        for n, found in enumerate(fixed_schedule_front_of(table), start=1):
            gaps += [abs(found.loss - min(costs[n])), abs(schedule_loss(table, found.rule) - found.loss)]
        random = random_partition_losses(table)
        gaps += [abs(random[0] - costs[1][0]), abs(random[3] - np.mean(costs[4]))]
    return decide(max(gaps) <= ROUNDING, len(gaps), ROUNDING - max(gaps), "margin: nats")


@control("markov-bisection-front", tier="float64")
def random_positions_never_reach(results: Results) -> Outcome:
    """markov-bisection-front with random positions and the best sizes."""
    front = next(f for f in results.fronts if f.name == "oracle")
    steps = int(log2(len(front.random))) + 1
    return decide(front.random[steps - 1] <= ROUNDING, 1, float(front.random[steps - 1]), "excess at the same steps")


not_claimed_tight("markov-bisection-front", "the number of steps is exact both ways")
