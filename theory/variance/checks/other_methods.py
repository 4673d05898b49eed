"""ISAD, SyRM, strata and moving averages."""

from fractions import Fraction
from random import Random

import numpy as np
import torch

from theory.ledger.registry import Outcome, check, condition, control, correction, decide, not_claimed_tight
from theory.variance import exact
from theory.variance.checks.cases import TABLES
from theory.variance.results import Results
from toy_models.networks.ensemble import SmallDenoiser
from toy_models.networks.losses import masked_loss
from toy_models.targets import instances
from toy_models.variance import ema, isad, strats
from toy_models.variance.densities import quadrature
from toy_models.variance.loss_moments import token_losses


@check("isad-unbiased", tier="float64")
def isad_mean(results: Results) -> Outcome:
    """isad-unbiased on K1 oracle, shift 0.3 at the last position."""
    found = isad.isad(
        token_losses(instances.k1()), results.instances["K1 oracle"].loss.probability, np.arange(4) == 3, 0.3, 1e-6
    )
    return decide(abs(found.bias) < 1e-9, 1, None, f"mean {found.mean:.6f} against {found.mean - found.bias:.6f}")


@correction("isad-unbiased", tier="float64")
def isad_mean_as_conditional_losses(results: Results) -> Outcome:
    """isad-unbiased, corrected: the loss is (1/L) sum_i int E[c_i(x, M) | i in M] dt, the others at their own rates."""
    losses, law = token_losses(instances.k1()), results.instances["K1 oracle"].loss.probability
    place, shift, epsilon = np.arange(4), 0.3, 1e-6
    times, weights = quadrature(epsilon, 1.0, (1.0 - shift,))
    mean = 0.0
    for t, w in zip(times, weights, strict=True):
        rates = np.where(place == 3, min(1.0, t + shift), t)
        given = [isad.mask_probabilities(np.where(place == i, 1.0, rates)) for i in place]
        mean += w * sum(float(law @ losses[:, :, i] @ given[i]) for i in place) / 4
    gap = abs(mean - isad.isad(losses, law, place == 3, shift, epsilon).mean)
    return decide(gap < 1e-12, 1, gap)  # the same sums in another order


@control("isad-unbiased", tier="float64")
def isad_without_shift_is_biased(results: Results) -> Outcome:
    """isad-unbiased at shift 0, where the detector must find no bias."""
    found = isad.isad(
        token_losses(instances.k1()), results.instances["K1 oracle"].loss.probability, np.arange(4) == 3, 0.0
    )
    return decide(abs(found.bias) > 1e-12, 1)


not_claimed_tight("isad-unbiased", "refuted by exact values")


def _syrm(rate_term: bool) -> Outcome:
    generator, holds = Random(4), True
    for size in (1, 2, 3, 4) * 2:
        rows = []
        for _ in range(3):
            rows.append(
                [
                    [Fraction(generator.randint(0, 20), 7) if m >> i & 1 else Fraction(0) for i in range(size)]
                    for m in range(2**size)
                ]
            )
        law = [Fraction(1, 2), Fraction(1, 3), Fraction(1, 6)]
        direct, formula = exact.syrm_sides(rows, law, size, Fraction(generator.randint(1, 9), 10), rate_term)
        holds &= direct == formula
    return decide(holds, 8, 0.0)


@check("syrm-variance", tier="rational")
def syrm_formula(results: Results) -> Outcome:
    """syrm-variance on random rational losses, sizes 1..4."""
    return _syrm(True)


@control("syrm-variance", tier="rational")
def syrm_without_rate_term(results: Results) -> Outcome:
    """syrm-variance without the term (1 - t) sum mu_i^2."""
    return _syrm(False)


not_claimed_tight("syrm-variance", "an identity")


def _strata(index: int) -> tuple[bool, Fraction]:
    generator, holds, least = Random(6), True, Fraction(10**6)
    for strata, batch in ((1, 4), (2, 4), (2, 8), (4, 16)):
        values = [Fraction(generator.randint(0, 20)) for _ in range(8)]
        noise = [Fraction(generator.randint(0, 5)) for _ in range(8)]
        found = exact.stratified_variances(values, noise, strata, batch)
        holds &= found[0] == found[index]
        least = min(least, found[index])
    return holds, least


@check("strats-variance", tier="rational")
def strats_as_transcribed(results: Results) -> Outcome:
    """strats-variance: sigma_t^2/n - sigma_b^2/k against the variance of the stratified draws."""
    holds, least = _strata(2)
    return decide(holds, 4, None, f"differs from the exact variance for k < n, and goes down to {float(least):.2f} < 0")


@correction("strats-variance", tier="rational")
def strats_corrected(results: Results) -> Outcome:
    """strats-variance, corrected: (sigma_t^2 - sigma_b^2)/n."""
    holds, least = _strata(1)
    return decide(holds and least >= 0, 4, 0.0)


@control("strats-variance", tier="float64")
def fewer_strata_are_better(results: Results) -> Outcome:
    """strats-variance: k = sqrt(n) below k = n."""
    moments = results.instances["K1 oracle"].moments
    four, all_of_them = (strats.stratified_variance(moments, 16, k) for k in (4, 16))
    return decide(four < all_of_them, 1, four - all_of_them)


not_claimed_tight("strats-variance", "an identity once corrected")


@check("ema-reduces-noise", tier="float64")
def ema_lowers_gradient_variance(results: Results) -> Outcome:
    """ema-reduces-noise for the gradient: a baseline b that does not depend on the parameters."""
    model = SmallDenoiser(3, 4, 6, torch.Generator().manual_seed(0))
    x = torch.tensor([[0, 1, 2, 0], [2, 2, 1, 0]])
    hidden = torch.tensor([[True, False, True, True], [False, True, False, False]])

    def gradient(baseline):
        loss = masked_loss(model(torch.where(hidden, -1, x)), x, hidden) - baseline
        return torch.cat([g.flatten() for g in torch.autograd.grad(loss.sum(), list(model.parameters()))])

    same = bool(torch.equal(gradient(torch.zeros(2)), gradient(torch.tensor([3.0, -1.0]))))
    return decide(not same, 1, None, "the gradient is identical with and without the baseline")


@condition("ema-reduces-noise", tier="float64")
def ema_lowers_logged_variance(results: Results) -> Outcome:
    """ema-reduces-noise for the logged loss, with a slow average (decay 0.9999) and centred bins."""
    gains = []
    for name in TABLES:
        case = results.instances[name]
        gains.append(case.methods["uniform"].parts.total - ema.ema_baseline(case.moments, 10, 1.0, 0.9999).variance)
    return decide(min(gains) > 0, len(gains), min(gains), "the logged loss only; margin: nats^2")


@control("ema-reduces-noise", tier="float64")
def uncentred_ema_is_unbiased(results: Results) -> Outcome:
    """ema-reduces-noise: the uncentred baseline keeps the mean."""
    bias = ema.ema_baseline(results.instances["K1 oracle"].moments, 10, centred=False).bias
    return decide(abs(bias) < 1e-9, 1, None, f"bias {bias:.4f}")


@control("ema-reduces-noise", tier="float64")
def fast_ema_lowers_logged_variance(results: Results) -> Outcome:
    """ema-reduces-noise with decay 0.99: the average's own noise exceeds what it removes."""
    case = results.instances["K1 oracle"]
    return decide(ema.ema_baseline(case.moments, 10, 1.0, 0.99).variance < case.methods["uniform"].parts.total, 1)


not_claimed_tight("ema-reduces-noise", "a statement about a sign")
