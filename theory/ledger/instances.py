"""What the checks of several topics share: how many instances are decided, and one outcome of many verdicts."""

from theory.ledger.registry import Outcome


def instances(results, smoke: int = 60, full: int = 1000) -> int:
    """Random rational instances per inequality on the profile of `results`."""
    return full if results.profile == "full" else smoke


def all_hold(verdicts: list[str], margin: float | None = None, note: str = "") -> Outcome:
    """REFUTED if any instance is, else UNDECIDED if any is, else PROVED."""
    worst = "REFUTED" if "REFUTED" in verdicts else "UNDECIDED" if "UNDECIDED" in verdicts else "PROVED"
    return Outcome(worst, len(verdicts), margin, note)
