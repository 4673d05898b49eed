"""The moving picture of the README: three rules write 32 letters with one exact network, call by call.

python -m theory.start_here.moving      writes figures/sampler.gif
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

import toy_models as tm
from theory.start_here.figures import shown_letter
from toy_models.files import write_aside
from toy_models.quantities import Trace

PATH = Path(__file__).resolve().parents[2] / "figures" / "sampler.gif"
LENGTH, SLOTS, SEED = 32, 4, 0
HOLD, PACE = 8, 250  # frames at the end, milliseconds of a frame
RUNS = 1000  # of the first rule, to say how often it errs
BAD, FRESH, INK, MASKED = "#bd1f01", "#1f6fb5", "#222222", "#9a9a9a"


@dataclass(frozen=True)
class Row:
    """A rule at work on English bigrams."""

    told: str
    run: Trace
    clashes: tuple[int, ...]  # i: letters i and i + 1 never follow each other in the language


def rows() -> tuple[Row, ...]:
    """A run of each rule: of the first, the first complete one that holds a clash, and how many of RUNS err."""
    target, rng = tm.corpus.language(2, LENGTH), np.random.default_rng(SEED)
    assert isinstance(target, tm.MarkovChain)  # order 2
    at_random = tm.RandomOrder([LENGTH // SLOTS] * SLOTS)
    wrong = round(RUNS * float(tm.quantities.estimate_sequence_error(target, at_random, RUNS, rng).value))
    told = f"{SLOTS} equal steps, positions at random: {wrong} of {RUNS} texts are wrong, such as"
    found = [Row(told, run := tm.quantities.trace(target, at_random, rng), clashes(target, run))]
    while found[0].run.stuck or not found[0].clashes:
        found = [Row(told, run := tm.quantities.trace(target, at_random, rng), clashes(target, run))]
    for told, rule in (
        ("halving, the middle first, then the middles of the halves: exact", tm.bisection(LENGTH)),
        ("LLaDA's rule, draw every mask and keep the surest draw: one letter per call", tm.DrawnConfidence(1)),
    ):
        run = tm.quantities.trace(target, rule, rng)
        found.append(Row(told, run, clashes(target, run)))
    return tuple(found)


def clashes(target: tm.MarkovChain, run: Trace) -> tuple[int, ...]:
    """i: both letters i and i + 1 are written and never follow each other in the language."""
    pairs = np.flatnonzero((run.call[:-1] >= 0) & (run.call[1:] >= 0))
    never = target.transition[run.tokens[pairs], run.tokens[pairs + 1]] == 0
    return tuple(int(i) for i in pairs[never])


def shown(row: Row, calls: int) -> list[tuple[str, str]]:
    """(letter, colour) of every position after so many calls.

    >>> from theory.start_here.moving import Row, shown
    >>> run = tm.quantities.Trace(np.array([0, 1, 26]), np.array([0, 1, 1]), False)
    >>> [letter for letter, _ in shown(Row("", run, ()), 1)], [colour for _, colour in shown(Row("", run, (1,)), 2)][1:]
    (['a', '·', '·'], ['#bd1f01', '#bd1f01'])
    """
    now = row.run.after(calls)
    bad = {k for i in row.clashes for k in (i, i + 1) if (now[[i, i + 1]] >= 0).all()}
    colours = [
        MASKED if token < 0 else BAD if i in bad else FRESH if row.run.call[i] == calls - 1 else INK
        for i, token in enumerate(now)
    ]
    return [(shown_letter(int(token)), colour) for token, colour in zip(now, colours, strict=True)]


def animate(path: Path = PATH) -> None:
    """A frame per call; a rule that has finished waits for the others."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from PIL import Image

    drawn = rows()
    fig = Figure(figsize=(7.6, 2.9), dpi=100)
    canvas = FigureCanvasAgg(fig)
    frames = []
    for calls in range(max(row.run.calls for row in drawn) + 1):
        fig.clear()
        _draw(fig, drawn, calls)
        canvas.draw()
        pixels = np.asarray(canvas.buffer_rgba())[:, :, :3]
        frames.append(Image.fromarray(pixels).quantize(128, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE))
    frames += [frames[-1]] * HOLD
    write_aside(
        path,
        lambda aside: frames[0].save(
            aside, format="GIF", save_all=True, append_images=frames[1:], duration=PACE, loop=0, optimize=True
        ),
    )


def _draw(fig, drawn: tuple[Row, ...], calls: int) -> None:
    fig.text(0.02, 0.94, "One exact network (English bigrams), three rules", fontsize=11, weight="bold", color=INK)
    for k, row in enumerate(drawn):
        top, done = 0.82 - 0.27 * k, min(calls, row.run.calls)
        fig.text(0.02, top, row.told, fontsize=9, color=INK)
        clashes = sum(bool((row.run.after(done)[[i, i + 1]] >= 0).all()) for i in row.clashes)
        counted = f"{done} of {row.run.calls} calls"
        if row.clashes:
            counted += f", {clashes} impossible pair{'' if clashes == 1 else 's'}"
        fig.text(0.98, top, counted, fontsize=9, color=BAD if clashes else INK, ha="right")
        for i, (letter, colour) in enumerate(shown(row, done)):
            bad = {"boxstyle": "round,pad=0.12", "facecolor": BAD, "edgecolor": "none"} if colour == BAD else None
            fig.text(
                0.035 + 0.0298 * i,
                top - 0.115,
                letter,
                fontsize=13,
                color="white" if bad else colour,
                weight="bold" if colour == FRESH else "normal",
                ha="center",
                family="monospace",
                bbox=bad,
            )
    fig.text(0.02, 0.03, "blue: written by this call · red: neighbours that the language forbids · ␣ space", fontsize=8)


if __name__ == "__main__":
    animate()
