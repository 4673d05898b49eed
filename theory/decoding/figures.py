"""Figures of the decoding topic: why drawn confidence repeats itself, and every rule beside the optimal front."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import BoundaryNorm

from figures.layout import Drawn, plain_ticks
from figures.registry import figure
from theory.decoding.results import Results

WIDTH = 9.8
FAMILIES = {  # first word of a rule -> (colour, marker, label)
    "drawn": ("C2", "s", "looks at the drawn tokens"),
    "P2": ("C2", "D", "redraws written tokens too"),
    "marginal": ("C0", "o", "looks at the marginals"),
    "entropy-bounded,": ("C0", "o", "looks at the marginals"),
    "entropy": ("C0", "o", "looks at the marginals"),
    "random": ("C1", "^", "random order"),
    "ancestral,": ("C1", "^", "random order"),
    "halving": ("C4", "v", "fixed order"),
    "dilated": ("C4", "v", "fixed order"),
}


@figure(
    "decoding-collapse",
    claims=("drawn-confidence-biased", "drawn-confidence-collapse", "drawn-confidence-quadratic"),
    kind="exact",
    note="one token per call, temperature 1, exact network",
)
def collapse(results: Results) -> Drawn:
    """Left: entropy and generative cross-entropy per token against length on a chain. Right: KL over L squared."""
    part = results.collapse
    fig, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 4.3), width_ratios=(1.35, 1))
    length = np.array([w.length for w in part.drawn])
    own = np.array([w.entropy_q for w in part.drawn]) / length
    cross = np.array([w.cross_entropy for w in part.drawn]) / length
    entropy = np.array([w.entropy_p for w in part.drawn]) / length
    exact = np.array([w.entropy_p for w in part.marginal]) / length
    left.plot(length, own, "k-", lw=1.2)
    left.plot(length, exact, color="C0", marker="o", ls="none", mfc="none", ms=8)
    left.plot(length, cross, color="C1", marker="^", ls="--")
    left.plot(length, entropy, color="C2", marker="s")
    last = len(length) - 1
    _label(left, length[last], own[last], "the language, and what marginal\nconfidence writes: exact", "C0", 9)
    _label(
        left,
        length[last],
        cross[last],
        "log generative perplexity of drawn\nconfidence: better than the language",
        "C1",
        24,
    )
    _label(left, length[last], entropy[last], "entropy of what drawn\nconfidence writes", "C2", 20)
    left.set(
        xlabel="length L", ylabel="nats per token", ylim=(0, 0.72), xlim=(0.8, length[last] + 0.4), xticks=length[::2]
    )
    left.set_title("chain (.7,.3),(.2,.8)", fontsize=10)
    _quadratic(right, part, length)
    fig.suptitle("Keep the surest drawn token: the text repeats itself, and its perplexity improves", fontsize=11)
    return fig, {"collapse": part}


def _label(ax, x, y, text: str, colour: str, up: float) -> None:
    ax.annotate(text, (x, y), (0, up), textcoords="offset points", ha="right", va="bottom", fontsize=8.5, color=colour)


def _quadratic(ax, part, length) -> None:
    kl = np.array([w.kl for w in part.drawn])
    ax.plot(length[1:], (kl / length**2)[1:], color="C2", marker="s")
    ax.plot(part.lengths[1:], (part.iid_kl / part.lengths**2)[1:], color="C4", marker="o", ls="--")
    ax.axhline(part.limit, color="C4", lw=0.9)
    near = {"textcoords": "offset points", "fontsize": 8.5}
    ax.annotate("chain (.7,.3),(.2,.8)", (length[-1], kl[-1] / length[-1] ** 2), (4, 4), color="C2", **near)
    ax.annotate("coins (.9, .1), ties at random", (part.lengths[4], 0.021), (0, 0), color="C4", **near)
    ax.annotate("limit e² log(1/e)/2, e = .1", (part.lengths[3], part.limit), (0, -12), color="C4", **near)
    ax.set(xscale="log", yscale="log", xlabel="length L", ylabel="KL(q‖p) / L²", ylim=(0.006, 0.25))
    plain_ticks(ax.xaxis, (2, 8, 32, 128, 512))
    plain_ticks(ax.yaxis, (0.01, 0.03, 0.1))
    ax.set_title("KL grows like the square of the length", fontsize=10)


@figure(
    "decoding-calls-error",
    claims=("released-rules-regret", "price-of-exactness"),
    kind="exact",
    note="calls that reveal a token, expected; squares: under what is written, others: under q; exact network, T = 1",
)
def calls_error(results: Results) -> Drawn:
    """Every rule at its published setting, exact calls and KL on one slow chain, and the optimal adaptive front."""
    table = results.regret
    language = table.languages[2]
    calls, kl = table.fronts[language]
    entries = [e for e in table.entries if e.language == language]
    fig, ax = plt.subplots(figsize=(WIDTH, 5.2))
    right = max(e.calls for e in entries) * 1.23
    most = max(entry.calls for entry in entries)
    ax.fill_between([*calls, most], [*kl, 0.0], color="0.92", lw=0, zorder=0)
    ax.plot([*calls, most], [*kl, 0.0], color="0.15", lw=1.6, zorder=2)
    seen = set()
    for entry in entries:
        colour, marker, label = FAMILIES[entry.rule.split()[0]]
        ax.plot(
            entry.calls, entry.kl, color=colour, marker=marker, ms=7, ls="none", label=None if label in seen else label
        )
        seen.add(label)
    _names(ax, entries)
    ax.set_yscale("symlog", linthresh=0.01, linscale=0.4)
    ax.set_yticks([0, 0.01, 0.1, 1], ["0", "0.01", "0.1", "1"])
    ax.set(xlabel="expected calls", ylabel="KL(q‖p) in nats", xlim=(0.9, right), ylim=(-0.002, 8))
    ax.set_xticks(range(1, round(most) + 1))  # the room to the right is for names: no rule makes more calls
    ax.annotate("no adaptive rule is below", (1.2, 0.02), fontsize=9, color="0.35")
    paid = [e.kl for e in entries if e.rule.startswith("drawn")]
    halving = table.of("halving", language)
    title = f"drawn confidence pays {min(paid):.1f} to {max(paid):.1f} nats, halving none at {halving.calls:.0f} calls"
    ax.set_title(f"{language}: {title}")
    ax.legend(loc="center", bbox_to_anchor=(0.6, 0.25), fontsize=8.5)
    return fig, {"language": language, "entries": entries, "front": {"calls": calls, "kl": kl}}


LEFT = (
    "drawn confidence, factor 1",
    "random order, L/2 calls",
    "random order, floor sizes, N = L",
    "marginal confidence ≥ .9",
    "ancestral, N = L slots",
)
LOWER = ("P2 with drawn tokens, L calls", "entropy sum ≤ .5", "random order, L/2 calls")


def _names(ax, entries) -> None:
    """The name beside each point: to its left where two would meet, else to its right."""
    for e in entries:
        left = e.rule in LEFT
        side, up = (-7, "right") if left else (7, "left"), -9 if e.rule in LOWER else 4
        ax.annotate(
            e.rule.replace("confidence", "conf."),
            (e.calls, e.kl),
            (side[0], up),
            textcoords="offset points",
            fontsize=7.5,
            color="0.25",
            ha=side[1],
        )


def _short(value: float) -> str:
    if 0 < value < 0.001:
        return "< .001"
    return "0" if value == 0 else f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


LEVELS = (-1.0, 1e-6, 0.05, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0)


@figure(
    "decoding-regret",
    claims=("released-rules-regret", "price-of-exactness", "drawn-confidence-exact-cases"),
    kind="exact",
    note="exact network, temperature 1; calls in brackets; front of deterministic adaptive rules",
)
def regret(results: Results) -> Drawn:
    """Regret of every rule on six languages: KL minus the least KL of an adaptive rule with as many expected calls."""
    table = results.regret
    names = table.rules
    values = np.array([[table.of(rule, language).regret for language in table.languages] for rule in names])
    values = np.where(np.abs(values) < 1e-6, 0.0, values)
    fig, ax = plt.subplots(figsize=(WIDTH, 0.36 * len(names) + 1.9))
    norm = BoundaryNorm(LEVELS, plt.get_cmap("OrRd").N)
    ax.imshow(np.where(values <= 0, -0.5, values), cmap="OrRd", norm=norm, aspect="auto")
    for r, rule in enumerate(names):
        for c, language in enumerate(table.languages):
            entry = table.of(rule, language)
            shown = _short(values[r, c])
            dark = values[r, c] > 2
            ax.text(
                c, r, f"{shown}  ({entry.calls:.3g})", ha="center", va="center", fontsize=8, color="w" if dark else "k"
            )
    labels = [name.replace(" (", "\n(").replace(", L", "\nL").replace(", 3", "\n3") for name in table.languages]
    labels = [name.replace("letters, ", "letters\n") for name in labels]
    ax.set_xticks(range(len(labels)), labels, fontsize=8)
    ax.set_yticks(range(len(names)), names, fontsize=8.5)
    ax.xaxis.tick_top()
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    drawn = sum(1 for name in names if name.startswith("drawn"))
    ax.axhline(drawn + 0.5, color="0.3", lw=1.0)
    most = values[: drawn + 1].max()
    fig.suptitle(
        f"Nats above the optimal front: up to {most:.1f} when the drawn token decides, under 1 otherwise", fontsize=11
    )
    return fig, {"entries": table.entries, "entropies": table.entropies}
