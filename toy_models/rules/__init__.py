"""Unmasking rules: which positions are revealed next."""

from toy_models.lazy import attach
from toy_models.rules.confidence import Threshold, TopK
from toy_models.rules.content_free import FixedOrder, IndependentReveal, RandomOrder, ShiftedReveal, bisection
from toy_models.rules.dilated import Dilated
from toy_models.rules.drawn_confidence import DrawnConfidence
from toy_models.rules.entropy_bounded import EntropyBounded
from toy_models.rules.entropy_sum import EntropySum
from toy_models.rules.factor_threshold import FactorThreshold, FrechetBound
from toy_models.rules.protocol import Adaptive, ContentFree, Drawn, Rule, Sampler, Stage
from toy_models.rules.semi_autoregressive import SemiAutoregressive

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "blockwise": ["Blockwise", "first_hitting"],
        "confidence_memory": ["ConfidenceMemory"],
        "drawn_confidence": ["tempered"],
        "drawn_scores": ["OfMarginal", "PositionWeighted", "Probability", "Score"],
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
        "grid_reveal": ["GridReveal"],
        "kinds": ["ADAPTIVE", "CONTENT_FREE", "DRAWN", "SAMPLER", "kind_of"],
        "path_planning": ["PathPlanning"],
        "policy_front": ["Front", "optimal_front"],
        "policy_search": ["all_policies", "hull", "pareto"],
        "protocol": ["sees_contents", "sees_drawn"],
        "proxies": ["entropies", "proxy_scores"],
        "quotas": ["Above", "Count", "Factor", "Quota", "Sizes", "as_quota"],
        "remasking": ["Remasking", "most_remasked"],
        "replay": ["Replay", "RuleValue", "estimate_kl", "evaluate_rule", "replay_rule"],
        "replay_law": ["Visited", "visited_states"],
        "semi_autoregressive": ["current_block"],
        "stop_at_eos": ["StopAtEos", "length_law", "until_eos"],
        "treedepth": ["components", "treedepth_order"],
    },
)
__all__ += [
    "Adaptive",
    "ContentFree",
    "Dilated",
    "Drawn",
    "DrawnConfidence",
    "EntropyBounded",
    "EntropySum",
    "FactorThreshold",
    "FixedOrder",
    "FrechetBound",
    "IndependentReveal",
    "RandomOrder",
    "Rule",
    "Sampler",
    "SemiAutoregressive",
    "ShiftedReveal",
    "Stage",
    "Threshold",
    "TopK",
    "bisection",
]
