"""Exactly computable toy masked diffusion models: targets, denoisers, unmasking rules, exact laws, quantities.

import toy_models as tm
chain = tm.MarkovChain([[0.9, 0.1], [0.2, 0.8]], length=6)
law = tm.sampler_law(chain, tm.IndependentReveal(tm.LinearSchedule().weights(3)))
"""

from toy_models.denoisers import ParentPointer, Smoothed, Tempered, Windowed, learning_error
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
from toy_models.targets import HMM, Blocks, Denoiser, LinearCode, MarkovChain, Table, Target
from toy_models.targets.instances import pairs, permutations, repetition, zero_sum
from toy_models.unmasking import (
    EntropyBounded,
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
    "Blocks",
    "CosineSchedule",
    "Denoiser",
    "EntropyBounded",
    "FixedOrder",
    "ImpossibleContext",
    "IndependentReveal",
    "IntractableError",
    "Law",
    "LinearCode",
    "LinearSchedule",
    "MarkovChain",
    "ParentPointer",
    "PowerSchedule",
    "RandomOrder",
    "SemiAutoregressive",
    "ShiftedReveal",
    "SineSchedule",
    "SineSquaredSchedule",
    "Smoothed",
    "Table",
    "Target",
    "Tempered",
    "Threshold",
    "TopK",
    "Windowed",
    "bisection",
    "learning_error",
    "pairs",
    "permutations",
    "repetition",
    "sampler_law",
    "zero_sum",
]
