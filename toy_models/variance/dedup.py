"""MIRROR without counting twice: at t > 1/2 a token that both masks hide enters once, with the mean of its two losses.

    l = (1/L) sum over i of the mean of c_i(x, M) over the masks M of the pair that hide i      (t >= 1/2)
    l = (S(x, M1) + S(x, M2)) / (2 L t), the ordinary pair                                      (t <= 1/2)
The `mm_dedup` of the released code of Jia et al. 2025 (arXiv 2511.18159) does the same with weights over the union.
"""

import numpy as np
from jaxtyping import Float

from toy_models.variance.mirror import pair_law


def deduplicated_parts(
    losses: Float[np.ndarray, "X masks L"], probability: Float[np.ndarray, " X"], t: float
) -> tuple[float, float, float]:
    """(E l, E_x Var(l | x), Var_x E(l | x)) of the deduplicated mirrored pair at time t. O(X 4^L L).

    losses[x, M, i] = -log p(x_i | x outside M) for i in M, 0 elsewhere; bit i of M is position i.

    >>> additive = np.array([[[0.0, 0.0], [1.0, 0.0], [0.0, 3.0], [1.0, 3.0]]])  # c_1 = 1, c_2 = 3, whatever the mask
    >>> [round(v, 12) for v in tm.variance.deduplicated_parts(additive, np.ones(1), 0.75)]
    [2.0, 0.0, 0.0]
    """
    if not 0.0 < t <= 1.0:
        raise ValueError(f"t = {t}, it must lie in (0, 1]")
    length = losses.shape[2]
    joint = np.ones((1, 1))
    for _ in range(length):
        joint = np.kron(pair_law(t), joint)
    hidden = np.arange(2**length)[:, None] >> np.arange(length) & 1
    times = hidden[:, None] + hidden[None, :]  # [M1, M2, i]
    share = 1.0 / np.maximum(times, 1) if t > 0.5 else np.full(times.shape, 0.5 / t)
    first = np.einsum("xai,abi->xab", losses, share) + np.einsum("xbi,abi->xab", losses, share)
    value = first / length
    mean = np.einsum("xab,ab->x", value, joint)
    square = np.einsum("xab,ab->x", value**2, joint)
    centre = float(probability @ mean)
    return centre, float(probability @ (square - mean**2)), float(probability @ (mean - centre) ** 2)
