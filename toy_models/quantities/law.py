"""The exact law of what an N-step sampler writes, by pushing mass over all partially masked states."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from toy_models.door import require_denoiser, require_rule
from toy_models.errors import IntractableError
from toy_models.kernel import kernel
from toy_models.quantities import lattice
from toy_models.rules.kinds import EVERY_KIND
from toy_models.rules.protocol import (
    Adaptive,
    Drawn,
    Rule,
    Stage,
    candidate_law,
    is_sampler,
    sees_contents,
    sees_drawn,
    select,
    stages_of,
)
from toy_models.targets.protocol import Denoiser

MAX_CANDIDATES = 2**22  # (2V)^L pairs of a state and the candidates at its masks, for rules that see drawn tokens


@dataclass(frozen=True, eq=False)
class Law:
    """pmf.sum() + impossible == 1; a run that reaches an impossible context stops there.

    mean_steps = E over what is written of the denoiser calls that reveal at least one token.

    >>> law = tm.sampler_law(tm.repetition(2, 2), tm.RandomOrder([2]))
    >>> law.pmf.tolist(), law.impossible, law.mean_steps
    ([[0.25, 0.25], [0.25, 0.25]], 0.0, 1.0)
    """

    pmf: Float[np.ndarray, "..."]
    impossible: float
    mean_steps: float


def sampler_law(denoiser: Denoiser, rule: Rule) -> Law:
    """p(x) of the sampler that draws the tokens of one step independently from the denoiser's marginals.

    Cost O(N (2V+1)^L) for content-free rules, O((2V+1)^L) for adaptive ones, O((2V)^L) calls of `select` for rules that
    see the drawn candidates and bring no `push` of their own. IntractableError beyond the lattice limit.

    >>> tm.sampler_law(tm.repetition(2, 2), tm.IndependentReveal([0.5, 0.5])).pmf.tolist()
    [[0.375, 0.125], [0.125, 0.375]]
    """
    require_denoiser(denoiser)
    vocab_size, length = denoiser.vocab_size, denoiser.length
    require_rule(rule, length, EVERY_KIND)
    if is_sampler(rule):
        return rule.exact_law(denoiser)
    if sees_drawn(rule) and not hasattr(rule, "push"):
        _require_candidates(vocab_size, length)
    marginals = lattice.state_marginals(denoiser)
    if not sees_contents(rule):
        parts = [(w, _push_stages(marginals, stages, vocab_size, length)) for w, stages in stages_of(rule, length)]
        final = sum((w * part[0] for w, part in parts), start=np.zeros(len(marginals)))
        impossible = float(sum(w * part[1] for w, part in parts))
        mean_steps = float(sum(w * part[2] for w, part in parts))
    else:
        final, impossible, mean_steps = push_adaptive(marginals, rule, vocab_size, length)
    pmf = final.reshape((vocab_size + 1,) * length)[(slice(1, None),) * length]
    return Law(pmf.copy(), impossible, mean_steps)


def _push_stages(
    marginals: Float[np.ndarray, "states L V"], stages: list[Stage], vocab_size: int, length: int
) -> tuple[Float[np.ndarray, " states"], float, float]:
    mass = np.zeros(len(marginals))
    mass[0] = 1.0
    impossible = mean_steps = 0.0
    for stage in stages:
        mass, lost, called = push_stage(mass, marginals, stage.active, stage.weights, vocab_size)
        impossible += lost
        mean_steps += called
    return mass, impossible, mean_steps


def push_adaptive(
    marginals: Float[np.ndarray, "states L V"], rule: Adaptive | Drawn, vocab_size: int, length: int, finished=None
) -> tuple[Float[np.ndarray, " states"], float, float]:
    """One sweep: a state only feeds states with more revealed tokens, so states are taken by number of masks.

    States marked `finished` keep their mass: no call is made there.
    """
    push: Callable = _push_own if hasattr(rule, "push") else _push_drawn if sees_drawn(rule) else _push_choices
    y = lattice.states(vocab_size, length)
    masked_count = (y < 0).sum(axis=1)
    at_work = np.ones(len(y), dtype=bool) if finished is None else ~finished
    mass = np.zeros(len(y))
    mass[0] = 1.0
    impossible = mean_steps = 0.0
    for count in range(length, 0, -1):
        here = np.flatnonzero((masked_count == count) & (mass > 0) & at_work)
        dead = np.isnan(marginals[here]).any(axis=(1, 2))
        impossible += mass[here[dead]].sum()
        mass[here[dead]] = 0.0
        here = here[~dead]
        mean_steps += mass[here].sum()
        push(mass, here, y, marginals, rule)
    return mass, float(impossible), float(mean_steps)


def _push_choices(mass, here, y, marginals, rule: Adaptive) -> None:
    """Move the mass of the states `here`, in place: the positions selected from the marginals are drawn."""
    push_selected(mass, here, select(rule, marginals[here], y[here] < 0), marginals, marginals.shape[2])


def _push_own(mass, here, y, marginals, rule) -> None:
    """The same by the rule's own exact route."""
    rule.push(mass, here, marginals[here], y[here] < 0, lattice.increments(marginals.shape[2], y.shape[1]))


