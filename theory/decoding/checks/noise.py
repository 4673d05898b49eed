"""What is done to the marginals: nucleus conventions, the noise of float32, temperature."""

from itertools import combinations_with_replacement, pairwise, permutations

import numpy as np
from flint import fmpq

import toy_models as tm
from theory.decoding.checks.drawn_confidence import CHAIN, laws
from theory.decoding.drawn import chain_law, product_law
from theory.decoding.noise import (
    LATTICE,
    chain_temperature_kl,
    largest_prefix,
    lattice_share,
    smallest_prefix,
    tempered,
    truncated,
)
from theory.decoding.results import Results
from theory.ledger.registry import Outcome, check, control, decide, definition, not_claimed_tight, tightness
from toy_models.exact import LogSum
from toy_models.exact import trajectories as exact
from toy_models.targets import gumbel_share


def laws_on_a_grid(cells: int) -> list[list[fmpq]]:
    """Every law on two, three or four tokens with positive probabilities that are multiples of 1/cells."""
    return [
        [fmpq(k, cells) for k in reversed(parts)]
        for size in (2, 3, 4)
        for parts in combinations_with_replacement(range(1, cells), size)
        if sum(parts) == cells
    ]


def prefixes(law: list[fmpq]) -> list[fmpq]:
    total, found = fmpq(0), []
    for p in sorted(law, reverse=True):
        total += p
        found.append(total)
    return found


@check("nucleus-conventions", tier="rational")
def one_token_apart(results: Results) -> Outcome:
    """The two nuclei agree iff a prefix has mass p or the top token has >= p; else the smaller lacks one token."""
    cells = 12 if results.profile == "full" else 8
    found = []
    for law in laws_on_a_grid(cells):
        for p in (fmpq(k, 2 * cells) for k in range(1, 2 * cells + 1)):
            small, large = largest_prefix(law, p), smallest_prefix(law, p)
            same = max(law) >= p or p in prefixes(law)
            found.append(large[: len(small)] == small and len(large) - len(small) == (0 if same else 1))
            found.append(p == 1 or len(small) < len(law))
            found.append(sum((law[v] for v in large), fmpq(0)) >= p)
    return decide(all(found), len(found), note=f"laws on up to four tokens, multiples of 1/{cells}")


@check("nucleus-conventions", tier="rational")
def two_symbols_become_greedy(results: Results) -> Outcome:
    """Two symbols, positive law, largest prefix with mass <= p < 1: one text has probability 1; smallest, p > max:
    p == q.
    """
    found, order = [], tuple((i,) for i in range(4))
    law = chain_law(*CHAIN, 4)
    for p in (fmpq(1, 2), fmpq(9, 10), fmpq(999, 1000)):
        written = written_by(law, lambda own, p=p: truncated(own, largest_prefix(own, p)), order)
        found.append(max(written.values()) == 1)
    found.append(written_by(law, lambda own: truncated(own, smallest_prefix(own, fmpq(9, 10))), order) == law.pmf)
    found.append(largest_prefix([fmpq(3, 5), fmpq(2, 5)], fmpq(9, 10)) == (0,))
    found.append(largest_prefix([fmpq(45, 100), fmpq(44, 100), fmpq(11, 100)], fmpq(9, 10)) == (0, 1))
    return decide(all(found), len(found), note="chain (.7,.3),(.2,.8), L = 4, left to right; witness (.6,.4) at .9")


def written_by(law: exact.RationalLaw, change, order) -> dict:
    """Law of the text when one token per call is drawn in a fixed order from `change(marginal)`."""
    plan = {law.length - k: block for k, block in enumerate(order)}  # masks left -> positions
    return {
        x: p
        for x, p in exact.propagate(
            lambda y, i: change(law.marginal(y, i)),
            lambda y: plan[len(exact.masked(y))],
            law.vocab_size,
            law.length,
        ).items()
        if p != 0
    }


@control("nucleus-conventions", tier="rational")
def conventions_agree(results: Results) -> Outcome:
    """The neighbour: both nuclei keep the same tokens."""
    law, p = [fmpq(3, 5), fmpq(2, 5)], fmpq(9, 10)
    return decide(largest_prefix(law, p) == smallest_prefix(law, p), 1, note="(.6, .4) at p = .9: {0} and {0, 1}")


