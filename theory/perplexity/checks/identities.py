"""What one order costs: the trajectory identity and its two averages over orders."""

from itertools import product

import numpy as np
from flint import fmpq

from theory.ledger.instances import all_hold, instances
from theory.ledger.registry import Outcome, check, control, not_claimed_tight
from theory.perplexity.results import Results
from toy_models import exact
from toy_models.exact import LogSum, decide_equal
from toy_models.exact import curves as ec


@check("trajectory-identity", tier="rational")
def trajectory_identity(results: Results) -> Outcome:
    """trajectory-identity: KL(q || p_tau) = sum_j TC(X_Sj | X_Tj), both sides by definition."""
    rng, verdicts = np.random.default_rng(1), []
    for pmf in ec.random_pmfs(1, instances(results)):
        steps = rng.integers(0, 3, size=pmf.ndim).tolist()
        left = exact.kl(pmf, ec.path_law(pmf, steps))
        verdicts.append(decide_equal(left, ec.total_correlation_of(exact.subset_entropies(pmf), steps)))
    return all_hold(verdicts)


@control("trajectory-identity", tier="rational")
def trajectory_identity_reversed(results: Results) -> Outcome:
    """trajectory-identity with the direction of the divergence reversed."""
    verdicts = []
    for pmf in ec.random_pmfs(1, 30):
        p = ec.path_law(pmf, [0] * pmf.ndim)
        full = np.where(pmf == 0, 0, p)
        total = sum(full.ravel(), fmpq(0))
        reverse = exact.kl(full / total, pmf)
        verdicts.append(decide_equal(reverse, ec.total_correlation_of(exact.subset_entropies(pmf), [0] * pmf.ndim)))
    return all_hold(verdicts)


@control("trajectory-identity", tier="rational")
def trajectory_identity_unconditional(results: Results) -> Outcome:
    """trajectory-identity with TC(X_Sj) in place of TC(X_Sj | X_Tj): what is already revealed is forgotten."""
    verdicts = []
    for pmf in ec.random_pmfs(1, 30):
        steps = [i % 2 for i in range(pmf.ndim)]
        entropies, wrong = exact.subset_entropies(pmf), LogSum()
        for step in (0, 1):
            block = sum(1 << i for i, s in enumerate(steps) if s == step)
            alone = sum((entropies[1 << i] for i, s in enumerate(steps) if s == step), LogSum())
            wrong = wrong + alone - entropies[block]
        verdicts.append(decide_equal(exact.kl(pmf, ec.path_law(pmf, steps)), wrong))
    return all_hold(verdicts)


not_claimed_tight("trajectory-identity", "an identity")


@check("curve-identity-sizes", tier="rational")
def curve_identity_sizes(results: Results) -> Outcome:
    """curve-identity-sizes: the mean over all orders of a size schedule is sum_j s_j g[N_{j-1}] - H."""
    rng, verdicts = np.random.default_rng(2), []
    for pmf in ec.random_pmfs(2, instances(results) // 4):
        sizes, entropies = ec.random_sizes(rng, pmf.ndim), exact.subset_entropies(pmf)
        labels = np.repeat(np.arange(len(sizes)), sizes).tolist()
        orders = {tuple(labels[k] for k in order) for order in _permutations(pmf.ndim)}
        mean = LogSum()
        for steps in orders:
            mean = mean + ec.total_correlation_of(entropies, steps).scaled(fmpq(1, len(orders)))
        verdicts.append(decide_equal(mean, ec.curve(pmf).at(ec.sizes_row(sizes))))
    return all_hold(verdicts)


def _permutations(length: int):
    return [p for p in product(range(length), repeat=length) if len(set(p)) == length]


@control("curve-identity-sizes", tier="rational")
def curve_identity_right_sum(results: Results) -> Outcome:
    """curve-identity-sizes with the right instead of the left Riemann sum."""
    verdicts = []
    for pmf in ec.random_pmfs(2, 20):
        g = ec.curve(pmf)
        late = ec.as_row([0] + [1] * (len(g) - 2) + [2]) - ec.entropy_row(len(g))  # reads g[k + 1], at the end g[L - 1]
        verdicts.append(decide_equal(g.at(late), g.at(ec.sizes_row([1] * len(g)))))
    return all_hold(verdicts)


not_claimed_tight("curve-identity-sizes", "an identity")


@check("curve-identity-independent", tier="rational")
def curve_identity_independent(results: Results) -> Outcome:
    """curve-identity-independent: over all N^L assignments of steps, E KL = L sum_j Delta_j h(a_{j-1}) - H."""
    rng, verdicts = np.random.default_rng(3), []
    for pmf in ec.random_pmfs(3, instances(results) // 20):
        weights = ec.random_weights(rng, 3 if pmf.ndim < 4 else 2)
        formula = ec.curve(pmf).at(ec.weights_row(pmf.ndim, weights))
        verdicts.append(decide_equal(ec.mean_path_kl(pmf, weights), formula))
    return all_hold(verdicts)


@control("curve-identity-independent", tier="rational")
def curve_identity_late(results: Results) -> Outcome:
    """curve-identity-independent with a schedule read one step late."""
    rng, verdicts = np.random.default_rng(3), []
    for pmf in ec.random_pmfs(3, 8):
        weights = ec.random_weights(rng, 2)
        late = ec.curve(pmf).at(ec.weights_row(pmf.ndim, weights, shift=1))
        verdicts.append(decide_equal(ec.mean_path_kl(pmf, weights), late))
    return all_hold(verdicts)


not_claimed_tight("curve-identity-independent", "an identity")
