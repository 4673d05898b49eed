"""The model's rates against the cheapest rates of the same path."""

from itertools import product

import numpy as np
from flint import fmpq

from theory.energy.checks.common import ALPHAS, SKEWED_WEIGHTS
from theory.energy.instances import rational
from theory.energy.paths import DRAWN
from theory.energy.results import Results
from theory.ledger.registry import check, condition, control, decide, not_claimed_tight, sharper
from toy_models.energy.kinetic import kinetic_sum, lattice_of, path_probabilities, path_slopes, rates
from toy_models.energy.rate_optimality import cheapest_flux, edges_of


def least_of(pmf, kind: str, alpha=ALPHAS[1]):
    """(model, least) energy over base at one time, in rationals."""
    lattice = lattice_of(pmf)
    p, dp = path_probabilities(lattice, alpha), path_slopes(lattice, alpha, fmpq(1))
    base = 1 / (alpha * (1 - alpha))
    model = kinetic_sum(lattice, p, rates(lattice, alpha, fmpq(1)))
    return model / base, cheapest_flux(p, dp, *edges_of(lattice, kind)).value / base


def point(n: int, size: int = 2) -> np.ndarray:
    table = np.zeros((size,) * n, dtype=int)
    table[(0,) * n] = 1
    return rational(table)


@check("energy-rates-conditional", tier="rational")
def single_token_rates(_: Results):
    """n = 1: the model's conditional rates cost 1, the least over all edges."""
    pairs = [least_of(point(1, k), kind, a) for k, kind, a in product((2, 3), ("unmask", "all-pairs"), ALPHAS)]
    return decide(all(model == least == 1 for model, least in pairs), len(pairs), 0.0)


@sharper("energy-rates-conditional", tier="rational")
def every_length_single_site(_: Results):
    """n <= 3: the model's conditional rates are the cheapest single-site rates, n 2^(n-1); all pairs: n."""
    pairs = [(n, *least_of(point(n), kind, a)) for n, kind, a in product((1, 2, 3), ("unmask", "single-site"), ALPHAS)]
    jumps = [(n, least_of(point(n), "all-pairs", a)[1]) for n, a in product((1, 2, 3), ALPHAS)]
    holds = all(model == least == n * 2 ** (n - 1) for n, model, least in pairs) and all(v == n for n, v in jumps)
    return decide(holds, len(pairs) + len(jumps), 0.0)


@control("energy-rates-conditional", tier="rational")
def all_pairs_of_states(_: Results):
    """With jumps of several tokens the least is n, below n 2^(n-1) from n = 2 on."""
    model, least = least_of(point(2), "all-pairs")
    return decide(model == least, 1, float(model - least), f"model {model}, least {least}")


not_claimed_tight("energy-rates-conditional", "an optimum that is attained")


@check("energy-rates-marginal", tier="rational")
def marginal_rates(_: Results):
    """n = 2: the model's marginal rates against the cheapest on unmasking edges."""
    rows = [least_of(rational(w), "unmask", fmpq(1, 4)) for w in (SKEWED_WEIGHTS, DRAWN)]
    model, least = rows[0]
    note = f"for this reading, n = 2: q = [.5 .1; .15 .25], alpha = 1/4: {model}, least {float(least):.6f}, times base"
    return decide(all(m == v for m, v in rows), len(rows), float(model - least), note)


@condition("energy-rates-marginal", tier="rational")
def equal_prefix_laws(_: Results):
    """n = 2: optimal on unmasking edges iff q_1(a) = q_2(b) for every (a, b) of positive probability."""
    rng = np.random.default_rng(8)
    tables = [rng.integers(1, 9, (k, k)) for k in (2, 2, 3)]
    tables += [np.diag(rng.integers(1, 9, 3)), np.array([[4, 1], [1, 4]]), np.ones((3, 3), dtype=int)]
    tables += [np.array([[0, 3], [5, 0]]), np.array([[2, 1], [0, 3]]), np.array(SKEWED_WEIGHTS)]
    holds, optimal = True, 0
    for table in tables:
        pmf = rational(table)
        model, least = least_of(pmf, "unmask")
        first, second = pmf.sum(axis=1), pmf.sum(axis=0)
        balanced = all(first[a] == second[b] for a, b in np.argwhere(pmf != 0))
        holds &= (model == least) == balanced and least <= model
        optimal += model == least
    return decide(holds and 0 < optimal < len(tables), len(tables), None, f"{optimal} of {len(tables)} laws optimal")


@control("energy-rates-marginal", tier="rational")
def balanced_law_all_pairs(_: Results):
    """Even a diagonal law: with jumps of several tokens allowed the least is n = 2, not 6."""
    model, least = least_of(rational(np.diag([7, 3])), "all-pairs")
    return decide(model == least, 1, float(model - least), f"model {model}, least {least}")


@control("energy-rates-marginal", tier="rational")
def equal_laws_of_both_tokens_suffice(_: Results):
    """q_1 = q_2 as laws is not enough: the entries have to match pairwise on the support."""
    model, least = least_of(rational([[4, 1], [1, 2]]), "unmask")
    return decide(model == least, 1, float(model - least))


not_claimed_tight("energy-rates-marginal", "a statement about optimality; the condition is an equivalence")