@control("nucleus-conventions", tier="rational")
def largest_prefix_has_mass_p(results: Results) -> Outcome:
    """The neighbour: both keep at least mass p."""
    found = []
    for law in laws_on_a_grid(6):
        kept = largest_prefix(law, fmpq(9, 10))
        found.append(sum((law[v] for v in kept), fmpq(0)) >= fmpq(9, 10))
    return decide(all(found), len(found), note="p = .9")


@definition("nucleus-conventions", tier="float64")
def the_library_has_both(results: Results) -> Outcome:
    """tm.TopP(p, "at least" | "at most") on a grid of laws is the truncation in rationals."""
    gaps = []
    for law in laws_on_a_grid(6):
        target = tm.MarkovChain([[float(v) for v in law]] * len(law), 1)
        for p in (fmpq(1, 2), fmpq(5, 8), fmpq(9, 10)):
            for mass, prefix in (("at least", smallest_prefix), ("at most", largest_prefix)):
                found = tm.TopP(target, float(p), mass).marginals(np.array([[tm.MASK]]))[0, 0]
                wanted = [float(v) for v in truncated(law, prefix(law, p))]
                gaps.append(np.abs(found - wanted).max())
    return decide(max(gaps) < 1e-14, len(gaps), max(gaps))


not_claimed_tight("nucleus-conventions", "an equivalence")


@check("float32-gumbel", tier="float64")
def bounds_of_the_race(results: Results) -> Outcome:
    """q - delta <= P(q) <= min(q, e^{q/(2(1-q))} delta/(e^{delta/q} - 1)), P summed over the lattice, delta = 2^-b."""
    margins, close = [], []
    for bits in (6, 10, 14, 18):
        delta = 2.0**-bits
        for scale in (fmpq(1, 4), fmpq(1, 2), fmpq(1), fmpq(3), fmpq(10), fmpq(2**bits, 4)):
            q = scale * fmpq(1, 2**bits)
            share, size = lattice_share(q, bits), float(q)
            formula = delta / np.expm1(delta / size)
            margins += [share - (size - delta) + 1e-15, size - share + 1e-15]
            margins.append(formula * np.exp(size / (2 * (1 - size))) - share + 1e-15)
            close.append(abs(share / formula - 1) <= size + delta)
    return decide(min(margins) >= 0 and all(close), len(margins) + len(close), min(margins), "margin: probability")


@check("float32-gumbel", tier="sampled")
def float32_races(results: Results) -> Outcome:
    """delta/(e^{delta/q} - 1) lies in the 1 - 1e-6 interval of races run in float32, q = 2^-24, 2^-23, 2^-22, 2^-21."""
    found = [race.low <= race.formula <= race.high for race in results.races]
    apart = [race.high < race.q for race in results.races]
    return decide(all(found) and all(apart), len(found), note="and the interval lies below q")


@tightness("float32-gumbel", tier="float64")
def closed_form_is_met(results: Results) -> Outcome:
    """At 20 bits, q = delta and 4 delta: the sum over the lattice is the closed form within 1e-6 of itself."""
    delta = 2.0**-20
    gaps = [abs(lattice_share(fmpq(k, 2**20), 20) / (delta / np.expm1(1 / k)) - 1) for k in (1, 4)]
    return decide(max(gaps) < 1e-6, len(gaps), max(gaps))


@control("float32-gumbel", tier="sampled")
def float32_writes_what_it_should(results: Results) -> Outcome:
    """The neighbour: a token of probability q is written with probability q."""
    found = [race.low <= race.q <= race.high for race in results.races]
    return decide(all(found), len(found), note="q = 2^-24: .58 of it")


@control("float32-gumbel", tier="float64")
def twice_the_spacing(results: Results) -> Outcome:
    """The neighbour: the closed form with spacing 2^-23."""
    q = 2.0**-24
    share = gumbel_share(np.array([q]))[0]
    return decide(abs(2 * LATTICE / np.expm1(2 * LATTICE / q) / share - 1) < 0.01, 1)


@control("float32-gumbel", tier="float64")
def fewer_steps_are_colder(results: Results) -> Outcome:
    """The neighbour: more steps bring the first call nearer to what it should write (Zipf, V = 50257)."""
    share = results.zipf.share
    return decide(all(a <= b for a, b in pairwise(share)), len(share), share[-1])


