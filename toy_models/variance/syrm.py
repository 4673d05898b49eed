"""SyRM: only response and syntax tokens are masked (Jia et al. 2025, arXiv 2511.18159)."""

import numpy as np
from jaxtyping import Bool, Float

from toy_models.variance.densities import quadrature
from toy_models.variance.estimator import Estimator
from toy_models.variance.isad import mask_probabilities


def eligible_loss(losses: Float[np.ndarray, "X masks L"], eligible: Bool[np.ndarray, " L"]):
    """Masks inside the eligible set, numbered again from 0, and c restricted to them: (X, 2^P, P)."""
    kept = np.flatnonzero(eligible)
    if len(kept) == 0:
        raise ValueError("eligible marks no position, at least one is needed")
    inner = np.arange(2 ** len(kept))
    masks = sum((((inner >> j) & 1) << int(i)) for j, i in enumerate(kept))
    return losses[:, masks][:, :, kept]


def syrm(
    losses: Float[np.ndarray, "X masks L"],
    probability: Float[np.ndarray, " X"],
    response: Bool[np.ndarray, " L"],
    syntax: Bool[np.ndarray, " L"],
    epsilon: float = 1e-3,
) -> Estimator:
    """Loss (1/(P t)) sum over masked i of c_i with response and syntax tokens eligible; t uniform, the rest visible.

    The bias is against the loss with the response alone eligible: SyRM averages two objectives.
    """
    both, alone = (_eligible_moments(losses, probability, e, epsilon) for e in (response | syntax, response))
    return Estimator(both[0], both[1], both[0] - alone[0])


def _eligible_moments(losses, probability, eligible, epsilon) -> tuple[float, float]:
    total = eligible_loss(losses, eligible).sum(axis=2)
    size = int(eligible.sum())
    t, w = quadrature(epsilon, 1.0)
    law = np.stack([mask_probabilities(np.full(size, s)) for s in t]) * (w / (size * t))[:, None]
    mean = float(probability @ total @ law.sum(axis=0))
    second = float(probability @ total**2 @ (law / (size * t)[:, None]).sum(axis=0)) * (1.0 - epsilon)
    return mean, second - mean**2


def syrm_variance(
    losses: Float[np.ndarray, "X masks L"],
    probability: Float[np.ndarray, " X"],
    eligible: Bool[np.ndarray, " L"],
    t: float,
) -> tuple[float, float]:
    """Var[l | t] of l = (1/(P t)) sum over i of M_i Y_i over the P eligible tokens: by enumeration, and by the formula

        (1/(P^2 t)) sum sigma_i^2 + ((1-t)/(P^2 t)) sum mu_i^2 + (2/P^2) sum over i < j of rho_ij,
    mu_i, sigma_i^2 the mean and variance of Y_i given M_i = 1, rho_ij = E[Y_i Y_j | M_i = M_j = 1] - mu_i mu_j.
    """
    if not 0.0 < t <= 1.0:
        raise ValueError(f"t = {t}, it must lie in (0, 1]")
    y = eligible_loss(losses, eligible)
    size = y.shape[2]
    weight = probability[:, None] * mask_probabilities(np.full(size, t))
    value = y.sum(axis=2) / (size * t)
    direct = float((weight * (value - (weight * value).sum()) ** 2).sum())
    pair = np.einsum("xm,xmi,xmj->ij", weight, y, y) / t**2
    mu = np.einsum("xm,xmi->i", weight, y) / t
    square = np.diag(pair) * t  # E[Y_i^2 | M_i = 1]: only one conditioning event
    rho = pair - np.outer(mu, mu)
    off = rho.sum() - np.trace(rho)
    formula = ((square - mu**2).sum() / t + (1.0 - t) / t * (mu**2).sum() + off) / size**2
    return direct, float(formula)
