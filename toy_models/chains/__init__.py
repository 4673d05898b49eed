"""Chains of any length through their gaps: sequence error, likelihood and information curve of independent reveal."""

from toy_models.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "certified_error": ["certified_levels"],
        "far_ends": ["FarEnds", "far_split", "split_levels"],
        "formula": ["chain_information_curve", "chain_reveal_curve"],
        "likelihood": ["GapLikelihood", "gap_log_likelihood"],
        "recursion": ["gap_sequence_error"],
        "tables": ["mixing_at"],
    },
)
