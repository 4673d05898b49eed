"""The four kinds of rules by name, and which one an object is."""

from typing import Final

from toy_models.rules.protocol import ContentFree, is_sampler, sees_contents, sees_drawn
from toy_models.validation import shown

CONTENT_FREE: Final = "content-free"
ADAPTIVE: Final = "adaptive"
DRAWN: Final = "drawn"
SAMPLER: Final = "a sampler"
EVERY_KIND: Final = (CONTENT_FREE, ADAPTIVE, DRAWN, SAMPLER)
RULES = "IndependentReveal, RandomOrder, FixedOrder, TopK, EntropyBounded or an object with stages, select or exact_law"


def kind_of(rule) -> str:
    """Which of the four interfaces the rule has; TypeError for anything that is no rule.

    >>> tm.rules.kind_of(tm.RandomOrder([2])), tm.rules.kind_of(tm.TopK(1)), tm.rules.kind_of(tm.Speculative(2))
    ('content-free', 'adaptive', 'a sampler')
    """
    if isinstance(rule, type):
        raise TypeError(f"rule = {rule.__name__} is a class, it must be an instance: {rule.__name__}(...)")
    if is_sampler(rule):
        return SAMPLER
    if sees_contents(rule):
        return DRAWN if sees_drawn(rule) else ADAPTIVE
    if isinstance(rule, ContentFree):
        return CONTENT_FREE
    if hasattr(rule, "alpha") and hasattr(rule, "weights"):
        raise TypeError(f"rule = {shown(rule)} is a schedule; pass IndependentReveal(schedule.weights(N))")
    raise TypeError(f"rule = {shown(rule)} is no unmasking rule; pass {RULES}")
