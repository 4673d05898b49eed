"""A transformer with unmask, remask, insert and delete heads, trained on an edit program and judged against it exactly.

    states = [x for n in range(7) for x in parity_states(n)]
    network = Reading(train_edits(first_pair, states, Config(3, 12, controls=True, visible=band(12, 2))).model)
    agreement(network, first_pair, parity_states(9)), final_law(network, {(2, 1, 0, 1): 1}, 20, 12)

Supervised loss of Yang et al. 2025 (arXiv 2510.06190, official configuration; networks.edit_learner.loss). A training
batch mixes lengths: short sequences are filled with EMPTY = -2, to which nothing attends. (Batches of
one length would show each step that length alone.) The judges batch by length: no padding there.
"""

import hashlib
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from toy_models.any_process.laws import Weight, site_law
from toy_models.any_process.parity import START, first_pair
from toy_models.any_process.programs import Program, Site, String
from toy_models.any_process.trace import EMPTY
from toy_models.any_process.transition import emit
from toy_models.networks import edit_learner as learner
from toy_models.networks.device import resolve
from toy_models.networks.model import Config, Transformer
from toy_models.networks.training import Trained, TrainOptions, train
from toy_models.validation import MASK

HEADS = ("remask", "insert", "delete")
OPTIONS = TrainOptions(batch=64, rate=0.01)
MOST = 4096  # strings followed per step
LEAST_MARGIN = 0.01  # of logits: far above the rounding of a forward pass


class Reading(nn.Module):
    """The model on the tokens of networks.edit_learner: 0 the mask, v + 1 the token v, `pad` the padding.

    The heads named in `ignored` never fire.
    """

    def __init__(self, model: Transformer, ignored: Sequence[str] = ()):
        super().__init__()
        if not model.config.controls:
            raise ValueError("config.controls = False, a network that edits needs controls = True")
        unknown = sorted({*ignored} - {*HEADS})
        if unknown:
            raise ValueError(f"ignored holds {unknown[0]!r}, allowed: {', '.join(HEADS)}")
        self.model, self.pad = model, model.config.vocab_size + 1
        self.silent = [k for k, head in enumerate(HEADS) if head in ignored]

    def forward(self, tokens: Int[Tensor, "batch L"]) -> tuple[Float[Tensor, "batch L V"], Float[Tensor, "batch L 3"]]:
        scores, bits = self.model(translated(tokens.to(self.model.head.weight.device), self.pad))
        if self.silent:
            bits = bits.clone()
            bits[..., self.silent] = -math.inf
        return scores, bits


def translated(tokens: Int[Tensor, "batch L"], pad: int) -> Int[Tensor, "batch L"]:
    """The learner's tokens (mask 0, token v as v + 1, `pad`) as the model's (MASK, v, EMPTY)."""
    return torch.where(tokens == pad, EMPTY, tokens - 1)


class EditLoss(nn.Module):
    """The supervised loss on rows of a table of transitions: an objective of networks.train without parameters."""

    rate = 0.0

    def __init__(self, data: learner.Transitions, pad: int):
        super().__init__()
        self.data, self.pad = data, pad

    def forward(self, model: nn.Module, rows: Int[Tensor, " batch"], generator: torch.Generator) -> Tensor:
        return learner.loss(lambda tokens: model(translated(tokens, self.pad)), self.data.rows(rows))

    def record(self) -> Tensor:
        return torch.zeros(0)

    def describe(self) -> dict:
        content = hashlib.sha256(b"".join(part.cpu().numpy().tobytes() for part in vars(self.data).values()))
        return {"transitions": content.hexdigest()}


def train_edits(
    program: Program,
    states: Sequence[String],
    config: Config,
    steps: int = 300,
    seed: int = 0,
    device: str | torch.device = "auto",
    options: TrainOptions = OPTIONS,
    path: str | Path | None = None,
) -> Trained:
    """A Transformer with control heads, trained on what the program does at `states`; lengths are drawn equally often.

    Everything else as in networks.train, with `steps` in place of the number in `options`. Where the program draws, the
    loss is that of its law (learner.transitions).
    """
    if not config.controls:
        raise ValueError("config.controls = False, a network that edits needs controls = True")
    pad = config.vocab_size + 1
    data = learner.transitions(program, states, pad).to(resolve(device))
    length = data.valid.sum(dim=1)
    weight = 1.0 / torch.bincount(length)[length]

    def rows(generator: torch.Generator) -> Callable[[int], Tensor]:
        return lambda size: torch.multinomial(weight, size, replacement=True, generator=generator)

    return train(config, rows, replace(options, steps=steps), seed, device, EditLoss(data, pad), path)


@torch.no_grad()
def decisions(network: nn.Module, states: Iterable[String], keep: float = 1.0) -> dict[String, list[Site]]:
    """The network's site at every position of every sequence, in batches of one length.

    A bit fires where its logit is positive. A candidate is drawn from the softmax without the tokens of probability
    below `keep` (the likeliest always stays) and renormalised; keep = 1: the argmax, with weight 1 exactly.
    """
    by_length: dict[int, list[String]] = defaultdict(list)
    for x in states:
        by_length[len(x)].append(x)
    found: dict[String, list[Site]] = {}
    for alike in by_length.values():
        for first in range(0, len(alike), MOST):
            part = alike[first : first + MOST]
            scores, bits = network(torch.tensor(part) + 1)
            law = torch.softmax(scores.double(), dim=-1)
            law = torch.where((law >= keep) | _likeliest(law), law, 0.0)
            law = (law / law.sum(dim=-1, keepdim=True)).tolist()
            for x, weights, fired in zip(part, law, (bits > 0).int().tolist(), strict=True):
                found[x] = [
                    tuple((w, (v, *b)) for v, w in enumerate(row) if w) if token == MASK else ((1, (0, *b)),)
                    for token, row, b in zip(x, weights, fired, strict=True)
                ]
    return found


