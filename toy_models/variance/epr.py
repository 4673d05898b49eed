"""EPR: the seven-parameter family that P-POTS is fitted with (Jia et al. 2025, arXiv 2511.18159)."""

import numpy as np
import scipy
from jaxtyping import Float


def epr(parameters: Float[np.ndarray, "7"], t: Float[np.ndarray, " T"]) -> Float[np.ndarray, " T"]:
    """sqrt(a t^r + b (1-t)^q + A^2 exp(2 kappa t^m)), unnormalised; parameters (a, b, A, kappa, r, q, m)."""
    a, b, scale, kappa, r, q, m = parameters
    return np.sqrt(a * t**r + b * (1.0 - t) ** q + scale**2 * np.exp(2.0 * kappa * t**m))


def fit_epr(t: Float[np.ndarray, " T"], p: Float[np.ndarray, " T"]) -> Float[np.ndarray, "7"]:
    """The seven EPR parameters of least KL(p || EPR) by the trapezoid rule on the grid t, 0 < t < 1.

    Softplus keeps a, b, A, kappa positive, 1 + softplus keeps r, q, m above one; L-BFGS-B from 20 random points
    (Jia et al. 2025, arXiv 2511.18159, and the authors' first published fit), the best of them followed to the floor of
    double precision: at the default tolerance the curve moves by 1e-3 with the last digits of p, there by 1e-7.
    """
    target = p / np.trapezoid(p, t)
    log_t, log_rest = np.log(t), np.log1p(-t)

    def unpack(raw):
        positive = np.logaddexp(0.0, raw)
        return np.concatenate([positive[:4], 1.0 + positive[4:]])

    def divergence(raw):
        """KL and its gradient; with q = sqrt(h) / Z it is the integral of (q - target) dlog sqrt(h)."""
        a, b, scale, kappa, r, q, m = unpack(raw)
        rise, fall, power = t**r, (1.0 - t) ** q, t**m
        growth = np.exp(2.0 * kappa * power)
        h = a * rise + b * fall + scale**2 * growth
        slopes = [rise, fall, 2.0 * scale * growth, 2.0 * scale**2 * power * growth]
        slopes += [a * rise * log_t, b * fall * log_rest, 2.0 * scale**2 * kappa * power * log_t * growth]
        root = np.sqrt(h) / np.trapezoid(np.sqrt(h), t)
        value = np.trapezoid(target * np.log(target / root), t)
        gradient = np.trapezoid((root - target) * np.stack(slopes) / (2.0 * h), t) / (1.0 + np.exp(-raw))
        return value, gradient

    rng = np.random.default_rng(0)
    centre = np.array([-0.3, 0.4, -1.0, 0.3, 0.2, -0.2, 0.2])
    fits = [
        scipy.optimize.minimize(
            divergence, centre + 0.6 * rng.standard_normal(7), jac=True, method="L-BFGS-B", bounds=[(-20, 20)] * 7
        )
        for _ in range(20)
    ]
    best = min(fits, key=lambda fit: fit.fun)
    floor = {"ftol": 0.0, "gtol": 1e-13, "maxiter": 20_000, "maxfun": 40_000}
    end = scipy.optimize.minimize(
        divergence, best.x, jac=True, method="L-BFGS-B", bounds=[(-20, 20)] * 7, options=floor
    )
    return unpack(end.x)
