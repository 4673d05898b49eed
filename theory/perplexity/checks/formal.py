"""Claims of this topic that are proved by machine: theory/formal/."""

from theory.formal.check import register

register(
    "perplexity",
    (
        "trajectory-identity",
        "learned-additivity",
        "marginal-below-trajectory",
        "curve-identity-sizes",
        "curve-identity-independent",
        "ter-every-language",
        "li-cai-thm-1",
        "random-offset-sizes",
    ),
)
