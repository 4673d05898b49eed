"""Inputs that must be refused, each with the argument, the value and a word of what is allowed.

Run as a program: the library as a user has it, without the shape checks that the tests switch on. Prints one JSON list
of [name, kind of the exception, message].
"""

import json
import sys

import numpy as np

from theory.ledger.refused_pairs import (
    BAD_MODELS,
    BAD_RULES,
    BAD_TARGETS,
    BY_TARGET,
    CHAIN,
    HALF,
    HUGE,
    LONGER,
    ORDERS,
    RNG,
    TABLE,
    WITH_DENOISER,
    X,
    tm,
)

CASES: dict = {}
for quantity, call in BY_TARGET.items():
    for bad, (rule, words) in BAD_RULES.items():
        CASES[f"{quantity}, rule {bad}"] = (lambda call=call, rule=rule: call(CHAIN, rule), words)
    for bad, (target, words) in BAD_TARGETS.items():
        CASES[f"{quantity}, target {bad}"] = (lambda call=call, target=target: call(target, HALF), words)
    if quantity not in ORDERS:
        words = ("sizes (1, 1)", "2", "must sum to the length 4")
        CASES[f"{quantity}, too short"] = (lambda call=call: call(CHAIN, tm.RandomOrder([1, 1])), words)
        words = ("blocks", "2", "the length is 4")
        CASES[f"{quantity}, too few blocks"] = (lambda call=call: call(CHAIN, tm.FixedOrder([[0, 1]])), words)
for quantity, call in WITH_DENOISER.items():
    for bad, (model, words) in BAD_MODELS.items():
        CASES[f"{quantity}, denoiser {bad}"] = (lambda call=call, model=model: call(model), words)


def case(name, call, *words):
    CASES[name] = (call, words)


# ---------------------------------------------------------------- routes
for bad in ("magic", "rank", 3, "own "):
    case(f"curve, method {bad}", lambda bad=bad: tm.information_curve(TABLE, bad), "method", repr(bad), "enumeration")
    case(f"kl, method {bad}", lambda bad=bad: tm.trajectory_kl(CHAIN, HALF, None, bad), "method", repr(bad), "curve")
    case(f"log p, method {bad}", lambda bad=bad: tm.log_likelihood(CHAIN, HALF, X, bad), "method", repr(bad), "subsets")
case("own curve of a table", lambda: tm.information_curve(TABLE, "own"), "method", "'own'", "enumeration")
case("curve route of top-k", lambda: tm.trajectory_kl(CHAIN, tm.TopK(1), method="curve"), "'curve'", "TopK", "allowed")
case("replay of a mixture", lambda: tm.log_likelihood(CHAIN, HALF, X, "replay"), "'replay'", "allowed", "subsets")
case("under", lambda: tm.expected_calls(CHAIN, HALF, under="r"), "under", "'r'", "allowed")
case("reduce", lambda: tm.learning_error(CHAIN, CHAIN, "sum"), "reduce", "'sum'", "allowed")
case("on_impossible", lambda: CHAIN.marginals(X, "zero"), "on_impossible", "'zero'", "allowed")
case("sizes beyond reach", lambda: tm.sampler_law(HUGE, HALF), "L = 60", "beyond the exact limit", "shorten")
case("curve beyond reach", lambda: tm.information_curve(HUGE), "L = 60", "beyond the exact limit", "estimate_")

# ---------------------------------------------------------------- tokens, sizes, generators
for bad, words in {
    "floats": (X.astype(float), ("tokens[0, 0]", "float64", "integers 0..1")),
    "one row": (X[0], ("tokens", "(4,)", "must have shape (batch, 4)")),
    "too long": (np.zeros((1, 5), dtype=int), ("tokens", "(1, 5)", "must have shape (batch, 4)")),
    "a letter too many": (X + 2, ("tokens[0, 0]", "2", "allowed: 0..1")),
    "a mask": (X - 1, ("tokens[0, 0]", "-1", "use marginals")),
}.items():
    case(f"log_prob, {bad}", lambda x=words[0]: CHAIN.log_prob(x), *words[1])
    case(f"log_likelihood, {bad}", lambda x=words[0]: tm.log_likelihood(CHAIN, HALF, x), *words[1])
    case(f"replay_rule, {bad}", lambda x=words[0]: tm.rules.replay_rule(CHAIN, tm.TopK(1), x), *words[1])
