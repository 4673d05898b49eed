"""The shortest texts on which a sampler errs: audits at length 1, 2, 3, ... that share one error probability."""

from collections.abc import Callable

import numpy as np

from toy_models.audit.report import Audit
from toy_models.networks.black_box import audit
from toy_models.networks.contract import ContractError
from toy_models.networks.exact_network import ExactNetwork
from toy_models.targets.protocol import Target
from toy_models.validation import confidence_level, positive_int


def shortest_error(
    sampler: Callable,
    language: Callable[[int], Target],
    longest: int,
    size: int,
    rng: np.random.Generator,
    confidence: float = 0.99,
    network: Callable[[Target], ExactNetwork] | None = None,
) -> Audit | None:
    """The audit of the first length in 1..longest on which sampler(network, size) does not write language(length).

    None: it errs on none of them. A sampler that does not serve a length (a ContractError) is not judged there.
    network(target) makes the exact network where the plain one does not do. An exact sampler is accused at any length
    with probability at most 1 - confidence.

    >>> def all_at_once(network, size):
    ...     x = torch.full((size, network.length), network.mask_id)
    ...     return torch.distributions.Categorical(logits=network(x).logits).sample()
    >>> found = shortest_error(all_at_once, lambda L: tm.repetition(2, L), 4, 100, np.random.default_rng(0))
    >>> found.length
    2
    """
    longest, level = positive_int("longest", longest), confidence_level(confidence)
    for length in range(1, longest + 1):
        target = language(length)
        made = None if network is None else network(target)
        try:
            found = audit(sampler, target, size, rng, 1 - (1 - level) / longest, network=made, stand=False)
        except ContractError:
            continue
        if not found.exact:
            return found
    return None
