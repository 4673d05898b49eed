"""Exactly computable toy masked diffusion models: targets, denoisers, unmasking rules, exact laws, quantities.

import toy_models as tm
chain = tm.MarkovChain([[0.9, 0.1], [0.2, 0.8]], length=6)
law = tm.sampler_law(chain, tm.IndependentReveal(tm.LinearSchedule().weights(3)))
"""

from toy_models.errors import ImpossibleContext, IntractableError
from toy_models.laws import Law, sampler_law
from toy_models.schedules import (
    BetaSchedule,
    CosineSchedule,
    LinearSchedule,
    PowerSchedule,
    SineSchedule,
    SineSquaredSchedule,
)
from toy_models.targets import HMM, Denoiser, MarkovChain, Table, Target
from toy_models.unmasking import (
    FixedOrder,
    IndependentReveal,
    RandomOrder,
    SemiAutoregressive,
    ShiftedReveal,
    Threshold,
    TopK,
    bisection,
)
from toy_models.validation import MASK

__all__ = [
    "HMM",
    "MASK",
    "BetaSchedule",
    "CosineSchedule",
    "Denoiser",
    "FixedOrder",
    "ImpossibleContext",
    "IndependentReveal",
    "IntractableError",
    "Law",
    "LinearSchedule",
    "MarkovChain",
    "PowerSchedule",
    "RandomOrder",
    "SemiAutoregressive",
    "ShiftedReveal",
    "SineSchedule",
    "SineSquaredSchedule",
    "Table",
    "Target",
    "Threshold",
    "TopK",
    "bisection",
    "sampler_law",
]
