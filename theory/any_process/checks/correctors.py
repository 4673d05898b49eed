"""Remasking as a corrector against write-once schedules."""

from theory.any_process.results import Results
from theory.ledger.registry import Outcome, check, control, decide, not_claimed_tight, tightness


def row(results: Results, model: str, beta: float):
    return next(r for r in results.corrector.rows if r.model == model and r.beta == beta)


@control("two-colour-corrector", tier="float64")
def always_wins(results: Results) -> Outcome:
    """Two-colour KL < best fixed schedule at K = 3 and 4 for every model and coupling, strong ones included."""
    bad = [(r.model, r.beta, k) for r in results.corrector.rows for k in (3, 4) if not _wins(r, k)]
    note = f"loses for {len(bad)} of {2 * len(results.corrector.rows)}, e.g. {bad[-1] if bad else None}"
    return decide(not bad, 2 * len(results.corrector.rows), None, note)


@check("two-colour-corrector", tier="float64")
def weak_coupling_wins(results: Results) -> Outcome:
    """Weak coupling (beta = .1): a smaller KL at K = 3 and 4 than the best fixed schedule."""
    weak = [r for r in results.corrector.rows if r.beta == 0.1]
    factor = min(r.write_once[k - 1] / r.two_colour[k - 1] for r in weak for k in (3, 4))
    exact = results.corrector.through_g < 1e-12
    return decide(factor > 1 and exact, 2 * len(weak), factor, "beta = .1, K = 3, 4; factor >= the margin")


@check("two-colour-corrector", tier="float64")
def beats_mixtures(results: Results) -> Outcome:
    """beta <= .2, 3x3, K = 3: smaller KL than every mixture of fixed schedules, by a certified lower bound."""
    weak = {b: m for b, m in results.corrector.mixtures.items() if b <= 0.2}
    factor = min(m.low / row(results, "grid 3x3", b).two_colour[2] for b, m in weak.items())
    best = all(m.low <= m.high <= 1.002 * row(results, "grid 3x3", b).write_once[2] for b, m in weak.items())
    return decide(factor > 1 and best, len(weak), factor, "certified")


@check("two-colour-corrector", tier="float64")
def certificate_encloses(results: Results) -> Outcome:
    """low <= min over w of KL(p || w Q_1 + (1 - w) Q_2) <= high, the minimum by a scalar minimiser."""
    found = results.corrector.certificates
    slack = min(min(least - low, high - least) for low, least, high in found)
    return decide(slack >= -1e-9, len(found), slack, "mixtures of two laws: the certificate encloses the least KL")


@check("two-colour-corrector", tier="float64")
def schedule_kl(results: Results) -> Outcome:
    """KL of the best fixed schedules from subset entropies = KL of what the sampler writes with them, L <= 9."""
    return decide(results.corrector.front_gap < 1e-12, 1, results.corrector.front_gap, "schedules through the sampler")


@tightness("two-colour-corrector", tier="float64")
def write_once_becomes_exact(results: Results) -> Outcome:
    """The comparison is honest: fixed schedules reach 0 at finite K, the corrector never does."""
    r = row(results, "grid 3x3", 0.1)
    return decide(
        r.write_once[4] < 1e-12 and (r.two_colour > 0).all(), 1, float(r.two_colour[4]), "3x3: exact at K = 5"
    )


@control("two-colour-corrector", tier="float64")
def strong_coupling_wins(results: Results) -> Outcome:
    """Two-colour KL < best fixed schedule at strong coupling too: 3x3 grid, beta = .44, K = 3."""
    r = row(results, "grid 3x3", 0.44)
    gap = float(r.two_colour[2] - r.write_once[2])
    return decide(_wins(r, 3), 1, gap, "beta = .44, K = 3: the best schedule has the smaller KL")


@control("two-colour-corrector", tier="float64")
def chain_needs_remask(results: Results) -> Outcome:
    """Two-colour KL < best fixed schedule on a chain, which is a tree: nine sites, beta = .3, K = 3."""
    return decide(_wins(row(results, "chain 9", 0.3), 3), 1, None, "chain 9: write-once wins")


def _wins(r, k: int) -> bool:
    return bool(r.two_colour[k - 1] < r.write_once[k - 1])


