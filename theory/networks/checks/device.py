"""The posterior computed on a device, within its rounding bound."""

import numpy as np
import torch

import toy_models as tm
from theory.ledger.registry import Outcome, check, control, decide, not_claimed_tight
from theory.networks.languages import three_gram
from theory.networks.results import Results
from toy_models import networks


@check("device-posterior-bound", tier="float64")
def twins_agree(results: Results) -> Outcome:
    """device-posterior-bound: torch and CPU posteriors within the sum of their rounding bounds, float64 and float32."""
    worst, count = 0.0, 0
    for target, y in posterior_instances():
        for dtype in (torch.float64, torch.float32):
            allowed = networks.error_bound(target, dtype) + networks.error_bound(target, torch.float64)
            worst = max(worst, relative_gap(target, y, dtype) / allowed)
            count += 1
    return decide(worst <= 1.0, count, 1.0 - worst, f"largest gap over bound: {worst:.3g}; margin: 1 minus that")


def posterior_instances():
    """Languages with zeros, near-zeros and rows at many mask fractions."""
    rng = np.random.default_rng(8)
    targets = [
        tm.MarkovChain([[0.7, 0.3, 0.0], [0.0, 0.6, 0.4], [0.5, 0.0, 0.5]], 40),
        tm.NGram(three_gram(), 20),
        tm.NGram(rng.dirichlet(np.full(2, 0.4), (2, 2, 2)), 12),
        tm.HMM([0.5, 0.5], [[1 - 1e-14, 1e-14], [1e-14, 1 - 1e-14]], [[1.0, 0.0], [1e-14, 1 - 1e-14]], 12),
        tm.Blocks(tm.HMM([0.5, 0.5], [[0.9, 0.1], [0.2, 0.8]], [[1.0, 0.0], [0.3, 0.7]], 5), 3),
        tm.pairs(4, 12),
    ]
    for states, vocab in ((2, 3), (6, 4), (16, 8)):
        parts = (np.ones(states), states), (np.full(states, 0.2), states), (np.full(vocab, 0.2), states)
        initial, transition, emission = (rng.dirichlet(alpha, size) for alpha, size in parts)
        targets.append(tm.HMM(initial[0], transition, emission, 40))
    for target in targets:
        x = target.sample(64, rng)
        yield target, np.where(rng.random(x.shape) < rng.random((64, 1)), x, tm.MASK)


def relative_gap(target, y: np.ndarray, dtype: torch.dtype) -> float:
    """Largest |torch - CPU| / CPU over possible entries; inf when a zero is not a zero."""
    exact = target.marginals(y)
    found = networks.marginals(target, y, "cpu", dtype).double().numpy()
    if (found[exact == 0] != 0).any():
        return float("inf")
    return float((np.abs(found - exact)[exact > 0] / exact[exact > 0]).max())


@control("device-posterior-bound", tier="float64")
def single_within_double(results: Results) -> Outcome:
    """device-posterior-bound: float32 messages held to the float64 bound."""
    gaps = [
        relative_gap(t, y, torch.float32) / networks.error_bound(t, torch.float64) for t, y in posterior_instances()
    ]
    return decide(max(gaps) <= 1.0, len(gaps), max(gaps))


@control("device-posterior-bound", tier="float64")
def forward_only(results: Results) -> Outcome:
    """device-posterior-bound for the filter, which sees only the tokens to the left."""
    target, y = next(posterior_instances())
    filtered = np.stack([target.marginals(np.where(np.arange(40) < i, y, tm.MASK))[:, i] for i in range(40)], axis=1)
    smooth = networks.marginals(target, y, "cpu").numpy()
    hidden = y == tm.MASK
    gap = np.abs(filtered - smooth)[hidden].max()
    return decide(bool(gap <= networks.error_bound(target)), int(hidden.sum()), gap)


not_claimed_tight("device-posterior-bound", "a worst case over signs of roundings; measured gaps are far smaller")
