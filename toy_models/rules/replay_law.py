"""A deterministic adaptive rule on a small target: the states it visits along data, and what they cost."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from toy_models.quantities import lattice
from toy_models.rules.protocol import Adaptive, select
from toy_models.targets.protocol import Denoiser, Target
from toy_models.validation import MASK


@dataclass(frozen=True, eq=False)
class Visited:
    """States where the rule calls the denoiser when replayed along x ~ q.

    `probability` is q(revealed part): along x the path is unique and looks only at revealed tokens.

    >>> tm.rules.visited_states(tm.repetition(2, 2), tm.TopK(2)).states.tolist()
    [[-1, -1]]
    """

    states: Int[np.ndarray, "visited L"]
    selected: Bool[np.ndarray, "visited L"]
    probability: Float[np.ndarray, " visited"]
    calls: float  # expected calls under q
    cross_entropy: float  # E_q sum over steps of -log p(written tokens | context)


def visited_states(target: Target, rule: Adaptive, denoiser: Denoiser | None = None) -> Visited:
    """Walk the decision tree from the all-masked state over the support of q. O(visited L V).

    >>> visited = tm.rules.visited_states(tm.repetition(2, 2), tm.TopK(1))
    >>> visited.states.tolist(), visited.probability.round(12).tolist()
    ([[-1, -1], [0, -1], [1, -1]], [1.0, 0.5, 0.5])
    """
    denoiser = denoiser or target
    vocab_size, length = target.vocab_size, target.length
    lattice.require_lattice(vocab_size, length, "the states an adaptive rule visits")
    frontier = np.full((1, length), MASK, dtype=np.int64)
    weight = np.ones(1)
    found_states, found_selected, found_weight = [], [], []
    calls = cross_entropy = 0.0
    while len(frontier):
        model = denoiser.marginals(frontier, on_impossible="nan")
        log_exact = lattice.log_marginals(target, frontier, model if denoiser is target else None)
        log_model = log_exact if denoiser is target else lattice.log_marginals(denoiser, frontier, model)
        dead = np.isnan(model).any(axis=(1, 2))
        if dead.any():  # the model refuses a context that data reach
            return Visited(frontier, frontier == MASK, weight, float("nan"), float("inf"))
        selected = select(rule, model, frontier == MASK)
        calls += float(weight.sum())
        loss = lattice.expected_loss(np.exp(log_exact), log_model, log_exact > -np.inf)
        losses = np.where(selected, loss, 0.0).sum(axis=1)
        cross_entropy += np.inf if np.isinf(losses).any() else float(weight @ losses)
        found_states.append(frontier)
        found_selected.append(selected)
        found_weight.append(weight)
        frontier, weight = _reveal(target, frontier, weight, selected)
        going = (frontier == MASK).any(axis=1)
        frontier, weight = frontier[going], weight[going]
    return Visited(
        np.concatenate(found_states), np.concatenate(found_selected), np.concatenate(found_weight), calls, cross_entropy
    )


def _reveal(target: Target, y, weight, selected):
    """All continuations of positive probability after the selected positions are revealed with the law of q."""
    remaining = selected.copy()
    while remaining.any():
        rows = np.flatnonzero(remaining.any(axis=1))
        position = remaining[rows].argmax(axis=1)
        marginals = lattice.log_marginals(target, y[rows])[np.arange(len(rows)), position]
        row, token = np.nonzero(marginals > -np.inf)
        children = y[rows][row].copy()
        children[np.arange(len(row)), position[row]] = token
        left = remaining[rows][row].copy()
        left[np.arange(len(row)), position[row]] = False
        done = np.setdiff1d(np.arange(len(y)), rows)
        weight = np.concatenate([weight[done], weight[rows][row] * np.exp(marginals[row, token])])
        y = np.concatenate([y[done], children])
        remaining = np.concatenate([remaining[done], left])
    return y, weight
