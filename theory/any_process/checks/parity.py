"""Deciding and generating parity."""

from fractions import Fraction

from theory.any_process.results import Results
from theory.ledger.registry import Outcome, check, control, decide, tightness
from toy_models.any_process import parity


@check("parity-edit-decision", tier="rational")
def four_steps(results: Results) -> Outcome:
    """The tournament decides every input of the listed lengths, and single long ones, in at most four steps."""
    p = results.parity
    good = p.wrong["tournament"] == 0 and max(p.most_tournament) <= 4
    good = good and all(right and steps <= 4 for steps, right in p.long_runs.values())
    return decide(good, sum(2**n for n in p.lengths) + len(p.long_runs), 0, f"all inputs n <= {p.lengths[-1]}")


@tightness("parity-edit-decision", tier="rational")
def four_attained(results: Results) -> Outcome:
    """Some input takes four steps."""
    return decide(max(results.parity.most_tournament) == 4, 1, 0, "four steps are taken")


@control("parity-edit-decision", tier="rational")
def three_steps(results: Results) -> Outcome:
    """Three steps would suffice for every input."""
    most = max(results.parity.most_tournament)
    return decide(most <= 3, len(results.parity.lengths), most - 3, "three steps do not suffice")


@check("parity-first-pair", tier="rational")
def seven_rules(results: Results) -> Outcome:
    """Every input is decided right in at most 2n - 2 steps, and P(lone 0) = (1 + 2 (-1/2)^(n-1))/6."""
    p = results.parity
    good = p.wrong["first pair"] == 0 and all(m == 2 * n - 2 for n, m in zip(p.lengths, p.most_first, strict=True))
    good = good and all(z == parity.lone_zero_probability(n) for n, z in zip(p.lengths, p.lone_zero, strict=True))
    return decide(
        good, sum(2**n for n in p.lengths), 0, "correct when a last lone 0 reads as even; at most 2n - 2 steps"
    )


@tightness("parity-first-pair", tier="rational")
def worst_input(results: Results) -> Outcome:
    """Some input of the longest length takes 2n - 2 steps."""
    p = results.parity
    return decide(p.most_first[-1] == 2 * p.lengths[-1] - 2, 1, 0, "2n - 2 steps are taken")


@control("parity-first-pair", tier="rational")
def trained_states_suffice(results: Results) -> Outcome:
    """The claim that runs end only in states covered by the seven samples."""
    share = results.parity.lone_zero[-1]
    return decide(share == 0, 2 ** results.parity.lengths[-1], float(share), f"{share} of inputs end in '< 0'")


@check("parity-light-cone", tier="rational")
def cone_accuracy(results: Results) -> Outcome:
    """The last r T bits tell nothing of the parity if r T < n, else all; random local rules see just these bits."""
    p = results.parity
    unseen = {(n, r, t): a for (n, r, t), a in p.accuracy.items() if r * t < n}
    good = all(a == (Fraction(1, 2) if r * t < n else 1) for (n, r, t), a in p.accuracy.items())
    good = good and p.cone_kept and p.cone_used
    return decide(good, len(unseen), 0, "accuracy 1/2 where r T < n")


@check("parity-light-cone", tier="rational")
def no_program_below(results: Results) -> Outcome:
    """Exhaustive search over the rules of all cells and steps finds no program where r T < n."""
    below = [found for (n, r, t), found in results.parity.programs.items() if r * t < n]
    return decide(not any(below), len(below), None, "no local program where r T < n")


@tightness("parity-light-cone", tier="rational")
def cone_reached(results: Results) -> Outcome:
    """At r T = n a program that unmasks and remasks is right on all inputs, for the (n, r, T) of the note."""
    at = {size: found for size, found in results.parity.programs.items() if size[1] * size[2] == size[0]}
    stated = {(1, 1, 1), (2, 2, 1), (2, 1, 2), (3, 3, 1)}
    return decide(
        all(at.values()) and stated <= at.keys(),
        len(at),
        0,
        f"programs found and run through g for (n, r, T) = {sorted(at)}",
    )


@control("parity-light-cone", tier="rational")
def one_step_less(results: Results) -> Outcome:
    """At r T = n - 1 the accuracy would exceed 1/2."""
    keys = [(n, r, t) for n, r, t in results.parity.accuracy if r * t == n - 1]
    better = [k for k in keys if results.parity.accuracy[k] > Fraction(1, 2)]
    return decide(len(better) == len(keys), len(keys), 0.5, "r T = n - 1 is no better than a coin")


@check("even-parity-generation", tier="rational")
def hidden_bits(results: Results) -> Outcome:
    """Three edit steps write the uniform law on even strings, TV = 0, with a longest context of 2n."""
    g = results.generation
    good = all(t == 0 for t in g.tv) and set(g.steps) == {3}
    good = good and all(p == 2 * n for n, p in zip(g.lengths, g.peak, strict=True))
    return decide(good, len(g.lengths), 0, f"TV = 0 in 3 steps, context 2n, n = 2..{g.lengths[-1]}")


@tightness("even-parity-generation", tier="rational")
def window_threshold(results: Results) -> Outcome:
    """Write-once: TV 1/2 below window floor(n/2), 0 from there on, when the middle position comes last."""
    w = results.generation.write_once
    return decide(
        all(tv == (Fraction(1, 2) if k < 3 else 0) for k, tv in w.items()), len(w), 0, "n = 7: window 3 suffices"
    )


@control("even-parity-generation", tier="rational")
def one_shot(results: Results) -> Outcome:
    """One write-once step would write the same law."""
    return decide(
        results.generation.one_shot == 0, 1, float(results.generation.one_shot), "one write-once step: TV 1/2"
    )


@control("even-parity-generation", tier="rational")
def write_once_cannot(results: Results) -> Outcome:
    """'No write-once sampler is exact': false, a full window needs two steps."""
    exact = [w for w, tv in results.generation.write_once.items() if tv == 0]
    return decide(not exact, 1, None, f"exact in two steps with windows {exact}")
