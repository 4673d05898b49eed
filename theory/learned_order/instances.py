"""Instances of the learned-order topic: targets with denoisers, schedules, planted orders, published numbers."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

import toy_models as tm
from toy_models.learned_order.reveal_times import NoisePowerSchedule
from toy_models.learned_order.subset_losses import joint_law, mean_cross_entropies, sequence_cross_entropies
from toy_models.quantities import lattice
from toy_models.targets.denoisers import ParentPointer, Smoothed, Tempered, Windowed
from toy_models.targets.instances import k1, k2

CIRCULANT = np.array([[0.1, 0.8, 0.1], [0.1, 0.1, 0.8], [0.8, 0.1, 0.1]])


REFERENCE_WEIGHTS = (1.7, 1.2, 2.3, 1.5)  # divided by 1.2, so that the smallest is 1


PLANTED = (2, 0, 4, 1, 3)


FOUR_SCHEDULES = (
    NoisePowerSchedule(2.5),
    tm.PowerSchedule(2.0),
    tm.SineSchedule(),
    tm.LinearSchedule(),
)


PUBLISHED_LOSSES = {  # best validation losses of Garg et al. 2025: learned schedule, linear schedule
    "Adult": (13.1524, 13.1861),
    "Default": (18.3272, 19.4247),
    "Beijing": (17.0060, 16.7610),
    "Shoppers": (16.4604, 16.4246),
    "Magic": (12.4712, 12.6114),
    "News": (48.9401, 49.9699),
}


@dataclass(frozen=True, eq=False)
class Instance:
    """One target with one denoiser: losses of every set, in the mean and per sequence of the support."""

    name: str
    mean: np.ndarray  # C[T, i]
    each: np.ndarray  # C[T, i, x]
    probabilities: np.ndarray  # q(x)


def chain_parents(length: int) -> tuple[int, ...]:
    return (-1, *range(length - 1))


def planted_parents(order) -> list[int]:
    parents = [-1] * len(order)
    for a, b in pairwise(order):
        parents[b] = int(a)
    return parents


def instance(name: str, target, denoiser) -> Instance:
    """All losses of one target with one denoiser (None: the oracle)."""
    x = lattice.sequences(target.vocab_size, target.length)
    q = np.exp(target.log_prob(x))
    x, q = x[q > 0], q[q > 0]
    each = sequence_cross_entropies(target if denoiser is None else denoiser, x)
    return Instance(name, mean_cross_entropies(target, denoiser), each, q)


def instances() -> list[Instance]:
    """The two reference toys with five denoisers each."""
    made = []
    for toy, target in (("K1", k1()), ("K2", k2())):
        denoisers = {
            "oracle": None,
            "left parent": ParentPointer(target, chain_parents(4)),
            "window 1": Windowed(target, 1),
            "tempered": Tempered(target, 0.5),
            "smoothed": Smoothed(target, 0.2),
        }
        made += [instance(f"{toy} {name}", target, denoiser) for name, denoiser in denoisers.items()]
    return made


def planted(target, orders: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Parents and informations I(X_i; X_parent) of chains planted along each order, and sum H."""
    length = target.length
    information = np.zeros((length, length))
    entropy = np.zeros(length)
    for i in range(length):
        for j in range(length):
            if i != j:
                joint = joint_law(target, [i, j])
                a, b = joint.sum(axis=1), joint.sum(axis=0)
                information[i, j] = float((joint * np.log(joint / np.outer(a, b))).sum())
                entropy[i] = float(-(a * np.log(a)).sum())
    parents = np.array([planted_parents(order) for order in orders])
    informations = np.where(parents >= 0, information[np.arange(length), np.maximum(parents, 0)], 0.0)
    return parents, informations, float(entropy.sum())
