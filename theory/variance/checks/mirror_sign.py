"""The sign of the mirrored covariance at three or more positions: evidence."""

from math import comb

import numpy as np

from theory.ledger.registry import Outcome, check, control, decide, not_claimed_tight
from theory.variance import definitions
from theory.variance.checks.cases import ROUNDING
from theory.variance.curves import CLOSEST
from theory.variance.results import Results
from toy_models import Table
from toy_models.variance import mirror

PRINTED_RHO = (-0.0304, -0.0275, -0.0198, -0.0142, -0.0080, -0.0041, -0.0013, -0.0008)
PRINTED_FREE = (-0.48, -0.42, -0.54, -0.55, -0.68, -0.61, -0.81, -0.91)


@check("mirror-noisy-repetition", tier="float64")
def covariance_is_negative(results: Results) -> Outcome:
    """mirror-noisy-repetition: E Cov < 0 on every listed law, with rho and N as the page prints them."""
    f = results.family
    count = len(f.length)
    rows = [(mirror.exchangeable_pair(np.array(counts), t), t) for _, t, counts, _ in CLOSEST]
    free = [m.free_of_limits(t) for m, t in rows]
    holds = (f.covariance < 0).all() and all(m.covariance < 0 for m, _ in rows)
    holds &= np.abs(f.correlation - PRINTED_RHO[:count]).max() < 6e-5
    holds &= np.abs(f.free_of_limits - PRINTED_FREE[:count]).max() < 6e-3
    holds &= max(abs(n - printed) for n, (*_, printed) in zip(free, CLOSEST, strict=True)) < 6e-4
    note = f"N from {f.free_of_limits[0]:.2f} at L = {f.length[0]} to {f.free_of_limits[-1]:.2f} at L = {f.length[-1]}"
    return decide(
        bool(holds), count + len(rows), -float(max(free)), f"{note}; closest {max(free):.3f}; margin: least |N|"
    )


@check("mirror-noisy-repetition", tier="float64")
def exchangeable_by_enumeration(results: Results) -> Outcome:
    """mirror-noisy-repetition: the recursion over counts against every text and pair of masks, L = 4."""
    counts = np.array([0.3, 0.15, 0.05, 0.2, 0.3])
    ones = np.indices((2,) * 4).sum(axis=0)
    losses = definitions.losses_of(Table(counts[ones] / np.array([comb(4, n) for n in range(5)])[ones]))
    q, gaps = losses.probability, []
    for t in (0.3, 0.7):
        mean, square = definitions.at_time(losses, t, "single")
        both = 2 * definitions.at_time(losses, t, "mirror")[1] - square
        own = np.einsum("xmi,m->xi", losses.each, definitions.mask_law([t] * 4))
        found, scale = mirror.exchangeable_pair(counts, t), (4 * t) ** 2
        gaps.append(abs(found.covariance - scale * float(q @ (both - mean**2))))
        gaps.append(abs(found.variance - scale * float(q @ (square - mean**2))))
        gaps.append(abs(found.own - float(q @ (own**2).sum(axis=1))))
    return decide(max(gaps) < ROUNDING, len(gaps), ROUNDING - max(gaps))


@control("mirror-noisy-repetition", tier="float64")
def a_uniform_margin(results: Results) -> Outcome:
    """mirror-noisy-repetition against 'rho <= -0.025 for every oracle'."""
    return decide(bool((results.family.correlation <= -0.025).all()), len(results.family.length))


@control("mirror-noisy-repetition", tier="float64")
def the_margin_closes_along_the_family(results: Results) -> Outcome:
    """mirror-noisy-repetition read as: the margin N closes with L along the family."""
    free = results.family.free_of_limits
    return decide(bool((np.diff(-free) < 0).all()), len(free))


not_claimed_tight("mirror-noisy-repetition", "evidence only: the sign of E Cov at the oracle is open for L >= 3")
