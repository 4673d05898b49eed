"""Claims of this topic that are proved by machine: theory/formal/."""

from theory.formal.check import register

register("entropy_bound", ("eb-bound", "eb-monotone"))