case("marginals, -2", lambda: CHAIN.marginals(X - 2), "tokens[0, 0]", "-2", "MASK = -1")
for bad in (0, -1, 2.0, True, "3", None):
    case(f"sample, size {bad}", lambda bad=bad: tm.sample(CHAIN, HALF, bad, RNG), "size", repr(bad), "an integer >= 1")
    case(f"top-k {bad}", lambda bad=bad: tm.TopK(bad), "k", repr(bad), "an integer >= 1")
    case(f"block {bad}", lambda bad=bad: tm.SemiAutoregressive(bad, tm.TopK(1)), "block", repr(bad), "an integer >= 1")
    case(f"bisection {bad}", lambda bad=bad: tm.bisection(bad), "length", repr(bad), "an integer >= 1")
    case(f"repeats {bad}", lambda bad=bad: tm.Blocks(TABLE, bad), "repeats", repr(bad), "an integer >= 1")
    case(f"chain length {bad}", lambda bad=bad: tm.MarkovChain([[1.0]], bad), "length", repr(bad), "an integer >= 1")
    case(f"steps {bad}", lambda bad=bad: tm.optimal_sizes(np.ones(3), bad), "steps", repr(bad), "an integer >= 1")
for bad in (0, None, np.random):
    value = " ".join(repr(bad).split())[:20]
    case(
        f"sample, rng {value}",
        lambda bad=bad: tm.sample(CHAIN, HALF, 2, bad),
        "rng",
        value,
        "must be a numpy Generator",
    )
    case(
        f"estimate, rng {value}",
        lambda bad=bad: tm.estimate_information_curve(CHAIN, 4, bad),
        "rng",
        value,
        "must be a numpy Generator",
    )
for bad in (0.0, 1.0, -0.5, 2, float("nan")):
    case(
        f"confidence {bad}",
        lambda bad=bad: tm.quantities.estimate_trajectory_kl(CHAIN, HALF, 4, RNG, bad),
        "confidence",
        str(bad),
        "strictly between 0 and 1",
    )
for bad, value, allowed in (
    ([-1], "revealed[0] = -1", "0..3"),
    ([4], "revealed[0] = 4", "0..3"),
    ([1.7], "revealed[0] = 1.7", "integers 0..3"),
    ([[0]], "(1, 1)", "a non-empty vector"),
):
    case(
        f"revealed {bad}",
        lambda bad=bad: tm.estimate_information_curve(CHAIN, 4, RNG, revealed=bad),
        "revealed",
        value,
        allowed,
    )
case(
    "estimate a deterministic order",
    lambda: tm.quantities.estimate_trajectory_kl(CHAIN, tm.TopK(1), 4, RNG),
    "rule",
    "TopK",
    "must be",
)
case(
    "replay a random order",
    lambda: tm.rules.replay_rule(CHAIN, HALF, X),
    "rule",
    "IndependentReveal",
    "must be adaptive",
)

# ---------------------------------------------------------------- curves and schedules
for bad, value, words in [
    ("empty", [], ("g", "(0,)", "non-empty")),
    ("nan", [1.0, float("nan")], ("g[1]", "nan", "must be finite")),
    ("a matrix", np.ones((2, 2)), ("g", "(2, 2)", "vector")),
]:
    case(f"reveal_curve, {bad}", lambda g=value: tm.reveal_curve(np.array(g), 0.5), *words)
    case(f"optimal_sizes, {bad}", lambda g=value: tm.optimal_sizes(np.array(g), 2), *words)
    case(f"optimal_weights, {bad}", lambda g=value: tm.optimal_weights(np.array(g), 2), *words)
case("a rising curve", lambda: tm.optimal_sizes(np.array([0.1, 0.5]), 2), "g[1] - g[0]", "0.4", "must not increase")
for bad in (-0.1, 1.5, float("nan")):
    case(
        f"reveal fraction {bad}", lambda bad=bad: tm.reveal_curve(np.ones(2), bad), "a", str(bad), "must lie in [0, 1]"
    )

# ---------------------------------------------------------------- rules
for bad, value, words in [
    ("sum", [0.5, 0.4], ("weights", "0.9", "must sum to 1")),
    ("negative", [1.5, -0.5], ("weights[1]", "-0.5", "must be finite and >= 0")),
    ("nan", [0.5, float("nan")], ("weights[1]", "nan", "must be finite and >= 0")),
    ("empty", [], ("weights", "(0,)", "non-empty")),
]:
    case(f"independent, {bad}", lambda w=value: tm.IndependentReveal(w), *words)
