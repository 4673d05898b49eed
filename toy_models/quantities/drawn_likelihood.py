"""log p(x) of a rule that looks at drawn candidates, over the sets of positions that are written when."""

import numpy as np
from jaxtyping import Float, Int

from toy_models.errors import IntractableError
from toy_models.rules.protocol import Drawn
from toy_models.targets.protocol import Denoiser
from toy_models.validation import MASK

MAX_LENGTH = 16  # 2^L revealed sets per text


def drawn_log_likelihood(denoiser: Denoiser, rule: Drawn, x: Int[np.ndarray, "batch L"]) -> Float[np.ndarray, " batch"]:
    """log p(x) per row: the mass of the contexts x_T, T growing call by call, by the rule's own `push`.

    Unlike a deterministic rule's, the order is random given x, so 2^L revealed sets T are visited instead of one path.
    Cost O(2^L) states per row, each the outcomes of one call that agree with x; L <= 16.

    >>> coins = tm.MarkovChain([[0.9, 0.1], [0.9, 0.1]], 2)
    >>> float(np.exp(tm.log_likelihood(coins, tm.DrawnConfidence(1), np.array([[0, 0]])))[0].round(12))
    0.891
    """
    length = denoiser.length
    if length > MAX_LENGTH:
        raise IntractableError(
            "log p(x) of a rule that sees the drawn tokens",
            f"L = {length}, hence 2^{length} revealed sets",
            f"L <= {MAX_LENGTH}",
            "use sample and the estimate_ functions",
        )
    subsets = np.arange(2**length)[:, None] >> np.arange(length) & 1
    revealed = subsets.sum(axis=1)
    with np.errstate(divide="ignore"):
        return np.log([_written(denoiser, rule, text, subsets, revealed) for text in x])


def _written(denoiser, rule, text, subsets, revealed) -> float:
    length = len(text)
    increments = np.full((length, denoiser.vocab_size), -1, dtype=np.int64)
    increments[np.arange(length), text] = 1 << np.arange(length)
    mass = np.zeros(len(subsets))
    mass[0] = 1.0
    for count in range(length):
        here = np.flatnonzero((revealed == count) & (mass > 0))
        marginals = denoiser.marginals(np.where(subsets[here] == 1, text, MASK), on_impossible="nan")
        alive = ~np.isnan(marginals).any(axis=(1, 2))
        rule.push(mass, here[alive], marginals[alive], subsets[here[alive]] == 0, increments)
    return float(mass[-1])
