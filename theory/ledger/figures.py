"""The figures of the topics: found in theory/<topic>/figures*.py, drawn and written, and asked for by claim."""

import pkgutil
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path

from figures.registry import FIGURES, WITHOUT, Entry
from figures.save import draw, save
from theory.ledger import THEORY


def topics() -> list[str]:
    """Topics that draw something, those without claims included."""
    return sorted(path.parent.name for path in THEORY.glob("*/figures.py"))


@cache
def load(topic: str | None = None) -> None:
    """Import the draw functions of one topic (its main module first), or of all."""
    for name in topics() if topic is None else [topic]:
        found = [m.name for m in pkgutil.iter_modules([str(THEORY / name)])]
        for module in sorted(m for m in found if m == "figures" or m.startswith("figures_")):
            import_module(f"theory.{name}.{module}")


def of(topic: str) -> list[Entry]:
    """The figures of a topic in the order in which they are written."""
    if topic not in topics():
        raise ValueError(f"topic = {topic!r} has no figure, allowed: {', '.join(topics())}")
    load(topic)
    return [entry for entry in sorted(FIGURES.values(), key=lambda entry: entry.place) if entry.belongs_to(topic)]


def figures_of(claim: str) -> tuple[str, ...]:
    """Names of the figures that show `claim`."""
    load()
    return tuple(
        entry.name for entry in sorted(FIGURES.values(), key=lambda entry: entry.place) if claim in entry.claims
    )


def why_no_figure(claim: str) -> str:
    """The reason why no figure shows `claim`; empty where none is stated."""
    load()
    return WITHOUT.get(claim, "")


def save_all(
    topic: str,
    results,
    out_dir: str | Path,
    parameters: Mapping,
    seed: int,
    names: Sequence[str] | None = None,
) -> list[Path]:
    """Draw and write every figure of the topic, or those named, and return the paths of their JSON files.

    What needs more than this machine has is left out, unless it is named.
    """
    entries = {entry.name: entry for entry in of(topic)}
    chosen = [entry.name for entry in entries.values() if entry.drawable] if names is None else list(names)
    if unknown := [name for name in chosen if name not in entries]:
        raise ValueError(f"names: {topic} has no figure {unknown[0]!r}, allowed: {', '.join(entries)}")
    return [save(entries[name], *draw(entries[name], results), out_dir, parameters, seed) for name in chosen]
