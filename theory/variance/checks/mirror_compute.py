"""What a mirrored pair is worth per network call, and what the released code draws."""

import numpy as np

from theory.ledger.registry import Outcome, check, control, decide, tightness
from theory.variance import definitions
from theory.variance.checks.cases import ROUNDING, TABLES, small
from theory.variance.results import Results
from toy_models.variance import decomposition as va
from toy_models.variance import densities, mirror


@check("mirror-equal-compute", tier="float64")
def mirror_against_two_draws(results: Results) -> Outcome:
    """mirror-equal-compute: MIRROR per call below fresh draws exactly when A |rho| > B + C, at uniform t and at p*."""
    holds, count = True, 0
    for case in results.instances.values():
        for single, pair in (("uniform", "MIRROR"), ("P-POTS", "P-POTS + MIRROR")):
            one, two = case.methods[single].parts, case.methods[pair].parts
            rho = 2 * two.pattern / one.pattern - 1
            holds &= (two.per_call < one.per_call) == (one.pattern * -rho > one.rate + one.data)
            count += 1
    return decide(holds, count)


@tightness("mirror-equal-compute", tier="float64")
def mirror_wins_and_loses(results: Results) -> Outcome:
    """mirror-equal-compute: both sides occur (K1 temper and K1 oracle at p*)."""
    gains = [
        results.instances[n].methods["P-POTS"].per_call - results.instances[n].methods["P-POTS + MIRROR"].per_call
        for n in ("K1 temper", "K1 oracle")
    ]
    return decide(gains[0] > 0 > gains[1], 2)


@control("mirror-equal-compute", tier="float64")
def mirror_always_wins(results: Results) -> Outcome:
    """mirror-equal-compute: MIRROR better than two fresh draws everywhere."""
    wins = [c.methods["P-POTS + MIRROR"].per_call < c.methods["P-POTS"].per_call for c in results.instances.values()]
    return decide(all(wins), len(wins))


@check("mirror-equal-compute", tier="float64")
def pairs_by_definition(results: Results) -> Outcome:
    """mirror-equal-compute: rho-bar and both variances from the definition, where the pair wins and where it loses."""
    losses, moments = small()
    gaps = []
    for low, high in ((1e-3, 1.0), (0.3, 0.6)):
        flat = 1.0 / (high - low)
        one, two = (
            definitions.parts(losses, lambda t, f=flat: np.full_like(t, f), low, high, m) for m in ("single", "mirror")
        )
        rho = 2 * two.pattern / one.pattern - 1
        found = va.decompose(moments, None, low, "mirror", high)
        gaps += [
            abs(found.total - (one.pattern / 2 * (1 + rho) + one.rate + one.data)),
            abs(found.per_call - 2 * two.total),
        ]
    return decide(max(gaps) < ROUNDING, len(gaps), ROUNDING - max(gaps))


@check("released-mirror-independent", tier="float64")
def released_pair(results: Results) -> Outcome:
    """released-mirror-independent: two fresh masks of one (x, t): A/2 + B + C, 9 to 12 % above mirrored."""
    losses, moments = small()
    one = definitions.parts(losses, densities.uniform(1e-3).pdf, 1e-3)
    found = va.decompose(moments, None, 1e-3, "independent-pair")
    gap = abs(found.total - (one.pattern / 2 + one.rate + one.data))
    ratios = []
    for name in TABLES:
        table = results.instances[name].methods
        drawn, mirrored = table["independent pair"].parts, table["MIRROR"].parts
        gap = max(gap, abs(drawn.total - table["uniform"].parts.total + table["uniform"].parts.pattern / 2))
        ratios.append(drawn.total / mirrored.total)
    printed = abs(min(ratios) - 1.091) < 5.1e-4 and abs(max(ratios) - 1.119) < 5.1e-4
    note = f"variance times {min(ratios):.3f} to {max(ratios):.3f} of the mirrored pair on the six cases"
    return decide(bool(gap < ROUNDING and printed), 1 + len(TABLES), ROUNDING - gap, note)


@check("released-mirror-independent", tier="float64")
def released_pair_loses_to_fresh_draws(results: Results) -> Outcome:
    """released-mirror-independent: per call it loses to two fresh draws of (x, t, M), by B + C exactly."""
    excess, gap = [], 0.0
    for name in TABLES:
        table = results.instances[name].methods
        plain = table["uniform"].parts
        excess.append(table["independent pair"].per_call - table["uniform"].per_call)
        gap = max(gap, abs(excess[-1] - plain.rate - plain.data))
    return decide(min(excess) > 0 and gap < ROUNDING, len(excess), min(excess), "margin: least excess, nats^2 per call")


@tightness("released-mirror-independent", tier="float64")
def released_pair_without_correlation(results: Results) -> Outcome:
    """released-mirror-independent with equality as t -> 0, where rho -> 0 and both pairs are alike."""
    rho = mirror.correlation(results.instances["K1 oracle"].moments, np.array([1e-4]))[0]
    return decide(-2e-4 < rho < 0, 1, -float(rho), "margin: |rho| at t = 1e-4")


@control("released-mirror-independent", tier="float64")
def released_pair_is_mirrored(results: Results) -> Outcome:
    """released-mirror-independent read as: the released pair has the variance of the mirrored one."""
    table = results.instances["K1 oracle"].methods
    return decide(abs(table["independent pair"].parts.total - table["MIRROR"].parts.total) < 1e-3, 1)
