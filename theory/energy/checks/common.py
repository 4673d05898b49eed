"""What several energy checks share."""

import sympy as sp
from flint import fmpq

from theory.ledger.registry import Outcome

ALPHAS = (fmpq(1, 10), fmpq(1, 3), fmpq(4, 5))


SKEWED_WEIGHTS = ((10, 2), (3, 5))  # SKEWED as integers


def ball(holds: bool, fails: bool, instances: int, margin: float | None = None, note: str = "") -> Outcome:
    """Three-valued: a ball comparison that is false decides nothing, its opposite must be true."""
    return Outcome("PROVED" if holds else "REFUTED" if fails else "UNDECIDED", instances, margin, note)


def symbols():
    t = sp.symbols("t")
    return t, sp.Function("gamma")(t), sp.Function("theta")(t)