@check("remask-floor", tier="float64")
def single_site_is_exact(results: Results) -> Outcome:
    """The stationary law of one-position remask is the target, TV < 1e-11, on two chains and an HMM."""
    worst = max(f[0] for f in results.corrector.floors.values())
    return decide(worst < 1e-11, len(results.corrector.floors), worst, "size 1: stationary law = target, TV < 1e-11")


@check("remask-floor", tier="float64")
def stated_floors(results: Results) -> Outcome:
    """Chain with flip .1, size 2: floor .0355; even and odd in turn: none on the chain, .0958 on the HMM."""
    pairs, turns = results.corrector.floors["Markov .1"][1], results.corrector.alternating
    good = abs(pairs - 0.0355) < 5e-5 and turns["Markov .1"] < 1e-11 and abs(turns["HMM"] - 0.0958) < 5e-5
    return decide(good, 3, None, "two at once on the chain; even and odd in turn")


@tightness("remask-floor", tier="float64")
def all_at_once(results: Results) -> Outcome:
    """Size L forgets everything: the floor is the one-shot TV, .73104 for the chain with flip .1, L = 6."""
    return decide(abs(results.corrector.floors["Markov .1"][3] - 0.73104) < 1e-12, 1, 0, "floor = one-shot TV")


@control("remask-floor", tier="float64")
def pairs_are_exact(results: Results) -> Outcome:
    """The same with two positions at once."""
    worst = min(f[1] for f in results.corrector.floors.values())
    return decide(worst < 1e-11, len(results.corrector.floors), worst, "size 2 leaves a floor on every target")


@control("remask-floor", tier="float64")
def alternating_is_exact(results: Results) -> Outcome:
    """The same with the even and the odd positions in turn, on an HMM."""
    tv = results.corrector.alternating["HMM"]
    return decide(tv < 1e-11, 1, tv, "even/odd remask leaves a floor on the HMM")


@check("bisection-needs-no-remask", tier="float64")
def bisection_exact(results: Results) -> Outcome:
    """TV = 0 to rounding between a Markov chain and what bisection writes, ceil(log2(L+1)) steps."""
    values = [v for (name, _), v in results.corrector.bisection.items() if name == "Markov .1"]
    steps = all(k == length.bit_length() for length, k in results.corrector.bisection_steps.items())
    return decide(max(values) < 1e-12 and steps, len(values), max(values), "ceil(log2(L+1)) write-once steps")


@control("bisection-needs-no-remask", tier="float64")
def bisection_on_hmm(results: Results) -> Outcome:
    """The same for an HMM, whose tokens are no Markov chain."""
    values = [v for (name, _), v in results.corrector.bisection.items() if name == "HMM"]
    return decide(min(values) < 1e-12, len(values), min(values), "hidden states: the same order is not exact")


not_claimed_tight("bisection-needs-no-remask", "an identity; whether fewer steps suffice is not claimed")


@check("remdm-hurts", tier="float64")
def many_steps(results: Results) -> Outcome:
    """At the largest K, TV at each eta > 0 exceeds TV at eta = 0, on five binary targets."""
    steps = max(k for _, k in results.corrector.remdm)
    rows = [tv for (_, k), tv in results.corrector.remdm.items() if k == steps]
    return decide(
        all(min(tv[1:]) > tv[0] for tv in rows), len(rows), None, f"K = {steps}: every eta > 0 has a larger TV"
    )


@check("remdm-hurts", tier="float64")
def kernel_through_g(results: Results) -> Outcome:
    """The law of the kernel on the lattice = its law as an edit program through g, every eta; L = 3, K = 4."""
    gap = results.corrector.remdm_through_g
    return decide(gap < 1e-14, 4 * len(results.corrector.etas), gap, "the kernel as an edit program")


@tightness("remdm-hurts", tier="float64")
def two_steps_equal(results: Results) -> Outcome:
    """At K = 2 the written law does not depend on eta: the TV are equal to rounding."""
    rows = [tv for (_, k), tv in results.corrector.remdm.items() if k == 2]
    worst = max(max(tv) - min(tv) for tv in rows)
    return decide(worst < 1e-14, len(rows), worst, "K = 2: no remask can happen, all eta agree")


@control("remdm-hurts", tier="float64")
def few_steps(results: Results) -> Outcome:
    """At K = 4 every eta > 0 would already have the larger TV on every target."""
    rows = [tv for (_, k), tv in results.corrector.remdm.items() if k == 4]
    return decide(all(min(tv[1:]) > tv[0] for tv in rows), len(rows), None, "K = 4: remask helps on some targets")
