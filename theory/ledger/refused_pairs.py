"""What the refused inputs are tried on: quantities of (target, rule, denoiser), and what is none of them."""

from typing import Any

import numpy as np

import toy_models

tm: Any = toy_models  # wrong arguments are what these two files are made of
CHAIN = tm.MarkovChain([[0.7, 0.3], [0.4, 0.6]], 4)
TABLE = tm.Table(np.full((2, 2, 2, 2), 1 / 16))
HALF = tm.IndependentReveal([0.5, 0.5])
X = np.zeros((1, 4), dtype=np.int64)
RNG = np.random.default_rng(0)
LONGER = tm.MarkovChain([[0.7, 0.3], [0.4, 0.6]], 5)
WIDER = tm.MarkovChain(np.full((3, 3), 1 / 3), 4)
HUGE = tm.HMM([0.5, 0.5], np.eye(2), np.eye(2), 60)
SCHEDULE = tm.LinearSchedule()

# ---------------------------------------------------------------- what takes (target, rule, denoiser)
BY_TARGET = {
    "trajectory_kl": tm.trajectory_kl,
    "marginal_kl": tm.marginal_kl,
    "sequence_error": tm.sequence_error,
    "generative_cross_entropy": tm.generative_cross_entropy,
    "expected_calls": tm.expected_calls,
    "evaluate_rule": tm.rules.evaluate_rule,
    "sampler_law": lambda target, rule: tm.sampler_law(target, rule),
    "log_likelihood": lambda target, rule: tm.log_likelihood(target, rule, X),
    "sample": lambda target, rule: tm.sample(target, rule, 2, RNG),
    "replay_rule": lambda target, rule: tm.rules.replay_rule(target, rule, X),
    "estimate_trajectory_kl": lambda target, rule: tm.quantities.estimate_trajectory_kl(target, rule, 4, RNG),
    "estimate_sequence_error": lambda target, rule: tm.quantities.estimate_sequence_error(target, rule, 4, RNG),
    "estimate_generative_cross_entropy": lambda target, rule: tm.quantities.estimate_generative_cross_entropy(
        target, rule, 4, RNG
    ),
    "estimate_kl": lambda target, rule: tm.rules.estimate_kl(target, rule, 4, RNG),
}
WITH_DENOISER = {
    "trajectory_kl": lambda model: tm.trajectory_kl(CHAIN, HALF, model),
    "marginal_kl": lambda model: tm.marginal_kl(CHAIN, HALF, model),
    "sequence_error": lambda model: tm.sequence_error(CHAIN, HALF, model),
    "generative_cross_entropy": lambda model: tm.generative_cross_entropy(CHAIN, HALF, model),
    "expected_calls": lambda model: tm.expected_calls(CHAIN, HALF, model),
    "evaluate_rule": lambda model: tm.rules.evaluate_rule(CHAIN, tm.TopK(1), model),
    "replay_rule": lambda model: tm.rules.replay_rule(CHAIN, tm.TopK(1), X, model),
    "learning_error": lambda model: tm.learning_error(CHAIN, model),
    "estimate_sequence_error": lambda model: tm.quantities.estimate_sequence_error(CHAIN, HALF, 4, RNG, denoiser=model),
}
BAD_RULES = {
    "a schedule": (SCHEDULE, ("rule", "LinearSchedule() is a schedule", "pass IndependentReveal")),
    "a list": ([0.5, 0.5], ("rule", "[0.5, 0.5]", "pass IndependentReveal")),
    "None": (None, ("rule", "None", "pass IndependentReveal")),
    "a class": (tm.TopK, ("rule", "TopK is a class", "must be an instance")),
}
BAD_MODELS = {
    "longer": (LONGER, ("denoiser.length", "5", "must be the target's, 4")),
    "wider": (WIDER, ("denoiser.vocab_size", "3", "must be the target's, 2")),
    "a number": (3, ("denoiser", "3", "must be an object with")),
    "a class": (tm.MarkovChain, ("denoiser", "MarkovChain is a class", "must be an instance")),
}
BAD_TARGETS = {
    "None": (None, ("None", "must be an object with")),
    "a class": (tm.MarkovChain, ("MarkovChain is a class", "must be an instance")),
}
ORDERS = ("evaluate_rule", "replay_rule", "estimate_kl")  # serve adaptive rules alone
