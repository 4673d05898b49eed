"""Unmasking rules: which positions are revealed next."""

from toy_models.rules.confidence import Threshold, TopK
from toy_models.rules.content_free import FixedOrder, IndependentReveal, RandomOrder, ShiftedReveal, bisection
from toy_models.rules.entropy_bounded import EntropyBounded
from toy_models.rules.protocol import Adaptive, ContentFree, Drawn, Rule, Stage
from toy_models.rules.semi_autoregressive import SemiAutoregressive

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
