"""An imperfect denoiser adds its learning error, with a plus sign."""

from itertools import product

import numpy as np
from flint import fmpq

from theory.ledger.instances import all_hold, instances
from theory.ledger.registry import Outcome, check, control, correction, not_claimed_tight
from theory.perplexity.results import Results
from toy_models import exact
from toy_models.exact import LogSum, decide_at_most, decide_equal
from toy_models.exact import curves as ec


def _learned(pmf, seed: int, steps: int):
    """(E KL of the learned denoiser, E KL of the oracle, sum of conditional divergences) under i.i.d. steps."""
    rng = np.random.default_rng(seed)
    model = ec.random_denoiser(rng, pmf.shape[0], pmf.ndim)
    weights = [fmpq(1, steps)] * steps
    cross, entropies = exact.cross_entropies(pmf, model), exact.subset_entropies(pmf)
    error = LogSum()
    for assignment in product(range(steps), repeat=pmf.ndim):
        for i, s in enumerate(assignment):
            context = sum(1 << k for k, t in enumerate(assignment) if t < s)
            own = cross[context, i] - (entropies[context | 1 << i] - entropies[context])
            error = error + own.scaled(fmpq(1, steps**pmf.ndim))
    return ec.mean_path_kl(pmf, weights, model), ec.mean_path_kl(pmf, weights), error


@check("learned-additivity", tier="rational")
def learned_additivity(results: Results) -> Outcome:
    """learned-additivity: E KL of any denoiser = E KL of the oracle + the sum of conditional divergences."""
    verdicts = []
    for k, pmf in enumerate(ec.random_pmfs(12, max(8, instances(results) // 50))):
        if pmf.ndim < 4:
            learned, oracle, error = _learned(pmf, k, 2)
            verdicts += [decide_equal(learned, oracle + error), decide_at_most(LogSum(), error)]
    return all_hold(verdicts)


@control("learned-additivity", tier="rational")
def learned_without_error(results: Results) -> Outcome:
    """learned-additivity with the learning error left out."""
    return all_hold([decide_equal(*_learned(pmf, 1, 2)[:2]) for pmf in ec.random_pmfs(12, 3)])


not_claimed_tight("learned-additivity", "an identity")


@check("ccl-lemma-35", tier="rational")
def ccl_lemma_35_printed(results: Results) -> Outcome:
    """ccl-lemma-35 as printed: KL(mu || nu_hat) = KL(mu || nu) - learning error."""
    learned, oracle, error = _learned(next(ec.random_pmfs(13, 1)), 3, 2)
    note = f"V = 2, L = 2: {float(learned):.4f} against {float(oracle):.4f} - {float(error):.4f}"
    return all_hold([decide_equal(learned, oracle - error)], note=note)


@correction("ccl-lemma-35", tier="rational")
def ccl_lemma_35_corrected(results: Results) -> Outcome:
    """ccl-lemma-35 with a plus sign."""
    found = [_learned(pmf, k, 2) for k, pmf in enumerate(ec.random_pmfs(13, 9)) if pmf.ndim < 4]
    return all_hold([decide_equal(learned, oracle + error) for learned, oracle, error in found])


@control("ccl-lemma-35", tier="rational")
def ccl_lemma_35_doubled(results: Results) -> Outcome:
    """ccl-lemma-35 with twice the learning error."""
    learned, oracle, error = _learned(next(ec.random_pmfs(13, 1)), 3, 2)
    return all_hold([decide_equal(learned, oracle + error.scaled(2))])


not_claimed_tight("ccl-lemma-35", "an identity")
