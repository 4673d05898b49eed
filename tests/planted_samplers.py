"""Samplers written for these tests: exact ones, and ones with one planted fault each."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch

import toy_models as tm

CHAIN = tm.MarkovChain([[0.7, 0.3], [0.2, 0.8]], 6)
_PMF = np.random.default_rng(5).dirichlet(np.full(81, 0.7))
TABLE = tm.Table(np.where(_PMF < 0.002, 0.0, _PMF).reshape((3,) * 4) / _PMF[_PMF >= 0.002].sum())


def blank(network, size: int) -> torch.Tensor:
    return torch.full((size, network.prompt + network.length), network.mask_id)


def laws(network, x: torch.Tensor) -> torch.Tensor:
    """Marginals of the text's letters: (size, L, V)."""
    return torch.softmax(network(x).logits, dim=-1)[:, network.prompt :, : network.target.vocab_size]


def draw(p: torch.Tensor) -> torch.Tensor:
    return torch.multinomial(p.reshape(-1, p.shape[-1]), 1).reshape(p.shape[:-1])


def random_orders(network, size: int) -> torch.Tensor:
    return torch.rand(size, network.length).argsort(dim=1)


def by_order(network, size, orders, sizes, law=lambda p, step: p) -> torch.Tensor:
    """Positions orders[:, ...] in steps of the given sizes, drawn from law(marginals, step)."""
    x, done = blank(network, size), 0
    for step, count in enumerate(sizes):
        p = law(laws(network, x), step)
        for i in orders[:, done : done + count].T:
            rows = torch.arange(size)
            x[rows, network.prompt + i] = draw(p[rows, i])
        done += count
    return x


def ones(network) -> list[int]:
    return [1] * network.length


# ------------------------------------------------------------------------------------------------------------- exact


def random_order(network, size):
    return by_order(network, size, random_orders(network, size), ones(network))


def left_to_right(network, size):
    return by_order(network, size, torch.arange(network.length).expand(size, -1), ones(network))


def by_marginal(network, size, score=lambda p: -torch.special.entr(p).sum(-1)):
    """The position whose marginal has the least entropy, then a draw: exact at one letter per call."""
    x, rows = blank(network, size), torch.arange(size)
    for _ in range(network.length):
        p = laws(network, x)
        i = score(p).round(decimals=10).masked_fill(x != network.mask_id, -torch.inf).argmax(dim=1)
        x[rows, i] = draw(p[rows, i])
    return x


def halving(network, size):
    x = blank(network, size)
    for block in tm.bisection(network.length).blocks:
        x[:, list(block)] = draw(laws(network, x)[:, list(block)])
    return x


def first_hitting(network, size):
    """Positions by their exponential clocks, each call at the next ring: one letter per call."""
    clocks = torch.empty(size, network.length).exponential_()
    return by_order(network, size, clocks.argsort(dim=1), ones(network))


EXACT = {f.__name__: f for f in (random_order, left_to_right, by_marginal, halving, first_hitting)}


# ------------------------------------------------------------------------------------------------------------ faults


@dataclass(frozen=True)
class Fault:
    sampler: Callable
    target: object = CHAIN
    rule: object = None
    network: dict = field(default_factory=dict)  # arguments of ExactNetwork besides target and mask


def released_floor(steps: int, length: int) -> list[int]:
    """int(masks * (1 - s/t)) at each step, the rest in the last one."""
    times, left, sizes = np.linspace(1, 1e-3, steps + 1), length, []
    for k in range(steps):
        sizes.append(int(left * (1 - times[k + 1] / times[k])) if k < steps - 1 else left)
        left -= sizes[-1]
    return sizes


def schedule_off_by_one(network, size):
    return by_order(network, size, random_orders(network, size), released_floor(network.length, network.length))


def masks_left(network, size):
    return by_order(network, size, random_orders(network, size), [1] * (network.length - 1))


def letter_off_by_3_percent(network, size):
    tilt = torch.ones(network.target.vocab_size, dtype=torch.float64)
    tilt[0] = 1.03
    return by_order(network, size, random_orders(network, size), ones(network), lambda p, _: p * tilt)


def temperature_95(network, size):
    return by_order(network, size, random_orders(network, size), ones(network), lambda p, _: p ** (1 / 0.95))


