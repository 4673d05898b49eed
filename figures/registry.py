"""The figures by name: what draws each, which claims it shows, what kind its data are and how far they may move.

    @figure("energy-steps", claims=("energy-discrete-spacing",), kind="exact", note="equal steps")
    def steps(results) -> Drawn:
        \"\"\"Chord energy of N steps: ...\"\"\"

A draw function takes the results of its topic and returns the figure and the data that it draws. Caption, record,
alternative text and the ledger's links are made from the registration: the relation claim - figure stands here alone.
A claim that no figure shows says so once, no_figure("claim-id", "reason").
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Literal, get_args

Kind = Literal["exact", "sampled", "trained"]
Needs = Literal["real", "gpu"]


@dataclass(frozen=True)
class Entry:
    """One figure. `note` completes its caption; `needs` is what a machine must have to regenerate it."""

    name: str
    draw: Callable
    claims: tuple[str, ...]
    kind: Kind
    accuracy: Mapping[str, float] = field(default_factory=dict)
    needs: Needs | None = None
    note: str | Callable[[Any], str] = ""
    topic: str = ""

    @property
    def drawable(self) -> bool:
        """Whether this machine has what the figure needs."""
        if self.needs == "real":
            return all(find_spec(module) is not None for module in ("antiberty", "transformers"))
        return self.needs is None or (find_spec("torch") is not None and import_module("torch").cuda.is_available())

    @property
    def alt(self) -> str:
        """What is shown, in words: the first paragraph of the draw function's docstring."""
        return " ".join((self.draw.__doc__ or "").split("\n\n")[0].split())

    def belongs_to(self, topic: str) -> bool:
        """A figure bears the name of its topic, unless it names another topic."""
        return self.topic == topic if self.topic else self.name.startswith(f"{topic.replace('_', '-')}-")

    @property
    def place(self) -> tuple[str, int]:
        """Where it is written. Registration follows the order of imports, which any caller may change."""
        return self.draw.__module__, self.draw.__code__.co_firstlineno

    def caption(self, results) -> str:
        """The foot of the figure: claims, kind of the data, note."""
        told = self.note if isinstance(self.note, str) else self.note(results)
        claims = f"claim{'s' * (len(self.claims) > 1)}: {', '.join(self.claims)}" if self.claims else ""
        return " · ".join(part for part in (claims, self.kind, told) if part)


FIGURES: dict[str, Entry] = {}
WITHOUT: dict[str, str] = {}  # claim -> why no figure shows it


def figure(
    name: str,
    *,
    claims: Sequence[str],
    kind: Kind,
    accuracy: Mapping[str, float] | None = None,
    needs: Needs | None = None,
    note: str | Callable[[Any], str] = "",
    topic: str = "",
) -> Callable[[Callable], Callable]:
    """Register a draw function. `accuracy`: {path of a datum: relative accuracy}, see figures/drift.py."""
    for what, value, allowed in (("kind", kind, get_args(Kind)), ("needs", needs, (None, *get_args(Needs)))):
        if value not in allowed:
            raise ValueError(f"{name}: {what} = {value!r}, allowed: {', '.join(map(str, allowed))}")
    if isinstance(claims, str) or len(set(claims)) != len(claims):
        raise ValueError(f"{name}: claims = {claims!r}, allowed: a tuple of different claim ids")

    def register(draw: Callable) -> Callable:
        known = FIGURES.get(name)
        if known and (known.draw.__module__, known.draw.__qualname__) != (draw.__module__, draw.__qualname__):
            raise ValueError(f"{name}: drawn by {known.draw.__module__} and by {draw.__module__}, allowed: one")
        if not (draw.__doc__ or "").strip():
            raise ValueError(f"{name}: {draw.__name__} has no docstring, and no alternative text without it")
        FIGURES[name] = Entry(name, draw, tuple(claims), kind, dict(accuracy or {}), needs, note, topic)
        return draw

    return register


def no_figure(claim: str, reason: str) -> None:
    """State that no figure shows `claim`, and why."""
    if not reason.strip():
        raise ValueError(f"{claim}: no_figure needs a reason")
    WITHOUT[claim] = reason
