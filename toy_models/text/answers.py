"""Answers to questions that users asked, as sentences that carry the language, L and N they hold for."""

import numpy as np

from toy_models.quantities.intervals import Estimate
from toy_models.text.call_costs import StepCosts, sizes_of
from toy_models.text.language import Language

SHOWN = 1e-4  # differences below what is printed are none
FREE = 1e-9  # nats per token: rounding of a sum of L entropies


def _pm(estimate: Estimate) -> str:
    value, low, high = (round(float(part), 4) + 0.0 for part in (estimate.value, estimate.low, estimate.high))
    return f"{value:.4f}" if high - low < 5e-5 else f"{value:.4f} ({low:.4f} to {high:.4f})"


def sentences(language: Language, costs: StepCosts) -> list[dict[str, str]]:
    """[{"question": ..., "answer": ...}]: what users of released samplers asked, answered from the costs of a text.

    >>> text = tm.text.Text((np.arange(400) % 2,), ("a", "b"), "tokens", 1.0, "abab")
    >>> language = tm.text.fit_language(text, 4, np.random.default_rng(0), order=2)
    >>> said = tm.text.sentences(language, tm.text.step_costs(language, [2], np.random.default_rng(0)))
    >>> said[0]["answer"][:34]
    'In one call 87.5 % of the written '
    """
    length = language.target.length
    scope = f"{language.name}, L = {length}"
    pairs = f"bigram language, L = {length}"
    asked = sorted({row.asked for row in costs.rows if row.schedule == "uniform"})
    middle = asked[len(asked) // 2]
    one = costs.one_call
    said = [
        {
            "question": "Why not draw all tokens at once, each from its own law? (LLaDA #75)",
            "answer": f"In one call {100 * one.value:.1f} % of the written texts hold a pair of neighbours that your "
            f"text never has ({pairs}, N = 1). One token per call writes none, in {length} calls.",
        }
    ]
    if free := free_of_sizes(costs):
        said.append(
            {
                "question": "Which sizes should the calls have?",
                "answer": f"At N = {', '.join(map(str, free))} it does not matter ({scope}): every schedule costs 0 up "
                "to rounding or to its interval, so the optimal sizes there are those of noise.",
            }
        )
    even, grown = (sizes_of(s, middle, length, language) for s in ("uniform", "growing"))
    gap = language.curve.difference(grown, even)
    verdict = "lose against" if gap.low > 0 else "beat" if gap.high < 0 else "cannot be told from"
    said.append(
        {
            "question": "Do growing sizes 1, 2, 3, ... beat equal ones? (LLaDA #93)",
            "answer": f"Growing sizes {verdict} equal ones: the difference is {_pm(gap)} nats per token "
            f"({scope}, N = {middle}, {len(grown)} and {len(even)} calls).",
        }
    )
    if len(costs.block) == 2:
        (b, n, small), (whole, m, large) = costs.block
        if small.low > large.high + SHOWN:
            verdict = "the tokens of one call lie closer together in a small block"
        elif large.low > small.high + SHOWN:
            verdict = "here small blocks are cheaper"
        else:
            verdict = "the two cannot be told apart"
        said.append(
            {
                "question": "Why does the block length matter at a fixed number of steps? (LLaDA #39)",
                "answer": f"A random order inside blocks of {b} from left to right costs {_pm(small)} nats per token "
                f"in {n} calls, over the whole length of {whole} it costs {_pm(large)} in {m} ({scope}): {verdict}.",
            }
        )
    uniform = {row.asked: row for row in costs.rows if row.schedule == "uniform"}
    priced = ", ".join(f"{_pm(uniform[n].excess)} at N = {n}" for n in asked)
    said.append(
        {
            "question": "Can it write several tokens per step, and what does that cost? (mdlm #36)",
            "answer": f"Yes; equal sizes in a random order cost {priced} nats per token, an upper bound on what the "
            f"written text loses ({scope}). Left to right costs {length} calls and nothing else.",
        }
    )
    said.append(
        {
            "question": "Likelihood by 128 Monte Carlo draws, or in causal order? (Dream #14)",
            "answer": f"128 draws leave a standard error of {costs.draw / np.sqrt(128):.3f} nats per token and take "
            f"128 calls; left to right is exact in {length} ({scope}, exact denoiser).",
        }
    )
    reached = ", ".join(f"{s} {'never' if n is None else n}" for s, n in costs.smallest.items())
    slots = costs.smallest_slots
    searched = f"{slots} uniform slots" if slots else "not reached in 64 uniform slots, or not searched,"
    said.append(
        {
            "question": "How many calls for a wished quality?",
            "answer": f"Excess at most {costs.wished_excess:g} nats per token: {reached} calls ({scope}). "
            f"Sequence error at most {costs.wished_error:g}: {searched} ({pairs}).",
        }
    )
    said.append({"question": "How sure is all this?", "answer": _sure(language)})
    return said


def free_of_sizes(costs: StepCosts) -> list[int]:
    """The N at which no size matters: the excess of every schedule is 0 up to rounding, or its interval holds 0.

    >>> text = tm.text.Text((np.random.default_rng(0).integers(0, 2, 4000),), ("a", "b"), "tokens", 1.0, "coins")
    >>> language = tm.text.fit_language(text, 8, np.random.default_rng(0), order=1)
    >>> tm.text.free_of_sizes(tm.text.step_costs(language, [2, 4], np.random.default_rng(0)))
    [2, 4]
    """
    rows = [row for row in costs.rows if row.sizes is not None]
    return [
        n
        for n in sorted({row.asked for row in rows})
        if all(float(row.excess.low) <= FREE for row in rows if row.asked == n)
    ]


def _sure(language: Language) -> str:
    used = next(s for s in language.scores if s.order == (language.used or 0))
    text = (
        f"Fitted to nine tenths of the text the {language.name} has a log-likelihood of {used.fitted:.3f} "
        f"nats per token there and {used.held_out:.3f} on the rest, a gap of {used.gap:.3f}. "
    )
    if language.used is not None and language.best != language.used:
        best = next(s for s in language.scores if s.order == language.best)
        text += (
            f"Order {language.best} is better held out ({best.held_out:.3f}): costs are those of order "
            f"{language.used}, the best that is quick, or asked for; --order takes others. "
        )
    if not language.curve.exact:
        text += (
            f"The curve is estimated from {len(language.curve.rows)} sequences; intervals are at 99 %, asymptotic; the "
        )
        text += "optimal sizes were chosen on the same sequences, so their own cost reads a little low. "
    return text + "All of it is about the fitted language, not about your text beyond it."
