"""Claims of this topic that are proved by machine: theory/formal/."""

from theory.formal.check import register

register("sequence_error", ("ser-from-kl",))