case("shifted, 1 step", lambda: tm.ShiftedReveal(1), "steps", "1", "an integer >= 2")
case("no sizes", lambda: tm.RandomOrder([]), "sizes", "must not be empty")
case("negative size", lambda: tm.RandomOrder([2, -1]), "sizes[1]", "-1", "an integer >= 0")
case("half a token", lambda: tm.RandomOrder([1.5]), "sizes[0]", "1.5", "an integer >= 0")
case("a position twice", lambda: tm.FixedOrder([[0, 0]]), "blocks", "((0, 0),)", "each position exactly once")
case("a position missing", lambda: tm.FixedOrder([[0], [2]]), "blocks", "((0,), (2,))", "each position exactly once")
case("proxy", lambda: tm.TopK(1, "luck"), "proxy", "'luck'", "allowed")
case("gamma < 0", lambda: tm.EntropyBounded(-1.0), "gamma", "-1.0", ">= 0")
case("gamma nan", lambda: tm.EntropyBounded(float("nan")), "gamma", "nan", ">= 0")
case("threshold", lambda: tm.Threshold(float("inf")), "value", "inf", "finite number >= 0")
case("inner rule", lambda: tm.SemiAutoregressive(2, HALF), "rule", "IndependentReveal", "must be adaptive")
P = TABLE.marginals(X - 1)
for bad, mask, words in [
    ("twos", np.full((1, 4), 2), ("masked", "int64", "0 or 1")),
    ("floats", np.ones((1, 4)), ("masked", "float64", "must be boolean")),
    ("a row", np.ones(4, dtype=bool), ("masked", "(4,)", "must have shape")),
    ("a list", [[True] * 4], ("list", "must be numpy arrays")),
]:
    for rule in (tm.TopK(1), tm.EntropyBounded(0.1), tm.Threshold(0.5)):
        name = f"{type(rule).__name__}.select, mask of {bad}"
        case(name, lambda rule=rule, mask=mask: rule.select(P, mask), *words)
case("no distribution", lambda: tm.TopK(1).select(2 * P, X == 0), "marginals[0, 0]", "2", "allowed")
POLICY = tm.optimal_policy(TABLE, 0.1)
case("another's policy", lambda: tm.sampler_law(LONGER, POLICY), "marginals", "(5, 2)", "made for (4, 2)")
case("step cost", lambda: tm.optimal_policy(TABLE, -1), "step_cost", "-1", ">= 0")

# ---------------------------------------------------------------- targets and denoisers
case("row sums", lambda: tm.MarkovChain([[0.9, 0.2], [0.5, 0.5]], 3), "row 0 of transition", "1.1", "must sum to 1")
case("not square", lambda: tm.MarkovChain([[0.5, 0.5]], 3), "transition", "(1, 2)", "must be square")
case("initial", lambda: tm.MarkovChain([[1.0]], 3, [0.5, 0.5]), "initial", "2", "1 rows")
case("two classes", lambda: tm.MarkovChain(np.eye(2), 3), "2 recurrent classes", "pass initial=")
case("pmf shape", lambda: tm.Table(np.ones((2, 3)) / 6), "pmf", "(2, 3)", "must have shape (V,)*L")
case("pmf sum", lambda: tm.Table(np.ones(2)), "pmf", "2", "must sum to 1")
case("pmf sign", lambda: tm.Table(np.array([1.5, -0.5])), "pmf[1]", "-0.5", ">= 0")
case("no block", lambda: tm.Blocks(None, 2), "target", "None", "must be a target")
case("code modulus", lambda: tm.LinearCode(np.eye(2, dtype=int), 4), "modulus", "4", "must be prime")
case("code floats", lambda: tm.LinearCode(np.eye(2)), "generator[0, 0]", "float64", "allowed: integers")
case("no words", lambda: tm.targets.WordList(np.empty((0, 2), dtype=int), 2), "words", "(0, 2)", "must be a non-empty")
case("a word twice", lambda: tm.targets.WordList(np.zeros((2, 2), dtype=int), 2), "words", "2 rows", "repeat none")
case("weight", lambda: tm.Smoothed(TABLE, 1.5), "weight", "1.5", "must lie in [0, 1]")
case("power", lambda: tm.Tempered(TABLE, 0.0), "power", "0.0", "finite number > 0")
case("radius", lambda: tm.Windowed(TABLE, -1), "radius", "-1", "an integer >= 0")
case("parents", lambda: tm.ParentPointer(TABLE, [0, 0, 0]), "parents", "3", "length 4")
case("own parent", lambda: tm.ParentPointer(TABLE, [0, 0, 0, 0]), "parents[0]", "0", "allowed")
case("half a parent", lambda: tm.ParentPointer(TABLE, [-1, 0.9, 1, 2]), "parents[1]", "0.9", "allowed: integers")
case("impossible", lambda: tm.pairs(2, 4).marginals(np.array([[3, -1, -1, -1]])), "row(s) 0", "pass on_impossible")
case("odd pairs", lambda: tm.pairs(2, 5), "length", "5", "even")


def answers():
    for name, (call, _) in CASES.items():
        try:
            value = call()
        except Exception as error:
            yield name, [k.__name__ for k in type(error).__mro__], str(error)
        else:
            yield name, [], repr(value)[:200]


if __name__ == "__main__":
    np.seterr(all="ignore")
    json.dump(list(answers()), sys.stdout)
