"""Block length, exact samplers, and the regret of the rules at their published settings."""

import numpy as np
from flint import fmpq

import toy_models as tm
from theory.decoding.checks.drawn_confidence import CHAIN, exact_here, laws
from theory.decoding.drawn import chain_law, in_blocks, product_law, written_law
from theory.decoding.exact_samplers import coarse_to_fine, fewest_fixed
from theory.decoding.results import Results
from theory.ledger.instances import instances
from theory.ledger.registry import Outcome, check, control, decide, not_claimed_tight, tightness
from toy_models.exact import trajectories as exact

ROUNDING = 1e-9  # float64 sums of at most 1e5 terms of size 1


@check("block-length", tier="rational")
def blocks_add_up(results: Results) -> Outcome:
    """Block 1: p == q on random laws. i.i.d. tokens: KL(L, b) = (L/b) KL(b, b), one token per call, decided."""
    found = [exact_here(law, in_blocks(1)) for law in laws(13, instances(results, 12, 90))]
    for letter in ([fmpq(9, 10), fmpq(1, 10)], [fmpq(3, 5), fmpq(3, 10), fmpq(1, 10)]):
        for length, block in ((4, 2), (4, 1), (4, 4), *(((6, 3), (6, 2)) if len(letter) == 2 else ())):
            whole, part = product_law(*[letter] * length), product_law(*[letter] * block)
            kl = exact.divergence(whole.pmf, written_law(whole, in_blocks(block)))
            one = exact.divergence(part.pmf, written_law(part))
            found.append((kl - one.scaled(length // block)).is_zero())
    return decide(all(found), len(found), note="blocks from left to right")


@check("block-length", tier="float64")
def longer_blocks_cost_more_one_at_a_time(results: Results) -> Outcome:
    """One drawn token per call: KL rises with b on coins and two chains; marginal confidence: 0 at every b."""
    found, steps = [], []
    for part in results.blocks:
        steps.append(float(np.diff(part.drawn[1]).min()))
        found += [part.drawn[1][0] < ROUNDING, steps[-1] > 0, bool((part.marginal[1] < ROUNDING).all())]
    return decide(all(found), len(found), min(steps), "margin: least rise, nats")


@check("block-length", tier="float64")
def two_at_a_time(results: Results) -> Outcome:
    """Two per call: with drawn tokens KL rises with b on all three; with marginals it never rises, and falls on the
    chain.
    """
    found, falls = [], []
    for part in results.blocks:
        drawn, marginal = np.diff(part.drawn[2][1:]), np.diff(part.marginal[2][1:])
        found += [bool((drawn > 0).all()), bool((marginal < ROUNDING).all())]
        falls.append(-float(marginal.sum()))
    return decide(all(found) and falls[1] > 0.01, len(found) + 1, note=f"chain: marginals gain {falls[1]:.3f} nats")


@control("block-length", tier="rational")
def blocks_of_two_are_exact(results: Results) -> Outcome:
    """The neighbour: block 2 is exact as well."""
    return decide(exact_here(chain_law(*CHAIN, 4), in_blocks(2)), 1, note="chain, L = 4")


@control("block-length", tier="rational")
def block_length_does_not_matter(results: Results) -> Outcome:
    """The neighbour: at one token per call KL does not depend on the block length."""
    law = chain_law(*CHAIN, 4)
    kl = [exact.divergence(law.pmf, written_law(law, in_blocks(b))) for b in (2, 4)]
    return decide((kl[0] - kl[1]).is_zero(), 2, float(kl[1] - kl[0]), "chain, L = 4, nats")


not_claimed_tight("block-length", "an identity, and comparisons of exact numbers")


def rational_chain(seed: int, size: int, length: int, zeros: bool) -> exact.RationalLaw:
    """A random chain with rational entries, some zero if asked."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(0 if zeros else 1, 6, (size, size))
    rows[np.arange(size), (np.arange(size) + 1) % size] += 1
    start = rng.integers(1, 6, size)
    transition = [[fmpq(int(v), int(row.sum())) for v in row] for row in rows]
    return chain_law([fmpq(int(v), int(start.sum())) for v in start], transition, length)


@check("price-of-exactness", tier="rational")
def exact_on_every_chain(results: Results) -> Outcome:
    """Random rational chains: halving and coarse to fine write q, in ceil(log2(L+1)) and 1 + ceil(log2 L) calls."""
    found = []
    shapes = [(2, n) for n in (1, 2, 3, 5, 7)] + [(3, 4), (3, 5)]
    for seed, (size, length) in enumerate(shapes):
        law = rational_chain(seed, size, length, zeros=seed % 2 == 1)
        for order, calls in (
            (tm.bisection(length), int(np.ceil(np.log2(length + 1)))),
            (coarse_to_fine(length), 1 + int(np.ceil(np.log2(length)))),
        ):
            plan = dict(zip(np.cumsum([0, *map(len, order.blocks)]), order.blocks, strict=False))
            p = exact.propagate(
                law.marginal, lambda y, plan=plan: tuple(plan[sum(v >= 0 for v in y)]), law.vocab_size, length
            )
            found += [p == law.pmf, len(order.blocks) == calls]
    return decide(all(found), len(found), note="two and three symbols, L <= 7, with and without zeros")


@check("price-of-exactness", tier="float64")
def the_table_is_exact(results: Results) -> Outcome:
    """One per call and gamma = 0: KL 0 on six languages; the fastest adaptive rule makes at most as many calls as
    any.
    """
    found = []
    for language in dict.fromkeys(c.language for c in results.costs):
        rows = {c.sampler: c for c in results.costs if c.language == language}
        fastest = rows.pop("fastest exact adaptive rule")
        speculative = rows.pop("speculative")
        found += [row.kl < ROUNDING for row in [*rows.values()][:3]]
        found += [speculative.kl < ROUNDING, speculative.calls <= speculative.length + ROUNDING]
        found += [fastest.calls <= row.calls + 1e-6 for row in rows.values() if row.kl < ROUNDING]
        found.append(fastest.kl < 1e-6 * fastest.length)
    return decide(all(found), len(found), note="random order, marginal confidence, entropy-bounded at 0")


@tightness("price-of-exactness", tier="float64")
def one_call_fewer(results: Results) -> Outcome:
    """Chain (.8,.2),(.35,.65), start (.5,.5): fewest calls ceil(log2(L+1)); one fewer costs .0213266280 nats at L =
    4.
    """
    found, known = [], {4: 0.0213266280, 8: 0.0008490043}
    for length in (3, 4, 7, 8) if results.profile == "full" else (3, 4):
        kl, fewest = fewest_fixed(tm.MarkovChain([[0.8, 0.2], [0.35, 0.65]], length, [0.5, 0.5]))
        found.append(fewest == int(np.ceil(np.log2(length + 1))))
        if length in known:
            found.append(abs(kl[fewest - 2] - known[length]) < 5.1e-11)
    return decide(all(found), len(found), note="over all ordered partitions")


@control("price-of-exactness", tier="rational")
def halving_is_exact_for_hidden_chains(results: Results) -> Outcome:
    """The neighbour: halving writes every hidden Markov law; a noisy copy of the chain."""
    emission = [["9/10", "1/10"], ["1/10", "9/10"]]
    pmf = tm.exact.hmm_pmf(*CHAIN, emission, 3)
    law = exact.RationalLaw({tuple(x): pmf[x] for x in np.ndindex(pmf.shape)}, 2, 3)
    p = exact.propagate(law.marginal, lambda y: (1,) if y[1] < 0 else (0, 2), 2, 3)
    return decide(p == law.pmf, 1, note="middle first, then both ends: they depend on each other")


@control("price-of-exactness", tier="float64")
def dilated_is_exact(results: Results) -> Outcome:
    """The neighbour: the dilated order as published, which starts with two tokens at once, one call fewer."""
    rows = [c for c in results.costs if c.sampler == "dilated, as published" and "chain" in c.language]
    return decide(all(c.kl < ROUNDING for c in rows), len(rows), max(c.kl for c in rows), "both chains, nats")


@control("price-of-exactness", tier="float64")
def ancestral_is_exact_at_l(results: Results) -> Outcome:
    """The neighbour: ancestral sampling with N = L slots is exact, like one token per call."""
    entries = [e for e in results.regret.entries if e.rule == "ancestral, N = L slots"]
    return decide(all(e.kl < ROUNDING for e in entries), len(entries), note="two tokens may fall into one slot")


@check("released-rules-regret", tier="float64")
def regret_of_every_rule(results: Results) -> Outcome:
    """Marginal confidence at L calls: regret 0 on all six. Drawn confidence at L calls: > .5 nats on all but parity."""
    table, found, least = results.regret, [], np.inf
    for language in table.languages:
        found.append(abs(table.of("marginal confidence, L calls", language).regret) < ROUNDING)
        drawn = table.of("drawn confidence, L calls", language)
        if "parity" in language:
            found.append(abs(drawn.regret) < ROUNDING)
        else:
            least = min(least, drawn.regret)
            found.append(drawn.regret > (1.0 if results.profile == "full" else 0.1))
        adaptive = ("marginal", "entropy-bounded", "halving")
        found += [e.regret > -1e-6 for e in table.entries if e.language == language and e.rule.startswith(adaptive)]
    return decide(all(found), len(found), float(least), "margin: least regret of drawn confidence off parity, nats")


@check("released-rules-regret", tier="float64")
def half_the_calls_cost_less(results: Results) -> Outcome:
    """On coins and both chains drawn confidence with two tokens per call has less KL than with one."""
    found = []
    for language in results.regret.languages[:3]:
        one, two = (results.regret.of(f"drawn confidence, {n} calls", language).kl for n in ("L", "L/2"))
        found.append(two < one)
    return decide(all(found), len(found), note="fewer calls, less KL: the bias is paid per call")


@control("released-rules-regret", tier="float64")
def drawn_confidence_is_on_the_front(results: Results) -> Outcome:
    """The neighbour: drawn confidence at L calls is exact like marginal confidence."""
    found = [abs(results.regret.of("drawn confidence, L calls", n).regret) < ROUNDING for n in results.regret.languages]
    return decide(all(found), len(found), note="only on parity")


@control("released-rules-regret", tier="float64")
def no_rule_reaches_the_front(results: Results) -> Outcome:
    """The neighbour: every rule at every setting leaves something on the table on every language."""
    found = [e.regret > ROUNDING for e in results.regret.entries]
    return decide(all(found), len(found), note="marginal confidence at L calls, halving on chains")


not_claimed_tight("released-rules-regret", "a table of exact numbers")
