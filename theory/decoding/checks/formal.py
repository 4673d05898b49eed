"""Claims of this topic that are proved by machine: theory/formal/."""

from theory.formal.check import register

register("decoding", ("drawn-confidence-biased", "greedy-joint-mode"))