@check("temperature-bias", tier="rational")
def identity_at_one_half(results: Results) -> Outcome:
    """KL(q || p_T) = (1/T - 1) H(q) + E_q sum log Z(x_<), T = 1/2 and 1/3, every fixed order, p by pushing mass."""
    found = []
    for law in [*laws(8, 9), chain_law(*CHAIN, 3)]:
        for power in (2, 3):
            for order in list(permutations(range(law.length)))[:3]:
                blocks = tuple((i,) for i in order)
                p = written_by(law, lambda own, power=power: tempered(own, power), blocks)
                wanted = law.entropy().scaled(power - 1) + normalisers(law, order, power)
                found.append((exact.divergence(law.pmf, p) - wanted).is_zero())
                flat = all(len(set(own) - {0}) <= 1 for own in conditionals(law, order))
                found.append(exact.divergence(law.pmf, p).is_zero() == flat)
    return decide(all(found), len(found), note="zero iff every conditional on the way is uniform on its support")


def conditionals(law: exact.RationalLaw, order) -> list[list[fmpq]]:
    """Every conditional law that the order meets."""
    return [law.marginal(y, i) for y, i in _states(law, order)]


def normalisers(law: exact.RationalLaw, order, power: int) -> LogSum:
    """sum over states of q(y) log sum_v q(v | y)^power."""
    return LogSum(
        (sum((p**power for p in law.marginal(y, i)), fmpq(0)), law.probability(y)) for y, i in _states(law, order)
    )


def _states(law: exact.RationalLaw, order):
    for k, i in enumerate(order):
        seen = {tuple(x[j] if j in order[:k] else tm.MASK for j in range(law.length)) for x in law.pmf}
        for y in sorted(seen):
            yield y, i


@check("temperature-bias", tier="float64")
def chain_closed_form(results: Results) -> Outcome:
    """Chain, left to right: first + (L-1) further is KL of the enumerated law, T = .5, .8, 1.25; 0 at T = 1."""
    transition, initial, length = np.array([[0.7, 0.3], [0.2, 0.8]]), np.array([0.4, 0.6]), 5
    target = tm.MarkovChain(transition, length)
    order, gaps = tm.FixedOrder(tuple((i,) for i in range(length))), []
    for temperature in (0.5, 0.8, 1.0, 1.25):
        first, further = chain_temperature_kl(transition, initial, temperature)
        kl = tm.marginal_kl(target, order, tm.Tempered(target, 1 / temperature))
        gaps.append(abs(first + (length - 1) * further - kl))
    return decide(max(gaps) < 1e-12, len(gaps), max(gaps))


@control("temperature-bias", tier="rational")
def tempered_joint(results: Results) -> Outcome:
    """The neighbour: one token per call at temperature T writes q^{1/T}/Z."""
    law = chain_law(*CHAIN, 3)
    total = sum((p**2 for p in law.pmf.values()), fmpq(0))
    p = written_by(law, lambda own: tempered(own, 2), ((0,), (1,), (2,)))
    return decide(p == {x: q**2 / total for x, q in law.pmf.items()}, 1, note="chain, L = 3, T = 1/2")


@control("temperature-bias", tier="rational")
def order_does_not_matter(results: Results) -> Outcome:
    """The neighbour: at temperature 1/2 every order writes the same law, as at temperature 1."""
    law = chain_law(*CHAIN, 3)
    found = [written_by(law, lambda own: tempered(own, 2), order) for order in (((0,), (1,), (2,)), ((0,), (2,), (1,)))]
    return decide(found[0] == found[1], 2, note="left to right, and the middle last")


@control("temperature-bias", tier="rational")
def uniform_tokens_pay(results: Results) -> Outcome:
    """The neighbour: every language pays; three equal symbols do not."""
    law = product_law([fmpq(1, 3)] * 3, [fmpq(1, 3)] * 3)
    p = written_by(law, lambda own: tempered(own, 2), ((0,), (1,)))
    return decide(not exact.divergence(law.pmf, p).is_zero(), 1, note="uniform conditionals are left as they are")


not_claimed_tight("temperature-bias", "an identity")
