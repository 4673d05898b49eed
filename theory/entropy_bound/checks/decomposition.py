"""Order-freeness of the data process and equation 7: model error plus joint dependence."""

from collections.abc import Sequence
from itertools import permutations

import numpy as np
from flint import fmpq

import toy_models as tm
from theory.entropy_bound.checks.instances import ROUNDING, SIZES, laws
from theory.entropy_bound.results import Results
from theory.ledger.instances import instances
from theory.ledger.registry import Outcome, check, control, decide, not_claimed_tight, sharper, tightness
from toy_models.exact import LogSum
from toy_models.exact import trajectories as exact

RULES = (tm.EntropyBounded(0.7), tm.EntropyBounded(0.3, "margin"), tm.TopK(2), tm.Threshold(0.5))


def models(seed: int, count: int, sizes: Sequence[tuple[int, int]] = SIZES) -> list:
    rng = np.random.default_rng(seed)
    return [exact.random_model(*sizes[k % len(sizes)], rng) for k in range(count)]


def chosen_value_law(law: exact.RationalLaw, weight) -> list[bool]:
    """For each first set z and value v: is P(x_z = v | z chosen) = q(x_z = v)? weight(z, x) = P(z | x)."""
    found, y = [], (tm.MASK,) * law.length
    for z in exact.subsets(tuple(range(law.length))):
        mass: dict = {}
        for x, p in law.pmf.items():
            key = tuple(x[i] for i in z)
            mass[key] = mass.get(key, fmpq(0)) + p * weight(z, x)
        total = sum(mass.values(), fmpq(0))
        found += [m == total * law.joint(y, z)[key] for key, m in mass.items()]
    return found


@check("eb-order-free", tier="rational")
def blind_choice_keeps_conditionals(results: Results) -> Outcome:
    """P(x_z = v | z chosen) = q(x_z = v) for every set z and value v when the choice sees no hidden token."""
    found = []
    for k, law in enumerate(laws(1, 12)):
        draw = np.random.default_rng(k).integers(1, 9, 2**law.length)
        found += chosen_value_law(law, lambda z, x, draw=draw: fmpq(int(draw[sum(1 << i for i in z)])))
    return decide(
        all(found), len(found), note="P(x_z | z, revealed) = q(x_z | revealed) for choices blind to hidden tokens"
    )


def data_process(law: exact.RationalLaw, weight) -> tuple[dict, list[bool]]:
    """Law of the text of q_phi summed over orders, and at each call: is the revealed block's law q(. | revealed)?

    The text is drawn first; then every call draws its set with probability weight(y, S), blind to hidden tokens.
    """
    empty = (tm.MASK,) * law.length
    reached = {(empty, x): p for x, p in law.pmf.items()}  # P(history ending in state y, hidden text x), states only
    text, same = dict.fromkeys(law.pmf, fmpq(0)), []
    while reached:
        following: dict = {}
        for y in sorted({y for y, _ in reached}):
            here = {x: p for (z, x), p in reached.items() if z == y}
            mass = sum(here.values(), fmpq(0))
            for subset in exact.subsets(exact.masked(y)):
                chance = weight(y, subset)
                for tokens, q in law.joint(y, subset).items():
                    after = exact.replace(y, subset, tokens)
                    found = sum((p for x, p in here.items() if exact.fits(x, after)), fmpq(0))
                    same.append(found == q * mass)
                for x, p in here.items():
                    after = exact.replace(y, subset, (x[i] for i in subset))
                    if tm.MASK in after:
                        following[after, x] = following.get((after, x), fmpq(0)) + chance * p
                    else:
                        text[x] += chance * p
        reached = following
    return text, same


@check("eb-order-free", tier="rational")
def every_call_of_a_random_rule(results: Results) -> Outcome:
    """eb-order-free: all calls of random rules that see revealed tokens only; the text keeps the law q."""
    found, rng = [], np.random.default_rng(14)
    for law in laws(1, 6):
        drawn: dict = {}

        def weight(y, subset, drawn=drawn):
            if y not in drawn:
                sets = exact.subsets(exact.masked(y))
                w = [int(v) for v in rng.integers(1, 9, len(sets))]
                drawn[y] = {s: fmpq(v, sum(w)) for s, v in zip(sets, w, strict=True)}
            return drawn[y][subset]

        text, same = data_process(law, weight)
        found += [*same, text == law.pmf]
    return decide(all(found), len(found), note="sum over orders of q_phi = q; every block of every call follows q")


@control("eb-order-free", tier="rational")
def choice_that_peeks(results: Results) -> Outcome:
    """The same for a choice whose weight depends on a hidden token."""
    found = []
    for law in laws(1, 12):
        found += chosen_value_law(law, lambda z, x: fmpq(1 + x[z[0]]))
    return decide(all(found), len(found), note="the choice depends on a hidden token")


not_claimed_tight("eb-order-free", "an identity")


