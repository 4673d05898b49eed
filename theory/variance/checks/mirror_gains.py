"""Where mirrored masks gain: the oracle, gradients, equal compute."""

import numpy as np
from flint import arb, ctx

from theory.ledger.registry import Outcome, check, condition, control, decide, not_claimed_tight, tightness
from theory.variance.results import Results
from toy_models import Table, Tempered
from toy_models.targets import instances
from toy_models.variance import mirror
from toy_models.variance.gradient_moments import tabular_gradient_moments, vector_moments
from toy_models.variance.loss_moments import loss_moments, summed_losses


@check("mirror-two-positions", tier="enclosed")
def two_position_constants(results: Results) -> Outcome:
    """mirror-two-positions: the numerical inequalities that the proof uses, by balls."""
    ctx.prec = 120
    w0 = arb("0.20319") + arb(0, 1e-5)
    slope = -(w0 * w0.log() ** 2) / (w0 - 1)  # c of the line through (1, 0) touching w log^2 w at w0
    bracket = arb("0.6477")  # an upper bound of c used below

    def psi(y):
        return arb(y).log() ** 2 - bracket * (1 - arb(y))

    def slope_of_psi(y):  # 2 log y / y + c increases on (0, 0.6], so psi decreases there if this is negative at 0.6
        return 2 * arb(y).log() / arb(y) + bracket

    def tangent(w):  # log w + 2 (1 - w) changes sign at w0
        return arb(w).log() + 2 * (1 - arb(w))

    steps = [
        tangent("0.2031") < 0 and tangent("0.2033") > 0,
        slope < bracket,
        psi("0.6") > 0,
        slope_of_psi("0.6") < 0,
        arb("0.32").log() ** 2 > 2 * bracket,
        arb("0.4") * arb("0.4").log() ** 2 > 2 * bracket * arb("0.24"),
        (arb(-2)).exp() < arb("0.32"),
    ]
    note = "the constants of the proof, which covers L = 2, every alphabet, law and t"
    return Outcome("PROVED" if all(steps) else "UNDECIDED", len(steps), None, note)


@check("mirror-two-positions", tier="float64")
def two_position_laws(results: Results) -> Outcome:
    """mirror-two-positions on random and near-degenerate laws, all t."""
    covariances = [rho for law in _two_position_laws() for rho in _rho_of(law)]
    return decide(max(covariances) < 0, len(covariances), -max(covariances), "margin: least |rho|")


def _two_position_laws():
    rng = np.random.default_rng(8)
    laws = [
        rng.dirichlet(np.full(v * v, a)).reshape(v, v) for v in (2, 3, 4) for a in (0.1, 0.3, 1.0) for _ in range(4)
    ]
    laws += [np.array([[1 - 3 * e, e], [e, e]]) for e in (1e-2, 1e-4)]
    return [np.maximum(law, 1e-12) / np.maximum(law, 1e-12).sum() for law in laws]


def _rho_of(law):
    return mirror.correlation(loss_moments(Table(law), pairs=True).average, np.array([0.25, 0.4, 0.5, 0.6, 0.75]))


@control("mirror-two-positions", tier="float64")
def two_positions_without_the_oracle(results: Results) -> Outcome:
    """mirror-two-positions for a denoiser that is not the oracle."""
    moments = loss_moments(mirror.copy_law(), mirror.AntiCopy(0.05), pairs=True).average
    return decide(bool(mirror.correlation(moments, np.array([0.5]))[0] <= 0), 1)


@control("mirror-two-positions", tier="float64")
def every_sequence_by_itself(results: Results) -> Outcome:
    """mirror-two-positions claims the average over x only: single sequences of K1 have positive covariance."""
    covariance = mirror.pair_covariance(summed_losses(instances.k1()), 0.5)
    return decide(bool((covariance <= 0).all()), len(covariance), None, f"{int((covariance > 0).sum())} of 81 positive")


not_claimed_tight("mirror-two-positions", "the largest rho found at t = 1/2 is -0.182; the supremum is not known")


@check("mirror-noisy-repetition", tier="float64")
def margin_shrinks(results: Results) -> Outcome:
    """mirror-noisy-repetition: negative at each length, |rho| and |Cov/Var + Cov/D| strictly falling."""
    f = results.family
    shrinking = (np.diff(-f.correlation) < 0).all() and (np.diff(-f.against_own) < 0).all()
    note = f"rho from {f.correlation[0]:.4f} at L = {f.length[0]} to {f.correlation[-1]:.5f} at L = {f.length[-1]}"
    return decide(bool(shrinking and (f.covariance < 0).all()), len(f.length), float(-f.correlation.max()), note)


