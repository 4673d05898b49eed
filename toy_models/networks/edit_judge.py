"""Trained edit programs and their exact judgement: two programs, three kinds of attention, lengths beyond the trained.

First pair (see parity) decides the parity of n bits by remasking and deleting; a position needs its two neighbours
on each side. Even parity (see even_parity) writes a uniform string of even parity in three steps, with all heads;
whether the start token stands tells the step, so a position needs to see it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import torch
from torch import nn

from toy_models.any_process import even_parity
from toy_models.any_process.laws import support
from toy_models.any_process.parity import START, first_pair
from toy_models.networks import edit_learner as learner
from toy_models.networks.device import one_thread
from toy_models.networks.edits import (
    HEADS,
    OPTIONS,
    Reading,
    agreement,
    agrees_at_every_length,
    band,
    final_law,
    parity_states,
    train_edits,
)
from toy_models.networks.model import Config, Transformer
from toy_models.networks.training import Trained

COIN = 0.25  # a generator never writes a token of less probability


# lengths, reachable sequences, those agreed on, shares answered, mass cut
ParityCounts = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], tuple[float, ...], tuple[float, ...]]


@dataclass(frozen=True, eq=False)
class EditRun:
    """A network on every reachable sequence and run on every input, by input length; nothing is sampled.

    right: the share of inputs answered (first pair), the probability of an even string (even parity). cut: mass that
    was not followed, the truth lies in [right, right + cut]. tv: total variation to the uniform law on even strings.
    """

    program: str  # "first pair" or "even parity"
    network: str  # "specialised", "full attention" or "window w"
    parameters: int
    trained: int  # inputs of at most this length were trained on
    lengths: tuple[int, ...]
    states: tuple[int, ...]  # reachable sequences of inputs of each length
    agree: tuple[int, ...]  # of these, those where the network acts as the program
    right: tuple[float, ...]
    cut: tuple[float, ...]
    tv: tuple[float, ...]  # empty for first pair
    every_length: bool | None  # decided at all lengths; None: the network has no such certificate
    ignored: dict[str, float]  # head that never fires: right at length `trained`
    untrained: tuple[int, float]  # (agree, right) of the network before training, at length `trained`
    loss: tuple[float, float]  # of the first step, mean over the last twenty


def edit_runs(profile: str, seed: int = 0, device: str | torch.device = "auto") -> tuple[EditRun, ...]:
    """The specialised encoder and two transformers on the first pair, one transformer on even parity.

    The two transformers differ in what they may attend to, not in shape, data, steps or seed. "smoke" takes about four
    seconds of one CPU core, "full" about twenty. Torch works on one thread meanwhile.
    """
    if profile not in ("smoke", "full"):
        raise ValueError(f'profile = {profile!r}, allowed: "smoke", "full"')
    full = profile == "full"
    trained, longest, steps = (6, 10, 400) if full else (5, 7, 120)
    with one_thread():
        return (
            specialised_run(longest, seed),
            parity_run(trained, longest, None, steps, seed, device),
            parity_run(trained, longest, 2, steps, seed, device),
            even_run(6 if full else 3, 9 if full else 5, 500 if full else 120, seed, device),
        )


def specialised_run(longest: int, seed: int) -> EditRun:
    """The encoder of networks.edit_learner on the ten sequences of at most two tokens after the start."""
    torch.manual_seed(seed)
    model = learner.LocalEncoder(vocab_size=3, width=4, radius=2, hidden=8, indexed=True)
    fresh = agreement(model, first_pair, parity_states(2)), parity_right(model, 2) / 4
    data = learner.transitions(first_pair, [x for n in range(3) for x in parity_states(n)], model.pad)
    first = float(learner.loss(model, data).detach())
    generator = torch.Generator().manual_seed(seed)
    last = learner.train(model, data, 300, generator, rate=0.03, decay=0.01, batch=len(data.tokens))
    measured = _parity(model, range(longest + 1))
    ends = all(len(run) == 1 for run in learner.endings(model).values())
    every = ends and learner.agrees_at_every_length(model)
    return EditRun("first pair", "specialised", _count(model), 2, *measured, (), every, {}, fresh, (first, last))


def parity_run(
    trained: int, longest: int, window: int | None, steps: int, seed: int, device: str | torch.device = "auto"
) -> EditRun:
    """A transformer of one layer on the first pair, with full attention or in a band of radius `window`."""
    visible = None if window is None else band(longest + 1, window)
    config = Config(3, longest + 1, width=16, layers=1, heads=4, controls=True, visible=visible)
    states = [x for n in range(trained + 1) for x in parity_states(n)]
    run = train_edits(first_pair, states, config, steps, seed, device)
    last = parity_states(trained)
    ignored = {head: parity_right(Reading(run.model, (head,)), trained) / 2**trained for head in HEADS}
    fresh = Reading(Transformer(config).to(run.model.head.weight.device))
    before = agreement(fresh, first_pair, last), parity_right(fresh, trained) / 2**trained
    return EditRun(
        "first pair",
        "full attention" if window is None else f"window {window}",
        run.model.parameter_count(),
        trained,
        *_parity(Reading(run.model), range(longest + 1)),
        (),
        None if window is None else agrees_at_every_length(run.model, window),
        ignored,
        before,
        _loss(run),
    )


def even_run(trained: int, longest: int, steps: int, seed: int, device: str | torch.device = "auto") -> EditRun:
    """A transformer of two layers of full attention on the even-parity generator, strings of length 2 to `longest`."""
    program, lengths = even_parity.hidden_bits, tuple(range(2, longest + 1))
    states = {n: sorted(support(program, even_parity.start(n), 2 * n)) for n in lengths}
    config = Config(3, 2 * longest, width=32, layers=2, controls=True)
    shown = [x for n in lengths if n <= trained for x in states[n]]
    run = train_edits(program, shown, config, steps, seed, device, replace(OPTIONS, rate=0.005))
    network = Reading(run.model)
    laws = [even_law(network, n) for n in lengths]
    right, tv, cut = zip(*laws, strict=True)
    fresh = Reading(Transformer(config).to(run.model.head.weight.device))
    return EditRun(
        "even parity",
        "full attention",
        run.model.parameter_count(),
        trained,
        lengths,
        tuple(len(states[n]) for n in lengths),
        tuple(agreement(network, program, states[n], COIN) for n in lengths),
        right,
        cut,
        tv,
        None,
        {head: even_law(Reading(run.model, (head,)), trained)[0] for head in HEADS},
        (agreement(fresh, program, states[trained], COIN), even_law(fresh, trained)[0]),
        _loss(run),
    )


def parity_right(network: nn.Module, n: int) -> int:
    """Number of the 2^n inputs at which the network, run until it stops, leaves `<` or `< 0` if even, `< 1` if odd."""
    right = 0
    for odd, answers in ((0, ((START,), (START, 0))), (1, ((START, 1),))):
        inputs = {(START, *bits): 1 for bits in product((0, 1), repeat=n) if sum(bits) % 2 == odd}
        final, _ = final_law(network, inputs, 2 * n + 4, n + 1)
        right += sum(final.get(x, 0) for x in answers)
    return int(right)


def even_law(network: nn.Module, n: int) -> tuple[float, float, float]:
    """(P(even string), TV to the uniform law on even strings, mass cut) of the network from even_parity.start(n)."""
    final, cut = final_law(network, {even_parity.start(n): 1}, 8, 2 * n, COIN)
    mass = {x: final.get((START, *x), 0.0) for x in even_parity.even_strings(n)}
    share = 1.0 / len(mass)
    tv = (sum(abs(p - share) for p in mass.values()) + 1 - sum(mass.values())) / 2
    return float(sum(mass.values())), float(tv), float(cut)


def _parity(network: nn.Module, lengths: Sequence[int]) -> ParityCounts:
    states = {n: parity_states(n) for n in lengths}
    agree = tuple(agreement(network, first_pair, states[n]) for n in lengths)
    right = tuple(parity_right(network, n) / 2**n for n in lengths)
    return tuple(lengths), tuple(map(len, states.values())), agree, right, (0.0,) * len(right)


def _loss(run: Trained) -> tuple[float, float]:
    return run.losses[0], float(np.mean(run.losses[-20:]))


def _count(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())
