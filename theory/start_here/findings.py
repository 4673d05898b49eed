"""README's table "What we found": what is said or done, what holds exactly, the picture.

    python -m theory.start_here.findings      writes the table between the README's markers

Every number is read from the data of a committed figure, so the table moves with the figures.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from toy_models.files import write_aside

ROOT = Path(__file__).resolve().parents[2]
README, FIGURES = ROOT / "README.md", ROOT / "figures" / "out"
START, END = "<!-- findings -->", "<!-- /findings -->"


@dataclass(frozen=True)
class Finding:
    """said: with its source; found(data of the figure): the exact statement, with its scope; claim: id and topic."""

    said: str
    found: Callable[[dict], str]
    figure: str
    topic: str
    claim: str


def _steps(data: dict) -> str:
    curve = next(c for c in data["curves"] if c["vocab_size"] == 27)
    at = min(range(len(curve["epsilon"])), key=lambda k: abs(curve["epsilon"][k] - 0.01))
    return (
        "1 + ⌈(1 + 1/log V)/(8ε)⌉ steps are enough for every language, order and length: at ε = "
        f"{curve['epsilon'][at]:.4f} and V = 27, {curve['written'][at]:.0f} where 1/ε² is "
        f"{curve['published'][at]:,.0f}; fewer than {curve['necessary'][at]:.0f} are not, for some language"
    )


def _calls(data: dict) -> str:
    chain = next(c for c in data["curves"] if c["exact_order"] == "halving")
    pairs = next(c for c in data["curves"] if c["exact_order"] != "halving")
    return (
        f"in random order, yes: an error of 5 % takes {pairs['sequence_calls'][-1]:,.0f} calls at L = "
        f"{pairs['lengths'][-1]:,} (pairs), {chain['sequence_calls'][-1]:.0f} at L = {chain['lengths'][-1]} (a "
        f"3-letter chain). In a good order they are exact in {pairs['exact_calls'][-1]} and {chain['exact_calls'][-1]}"
    )


def _energy(data: dict) -> str:
    ratios = [row["sine_squared"] / row["optimum"] for row in data["budgets"]]
    text = [row["linear"] / row["optimum"] for row in data["budgets"] if row["target"].startswith("text")]
    return (
        f"as a mask schedule it costs {min(ratios):.2f} to {max(ratios):.1f} times the optimum on six languages (L = "
        f"1024, N = 16 and 64); on English bigrams the linear schedule is within {max(text) - 1:.1%} of the optimum"
    )


def _bounded(data: dict) -> str:
    row = next(r for r in data["calls"] if r["target"] == "sudoku")
    return (
        f"losing at most 1 % of the total correlation of 4x4 Sudoku (L = 16), EB takes {row['EB']:.1f} calls, a fixed "
        f"schedule {row['fixed']:.0f}, the best adaptive rule {row['optimal']:.1f}"
    )


def _drawn(data: dict) -> str:
    last = data["collapse"]["drawn"][-1]
    n = last["length"]
    return (
        f"biased even at one letter per call with an exact network: on a 2-letter chain, L = {n}, entropy "
        f"{last['entropy_p'] / n:.3f} nats per letter for {last['entropy_q'] / n:.3f}, KL {last['kl']:.1f}; its "
        f"generative perplexity *improves*, {2.718281828459045 ** (last['cross_entropy'] / n):.2f} for "
        f"{2.718281828459045 ** (last['entropy_q'] / n):.2f}"
    )


def _perplexity(data: dict) -> str:
    curves = data["curves"]
    at, exact, sharp = len(curves["steps"]) - 1, 0, 1
    times = curves["excess"][sharp][at] / curves["excess"][exact][at]
    return (
        f"a sharpened denoiser (power 1.5, 3-letter chain, L = 7, N = {curves['steps'][at]}) scores "
        f"{-curves['generative'][sharp][at]:.3f} nats per letter *better than the language*, and is {times:.0f} times "
        "farther from it than the exact one"
    )


def _noise(data: dict) -> str:
    sizes, pots = (1 / data["methods"][name]["ratio"]["value"] for name in ("size, uniform k", "P-POTS"))
    return (
        f"at L = 4, drawing the number of masks uniformly divides the run-to-run variance of log excess loss by "
        f"{sizes:.0f}, P-POTS by {pots:.0f} ({data['runs']} runs each). On pairs with an exact network P-POTS' p* is "
        "better from L = 18 on ([sizes-at-length](theory/variance/derivation.md#sizes-at-length))"
    )


def _order(data: dict) -> str:
    rows = [r for r in data["success"] if r["start"] == "equal" and r["toy"] == "K1"]
    found = {r["method"]: f"{r['successes']} of {r['trials']}" for r in rows}
    return (
        f"from equal weights gradient descent finds {found['gradient']} planted orders, Adam {found['Adam']}; descent "
        f"on the differences along edges {found['edge differences']} (parent-pointer chains, K1)"
    )


FINDINGS = (
    Finding(
        "N = O((n − 1)/εⁿ) steps for an n-gram language (Feng et al. 2025, Thm 4.2)",
        _steps,
        "perplexity-step-count",
        "perplexity",
        "ter-sharp-constant",
    ),
    Finding(
        "A text that is right takes steps linear in its length (Feng et al. 2025, Thm 4.4)",
        _calls,
        "sequence-error-calls",
        "sequence_error",
        "bisection-exact",
    ),
    Finding(
        "sin²(πt/2) minimises the kinetic energy (Chen et al. 2025)",
        _energy,
        "energy-beta-search",
        "energy",
        "energy-beta-against-optimum",
    ),
    Finding(
        "An entropy budget decides how many tokens a call writes (EB-Sampler, Ben-Hamu et al. 2025)",
        _bounded,
        "entropy-bound-speedup",
        "entropy_bound",
        "optimal-front",
    ),
    Finding(
        "Draw every mask, keep the most probable draws (low-confidence remasking, LLaDA 2025)",
        _drawn,
        "decoding-collapse",
        "decoding",
        "drawn-confidence-biased",
    ),
    Finding(
        "Samplers are ranked by generative perplexity",
        _perplexity,
        "perplexity-generative",
        "perplexity",
        "generative-perplexity-uncontrolled",
    ),
    Finding(
        "P-POTS and MIRROR lower the training variance (Jia et al. 2025)",
        _noise,
        "variance-training",
        "variance",
        "training-spread",
    ),
    Finding(
        "Learning the schedule is learning the order (Garg et al. 2025, our reading)",
        _order,
        "learned-order-success",
        "learned_order",
        "descent-finds-best-order",
    ),
)


def table(figures: Path = FIGURES) -> str:
    """The Markdown table, from the records in `figures`."""
    rows = ["| said or done | exact, here | proof | picture |", "|---|---|---|---|"]
    for finding in FINDINGS:
        record = json.loads((figures / f"{finding.figure}.json").read_text(encoding="utf-8"))
        if finding.claim not in record["claims"]:
            raise ValueError(f"figure {finding.figure} shows {record['claims']}, not {finding.claim}")
        rows.append(
            f"| {finding.said} | {finding.found(record['data'])} "
            f"| [{finding.claim}](theory/{finding.topic}/derivation.md#{finding.claim}) "
            f"| [figure](figures/out/{finding.figure}.png) |"
        )
    return "\n".join(rows)


def page(readme: str, figures: Path = FIGURES) -> str:
    """The README with today's table between its markers."""
    if START not in readme or END not in readme:
        raise ValueError(f"the README has no {START} ... {END}")
    head, tail = readme.split(START)[0], readme.split(END)[1]
    return f"{head}{START}\n{table(figures)}\n{END}{tail}"


if __name__ == "__main__":
    fresh = page(README.read_text(encoding="utf-8"))
    write_aside(README, lambda path: path.write_text(fresh, encoding="utf-8"))