@control("mirror-noisy-repetition", tier="float64")
def a_uniform_margin(results: Results) -> Outcome:
    """mirror-noisy-repetition against 'rho <= -0.025 for every oracle'."""
    return decide(bool((results.family.correlation <= -0.025).all()), len(results.family.length))


not_claimed_tight("mirror-noisy-repetition", "evidence only: the sign of E Cov at the oracle is open for L >= 3")


@check("mirror-gradient", tier="float64")
def gradients_share_the_sign(results: Results) -> Outcome:
    """mirror-gradient at the oracle with one shared parameter: two fair bits, t = 1/2."""
    rho = float(mirror.correlation(vector_moments(*mirror.shared_parameter_gradients()), np.array([0.5]))[0])
    return decide(rho <= 0, 1, None, f"two fair bits, one shared parameter, oracle: rho = {rho:+.3f} at t = 1/2")


@condition("mirror-gradient", tier="float64")
def tabular_gradients(results: Results) -> Outcome:
    """mirror-gradient for tables: rho(1/2) = -1/(2^L - 1), and <= 0 at every t on the grid."""
    t, worst = np.linspace(0.02, 0.98, 49), -np.inf
    for length in (1, 2, 3, 4):
        moments = tabular_gradient_moments(instances.k1(length), Tempered(instances.k1(length), 0.5))
        half = float(mirror.correlation(moments, np.array([0.5]))[0])
        if abs(half + 1 / (2**length - 1)) > 1e-12:
            return decide(False, length, note=f"L = {length}: {half}")
        worst = max(worst, float(mirror.correlation(moments, t).max()))
    return decide(
        worst <= 0, 4 * len(t), -worst, "own logits per context: -1/(2^L - 1) at t = 1/2; margin: least |rho|"
    )


@tightness("mirror-gradient", tier="float64")
def tabular_gradients_vanish(results: Results) -> Outcome:
    """mirror-gradient: rho(1/2) of the table is within 1/15 of 0 already at L = 4."""
    rho = float(mirror.correlation(tabular_gradient_moments(instances.k1()), np.array([0.5]))[0])
    return decide(-1 / 14 < rho < 0, 1, -rho, "margin: |rho|")


@control("mirror-gradient", tier="float64")
def gradients_gain_like_losses(results: Results) -> Outcome:
    """mirror-gradient: the loss correlation -0.647 of K1 carried over to gradients."""
    loss = float(mirror.correlation(results.instances["K1 oracle"].moments, np.array([0.5]))[0])
    table = float(mirror.correlation(tabular_gradient_moments(instances.k1()), np.array([0.5]))[0])
    return decide(abs(loss - table) < 1e-3, 1, abs(loss - table))


@check("mirror-equal-compute", tier="float64")
def mirror_against_two_draws(results: Results) -> Outcome:
    """mirror-equal-compute: MIRROR per call below fresh draws exactly when A |rho| > B + C, at uniform t and at p*."""
    holds, count = True, 0
    for case in results.instances.values():
        for single, pair in (("uniform", "MIRROR"), ("P-POTS", "P-POTS + MIRROR")):
            one, two = case.methods[single].parts, case.methods[pair].parts
            rho = 2 * two.pattern / one.pattern - 1
            holds &= (two.per_call < one.per_call) == (one.pattern * -rho > one.rate + one.data)
            count += 1
    return decide(holds, count)


@tightness("mirror-equal-compute", tier="float64")
def mirror_wins_and_loses(results: Results) -> Outcome:
    """mirror-equal-compute: both sides occur (K1 temper and K1 oracle at p*)."""
    gains = [
        results.instances[n].methods["P-POTS"].per_call - results.instances[n].methods["P-POTS + MIRROR"].per_call
        for n in ("K1 temper", "K1 oracle")
    ]
    return decide(gains[0] > 0 > gains[1], 2)


@control("mirror-equal-compute", tier="float64")
def mirror_always_wins(results: Results) -> Outcome:
    """mirror-equal-compute: MIRROR better than two fresh draws everywhere."""
    wins = [c.methods["P-POTS + MIRROR"].per_call < c.methods["P-POTS"].per_call for c in results.instances.values()]
    return decide(all(wins), len(wins))