def _likeliest(law: Float[Tensor, "*rows V"]) -> Bool[Tensor, "*rows V"]:
    return torch.arange(law.shape[-1], device=law.device) == law.argmax(dim=-1, keepdim=True)


def agreement(network: nn.Module, program: Program, states: Sequence[String], keep: float = 1.0) -> int:
    """Number of the sequences at which every position may become the same strings under the network and the program.

    Strings, not codes: bits without effect (delete on a written token, the candidate of a remasked one) do not count.
    """
    found = decisions(network, states, keep)
    return sum(_pieces(x, found[x]) == _pieces(x, program(x)) for x in states)


def _pieces(x: String, sites: Sequence[Site] | None) -> list[set[String]]:
    if sites is None:
        return [{(v,)} for v in x]
    return [{emit(v, action) for _, action in site} for v, site in zip(x, sites, strict=True)]


def final_law(
    network: nn.Module, start: Mapping[String, Weight], max_steps: int, max_context: int, keep: float = 1.0
) -> tuple[dict[String, Weight], Weight]:
    """(mass of the strings at which the network stops, mass cut) from the masses `start`, exact where nothing is cut.

    The network stops where it surely changes nothing. Runs that do not stop in max_steps, grow beyond max_context or
    become empty end nowhere. Where the network draws, each step follows the MOST heaviest strings and cuts the mass of
    the others. With keep = 1 and mass 1 on each input the result counts inputs, exactly.
    """
    running, final, cut = dict(start), _masses(), 0
    for _ in range(max_steps + 1):
        running = {x: m for x, m in running.items() if 0 < len(x) <= max_context}
        if len(running) > MOST and keep < 1:
            order = sorted(running, key=running.__getitem__, reverse=True)
            cut += sum(running[x] for x in order[MOST:])
            running = {x: running[x] for x in order[:MOST]}
        if not running:
            break
        found, following = decisions(network, running, keep), _masses()
        for x, mass in running.items():
            law = site_law(x, found[x], max_context)
            if set(law) == {x}:
                final[x] += mass
                continue
            for z, weight in law.items():
                following[z] += mass * weight
        running = following
    return dict(final), cut


def _masses() -> dict[String, Weight]:
    return defaultdict(int)


def parity_states(n: int) -> list[String]:
    """All sequences of n tokens after the start token that runs of `first_pair` meet: 2^n + 3 2^(n-2) for n >= 2."""
    if n < 2:
        return [(START, *bits) for bits in product((0, 1), repeat=n)]
    heads = [*product((0, 1), repeat=2), (MASK, 1), (1, MASK), (MASK, MASK)]
    return [(START, *head, *bits) for head in heads for bits in product((0, 1), repeat=n - 2)]


@torch.no_grad()
def margin(network: nn.Module, states: Sequence[String]) -> float:
    """The least |logit| of a bit and the least gap of the two best tokens at a written mask, over all positions.

    How far the decisions are from changing, to compare with the rounding of float32 logits, below 1e-4.
    """
    least = math.inf
    for length in sorted({len(x) for x in states}):
        x = torch.tensor([y for y in states if len(y) == length])
        scores, bits = network(x + 1)
        best = scores.topk(2, dim=-1).values
        written = (x == MASK).to(bits.device) & (bits[..., [0, 2]] < 0).all(dim=-1)
        gap = torch.where(written, best[..., 0] - best[..., 1], math.inf)
        least = min(least, float(bits.abs().min()), float(gap.min()))
    return least


def band(length: int, radius: int) -> tuple[tuple[bool, ...], ...]:
    """The restriction |i - j| <= radius, for Config.visible."""
    return tuple(tuple(abs(i - j) <= radius for j in range(length)) for i in range(length))


def lengthened(model: Transformer, length: int, radius: int | None = None) -> Transformer:
    """The same weights for sequences of up to `length` tokens, within a band of `radius` (None: full attention)."""
    config = replace(model.config, length=length, visible=None if radius is None else band(length, radius))
    longer = Transformer(config).to(model.head.weight.device)
    longer.load_state_dict(model.state_dict())
    return longer.eval()


def agrees_at_every_length(model: Transformer, radius: int) -> bool:
    """Whether the weights, within the band of `radius`, take the first-pair actions on every reachable sequence.

    Of any length (see `lengthened`), by a finite check. With `layers` layers a position depends on the tokens at most
    R = layers * radius away, by their relative places. Each such view of a reachable sequence occurs in one of at most
    2R + 2 tokens after the start: for positions up to R + 2 cut the tail; later positions see bits only, and these
    occur around position R + 1 of a sequence without masks. All are enumerated, 7 * 4^R at the last length, and all
    margins must exceed LEAST_MARGIN.
    """
    longest = 2 * model.config.layers * radius + 2
    network = Reading(lengthened(model, longest + 1, radius))
    return all(
        agreement(network, first_pair, states) == len(states) and margin(network, states) > LEAST_MARGIN
        for states in map(parity_states, range(longest + 1))
    )
