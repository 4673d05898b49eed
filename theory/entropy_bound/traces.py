"""Single runs and single calls: traces, the bound of each call, and the parts of a wrong model."""

from dataclasses import dataclass

import numpy as np

import toy_models as tm
from toy_models.quantities import lattice
from toy_models.rules.proxies import entropies
from toy_models.rules.replay_law import visited_states


@dataclass(frozen=True, eq=False)
class Steps:
    """The calls of one rule: probability, sum H - max H, and the true total correlation of what it reveals."""

    label: str
    probability: np.ndarray
    bound: np.ndarray
    total_correlation: np.ndarray
    size: np.ndarray


@dataclass(frozen=True, eq=False)
class Trace:
    """One sequence being filled: step[l] = call in which position l is revealed."""

    label: str
    x: np.ndarray
    step: np.ndarray


@dataclass(frozen=True, eq=False)
class Decomposition:
    """A wrong model under EB: model error and joint dependence along gamma."""

    label: str
    gamma: np.ndarray
    kl: np.ndarray
    model_error: np.ndarray
    joint_dependence: np.ndarray
    calls: np.ndarray


def call_steps(label: str, target, rule) -> Steps:
    """Bound and true total correlation of every call that reveals at least two tokens."""
    found = visited_states(target, rule)
    q = lattice.to_table(target)
    x = lattice.sequences(target.vocab_size, target.length)[q.pmf.ravel() > 0]
    weight = q.pmf.ravel()[q.pmf.ravel() > 0]
    h = np.where(found.selected, entropies(q.marginals(found.states)), 0.0)
    rows = np.flatnonzero(found.selected.sum(axis=1) >= 2)
    joint = np.array([joint_entropy(x, weight, found.states[r], found.selected[r]) for r in rows])
    total = h[rows].sum(axis=1)
    return Steps(
        label,
        found.probability[rows],
        total - h[rows].max(axis=1),
        np.maximum(total - joint, 0.0),
        found.selected[rows].sum(axis=1),
    )


def joint_entropy(x: np.ndarray, weight: np.ndarray, y: np.ndarray, selected: np.ndarray) -> float:
    """H(X_S | y) by listing the support that fits y."""
    fits = ((y < 0) | (x == y)).all(axis=1)
    _, group = np.unique(x[fits][:, selected], axis=0, return_inverse=True)
    p = np.bincount(group.reshape(-1), weights=weight[fits])
    p = p / p.sum()
    return float(-(p * np.log(p)).sum())


def decomposition(label: str, target, denoiser, points: int) -> Decomposition:
    gamma = np.concatenate([[0.0], np.geomspace(0.01, target.length * np.log(target.vocab_size), points)])
    values = [tm.rules.evaluate_rule(target, tm.EntropyBounded(g), denoiser) for g in gamma]
    names = ("kl", "model_error", "joint_dependence", "calls")
    return Decomposition(label, gamma, *(np.array([getattr(v, n) for v in values]) for n in names))


def trace(label: str, target, rule, x: np.ndarray) -> Trace:
    value = tm.rules.evaluate_rule(target, rule)
    numbers = f"KL = {abs(value.kl):.2f} nats, {value.calls:.2f} calls on average"
    return Trace(f"{label}: {numbers}", x, tm.rules.replay_rule(target, rule, x[None]).step[0])


def fixed_trace(label: str, target, schedule: tm.rules.FixedSchedule, x: np.ndarray) -> Trace:
    blocks, step = schedule.rule.blocks, np.empty(len(x), dtype=np.int64)
    for call, block in enumerate(blocks):
        step[list(block)] = call
    return Trace(f"{label}: KL = {abs(schedule.loss - target.entropy()):.2f} nats, {len(blocks)} calls", x, step)