def greedy(p: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.one_hot(p.argmax(dim=-1), p.shape[-1]).double()


def argmax_in_one_position(network, size):
    def law(p, step):
        p = p.clone()
        p[:, 3] = greedy(p[:, 3])
        return p

    return by_order(network, size, random_orders(network, size), ones(network), law)


def an_extra_call(network, size):
    x = random_order(network, size)
    network(x)
    return x


def block_too_wide(network, size):
    return by_order(network, size, torch.arange(network.length).expand(size, -1), [2] + [1] * (network.length - 2))


def nucleus(p: torch.Tensor, mass: float, at_most: bool) -> torch.Tensor:
    """The largest prefix with mass at most `mass` (at_most), or the smallest with at least it."""
    ordered, order = p.sort(dim=-1, descending=True)
    total = ordered.cumsum(dim=-1)
    kept = total <= mass if at_most else total - ordered < mass
    kept[..., 0] = True
    return torch.zeros_like(p).scatter(-1, order, ordered * kept)


def nucleus_at_most(network, size):
    return by_order(network, size, random_orders(network, size), ones(network), lambda p, _: nucleus(p, 0.9, True))


def nucleus_at_least(network, size):
    return by_order(network, size, random_orders(network, size), ones(network), lambda p, _: nucleus(p, 0.85, False))


def corrector_by_margin(network, size):
    """An exact text, then Gibbs updates of the letter that is least sure of itself."""
    x, rows = random_order(network, size), torch.arange(size)
    for _ in range(4):
        p = laws(network, x)
        i = (p.gather(2, x[:, :, None])[..., 0] - p.max(dim=2).values).argmin(dim=1)
        x[rows, i] = draw(p[rows, i])
    return x


def marginals_of_the_previous_call(network, size):
    x, rows, orders = blank(network, size), torch.arange(size), random_orders(network, size)
    old = laws(network, x)
    for i in orders.T:
        x[rows, i], old = draw(old[rows, i]), laws(network, x)
    return x


def drawn_confidence(network, size):
    x, rows = blank(network, size), torch.arange(size)
    for _ in range(network.length):
        p = laws(network, x)
        drawn = draw(p)
        score = p.gather(2, drawn[:, :, None])[..., 0].round(decimals=10).masked_fill(x != network.mask_id, -1)
        i = score.argmax(dim=1)
        x[rows, i] = drawn[rows, i]
    return x


def floor_schedule(network, size):
    return by_order(network, size, random_orders(network, size), released_floor(4, network.length))


def coarse_gumbel(network, size):
    """Gumbel noise from uniforms of five bits."""

    def law(p, step):
        u = torch.randint(0, 2**5, p.shape).double() / 2**5  # 0 included, 1 not
        return greedy(p.log() - torch.log(-torch.log(u)))

    return by_order(network, size, random_orders(network, size), ones(network), law)


def bos_overwritten(network, size):
    """The text is cut one column too early: BOS stands first, the last letter is lost."""
    x = blank(network, size)
    x[:, 0] = network.vocab_size - 1
    for i in range(network.length):
        x[:, 1 + i] = draw(laws(network, x)[:, i])
    return x[:, : network.length]


def prompt_ignored(network, size):
    """The first letter is given, and hidden from the network while the rest is written."""
    x = blank(network, size)
    x[:, 0] = draw(laws(network, x)[:, 0])
    given = x[:, 0].clone()
    for i in range(1, network.length):
        shown = x.clone()
        shown[:, 0] = network.mask_id
        x[:, i] = draw(laws(network, shown)[:, i])
    x[:, 0] = given
    return x


def shift_by_one(network, size):
    """Logits of a next-token network read as if they stood at their own position."""
    return random_order(network, size)


def two_in_the_last_call(network, size):
    return by_order(network, size, random_orders(network, size), [1] * (network.length - 2) + [2])


def greedy_last_step(network, size):
    last = network.length - 1
    return by_order(
        network, size, random_orders(network, size), ones(network), lambda p, step: greedy(p) if step == last else p
    )


def top_2(network, size):
    def law(p, step):
        return torch.where(p >= p.topk(2, dim=-1).values[..., -1:], p, 0.0)

    return by_order(network, size, random_orders(network, size), ones(network), law)


def other_ties(network, size):
    """Two by confidence, ties to the right where the declared rule goes left."""
    x = blank(network, size)
    for _ in range(network.length // 2):
        p = laws(network, x)
        best = p.max(dim=2).values.round(decimals=10) + torch.arange(network.length) * 1e-12
        i = best.masked_fill(x != network.mask_id, -1).topk(2, dim=1).indices
        x.scatter_(1, i, draw(p).gather(1, i))
    return x


def noise_shared_by_pairs(network, size):
    return random_order(network, size // 2).repeat_interleave(2, dim=0)


def frozen_after_a_letter(network, size):
    """Once the last letter of the alphabet stands, the rest is filled with it, as after an end of text."""
    end, x = network.target.vocab_size - 1, blank(network, size)
    over = torch.zeros(size, dtype=torch.bool)
    for i in range(network.length):
        x[:, i] = torch.where(over, end, draw(laws(network, x)[:, i]))
        over |= x[:, i] == end
    return x


def one_letter_in_fifty_at_random(network, size):
    x = random_order(network, size)
    noise = torch.randint(0, network.target.vocab_size, x.shape)
    return torch.where(torch.rand(x.shape) < 0.02, noise, x)


LEAVE_ONE_OUT = {"revealed": "leave-one-out"}
FAULTS = {
    "schedule off by one": Fault(schedule_off_by_one),
    "masks left": Fault(masks_left),
    "a letter's probability off by 3 %": Fault(letter_off_by_3_percent),
    "temperature .95": Fault(temperature_95),
    "argmax in one position": Fault(argmax_in_one_position),
    "an extra call": Fault(an_extra_call),
    "a block too wide": Fault(block_too_wide),
    "nucleus, mass at most p": Fault(nucleus_at_most, TABLE),
    "nucleus, mass at least p": Fault(nucleus_at_least, TABLE),
    "corrector by margin": Fault(corrector_by_margin, network=LEAVE_ONE_OUT),
    "marginals of the previous call": Fault(marginals_of_the_previous_call),
    "drawn confidence": Fault(drawn_confidence),
    "floor schedule": Fault(floor_schedule, rule=tm.RandomOrder([2, 2, 1, 1])),
    "coarse Gumbel noise": Fault(coarse_gumbel, TABLE),
    "BOS overwritten": Fault(bos_overwritten, network={"prompt": 1}),
    "prompt ignored": Fault(prompt_ignored),
    "shift by one": Fault(shift_by_one, network={"shift": 1}),
    "two letters in the last call": Fault(two_in_the_last_call),
    "greedy last step": Fault(greedy_last_step),
    "top-k": Fault(top_2, TABLE),
    "ties to the other side": Fault(other_ties, rule=tm.TopK(2)),
    "noise shared by pairs of rows": Fault(noise_shared_by_pairs),
    "frozen after a letter": Fault(frozen_after_a_letter, TABLE),
    "one letter in fifty at random": Fault(one_letter_in_fifty_at_random),
}
