"""The published estimate of p(t) before training: a few sequences, a grid of times, a few masks of each."""

import numpy as np
from jaxtyping import Float

from toy_models.targets.protocol import Denoiser, Target
from toy_models.validation import MASK, positive_int
from toy_models.variance.timesteps import check_interval


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
