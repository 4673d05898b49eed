"""The numbers of the page on which a sampler moves: language x length x rule x schedule x steps x denoiser.

    python -m book.moving_page          computes everything anew and writes book/page/data.js

Two small languages are enumerated: every number is exact. On English bigrams what has an exact route is exact, the rest
is estimated from 3000 runs and carries its interval. A number is [value, low, high]; low == high says that it is exact.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import toy_models as tm
from toy_models.errors import IntractableError
from toy_models.files import write_aside
from toy_models.quantities import clopper_pearson, student_interval
from toy_models.rules.protocol import Rule, sees_contents, sees_drawn
from toy_models.schedules.sizes import even_split_sizes
from toy_models.targets.protocol import Denoiser, Target

DATA = Path(__file__).resolve().parent / "page" / "data.js"
RUNS = 5  # texts shown of each setting
SAMPLED = 3000
CONFIDENCE = 0.999
SHARP = 1.25
LONGEST_MIXTURE = 8  # letters, up to which 2^L sets of positions are summed for each text
GAMMAS = (0.0, 0.1, 0.3, 1.0, 3.0)
SLOTS = {4: (1, 2, 3, 4, 8), 6: (1, 2, 3, 4, 6, 12), 8: (1, 2, 4, 8, 16), 16: (1, 2, 4, 8, 16, 32)}


@dataclass(frozen=True)
class Language:
    """make(length) -> target; letters: how each token is shown."""

    name: str
    told: str
    letters: str
    lengths: tuple[int, ...]
    make: Callable[[int], tm.MarkovChain]


@dataclass(frozen=True)
class Setting:
    """One position of the slider: how it is called, the rule, and the cuts of the information curve, if it has any."""

    label: str
    rule: Rule
    cuts: tuple[float, ...] = ()


def english(length: int) -> tm.MarkovChain:
    found = tm.corpus.language(2, length)
    assert isinstance(found, tm.MarkovChain)  # order 2
    return found


SLOW = [[0.9, 0.1], [0.1, 0.9]]
APART = [[0.0, 0.6, 0.4], [0.5, 0.0, 0.5], [0.3, 0.7, 0.0]]
LANGUAGES = (
    Language(
        "apart",
        "three letters, never the same twice in a row",
        "abc",
        (4, 6),
        lambda n: tm.MarkovChain(APART, n),
    ),
    Language(
        "slow",
        "two letters, a Markov chain that changes with probability 0.1",
        "ab",
        (4, 8),
        lambda n: tm.MarkovChain(SLOW, n),
    ),
    Language(
        "english",
        "27 symbols, bigrams of English text",
        "abcdefghijklmnopqrstuvwxyz ",
        (8, 16),
        english,
    ),
)


def denoisers(target: Target) -> dict[str, Denoiser]:
    return {"exact": target, "sharpened": tm.Tempered(target, SHARP)}


def settings(target: Target, g: np.ndarray) -> dict[str, dict[str, list[Setting]]]:
    """{rule: {schedule: settings}}; a rule that knows no schedule has the one named ""."""
    length = target.length
    slots = SLOTS[length]
    steps = [n for n in slots if n <= length]

    def independent(weights_of) -> list[Setting]:
        return [Setting(f"N = {n}", tm.IndependentReveal(w := weights_of(n)), cuts(w * length)) for n in slots]

    def ordered(sizes_of) -> list[Setting]:
        return [Setting(f"N = {n}", tm.RandomOrder(s := sizes_of(n).tolist()), cuts(s)) for n in steps]

    sizes = {n: even_split_sizes(length, n) for n in steps}
    halving = tm.bisection(length)
    return {
        "independent": {
            "linear": independent(tm.LinearSchedule().weights),
            "cosine": independent(tm.CosineSchedule().weights),
            "best": independent(lambda n: tm.optimal_weights(g, n)),
        },
        "random-order": {
            "even": ordered(lambda n: sizes[n]),
            "best": ordered(lambda n: tm.optimal_sizes(g, n)),
        },
        "shifted": {"": [Setting(f"N = {n}", tm.ShiftedReveal(n)) for n in steps if n > 1]},
        "halving": {"": [Setting(f"{halving.steps} calls", halving)]},
        "left-to-right": {"": [Setting(f"{length} calls", tm.FixedOrder([[i] for i in range(length)]))]},
        "entropy-bounded": {"": [Setting(f"γ = {gamma:g}", tm.EntropyBounded(gamma)) for gamma in GAMMAS]},
        "confident": {"": [Setting(f"{k} per call", tm.TopK(k)) for k in (1, 2, 4) if k <= length]},
        "drawn-confidence": {"": [Setting(f"N = {n}", tm.DrawnConfidence(sizes[n].tolist())) for n in steps]},
    }


def cuts(sizes) -> tuple[float, ...]:
    """Letters known before each step, and L at the end."""
    return (0.0, *(round(float(k), 4) for k in np.cumsum(sizes)))


def run(denoiser: Denoiser, rule: Rule, rng: np.random.Generator) -> dict:
    """One text: its letters (-1 where the run got stuck) and in which call each was written, from 0."""
    done = tm.quantities.trace(denoiser, rule, rng)
    return {"x": done.tokens.tolist(), "call": done.call.tolist(), "stuck": done.stuck}


def numbers(target: Target, denoiser: Denoiser, rule: Rule, rng: np.random.Generator) -> dict[str, list[float] | None]:
    """trajectory, written: KL in nats per letter; error: SER; calls; perplexity: exp of E[-log q] per letter of the
    possible texts. None: no route, exact or sampled."""
    if (target.vocab_size + 1) ** target.length <= 3**9:
        return enumerated(target, denoiser, rule)
    exact = denoiser is target
    ratios = written(target, rule, rng) if exact else None
    runs = tm.sample(denoiser, rule, SAMPLED, rng)
    possible = ~runs.impossible
    possible[possible] = np.isfinite(target.log_prob(runs.tokens[possible]))
    losses = -target.log_prob(runs.tokens[possible]) / target.length
    return {
        "trajectory": (first(lambda: tm.trajectory_kl(target, rule), per=target.length) if exact else None)
        or (ratios if deterministic(rule) else None),
        "written": ratios,
        "error": (first(lambda: tm.sequence_error(target, rule)) if exact else None)
        or interval(clopper_pearson(int((~possible).sum()), SAMPLED, CONFIDENCE)),
        "calls": (None if sees_contents(rule) or runs.impossible.any() else first(lambda: mean_calls(rule, target)))
        or interval(student_interval(runs.steps.astype(float), CONFIDENCE)),
        "perplexity": [float(np.exp(v)) for v in interval(student_interval(losses, CONFIDENCE))]
        if possible.sum() > 1
        else None,
    }


def enumerated(target: Target, denoiser: Denoiser, rule: Rule) -> dict[str, list[float] | None]:
    """All five from the exact law of the sampler."""
    law = tm.sampler_law(denoiser, rule)
    texts = np.stack(np.unravel_index(np.arange(law.pmf.size), law.pmf.shape), axis=1)
    log_q, p = target.log_prob(texts), law.pmf.ravel()
    possible = np.isfinite(log_q)
    mass = p[possible].sum()
    loss = -(p[possible] @ log_q[possible]) / mass / target.length if mass > 0 else np.inf
    return {
        "trajectory": first(lambda: tm.trajectory_kl(target, rule, denoiser), per=target.length),
        "written": exactly(tm.marginal_kl(target, rule, denoiser) / target.length),
        "error": exactly(max(0.0, 1.0 - mass)),
        "calls": exactly(law.mean_steps),
        "perplexity": exactly(np.exp(loss)),
    }


def deterministic(rule: Rule) -> bool:
    """Whether the text determines its order, so that both KLs are one."""
    return isinstance(rule, tm.FixedOrder) or (sees_contents(rule) and not sees_drawn(rule))


def mean_calls(rule: Rule, target: Target) -> float:
    return tm.expected_calls(target, rule)


def written(target: Target, rule: Rule, rng: np.random.Generator) -> list[float] | None:
    """KL(q || p) per letter from texts of q and the exact likelihood of the rule, where it has one of low cost."""
    if isinstance(rule, tm.RandomOrder | tm.DrawnConfidence) and target.length > LONGEST_MIXTURE:
        return None
    x = target.sample(300, rng)
    try:
        ratios = (target.log_prob(x) - tm.log_likelihood(target, rule, x)) / target.length
    except (IntractableError, ValueError, TypeError):
        return None
    return interval(student_interval(ratios, CONFIDENCE))


def first(route, per: int = 1) -> list[float] | None:
    """The exact number, None where no exact route fits."""
    try:
        return exactly(route() / per)
    except (IntractableError, ValueError, TypeError):
        return None


def exactly(value) -> list[float]:
    return [float(value)] * 3


def interval(estimate) -> list[float]:
    return [float(estimate.value), float(estimate.low), float(estimate.high)]


def rounded(number: list[float] | None) -> list | None:
    """Seven significant digits, rounding errors of 0 as 0; an infinite number is the word inf."""
    if number is None:
        return None
    return ["inf" if np.isinf(v) else 0.0 if abs(v) < 1e-12 else float(f"{v:.7g}") for v in number]


def forbidden(target: tm.MarkovChain) -> list[list[int]]:
    """Pairs of neighbours that no text of a chain holds."""
    return [[int(a), int(b)] for a, b in zip(*np.nonzero(target.transition == 0), strict=True)]


def page_data() -> dict:
    """Everything that the page shows."""
    from tqdm import tqdm

    found = []
    for language in LANGUAGES:
        parts = []
        for length in language.lengths:
            target = language.make(length)
            g = tm.information_curve(target)
            rules = {}
            for rule, by_schedule in tqdm(settings(target, g).items(), desc=f"{language.name} {length}", disable=None):
                rules[rule] = {
                    schedule: [told(target, setting) for setting in choices]
                    for schedule, choices in by_schedule.items()
                }
            parts.append({"length": length, "g": [float(f"{v:.7g}") for v in g], "rules": rules})
        pairs = forbidden(language.make(language.lengths[0]))
        found.append(
            {"name": language.name, "told": language.told, "letters": language.letters, "never": pairs, "parts": parts}
        )
    return {"sharp": SHARP, "sampled": SAMPLED, "confidence": CONFIDENCE, "languages": found}


def told(target: Target, setting: Setting) -> dict:
    """One setting under both denoisers: numbers and runs."""
    result: dict = {"label": setting.label, "cuts": setting.cuts}
    for name, denoiser in denoisers(target).items():
        rng = np.random.default_rng(0)
        runs = [run(denoiser, setting.rule, rng) for _ in range(RUNS)]
        found = {key: rounded(value) for key, value in numbers(target, denoiser, setting.rule, rng).items()}
        result[name] = {"numbers": found, "runs": runs}
    return result


def write(path: Path = DATA) -> None:
    """Assign the data to DATA, a script: a page opened from a folder may load scripts, not JSON."""
    text = "const DATA = " + json.dumps(page_data(), separators=(",", ":"), allow_nan=False) + ";\n"
    write_aside(path, lambda aside: aside.write_text(text, encoding="utf-8"))


if __name__ == "__main__":
    write()
