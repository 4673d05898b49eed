"""Times of a batch: strata, one shift for all, and moving averages by time."""

from fractions import Fraction
from random import Random

import numpy as np
import torch

from theory.ledger.registry import (
    Outcome,
    check,
    condition,
    control,
    correction,
    decide,
    definition,
    not_claimed_tight,
    tightness,
)
from theory.variance import definitions, exact
from theory.variance.checks.cases import ROUNDING, TABLES, small
from theory.variance.instances import EPSILON
from theory.variance.results import Results
from toy_models.networks.ensemble import SmallDenoiser
from toy_models.networks.losses import masked_loss
from toy_models.variance import ema, strats


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


@correction("strats-variance", tier="float64")
def strats_of_the_library(results: Results) -> Outcome:
    """strats-variance, corrected: the library against the variance of the draws stratum by stratum."""
    losses, moments = small()
    gaps = [
        abs(definitions.batch_variance(losses, EPSILON, n, k) - strats.stratified_variance(moments, n, k))
        for n, k in ((8, 1), (8, 4), (8, 8), (12, 3))
    ]
    return decide(max(gaps) < ROUNDING, len(gaps), ROUNDING - max(gaps))


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


@condition("ema-reduces-noise", tier="float64")
def stationary_average(results: Results) -> Outcome:
    """ema-reduces-noise: the variance of the logged loss against the average run until it is stationary; centred by
    default, it has no bias."""
    losses, moments = small()
    gaps = [
        abs(definitions.moving_average_variance(losses, EPSILON, 5, c, d) - ema.ema_baseline(moments, 5, c, d).variance)
        for c in (1.0, 0.6)
        for d in (0.5, 0.9, 0.99)
    ]
    plain = definitions.parts(losses, lambda t: np.full_like(t, 1 / (1 - EPSILON)), EPSILON).mean
    centred = ema.ema_baseline(moments, 5)
    gaps += [abs(centred.bias), abs(centred.mean - plain)]
    return decide(max(gaps) < ROUNDING, len(gaps), ROUNDING - max(gaps))


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


@check("low-discrepancy-times", tier="rational")
def one_shift_for_the_batch(results: Results) -> Outcome:
    """low-discrepancy-times on times that take finitely many values: the batch mean drawn out against the formula."""
    generator, holds = Random(8), True
    for batch, inside in ((1, 4), (2, 3), (3, 4), (4, 2)):
        values = [Fraction(generator.randint(0, 20)) for _ in range(batch * inside)]
        noise = [Fraction(generator.randint(0, 5)) for _ in values]
        drawn, formula = exact.shifted_grid_variances(values, noise, batch)
        holds &= drawn == formula
    return decide(holds, 4, 0.0)


@definition("low-discrepancy-times", tier="float64")
def one_shift_in_the_library(results: Results) -> Outcome:
    """low-discrepancy-times: the library against its definition, and the values of the page for 16 draws on K1."""
    losses, moments = small()
    gaps = [
        abs(definitions.shifted_grid_variance(losses, EPSILON, n) - strats.low_discrepancy_variance(moments, n))
        for n in (1, 3, 8)
    ]
    k1 = results.instances["K1 oracle"].moments
    found = (
        strats.stratified_variance(k1, 16, 1),
        strats.stratified_variance(k1, 16, 16),
        strats.low_discrepancy_variance(k1, 16),
    )
    printed = np.abs(np.array(found) - (0.110568, 0.110202, 0.110223)).max() < 6e-7
    note = "n = 16 on K1: independent {:.6f}, strata {:.6f}, one shift {:.6f}".format(*found)
    return decide(bool(max(gaps) < ROUNDING and printed), 6, ROUNDING - max(gaps), note)


@tightness("low-discrepancy-times", tier="rational")
def one_shift_of_one_draw(results: Results) -> Outcome:
    """low-discrepancy-times at n = 1, where the shift is the draw itself and nothing is removed."""
    values = [Fraction(v) for v in (3, 1, 7, 2)]
    drawn, _ = exact.shifted_grid_variances(values, [Fraction(1)] * 4, 1)
    return decide(drawn == exact.variance(values, [Fraction(1, 4)] * 4) + 1, 1, 0.0)


@control("low-discrepancy-times", tier="float64")
def one_shift_removes_the_rate_noise(results: Results) -> Outcome:
    """low-discrepancy-times with B in place of Var_t E_x g: what single sequences add to B stays."""
    losses, moments = small()
    parts = definitions.parts(losses, lambda t: np.full_like(t, 1 / (1 - EPSILON)), EPSILON)
    false = (parts.total - parts.rate) / 64
    return decide(abs(strats.low_discrepancy_variance(moments, 64) - false) < 0.1 * parts.between / 64, 1)


@control("low-discrepancy-times", tier="rational")
def one_shift_never_loses_to_strata(results: Results) -> Outcome:
    """low-discrepancy-times: one shift at most as noisy as independent strata, refuted where all strata rise alike."""
    values = [Fraction(j % 2) for j in range(8)]
    drawn, _ = exact.shifted_grid_variances(values, [Fraction(0)] * 8, 4)
    return decide(drawn <= exact.stratified_variances(values, [Fraction(0)] * 8, 4, 4)[0], 1)
