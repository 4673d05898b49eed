"""What an audit found: numbers with intervals, findings, and one verdict in words."""

import json
import math
from dataclasses import dataclass

from toy_models.audit.comparison import Comparison
from toy_models.audit.standing import Baseline
from toy_models.quantities.intervals import Estimate

LAW = ("masks left", "foreign tokens", "impossible texts", "law")  # findings that say: this is not the language


@dataclass(frozen=True)
class Finding:
    """kind: masks left | foreign tokens | impossible texts | law | rule | calls | returned texts."""

    kind: str
    text: str


@dataclass(frozen=True, eq=False)
class Audit:
    """A sampler run against an exact network. Per text: nats and forward passes.

    calls: passes, a batched one counting once for each of its rows; useful_calls: those after which the text had
    changed. sequence_error: share of texts that the language forbids, masks and foreign ids included. entropy of what
    was written, cross_entropy E[-log q], kl = KL(q || written) with a certified lower end. smallest: the least change
    of the probability of one event (1/2) that this audit would have found with probability `confidence`. excess: the
    parts of E[-log q] - H(q) over possible texts (toy_models.audit.excess), none where letters were rewritten.
    """

    size: int
    length: int
    vocab_size: int
    confidence: float
    calls: Estimate
    useful_calls: Estimate
    sequence_error: Estimate
    masks_left: Estimate
    entropy: Estimate
    cross_entropy: Estimate
    kl: Estimate
    language_entropy: float
    findings: tuple[Finding, ...]
    comparison: Comparison
    rule: str | None
    rule_comparison: Comparison | None
    baselines: tuple[Baseline, ...]
    split: tuple[str, ...]
    excess: tuple[tuple[str, Estimate], ...]
    written_per_call: tuple[float, ...]

    @property
    def exact(self) -> bool:
        """Whether nothing was found against the law."""
        return not any(f.kind in LAW for f in self.findings)

    @property
    def smallest(self) -> float:
        return self.comparison.smallest

    @property
    def verdict(self) -> str:
        """One line: what is wrong, the worst first, or that nothing was found at this size."""
        if not self.findings:
            power = (
                f"a change of {self.smallest:.3f} in the chance of an asked event of even odds would have been found"
                if math.isfinite(self.smallest)
                else "so few texts find no change of an event of even odds"
            )
            told = f"nothing found in {self.size} texts at confidence {self.confidence:g}; {power}"
            return f"exact at this size: {told}"
        lead = "" if not self.exact else "exact at this size, but "
        return lead + "; ".join(f"{f.kind}: {f.text}" for f in self.findings)

    @property
    def front(self) -> Baseline | None:
        return next((b for b in self.baselines if b.name == "optimal front"), None)

    def regret(self, baseline: Baseline) -> tuple[float, float]:
        """[low, high] of KL(q || written) minus the baseline's, in nats."""
        return float(self.kl.low) - baseline.kl, float(self.kl.high) - baseline.kl

    def to_dict(self) -> dict:
        """Plain values; an infinite number is the word inf."""
        names = ("calls", "useful_calls", "sequence_error", "masks_left", "entropy", "cross_entropy", "kl")
        found = {name: _plain_estimate(getattr(self, name)) for name in names}
        return {
            "verdict": self.verdict,
            "exact": self.exact,
            "size": self.size,
            "length": self.length,
            "vocab_size": self.vocab_size,
            "confidence": self.confidence,
            **found,
            "language_entropy": self.language_entropy,
            "smallest_change_found": self.smallest,
            "findings": [{"kind": f.kind, "text": f.text} for f in self.findings],
            "differences": [
                {
                    "event": d.event,
                    "measured": d.measured,
                    "interval": [d.low, d.high],
                    "promised": list(d.promised),
                    "p_value": d.p_value,
                }
                for d in self.comparison.differences
            ],
            "simulated_p_value": self.comparison.simulated,
            "rule": self.rule,
            "fits_the_rule": None if self.rule_comparison is None else not self.rule_comparison.differs,
            "baselines": [
                {
                    "name": b.name,
                    "calls": b.calls,
                    "kl": b.kl,
                    "upper_bound": b.bound,
                    "regret": [_number(v) for v in self.regret(b)],
                }
                for b in self.baselines
            ],
            "why": list(self.split),
            "excess": {name: _plain_estimate(part) for name, part in self.excess},
            "written_per_call": list(self.written_per_call),
        }

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), indent=1, allow_nan=False)


def _number(value: float) -> float | str:
    return float(value) if math.isfinite(value) else str(float(value))


def _plain_estimate(estimate: Estimate) -> dict:
    return {name: _number(float(getattr(estimate, name))) for name in ("value", "low", "high")}


def told(comparison: Comparison, of: str) -> str:
    """The worst difference as a phrase."""
    if not comparison.differences:
        parts = [f"{comparison.farthest} (Monte Carlo p = {comparison.simulated:.2g})"] if comparison.farthest else []
        if comparison.kl_low > 0:
            parts.append(f"KL of {of} from what was written is at least {comparison.kl_low:.3g} nats")
        return ", ".join(parts)
    worst = comparison.differences[0]
    low, high = worst.promised
    promised = f"{low:.5g}" if low == high else f"{low:.4g} to {high:.4g}"
    return (
        f"P({worst.event}) is {worst.measured:.5g} [{worst.low:.4g}, {worst.high:.4g}], {of} has {promised} "
        f"({p_text(worst.p_value)})"
    )


def p_text(p: float) -> str:
    """p = 2e-05; below the least float that keeps its digits, p < 1e-300."""
    return f"p = {p:.1g}" if p >= 1e-300 else "p < 1e-300"
