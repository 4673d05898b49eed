"""Rational and ball twins of the core quantities: laws in Q, divergences as decided sums of logarithms."""

from toy_models.exact import log_sum, rational_law
from toy_models.exact.log_sum import LogSum, log
from toy_models.exact.rational_law import (
    chain_pmf,
    context_sums,
    cross_entropies,
    entropy,
    fixed_size_stages,
    hmm_pmf,
    independent_stages,
    kl,
    law,
    rational,
    subset_entropies,
    support_mass,
    to_float,
)
from toy_models.exact.verdict import decide_at_most, decide_equal
from toy_models.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "drawn_law": ["drawn_confidence_law", "kept_outcomes"],
        "samplers": ["gibbs_step", "speculative_law"],
    },
    ["curves", "trajectories"],
)
__all__ += [
    "LogSum",
    "chain_pmf",
    "context_sums",
    "cross_entropies",
    "decide_at_most",
    "decide_equal",
    "entropy",
    "fixed_size_stages",
    "hmm_pmf",
    "independent_stages",
    "kl",
    "law",
    "log",
    "log_sum",
    "rational",
    "rational_law",
    "subset_entropies",
    "support_mass",
    "to_float",
]
