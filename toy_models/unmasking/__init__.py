"""Unmasking rules: which positions are revealed next."""

from toy_models.unmasking.adaptive import EntropyBounded, SemiAutoregressive, Threshold, TopK
from toy_models.unmasking.content_free import (
    FixedOrder,
    IndependentReveal,
    RandomOrder,
    ShiftedReveal,
    Stage,
    bisection,
)

__all__ = [
    "EntropyBounded",
    "FixedOrder",
    "IndependentReveal",
    "RandomOrder",
    "SemiAutoregressive",
    "ShiftedReveal",
    "Stage",
    "Threshold",
    "TopK",
    "bisection",
]
