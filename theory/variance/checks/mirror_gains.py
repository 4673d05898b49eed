"""Where mirrored masks gain: two positions at the exact denoiser, and gradients."""

import numpy as np
from flint import arb, ctx

from theory.ledger.registry import Outcome, check, condition, control, decide, not_claimed_tight, tightness
from theory.variance import definitions
from theory.variance.checks.cases import ROUNDING
from theory.variance.results import Results
from toy_models import Table, Tempered
from toy_models.targets import instances
from toy_models.variance import mirror
from toy_models.variance.gradient_moments import tabular_gradient_moments, vector_moments
from toy_models.variance.loss_moments import loss_moments, summed_losses, support


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
        arb("0.4") * arb("0.4").log() ** 2 > 2 * bracket * arb("0.4") * arb("0.6"),  # z (1 - z) is largest at .4
        (arb(-2)).exp() < arb("0.32"),
    ]
    note = "the constants of the proof, which covers L = 2, every alphabet, law and t"
    return Outcome("PROVED" if all(steps) else "UNDECIDED", len(steps), None, note)


@check("mirror-two-positions", tier="float64")
def two_position_laws(results: Results) -> Outcome:
    """mirror-two-positions on random laws, some degenerate or with zeros; rho against its definition."""
    laws, gaps = _two_position_laws(), []
    for law in laws[::5]:
        losses = definitions.losses_of(Table(law))
        for t, rho in zip(TIMES, _rho_of(law), strict=True):
            mean, square = definitions.at_time(losses, t, "single")
            both = 2 * definitions.at_time(losses, t, "mirror")[1] - square
            gaps.append(abs(rho - losses.probability @ (both - mean**2) / (losses.probability @ (square - mean**2))))
    covariances = [rho for law in laws for rho in _rho_of(law)]
    holds = max(covariances) < 0 and max(gaps) < 1e-8
    return decide(bool(holds), len(covariances), -max(covariances), "margin: least |rho|")


TIMES = np.array([0.25, 0.4, 0.5, 0.6, 0.75])


def _two_position_laws():
    rng = np.random.default_rng(8)
    laws = [
        rng.dirichlet(np.full(v * v, a)).reshape(v, v) for v in (2, 3, 4) for a in (0.1, 0.3, 1.0) for _ in range(4)
    ]
    laws += [np.array([[1 - 3 * e, e], [e, e]]) for e in (1e-2, 1e-4)]
    laws = [np.maximum(law, 1e-12) / np.maximum(law, 1e-12).sum() for law in laws]
    holes = [np.array([[0.5, 0.2], [0.3, 0.0]]), np.array([[0.3, 0.0, 0.2], [0.0, 0.4, 0.0], [0.1, 0.0, 0.0]])]
    return laws + holes


def _rho_of(law):
    return mirror.correlation(loss_moments(Table(law), pairs=True).average, TIMES)


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


@condition("mirror-gradient", tier="float64")
def gradients_by_definition(results: Results) -> Outcome:
    """mirror-gradient: both ways to gradient moments against the vectors, one entry per logit, K1, L = 2."""
    target, denoiser = instances.k1(2), Tempered(instances.k1(2), 0.5)  # at the exact denoiser the mean gradient is 0
    losses, vectors = _gradient_vectors(target, denoiser)
    q, gaps = losses.probability, []
    for moments in (tabular_gradient_moments(target, denoiser), vector_moments(vectors, q)):
        for t in (0.3, 0.5, 0.8):
            law, pair = definitions.mask_law([t, t]), definitions.pair_law(2, t, "mirror")
            products = np.einsum("xad,xbd->xab", vectors, vectors)
            mean = np.einsum("xad,a->xd", vectors, law)
            square = float(q @ np.einsum("xaa,a->x", products, law))
            own = float(q @ (mean**2).sum(axis=1))
            rho = (float(q @ np.einsum("xab,ab->x", products, pair)) - own) / (square - own)
            at = np.array([t])
            gaps += [
                abs(mirror.correlation(moments, at)[0] - rho),
                abs(moments.second_moment(at)[0] * 4 * t * t - square),
            ]
            gaps.append(abs(moments.square_of_mean(at)[0] * 4 * t * t - float(((q @ mean) ** 2).sum())))
            gaps.append(abs(moments.mean_square(at)[0] * 4 * t * t - own))
    return decide(max(gaps) < ROUNDING, len(gaps), ROUNDING - max(gaps))


def _gradient_vectors(target, denoiser):
    """dS/dlogits of a table at the denoiser, its own logits for every (mask, visible tokens, position)."""
    losses, x = definitions.losses_of(target, denoiser), support(target)
    rows, size = {}, target.vocab_size
    for n, tokens in enumerate(x):
        for mask in range(1, 2**target.length):
            y = np.where(mask >> np.arange(target.length) & 1, -1, tokens)
            marginals = denoiser.marginals(y[None])[0]
            for i in np.flatnonzero(y == -1):
                rows.setdefault((mask, *y.tolist(), int(i)), []).append(
                    (n, mask, marginals[i] - np.eye(size)[tokens[i]])
                )
    vectors = np.zeros((len(x), 2**target.length, size * len(rows)))
    for column, entries in enumerate(rows.values()):
        for n, mask, gradient in entries:
            vectors[n, mask, size * column : size * (column + 1)] = gradient
    return losses, vectors
