"""Exactly computable toy masked diffusion models: targets, denoisers, unmasking rules, exact laws, quantities.

The names here are stable. What serves one subject is one level down: tm.energy, tm.variance, tm.learned_order,
tm.any_process, tm.chains, tm.hidden_chains, tm.targets, tm.rules, tm.schedules, tm.quantities, tm.text (a text of one's
own), and tm.exact (rational twins). What needs torch is imported apart: toy_models.networks.

>>> import toy_models as tm
>>> chain = tm.MarkovChain([[0.7, 0.3], [0.4, 0.6]], length=6)
>>> tm.marginal_kl(chain, tm.bisection(6)) < 1e-12 < tm.marginal_kl(chain, tm.RandomOrder([3, 3]))
True
"""

from toy_models.chains.recursion import SequenceErrorTable, sequence_error_table
from toy_models.energy.geodesic import path_energy
from toy_models.errors import ImpossibleContext, IntractableError
from toy_models.hidden_chains.bounds import CurveBounds, reveal_curve_bounds
from toy_models.lazy import attach
from toy_models.learned_order.losses import BestOrder, best_order, order_losses
from toy_models.learned_order.nelbo import schedule_nelbo
from toy_models.learned_order.plackett_luce import plackett_luce
from toy_models.quantities.calls import expected_calls
from toy_models.quantities.dual_total_correlation import dual_total_correlation
from toy_models.quantities.information_curve import estimate_information_curve, information_curve, reveal_curve
from toy_models.quantities.intervals import Estimate
from toy_models.quantities.law import Law, sampler_law
from toy_models.quantities.likelihood import log_likelihood
from toy_models.quantities.sampling import Samples, sample
from toy_models.quantities.sequence_error import sequence_error
from toy_models.quantities.token_error import generative_cross_entropy, marginal_kl
from toy_models.quantities.total_correlation import total_correlation
from toy_models.quantities.trajectory_kl import trajectory_kl
from toy_models.rules import (
    Adaptive,
    ContentFree,
    Dilated,
    Drawn,
    DrawnConfidence,
    EntropyBounded,
    EntropySum,
    FactorThreshold,
    FixedOrder,
    FrechetBound,
    IndependentReveal,
    RandomOrder,
    Rule,
    SemiAutoregressive,
    ShiftedReveal,
    Threshold,
    TopK,
    bisection,
)
from toy_models.rules.optimal_policy import Policy, optimal_policy
from toy_models.rules.speculative import Speculative
from toy_models.rules.word_policy import WordPolicy
from toy_models.schedules.beta import BetaSchedule
from toy_models.schedules.budget import dtc_sizes, odds_geometric_weights, tc_sizes
from toy_models.schedules.named import (
    CosineSchedule,
    LinearSchedule,
    PowerSchedule,
    SineSchedule,
    SineSquaredSchedule,
)
from toy_models.schedules.optimal import EstimatedSchedule, optimal_sizes, optimal_weights
from toy_models.schedules.protocol import Schedule
from toy_models.targets import HMM, Blocks, Denoiser, LinearCode, MarkovChain, NGram, Table, Target, corpus
from toy_models.targets.denoisers import ParentPointer, Smoothed, Tempered, Windowed, learning_error
from toy_models.targets.instances import pairs, permutations, repetition, zero_sum
from toy_models.targets.truncated import Argmax, RoundedGumbel, TopP, TopTokens
from toy_models.validation import MASK
from toy_models.variance.decomposition import VarianceDecomposition, variance_decomposition

__getattr__, __dir__, __all__ = attach(
    __name__,
    {},
    [
        "any_process",
        "chains",
        "energy",
        "exact",
        "hidden_chains",
        "learned_order",
        "quantities",
        "rules",
        "schedules",
        "targets",
        "text",
        "variance",
    ],
)
__all__ += [
    "HMM",
    "MASK",
    "Adaptive",
    "Argmax",
    "BestOrder",
    "BetaSchedule",
    "Blocks",
    "ContentFree",
    "CosineSchedule",
    "CurveBounds",
    "Denoiser",
    "Dilated",
    "Drawn",
    "DrawnConfidence",
    "EntropyBounded",
    "EntropySum",
    "Estimate",
    "EstimatedSchedule",
    "FactorThreshold",
    "FixedOrder",
    "FrechetBound",
    "ImpossibleContext",
    "IndependentReveal",
    "IntractableError",
    "Law",
    "LinearCode",
    "LinearSchedule",
    "MarkovChain",
    "NGram",
    "ParentPointer",
    "Policy",
    "PowerSchedule",
    "RandomOrder",
    "RoundedGumbel",
    "Rule",
    "Samples",
    "Schedule",
    "SemiAutoregressive",
    "SequenceErrorTable",
    "ShiftedReveal",
    "SineSchedule",
    "SineSquaredSchedule",
    "Smoothed",
    "Speculative",
    "Table",
    "Target",
    "Tempered",
    "Threshold",
    "TopK",
    "TopP",
    "TopTokens",
    "VarianceDecomposition",
    "Windowed",
    "WordPolicy",
    "best_order",
    "bisection",
    "corpus",
    "dtc_sizes",
    "dual_total_correlation",
    "estimate_information_curve",
    "expected_calls",
    "generative_cross_entropy",
    "information_curve",
    "learning_error",
    "log_likelihood",
    "marginal_kl",
    "odds_geometric_weights",
    "optimal_policy",
    "optimal_sizes",
    "optimal_weights",
    "order_losses",
    "pairs",
    "path_energy",
    "permutations",
    "plackett_luce",
    "repetition",
    "reveal_curve",
    "reveal_curve_bounds",
    "sample",
    "sampler_law",
    "schedule_nelbo",
    "sequence_error",
    "sequence_error_table",
    "tc_sizes",
    "total_correlation",
    "trajectory_kl",
    "variance_decomposition",
    "zero_sum",
]