def _push_drawn(mass, here, y, marginals, rule: Drawn) -> None:
    """The same when `rule` sees the candidates: over every candidate at every mask, what is selected is written."""
    vocab_size = marginals.shape[2]
    powers = (vocab_size + 1) ** np.arange(y.shape[1] - 1, -1, -1)
    law = candidate_law(rule, marginals[here])
    for row, state in enumerate(here):
        masked = y[state] < 0
        drawn = np.repeat(y[state][None], vocab_size ** int(masked.sum()), axis=0)
        drawn[:, masked] = lattice.sequences(vocab_size, int(masked.sum()))
        chance = mass[state] * np.prod(law[row][masked, drawn[:, masked]], axis=1)
        drawn, chance = drawn[chance > 0], chance[chance > 0]
        shape = (len(drawn), *marginals.shape[1:])
        seen = np.broadcast_to(marginals[state], shape)
        chosen = select(rule, seen, np.broadcast_to(masked, drawn.shape), drawn)
        mass[state] = 0.0
        np.add.at(mass, (np.where(chosen | ~masked, drawn, -1) + 1) @ powers, chance)


def _require_candidates(vocab_size: int, length: int) -> None:
    pairs = (2 * vocab_size) ** length
    if pairs > MAX_CANDIDATES:
        raise IntractableError(
            "the law of a rule that sees the drawn tokens",
            f"V = {vocab_size}, L = {length}, hence (2V)^L = {pairs} candidates",
            f"(2V)^L <= {MAX_CANDIDATES}",
            "shorten the sequence or use sample and the estimate_ functions",
        )


def _push_stage(mass, marginals, active, weights, vocab_size):
    """New mass over the states after one content-free stage; also the mass lost to impossible contexts and calls."""
    count, length, _ = marginals.shape
    result = np.zeros(count)
    lost = called = 0.0
    base = vocab_size + 1
    index = np.empty(base**length, dtype=np.int64)
    prob = np.empty(base**length)
    revealed = np.empty(base**length, dtype=np.int64)
    for state in range(count):
        if mass[state] == 0.0:
            continue
        size = 1
        index[0], prob[0], revealed[0] = state, mass[state], 0
        masked = 0
        dead = False
        power = 1
        for position in range(length - 1, -1, -1):
            digit = state // power % base
            if digit == 0:
                if np.isnan(marginals[state, position, 0]):
                    dead = True
                    break
                if active[position]:
                    masked += 1
                    for k in range(size):
                        for v in range(vocab_size):
                            p = prob[k] * marginals[state, position, v]
                            if p > 0.0:
                                index[size] = index[k] + (v + 1) * power
                                prob[size] = p
                                revealed[size] = revealed[k] + 1
                                size += 1
            power *= base
        if dead:
            lost += mass[state]
            continue
        called += mass[state] * (1.0 - weights[masked, 0])
        for k in range(size):
            result[index[k]] += prob[k] * weights[masked, revealed[k]]
    return result, lost, called


def _push_selected(mass, here, selected, marginals, vocab_size):
    """Reveal the selected positions of the states `here`, in place."""
    length = marginals.shape[1]
    base = vocab_size + 1
    index = np.empty(vocab_size**length, dtype=np.int64)
    prob = np.empty(vocab_size**length)
    for row in range(len(here)):
        state = here[row]
        size = 1
        index[0], prob[0] = state, mass[state]
        power = 1
        for position in range(length - 1, -1, -1):
            if selected[row, position]:
                old = size
                for k in range(old):
                    first_index, first_prob = index[k], prob[k]
                    for v in range(vocab_size):
                        slot = k if v == 0 else size
                        index[slot] = first_index + (v + 1) * power
                        prob[slot] = first_prob * marginals[state, position, v]
                        if v > 0:
                            size += 1
            power *= base
        mass[state] = 0.0
        for k in range(size):
            mass[index[k]] += prob[k]


push_stage = kernel(_push_stage)
push_selected = kernel(_push_selected)
