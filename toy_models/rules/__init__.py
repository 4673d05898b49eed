"""Unmasking rules: which positions are revealed next."""

from toy_models.lazy import attach
from toy_models.rules.confidence import Threshold, TopK
from toy_models.rules.content_free import FixedOrder, IndependentReveal, RandomOrder, ShiftedReveal, bisection
from toy_models.rules.entropy_bounded import EntropyBounded
from toy_models.rules.protocol import Adaptive, ContentFree, Drawn, Rule, Stage
from toy_models.rules.semi_autoregressive import SemiAutoregressive

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "entropy_bounded": ["prefix_excess"],
        "fixed_schedule": [
            "FixedSchedule",
            "chain_partition_loss",
            "entropy_increments",
            "fixed_schedule_front",
            "fixed_schedule_front_of",
            "schedule_loss",
            "subset_entropies",
        ],
        "policy_front": ["Front", "optimal_front"],
        "policy_search": ["all_policies", "hull", "pareto"],
        "proxies": ["entropies", "proxy_scores"],
        "replay": ["Replay", "RuleValue", "estimate_kl", "evaluate_rule", "replay_rule"],
        "replay_law": ["Visited", "visited_states"],
    },
)
__all__ += [
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