def random_order_gap(law: exact.RationalLaw, model) -> tuple[LogSum, LogSum, LogSum]:
    """KL of the text, KL of text and order, E_q KL of the order given the text: single tokens in random order."""
    orders = list(permutations(range(law.length)))
    text, joint, given = [], [], []
    for x, q in law.pmf.items():
        each = []
        for order in orders:
            y, p = (tm.MASK,) * law.length, fmpq(1)
            for i in order:
                p *= model(y, i)[x[i]]
                y = exact.replace(y, (i,), (x[i],))
            each.append(p)
        mean = sum(each, fmpq(0)) / len(orders)
        text.append((q / mean, q))
        joint += [(q / p, q / len(orders)) for p in each]
        given += [(mean / p, q / len(orders)) for p in each]
    return LogSum(text), LogSum(joint), LogSum(given)


@check("eb-decomposition", tier="rational")
def decomposition_is_exact_for_deterministic_rules(results: Results) -> Outcome:
    """KL(q || p_phi) = model error + joint dependence, in logarithms of rationals, for four deterministic rules."""
    found = []
    for law, model in zip(laws(2, 9), models(3, 9), strict=True):
        for rule in RULES:
            choose = exact.choose_by(rule, model, law.vocab_size)
            written = exact.propagate(model, choose, law.vocab_size, law.length)
            error, dependence = exact.error_parts(law, model, choose)
            found.append((exact.divergence(law.pmf, written) - error - dependence).is_zero())
    return decide(all(found), len(found), 0.0, "equality for deterministic rules, inequality for random order")


@check("eb-decomposition", tier="rational")
def text_is_below_text_and_order(results: Results) -> Outcome:
    """KL of the text <= KL of text and order, random models that come from no joint law, single tokens at random."""
    found, count, sizes = [], instances(results, 9), ((2, 2), (2, 3), (3, 2))
    for law, model in zip(laws(15, count, sizes), models(16, count, sizes), strict=True):
        text, joint, _ = random_order_gap(law, model)
        found.append((joint - text).sign() >= 0)
    return decide(all(found), len(found))


@check("eb-decomposition", tier="float64")
def decomposition_along_gamma(results: Results) -> Outcome:
    """KL = model error + joint dependence in float64 along every sweep of gamma with a wrong model."""
    gaps = [abs(d.kl - d.model_error - d.joint_dependence).max() for d in results.decompositions]
    return decide(max(gaps) < ROUNDING, sum(len(d.gamma) for d in results.decompositions))


@sharper("eb-decomposition", tier="rational")
def gap_is_the_divergence_of_the_order(results: Results) -> Outcome:
    """For random order, trajectory KL - KL(q || p_phi) = E_q KL(q(z|x) || p(z|x)), exactly."""
    found = []
    for law, model in zip(laws(2, 9), models(3, 9), strict=True):
        text, joint, given = random_order_gap(law, model)
        found.append((joint - text - given).is_zero())
    return decide(all(found), len(found), note="the gap equals E_q KL(q(z|x) || p(z|x))")


@tightness("eb-decomposition", tier="rational")
def one_step_rule_is_tight(results: Results) -> Outcome:
    """All tokens in one call: KL(q || p_phi) equals model error + joint dependence."""
    law, model = laws(2, 1)[0], models(3, 1)[0]
    choose = exact.choose_by(tm.TopK(law.length), model, law.vocab_size)
    error, dependence = exact.error_parts(law, model, choose)
    written = exact.propagate(model, choose, law.vocab_size, law.length)
    return decide((exact.divergence(law.pmf, written) - error - dependence).is_zero(), 1, 0.0)


@control("eb-decomposition", tier="rational")
def equality_for_random_order(results: Results) -> Outcome:
    """The equality of deterministic rules asserted for random order: KL(q || p_phi) = trajectory KL."""
    gaps = [
        (lambda parts: parts[1] - parts[0])(random_order_gap(q, m))
        for q, m in zip(laws(2, 9), models(3, 9), strict=True)
    ]
    return decide(all(g.is_zero() for g in gaps), len(gaps), float(max(map(float, gaps))), "largest gap, nats")


@control("eb-decomposition", tier="rational")
def joint_dependence_by_the_model(results: Results) -> Outcome:
    """Total correlation computed with the model's entropies instead of the data's."""
    found = []
    for law, model in zip(laws(2, 6), models(3, 6), strict=True):
        choose = exact.choose_by(RULES[0], model, law.vocab_size)
        error, wrong = exact.error_parts(law, model, choose)[0], LogSum()
        for y, subset, weight in exact.visits(law, choose):
            alone = sum((exact.entropy_of(model(y, i)) for i in subset), LogSum())
            wrong = wrong + (alone - law.entropy(subset, y)).scaled(weight)
        written = exact.propagate(model, choose, law.vocab_size, law.length)
        found.append((exact.divergence(law.pmf, written) - error - wrong).is_zero())
    return decide(all(found), len(found))
