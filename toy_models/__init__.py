"""Exactly computable toy masked diffusion models: targets, denoisers, unmasking rules, exact laws, quantities.

import toy_models as tm
chain = tm.MarkovChain([[0.9, 0.1], [0.2, 0.8]], length=6)
law = tm.sampler_law(chain, tm.IndependentReveal(tm.LinearSchedule().weights(3)))
"""

from toy_models import any_process
from toy_models.chains.formula import chain_reveal_curve
from toy_models.chains.likelihood import GapLikelihood, gap_log_likelihood
from toy_models.chains.recursion import SequenceErrorTable, gap_sequence_error, sequence_error_table
from toy_models.energy.beta_family import best_fit_beta
from toy_models.energy.beta_search import search_beta
from toy_models.energy.geodesic import path_energy, path_energy_report
from toy_models.energy.state_energies import energy_integrands
from toy_models.errors import ImpossibleContext, IntractableError
from toy_models.hidden_chains.bounds import CurveBounds, entropy_bounds, reveal_curve_bounds, trajectory_kl_bounds
from toy_models.learned_order.losses import BestOrder, best_order, order_losses
from toy_models.learned_order.nelbo import schedule_nelbo
from toy_models.learned_order.plackett_luce import plackett_luce, reverse_plackett_luce
from toy_models.learned_order.reveal_times import NoisePowerSchedule, order_law
from toy_models.quantities.calls import expected_calls
from toy_models.quantities.estimates import (
    estimate_generative_cross_entropy,
    estimate_trajectory_kl,
    estimate_uniform_kl,
)
from toy_models.quantities.information_curve import estimate_information_curve, information_curve, reveal_curve
from toy_models.quantities.intervals import Estimate
from toy_models.quantities.law import Law, sampler_law
from toy_models.quantities.likelihood import log_likelihood
from toy_models.quantities.sampling import Samples, estimate_sequence_error, sample
from toy_models.quantities.sequence_error import sequence_error
from toy_models.quantities.token_error import generative_cross_entropy, marginal_kl
from toy_models.quantities.total_correlation import dual_total_correlation, total_correlation
from toy_models.quantities.trajectory_kl import trajectory_kl
from toy_models.rules import (
    EntropyBounded,
    FixedOrder,
    IndependentReveal,
    RandomOrder,
    SemiAutoregressive,
    ShiftedReveal,
    Threshold,
    TopK,
    bisection,
)
from toy_models.rules.fixed_schedule import FixedSchedule, best_fixed_schedule, fixed_schedule_front, subset_entropies
from toy_models.rules.optimal_policy import Policy, optimal_policy
from toy_models.rules.ordered_partitions import BestPartition, best_partitions
from toy_models.rules.replay import Replay, RuleValue, estimate_kl, evaluate_rule, replay_rule
from toy_models.rules.word_policy import WordPolicy
from toy_models.schedules.beta import BetaSchedule
from toy_models.schedules.budget import dtc_sizes, odds_geometric_weights, tc_sizes
from toy_models.schedules.knots import KnotSchedule, MirroredSchedule
from toy_models.schedules.named import (
    CosineSchedule,
    LinearSchedule,
    PowerSchedule,
    SineSchedule,
    SineSquaredSchedule,
    SmoothstepSchedule,
)
from toy_models.schedules.optimal import EstimatedSchedule, optimal_sizes, optimal_weights
from toy_models.targets import HMM, Blocks, Denoiser, LinearCode, MarkovChain, NGram, Table, Target, corpus
from toy_models.targets.denoisers import ParentPointer, Smoothed, Tempered, Windowed, learning_error
from toy_models.targets.instances import pairs, permutations, repetition, zero_sum
from toy_models.targets.sudoku import sudoku4
from toy_models.targets.word_list import WordList
from toy_models.validation import MASK
from toy_models.variance.decomposition import VarianceDecomposition, estimate_variance, variance_decomposition

__all__ = [
    "HMM",
    "MASK",
    "BestOrder",
    "BestPartition",
    "BetaSchedule",
    "Blocks",
    "CosineSchedule",
    "CurveBounds",
    "Denoiser",
    "EntropyBounded",
    "Estimate",
    "EstimatedSchedule",
    "FixedOrder",
    "FixedSchedule",
    "GapLikelihood",
    "ImpossibleContext",
    "IndependentReveal",
    "IntractableError",
    "KnotSchedule",
    "Law",
    "LinearCode",
    "LinearSchedule",
    "MarkovChain",
    "MirroredSchedule",
    "NGram",
    "NoisePowerSchedule",
    "ParentPointer",
    "Policy",
    "PowerSchedule",
    "RandomOrder",
    "Replay",
    "RuleValue",
    "Samples",
    "SemiAutoregressive",
    "SequenceErrorTable",
    "ShiftedReveal",
    "SineSchedule",
    "SineSquaredSchedule",
    "Smoothed",
    "SmoothstepSchedule",
    "Table",
    "Target",
    "Tempered",
    "Threshold",
    "TopK",
    "VarianceDecomposition",
    "Windowed",
    "WordList",
    "WordPolicy",
    "any_process",
    "best_fit_beta",
    "best_fixed_schedule",
    "best_order",
    "best_partitions",
    "bisection",
    "chain_reveal_curve",
    "corpus",
    "dtc_sizes",
    "dual_total_correlation",
    "energy_integrands",
    "entropy_bounds",
    "estimate_generative_cross_entropy",
    "estimate_information_curve",
    "estimate_kl",
    "estimate_sequence_error",
    "estimate_trajectory_kl",
    "estimate_uniform_kl",
    "estimate_variance",
    "evaluate_rule",
    "expected_calls",
    "fixed_schedule_front",
    "gap_log_likelihood",
    "gap_sequence_error",
    "generative_cross_entropy",
    "information_curve",
    "learning_error",
    "log_likelihood",
    "marginal_kl",
    "odds_geometric_weights",
    "optimal_policy",
    "optimal_sizes",
    "optimal_weights",
    "order_law",
    "order_losses",
    "pairs",
    "path_energy",
    "path_energy_report",
    "permutations",
    "plackett_luce",
    "repetition",
    "replay_rule",
    "reveal_curve",
    "reveal_curve_bounds",
    "reverse_plackett_luce",
    "sample",
    "sampler_law",
    "schedule_nelbo",
    "search_beta",
    "sequence_error",
    "sequence_error_table",
    "subset_entropies",
    "sudoku4",
    "tc_sizes",
    "total_correlation",
    "trajectory_kl",
    "trajectory_kl_bounds",
    "variance_decomposition",
    "zero_sum",
]
