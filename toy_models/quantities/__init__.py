"""What a sampler writes and loses: exact laws, divergences, sequence error, likelihood, calls, information curves."""

from toy_models.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "chernoff": ["Chernoff", "chernoff_information", "order_laws"],
        "entropy": ["entropy_of_rows"],
        "estimates": [
            "entropy_at_reveal",
            "estimate_generative_cross_entropy",
            "estimate_trajectory_kl",
            "estimate_uniform_kl",
        ],
        "information_curve": ["curve_rows", "falling_curve"],
        "intervals": ["bernstein_interval", "clopper_pearson", "exactly", "simultaneous_interval", "student_interval"],
        "lattice": [
            "sequences",
            "state_marginals",
            "state_probabilities",
            "states",
            "subset_cross_entropies",
            "to_table",
        ],
        "sampled_curve": ["SampledCurve", "sizes_share", "weights_share"],
        "sampling": ["estimate_sequence_error", "write_tokens"],
        "traces": ["Trace", "trace"],
        "trajectory_kl": ["curve_kl"],
    },
    ["lattice"],
)
