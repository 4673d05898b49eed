"""Best ordered partitions with N steps, against random positions with the best sizes."""

from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from theory.learned_order.instances import chain_parents
from toy_models.learned_order.subset_losses import mean_cross_entropies
from toy_models.rules.fixed_schedule import fixed_schedule_front_of
from toy_models.targets.denoisers import ParentPointer, Tempered, Windowed
from toy_models.targets.instances import k1


@dataclass(frozen=True, eq=False)
class Front:
    """Loss above the target's entropy with N = 1..L steps: best positions, and random positions with the best sizes."""

    name: str
    best: np.ndarray
    random: np.ndarray
    blocks: list


def fronts(length: int) -> list[Front]:
    """Best ordered partitions on K1 against random positions with the best sizes."""
    target = k1(length)
    denoisers = {
        "oracle": None,
        "window 1": Windowed(target, 1),
        "left parent": ParentPointer(target, chain_parents(length)),
        "tempered": Tempered(target, 0.5),
    }
    rows = []
    for name, denoiser in tqdm(denoisers.items(), desc="ordered partitions", disable=length < 8, leave=False):
        table = mean_cross_entropies(target, denoiser)
        found = fixed_schedule_front_of(table)
        best = np.array([p.loss for p in found]) - target.entropy()
        rows.append(
            Front(name, best, random_partition_losses(table) - target.entropy(), [p.rule.blocks for p in found])
        )
    return rows


def random_partition_losses(table: np.ndarray) -> np.ndarray:
    """min over sizes of sum_j size_j g[revealed before step j], g[k] = mean of C[T, i] over |T| = k, i not in T."""
    length = table.shape[1]
    size = np.array([T.bit_count() for T in range(2**length)])
    hidden = (np.arange(2**length)[:, None] >> np.arange(length) & 1) == 0
    g = [float(table[size == k][hidden[size == k]].mean()) for k in range(length)]
    cost = np.full((length + 1, length + 1), np.inf)
    cost[0, 0] = 0.0
    for step in range(1, length + 1):
        for end in range(1, length + 1):
            cost[step, end] = min(cost[step - 1, k] + (end - k) * g[k] for k in range(end))
    return cost[1:, length]
