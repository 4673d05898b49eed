"""Variance of training losses: moments, ways to draw times and masks, and remedies."""

from toy_models.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "decomposition": [
            "CALLS",
            "arm_variance",
            "decompose",
            "estimate_variance",
            "optimal_size_weights",
            "size_decomposition",
            "sizes_from_times",
        ],
        "chain_loss": ["GapLosses", "chain_moments", "gap_losses"],
        "dedup": ["deduplicated_parts"],
        "densities": ["Density"],
        "estimator": ["Estimator"],
        "gradient_moments": ["tabular_gradient_moments", "vector_moments"],
        "loss_moments": ["LossMoments", "Moments", "summed_losses", "token_losses"],
    },
    [
        "decomposition",
        "dedup",
        "densities",
        "ema",
        "epr",
        "isad",
        "loss_moments",
        "mirror",
        "p_pots",
        "released_sampler",
        "strats",
        "syrm",
    ],
)
