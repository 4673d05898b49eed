"""Does a network answer from what it is shown? Its law of a masked token must not change with what the mask hides.

Two full texts x, x' that differ only where a third row y is masked are put beside y in one batch, and before y in
another call. A network that mixes the rows of a batch, keeps what it has seen, or draws at random gives y two laws.
"""

import numpy as np
from jaxtyping import Int

from toy_models.targets.protocol import Denoiser
from toy_models.validation import MASK

TOLERANCE = 1e-4  # the two laws come from batches of one shape, so that roundings agree but for a few float32 units


class PeekingNetwork(ValueError):
    """A law of a masked token that depends on what the mask hides, on other rows, or on chance."""


def require_honest(denoiser: Denoiser, x: Int[np.ndarray, "rows L"], rng: np.random.Generator) -> None:
    """PeekingNetwork, one line, unless the marginals are laws, one-hot where revealed, and functions of y alone.

    Half of the tokens of x[0] are masked; eight calls of one or two rows. What this cannot see: a network that knew the
    text from training.

    >>> from toy_models.networks import require_honest
    >>> require_honest(tm.pairs(2, 4), np.array([[0, 2, 1, 3]]), np.random.default_rng(0))
    """
    length, vocab = x.shape[1], denoiser.vocab_size
    masked = rng.permutation(length) < max(1, length // 2)
    full = x[:1]
    y = np.where(masked, MASK, full)
    other = np.where(masked, (full + 1) % vocab, full)
    alone = denoiser.marginals(y)
    _require_laws(alone, y)
    held = alone[0, masked]
    again = denoiser.marginals(y)[0, masked]
    _require_same(held, again, "it answers the same text twice with different laws: call model.eval(), or seed it")
    beside = [
        denoiser.marginals(np.concatenate([y, text]), on_impossible="uniform")[0, masked] for text in (full, other)
    ]
    _require_same(
        beside[0], beside[1], "its law of a masked token changes with what another row of the batch holds there"
    )
    after = []
    for text in (full, other):
        denoiser.marginals(text, on_impossible="uniform")
        after.append(denoiser.marginals(y)[0, masked])
    _require_same(after[0], after[1], "its law of a masked token changes with what an earlier call held there")


def _require_laws(p: np.ndarray, y: np.ndarray) -> None:
    if p.shape[:2] != y.shape:
        raise ValueError(f"the denoiser returned marginals of shape {p.shape} for tokens of shape {y.shape}")
    total = p.sum(axis=-1)
    wrong = ~(np.abs(total - 1.0) <= 1e-6) | ~(p >= 0).all(axis=-1)
    if wrong.any():
        row, position = np.argwhere(wrong)[0]
        raise ValueError(
            f"the marginals of row {row}, position {position} sum to {total[row, position]:.6g} with least entry "
            f"{p[row, position].min():.3g}; allowed: entries >= 0 that sum to 1"
        )
    shown = y != MASK
    mass = np.take_along_axis(p, np.maximum(y, 0)[:, :, None], axis=2)[..., 0]
    if (np.abs(mass - 1.0) > 1e-6)[shown].any():
        row, position = np.argwhere(shown & (np.abs(mass - 1.0) > 1e-6))[0]
        raise PeekingNetwork(
            f"the marginal of the revealed token at row {row}, position {position} gives it {mass[row, position]:.4g}, "
            "it must be 1: a revealed token is known"
        )


def _require_same(first: np.ndarray, second: np.ndarray, what: str) -> None:
    gap = float(np.abs(first - second).max())
    if not gap <= TOLERANCE:
        raise PeekingNetwork(f"the network peeks or is random: {what} (a probability moves by {gap:.3g})")
