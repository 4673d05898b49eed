"""What the released code of P-POTS estimates and draws, as mathematics."""

import numpy as np
from jaxtyping import Float

from toy_models.targets.protocol import Denoiser, Target
from toy_models.validation import MASK, positive_int
from toy_models.variance.densities import check_interval
from toy_models.variance.loss_moments import Moments
from toy_models.variance.strats import mean_between


def truncated_grid_mean(moments: Moments, cells: int, epsilon: float = 1e-3) -> float:
    """Integral over s in [1/T, 1 - 1/T] of g(t(s)), t(s) = (1 - epsilon) s + epsilon: what a truncated grid reaches."""
    cells = positive_int("cells", cells, minimum=3)
    low, high = ((1.0 - epsilon) * s + epsilon for s in (1.0 / cells, 1.0 - 1.0 / cells))
    return mean_between(moments, low, high) / (1.0 - epsilon)


def released_sampler_mean(moments: Moments, cells: int, epsilon: float = 1e-3) -> float:
    """E[l / p] of the released sampler, T = `cells`.

    A cell of the grid j/T, j = 1..T-1, is drawn with probability proportional to the mean of its two end weights and s
    uniformly in it, while the weight uses the linear interpolation p(s).

    Compare with the integral over s in [0, 1], decompose(...).mean / (1 - epsilon): the bias is about -2/T of it.
    """
    cells = positive_int("cells", cells, minimum=3)
    s = np.arange(1, cells) / cells
    at_ends = (1.0 - epsilon) * s + epsilon
    root = np.sqrt(moments.second_moment(at_ends) - moments.spread_of_mean(at_ends))
    p = root / np.trapezoid(root, s)
    chance = (p[1:] + p[:-1]) / 2
    chance /= chance.sum()
    u, w = np.polynomial.legendre.leggauss(32)
    inner = s[:-1, None] + (u + 1.0) / 2 / cells
    g = np.sqrt(moments.square_of_mean(((1.0 - epsilon) * inner + epsilon).ravel())).reshape(inner.shape)
    return float(chance @ (g / np.interp(inner, s, p)) @ w) / 2


def published_estimate(
    target: Target,
    rng: np.random.Generator,
    denoiser: Denoiser | None = None,
    sequences: int = 15,
    times: int = 70,
    masks: int = 15,
    epsilon: float = 1e-3,
) -> tuple[Float[np.ndarray, " grid"], Float[np.ndarray, " grid"]]:
    """Grid s = j/T, j = 1..T-1, and sqrt(ghat^2 + vhat) on it, normalised by the trapezoid rule.

    ghat_j is the mean loss over sequences and masks, vhat_j the mean over sequences of the sample variance over masks
    (divisor masks - 1), at mask probability (1 - epsilon) s + epsilon. It estimates sqrt((E_x g)^2 + E_x v), up to the
    noise of ghat^2, and leaves out Var_x g. Jia et al. 2025 (arXiv 2511.18159) use 15 sequences, 70 times, 15 masks.
    """
    check_interval(epsilon)
    sequences, masks = positive_int("sequences", sequences), positive_int("masks", masks, minimum=2)
    times = positive_int("times", times, minimum=3)
    model = target if denoiser is None else denoiser
    grid = np.arange(1, times) / times
    t = ((1.0 - epsilon) * grid + epsilon)[:, None, None, None]
    x = np.broadcast_to(target.sample(sequences, rng)[:, None], (times - 1, sequences, masks, target.length))
    hidden = rng.random(x.shape) < t
    marginals = model.marginals(np.where(hidden, MASK, x).reshape(-1, target.length)).reshape(*x.shape, -1)
    chosen = np.take_along_axis(marginals, x[..., None], axis=-1)[..., 0]
    loss = np.where(hidden, -np.log(chosen), 0.0).sum(axis=-1) / (target.length * t[..., 0])
    root = np.sqrt(loss.mean(axis=(1, 2)) ** 2 + loss.var(axis=2, ddof=1).mean(axis=1))
    return grid, root / np.trapezoid(root, grid)
