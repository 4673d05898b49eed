"""The two reference toys of the training topics: a Markov chain and a hidden Markov model on three tokens."""

import numpy as np

from toy_models.targets.hmm import HMM
from toy_models.targets.markov import MarkovChain


def k1(length: int = 4) -> MarkovChain:
    """Toy K1: a non-stationary Markov chain, V = 3; entropy 3.691631304919 nats at length 4."""
    transition = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.2, 0.3, 0.5]])
    return MarkovChain(transition, length, initial=np.array([0.5, 0.3, 0.2]))


def k2(length: int = 4) -> HMM:
    """Toy K2: two hidden states, V = 3; entropy 3.745590036369 nats at length 4."""
    initial, transition = np.array([0.6, 0.4]), np.array([[0.9, 0.1], [0.2, 0.8]])
    return HMM(initial, transition, np.array([[0.8, 0.15, 0.05], [0.05, 0.25, 0.7]]), length)
