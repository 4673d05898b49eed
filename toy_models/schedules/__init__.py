"""Mask schedules: the named ones, the Beta family, and those that are best for a language or for a budget."""

from toy_models.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "budget": ["odds_geometric_bound", "shrinking_sizes"],
        "knots": ["KnotSchedule", "MirroredSchedule"],
        "minimax": ["minimax_value", "minimax_weights", "uniform_renewals"],
        "named": ["SmoothstepSchedule"],
        "optimal": ["sizes_cost", "weights_cost"],
        "sizes": [
            "even_split_sizes",
            "floor_sizes",
            "growing_sizes",
            "masks_left",
            "rounded_sizes",
            "within_budget",
        ],
        "usual": ["usual_sizes"],
    },
)
