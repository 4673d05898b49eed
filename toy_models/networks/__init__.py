"""Trained networks on languages whose laws are known exactly. Imported apart: needs torch.

from toy_models import networks
networks.marginals(target, y)      # exact masked posterior on the device
networks.train(config, ...)        # a transformer on sequences of the target
networks.learning_error(target, networks.Network(model), x, fractions, generator)
networks.two_curves(networks.NetworkDenoiser(model, mask_id, ids, L), data, sizes, rng)    # any network, any texts
networks.audit(sampler, target, size, rng)    # any sampler on an exact network: is what it writes the language?
"""

from toy_models.audit.report import Audit
from toy_models.networks.black_box import audit
from toy_models.networks.checkpoint import CheckpointError
from toy_models.networks.contract import ContractError
from toy_models.networks.cross_entropy import TwoCurves, fixed_order, two_curves
from toy_models.networks.data import stream, text_stream
from toy_models.networks.device import describe, resolve
from toy_models.networks.exact_network import CallBudgetExceeded, ExactNetwork
from toy_models.networks.honesty import PeekingNetwork, require_honest
from toy_models.networks.judge import (
    generative_cross_entropy,
    learning_error,
    path_cost,
    path_curves,
    sequence_error,
    tabulate,
)
from toy_models.networks.learning_error_bound import LearningErrorBound, learning_error_bound
from toy_models.networks.model import Config, Transformer
from toy_models.networks.network_costs import NetworkCosts, network_costs, usual_rules
from toy_models.networks.network_denoiser import NetworkDenoiser
from toy_models.networks.noise import noise_by_method, sampled_losses, sampled_moments
from toy_models.networks.policies import Policies
from toy_models.networks.posterior import error_bound, marginals
from toy_models.networks.processes import start_processes
from toy_models.networks.replayed import Replayed, replay
from toy_models.networks.sampling import Network, Oracle, Written, sample, sample_left_to_right
from toy_models.networks.shortest import shortest_error
from toy_models.networks.training import NonFiniteLoss, OutOfMemory, Trained, TrainOptions, train

__all__ = [
    "Audit",
    "CallBudgetExceeded",
    "CheckpointError",
    "Config",
    "ContractError",
    "ExactNetwork",
    "LearningErrorBound",
    "Network",
    "NetworkCosts",
    "NetworkDenoiser",
    "NonFiniteLoss",
    "Oracle",
    "OutOfMemory",
    "PeekingNetwork",
    "Policies",
    "Replayed",
    "TrainOptions",
    "Trained",
    "Transformer",
    "TwoCurves",
    "Written",
    "audit",
    "describe",
    "error_bound",
    "fixed_order",
    "generative_cross_entropy",
    "learning_error",
    "learning_error_bound",
    "marginals",
    "network_costs",
    "noise_by_method",
    "path_cost",
    "path_curves",
    "replay",
    "require_honest",
    "resolve",
    "sample",
    "sample_left_to_right",
    "sampled_losses",
    "sampled_moments",
    "sequence_error",
    "shortest_error",
    "start_processes",
    "stream",
    "tabulate",
    "text_stream",
    "train",
    "two_curves",
    "usual_rules",
]
