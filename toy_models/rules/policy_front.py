"""The exact trade-off between calls and KL: the lower convex hull over all adaptive policies, vertex by vertex."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from toy_models.rules.optimal_policy import Policy, optimal_policy
from toy_models.rules.word_policy import WordPolicy
from toy_models.targets.protocol import Target
from toy_models.validation import positive_int


@dataclass(frozen=True, eq=False)
class Front:
    """Vertices (calls[k], kl[k]) by increasing calls, each reached by a policy; policies[k] is that policy.

    step_costs and costs are the problems solved: every rule, with calls and KL under q, satisfies
    kl >= costs - step_costs * calls. `complete` says that no vertex is missing between the ends.

    >>> front = tm.rules.optimal_front(tm.repetition(2, 3))
    >>> front.calls.tolist(), (front.kl / np.log(2)).round(12).tolist()
    ([1.0, 2.0], [2.0, 0.0])
    """

    calls: Float[np.ndarray, " vertices"]
    kl: Float[np.ndarray, " vertices"]
    step_costs: Float[np.ndarray, " solved"]
    costs: Float[np.ndarray, " solved"]
    complete: bool
    policies: tuple

    def lower_bound(self, calls: Float[np.ndarray, "..."] | float) -> Float[np.ndarray, "..."]:
        """The least KL that any rule with this many expected calls can have, by the supporting lines."""
        calls = np.asarray(calls, dtype=np.float64)
        lines = self.costs - self.step_costs * calls[..., None]
        return np.asarray(np.maximum(lines.max(axis=-1), 0.0))


def optimal_front(target: Target, solves: int = 64, least_cost: float = 1e-6) -> Front:
    """All vertices of the hull by bisection on slopes: between two known vertices solve at the slope that joins them.

    Needs 2 * vertices - 1 solves of optimal_policy and stops after `solves` of them, the widest gap first. The right
    end is the policy at `least_cost` nats per call, the left end one call for everything.

    >>> tm.rules.optimal_front(tm.permutations(2)).calls.tolist()
    [1.0, 2.0]
    """
    solves = positive_int("solves", solves, minimum=2)
    right = optimal_policy(target, least_cost)
    everything = optimal_policy(target, 2.0 * target.length * np.log(max(target.vocab_size, 2)))
    found: list[Policy | WordPolicy] = [everything, right]
    solved = [(everything.step_cost, everything.cost), (right.step_cost, right.cost)]
    gaps = [(everything, right)] if right.mean_steps > everything.mean_steps + 1e-9 else []
    while gaps and len(solved) < solves:
        gaps.sort(key=lambda gap: (gap[0].kl - gap[1].kl) * (gap[1].mean_steps - gap[0].mean_steps))
        low, high = gaps.pop()
        slope = (low.kl - high.kl) / (high.mean_steps - low.mean_steps)
        middle = optimal_policy(target, max(slope, 0.0))
        solved.append((middle.step_cost, middle.cost))
        if middle.cost < low.kl + middle.step_cost * low.mean_steps - 1e-10:
            found.append(middle)
            gaps += [pair for pair in ((low, middle), (middle, high)) if pair[1].mean_steps > pair[0].mean_steps + 1e-9]
    found.sort(key=lambda policy: policy.mean_steps)
    costs = np.array(sorted(solved))
    return Front(
        np.array([p.mean_steps for p in found]),
        np.array([p.kl for p in found]),
        costs[:, 0],
        costs[:, 1],
        not gaps,
        tuple(found),
    )
