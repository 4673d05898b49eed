"""Correctors: which choice of the position keeps the law."""

import numpy as np
from flint import fmpq

from theory.decoding.checks.drawn_confidence import CHAIN, laws
from theory.decoding.correctors import (
    balance,
    lowest_margin,
    lowest_maximum,
    lowest_probability,
    one_of,
    step,
    uniform,
)
from theory.decoding.drawn import chain_law, product_law
from theory.decoding.results import Results
from theory.ledger.instances import instances
from theory.ledger.registry import Outcome, check, control, decide, tightness

RULES = (uniform, lowest_probability, lowest_maximum, lowest_margin)


def random_choice(seed: int):
    """Positive random weights of the positions, another set for each text."""
    table: dict = {}
    rng = np.random.default_rng(seed)

    def weights(law, x):
        if x not in table:
            raw = [int(k) for k in rng.integers(1, 9, law.length)]
            table[x] = [fmpq(k, sum(raw)) for k in raw]
        return table[x]

    return weights


def by_first_token(law, x) -> list[fmpq]:
    """Position 2 or 3 by the value of the first token: what is redrawn is not looked at."""
    k = 1 + (x[0] != 0) % (law.length - 1)
    return [fmpq(int(i == k)) for i in range(law.length)]


@check("corrector-balance", tier="rational")
def kept_iff_balanced(results: Results) -> Outcome:
    """q K == q iff sum_i E[w_i | x_{-i}] == 1 at every possible x; random weights, three released choices, blind
    ones.
    """
    found, kept = [], 0
    for k, law in enumerate([*laws(11, instances(results, 9, 60)), chain_law(*CHAIN, 3)]):
        choices = [*RULES, random_choice(k), *([by_first_token] if law.length > 2 else [])]
        for weights in choices:
            same = step(law, law.pmf, weights) == law.pmf
            kept += same
            found.append(same == all(balance(law, weights, x) == 1 for x in law.pmf))
            if weights in (uniform, by_first_token):
                found.append(same)
    return decide(all(found) and kept < len(found), len(found), note=f"{kept} of the kernels keep q")


@tightness("corrector-balance", tier="rational")
def looking_can_be_harmless(results: Results) -> Outcome:
    """Two fair bits, position 1 redrawn iff they are equal: the choice sees the value, and q is kept."""
    law = product_law([fmpq(1, 2)] * 2, [fmpq(1, 2)] * 2)

    def weights(law, x):
        return one_of([fmpq(int(x[0] != x[1])), fmpq(int(x[0] == x[1]))])

    found = [step(law, law.pmf, weights) == law.pmf, all(balance(law, weights, x) == 1 for x in law.pmf)]
    return decide(all(found), 2, note="a blind choice is sufficient, not necessary; the balance is both")


def keeps(weights) -> bool:
    law = chain_law(*CHAIN, 3)
    return step(law, law.pmf, weights) == law.pmf


@control("corrector-balance", tier="rational")
def lowest_probability_keeps(results: Results) -> Outcome:
    """The neighbour: redraw the token that is least likely given the rest."""
    return decide(keeps(lowest_probability), 1, note="chain (.7,.3),(.2,.8), L = 3")


@control("corrector-balance", tier="rational")
def lowest_margin_keeps(results: Results) -> Outcome:
    """The neighbour: redraw the token of least margin, the default of a released corrector."""
    return decide(keeps(lowest_margin), 1, note="chain (.7,.3),(.2,.8), L = 3")


@control("corrector-balance", tier="rational")
def lowest_maximum_keeps(results: Results) -> Outcome:
    """The neighbour: a score that ignores the own token, compared with scores that see it."""
    return decide(keeps(lowest_maximum), 1, note="chain (.7,.3),(.2,.8), L = 3")


@control("corrector-balance", tier="float64")
def two_at_once_keep(results: Results) -> Outcome:
    """The neighbour: two random positions redrawn at once, each given the old text."""
    curve = next(c for c in results.correctors if c.name == "two at random, at once")
    return decide(bool(curve.distance[-1] < 1e-9), len(curve.distance), float(curve.distance[-1]), "total variation")
