"""Figures of the opening notebook: Results -> Figure."""

import matplotlib.pyplot as plt
import numpy as np

from figures.layout import GREY, Drawn
from figures.registry import figure
from theory.start_here.results import Results
from toy_models.targets.corpus import ALPHABET


def shown_letter(token: int) -> str:
    """A dot for a mask, ␣ for a space."""
    return "·" if token < 0 else ALPHABET[token].replace(" ", "␣")


@figure(
    "start-here-trace",
    claims=(),
    kind="sampled",
    note=lambda results: (
        "red: written in this step, independently of each other · ␣ is a space · "
        + (f"run {results.attempts}; the earlier ones met an impossible context" if results.attempts > 1 else "one run")
    ),
)
def trace(results: Results) -> Drawn:
    """Text being written: one row per step, fresh letters in colour, masks as dots."""
    rows, length = results.trace.shape
    fig, ax = plt.subplots(figsize=(10, 0.32 * rows + 0.9))
    for j, row in enumerate(results.trace):
        before = results.trace[j - 1] if j else np.full(length, -1)
        for i, token in enumerate(row):
            fresh = token >= 0 and before[i] < 0
            colour = "0.75" if token < 0 else "C2" if fresh else "0.15"
            ax.text(
                i,
                -j,
                shown_letter(int(token)),
                ha="center",
                va="center",
                family="DejaVu Sans Mono",
                fontsize=9,
                color=colour,
            )
    ax.set_yticks(-np.arange(rows), [f"step {j}" if j else "start" for j in range(rows)], fontsize=8)
    ax.set(xlim=(-1, length), ylim=(-rows + 0.4, 0.6), xticks=[])
    ax.grid(visible=False)
    for side in ax.spines.values():
        side.set_visible(False)
    ax.tick_params(length=0)
    ax.set_title(f"a masked diffusion sampler at work: {results.language}, exact marginals, 8 steps", fontsize=10)
    return fig, {"trace": results.trace}


SHOWN = (2, 16)  # numbers of steps
SINGLE = 7  # impossible words with a bar of their own


@figure(
    "start-here-law",
    claims=("ser-from-kl",),
    kind="exact",
    note=lambda results: "; ".join(
        f"N = {n}: impossible words {wrong:.4f} + stuck {stuck:.4f} = SER {wrong + stuck:.4f}"
        for n, wrong, stuck in zip(SHOWN, *failures(results), strict=True)
    ),
)
def law(results: Results) -> Drawn:
    """The exact law of what is written beside the language: possible words, impossible ones, and stuck runs."""
    possible = int((results.target > 0).sum())
    first, last = possible, possible + SINGLE
    names = [*results.words[:last], f"{len(results.words) - last} more", "stuck"]
    place = np.arange(len(names)) + 1.5 * (np.arange(len(names)) >= first)
    fig, ax = plt.subplots(figsize=(10.4, 4.2))
    ax.bar(place[:first], results.target[:first], color="0.85", width=0.9, label="language q")
    for k, n in enumerate(SHOWN):
        row = results.steps.index(n)
        written, stuck = results.written[row], results.stuck[row]
        height = [*written[:last], written[last:].sum(), stuck]
        told = f"written in N = {n} steps: KL {results.kl[row]:.3f} nats, SER {results.sequence_error[row]:.3f}"
        ax.bar(place + 0.2 * (2 * k - 1), height, width=0.4, color=f"C{(2, 0)[k]}", label=told)
    ax.axvline((place[first - 1] + place[first]) / 2, color=GREY, lw=0.8, ls=":")
    for at, text in ((place[first - 1], f"the {possible} possible words"), (place[first], "impossible: the SER")):
        ax.annotate(text, (at, 0.3), fontsize=9, color=GREY, ha="right" if at == place[first - 1] else "left")
    ax.set_xticks(place, names, rotation=70, family="DejaVu Sans Mono", fontsize=8)
    ax.set(ylabel="probability", xlim=(place[0] - 1, place[-1] + 1))
    ax.set_title(
        "two steps write impossible words or get stuck; sixteen nearly write the language (3-symbol chain, L = 4)"
    )
    ax.grid(axis="x", visible=False)
    ax.legend(loc="upper center", bbox_to_anchor=(0.45, 1.0))
    fields = ("words", "target", "written", "stuck", "steps", "kl", "sequence_error")
    return fig, {k: getattr(results, k) for k in fields}


def failures(results: Results) -> tuple[list[float], list[float]]:
    """Mass of impossible words and of stuck runs at the numbers of steps shown; their sums are the SER."""
    rows = [results.steps.index(n) for n in SHOWN]
    return [float(results.written[r][results.target == 0].sum()) for r in rows], [float(results.stuck[r]) for r in rows]


@figure(
    "start-here-curve",
    claims=("curve-identity-sizes",),
    kind="exact",
    note="random order, exact network; in the panels nats per token",
)
def curve(results: Results) -> Drawn:
    """The uncertainty of a token given k others, and the area that steps of a random order lose above it."""
    fig, axes = plt.subplots(1, len(results.curves), figsize=(10, 3.7))
    for ax, part in zip(axes, results.curves, strict=True):
        length = len(part.g)
        ax.plot(np.arange(length) + 0.5, part.g, color="C0", lw=2.2, zorder=3)
        for kind, colour in (("even", "C2"), ("best", "0.25")):
            starts = np.concatenate([[0], np.cumsum(part.sizes[kind])])
            level = np.repeat(part.g[starts[:-1]], np.diff(starts))
            if kind == "even":
                ax.bar(np.arange(length) + 0.5, level - part.g, 1.0, bottom=part.g, color=colour, alpha=0.45, lw=0)
            ax.stairs(
                part.g[starts[:-1]], starts, color=colour, lw=1.4, baseline=None, ls="-" if kind == "even" else "--"
            )
        told = f"blue: g(k)\n{len(part.sizes['even'])} even steps lose {part.lost['even']:.3f} (red)\nthe best "
        told += f"{len(part.sizes['best'])} lose {part.lost['best']:.3f} (dashed)"
        ax.text(0.97, 0.95, told, transform=ax.transAxes, ha="right", va="top", fontsize=9)
        ax.set(xlabel="tokens already known, k", xlim=(0, length), ylim=(0, 1.25 * part.g[0]), title=part.language)
    axes[0].set_ylabel("nats")
    fig.suptitle(
        "A step draws its tokens as uncertain as at its beginning: the area above g(k) is what it loses", fontsize=11
    )
    return fig, {"curves": results.curves}
