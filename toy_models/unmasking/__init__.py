"""Unmasking rules: which positions are revealed next."""

from toy_models.unmasking.adaptive import EntropyBounded, SemiAutoregressive, Threshold, TopK
from toy_models.unmasking.content_free import (
    FixedOrder,
    IndependentReveal,
    RandomOrder,
    ShiftedReveal,
    bisection,
)
from toy_models.unmasking.protocol import Adaptive, ContentFree, Drawn, Rule, Stage

__all__ = [
    "Adaptive",
    "ContentFree",
    "Drawn",
    "EntropyBounded",
    "FixedOrder",
    "IndependentReveal",
    "RandomOrder",
    "Rule",
    "SemiAutoregressive",
    "ShiftedReveal",
    "Stage",
    "Threshold",
    "TopK",
    "bisection",
]
