"""Dyck languages by insertion, and what finite state cannot cover."""

from fractions import Fraction

from theory.any_process.results import Results
from theory.ledger.registry import Outcome, check, construction, control, decide, not_claimed_tight, tightness
from toy_models.any_process import dyck


@construction("dyck-support", tier="rational")
def supports(results: Results) -> Outcome:
    """The words the insertion program reaches are those that reduce to 1; with openers only, the one-sided ones.

    Its law: the empty word 2/3, words of two letters 8/45 together, whatever k (a stop after each round with 1/2).
    """
    d = results.dyck
    law = all(found == (Fraction(2, 3), Fraction(8, 45)) for found in d.short.values())
    reach = ", ".join(f"k={k} N={n}" for k, n, how in d.support_equal if how == "program")
    good = all(d.support_equal.values()) and d.one_sided_equal and law
    return decide(good, len(d.support_equal) + 2, 0, f"program: {reach}")


@control("dyck-support", tier="rational")
def uniform_law(results: Results) -> Outcome:
    """The insertion program would write the uniform law on its support: TV = 0."""
    worst = max(results.dyck.tv_uniform.values())
    return decide(worst == 0, len(results.dyck.tv_uniform), worst, "support equality says nothing about the law")


@control("dyck-support", tier="rational")
def parallel_decoding(results: Results) -> Outcome:
    """Write-once in two halves, each token given the full context, would be valid with probability 1."""
    p = results.dyck.valid["halves"]
    return decide(p == 1, 1, float(1 - p), f"full-context parallel decoding in halves is valid with probability {p}")


not_claimed_tight("dyck-support", "an equality of sets")


@check("dyck-finite-state", tier="rational")
def classes(results: Results) -> Outcome:
    """Prefix classes = the sum over |S_j|, maximum (3^(n/2+1) - 1)/2 at k = 2; longest n for a number of states."""
    d = results.dyck
    formula = all(m == (3 ** (n // 2 + 1) - 1) // 2 for n, m in d.classes.items())
    reach = d.covered == {4: 2, 16: 4, 64: 6, 256: 8, 1024: 10, 65536: 18}
    return decide(d.classes_agree and formula and reach, len(d.classes), 0, "prefix classes = formula = enumeration")


@tightness("dyck-finite-state", tier="rational")
def full_window_is_exact(results: Results) -> Outcome:
    """A generator that sees n - 1 letters covers exactly the language; so does one token at a time, in parallel not."""
    d = results.dyck
    good = all(sizes[-1] == d.sizes[2, n] for n, sizes in d.windows.items())
    good = (
        good and d.valid["one by one"] == 1 and dyck.valid_probability(dyck.language(1, 2), [[0, 1]]) == Fraction(1, 2)
    )
    return decide(good, len(d.windows), 0, "window n - 1 covers exactly the language")


@control("dyck-finite-state", tier="rational")
def window_suffices(results: Results) -> Outcome:
    """One letter less, window n - 2, would still cover exactly the language."""
    n, sizes = max(results.dyck.windows.items())
    return decide(
        sizes[-2] == results.dyck.sizes[2, n], 1, sizes[-2] - sizes[-1], f"n = {n}, window n - 2 over-generates"
    )
