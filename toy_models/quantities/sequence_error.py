"""Sequence error: how often a whole written text is impossible under the language."""

import numpy as np

from toy_models.door import require_pair, require_rule
from toy_models.quantities import lattice
from toy_models.quantities.law import sampler_law
from toy_models.rounding import probability
from toy_models.rules.kinds import EVERY_KIND
from toy_models.rules.protocol import Rule
from toy_models.targets.protocol import Denoiser, Target, own_route


def sequence_error(target: Target, rule: Rule, denoiser: Denoiser | None = None) -> float:
    """SER = 1 - p(supp q), impossible mass included.

    The target's own route for the oracle (`exact_sequence_error`: pair language in closed form, blocks as a product,
    Markov chains by the gap recursion, at any L); else the lattice law.

    >>> round(tm.sequence_error(tm.repetition(2, 3), tm.RandomOrder([3])), 12)  # 1 - 2/8
    0.75
    """
    model = require_pair(target, denoiser)
    require_rule(rule, target.length, EVERY_KIND)
    own = own_route(target, "exact_sequence_error", rule) if denoiser is None else None
    if own is not None:
        return probability("SER", own)
    off = np.isneginf(lattice.log_pmf(target))
    law = sampler_law(model, rule)
    return probability("SER", law.pmf.ravel()[off].sum() + law.impossible)
