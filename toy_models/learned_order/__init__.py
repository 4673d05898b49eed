"""Laws over decoding orders, their losses, and schedules per position that learn them."""

from toy_models.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "flow": ["edge_flow_time", "edge_gram", "growth_exponents", "is_sink"],
        "losses": [
            "best_order_local",
            "best_order_of",
            "count_best_orders",
            "linear_extensions",
            "order_losses_of",
            "uniform_loss",
        ],
        "mixtures": [
            "TwoWayDenoiser",
            "best_two_way_plackett_luce",
            "mixture_log_likelihood",
            "sandwich",
            "shared_table_loss",
            "two_way_losses",
            "two_way_target",
        ],
        "nelbo": [
            "METHODS",
            "nelbo_gradient",
            "nelbo_gradient_by_time",
            "nelbo_of_orders",
            "nelbo_of_schedules",
            "nelbo_second_moment",
            "nelbo_variance",
        ],
        "plackett_luce": [
            "pairwise",
            "positions_table",
            "reverse_plackett_luce",
            "reversed_law",
            "uniform_orders",
        ],
        "reveal_times": ["NoisePowerSchedule", "binned_order_law", "order_law", "pairwise_times"],
        "reveal_weights": [
            "inclusion_exclusion_reveals",
            "order_reveals",
            "plackett_luce_reveals",
            "quadrature_reveals",
        ],
        "rloo": ["ESTIMATORS", "GradientMoments", "estimator_moments"],
        "subset_losses": ["joint_law", "local_losses", "mean_cross_entropies", "sequence_cross_entropies"],
        "time_dependent": ["TimeTempered", "timed_nelbo", "timed_order_average"],
    },
    ["flow"],
)
