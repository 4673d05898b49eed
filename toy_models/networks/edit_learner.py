"""A small encoder with an unmask head and three control heads, trained on transitions of edit programs.

Supervised loss of Yang et al. 2025 (arXiv 2510.06190, official configuration): cross-entropy on masked positions that
the program writes, plus binary cross-entropy of the remask, insert and delete bits over all positions; control biases
start at -2; inference takes the argmax and thresholds the bits at 1/2. Imported apart: needs torch.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from toy_models.any_process.parity import START, first_pair
from toy_models.any_process.programs import Program, Site, String, sure
from toy_models.any_process.transition import HOLD, KEEP, Action, apply, emit
from toy_models.validation import MASK

IGNORE = -100
SEVEN = tuple(first_pair.encode(text) for text in ("<01", "<10", "<00", "<11", "<M1", "<1M", "<MM"))
ENDS = ("<", "<0", "<1")  # where the first-pair program stops


@dataclass(frozen=True)
class Transitions:
    """Training tuples, padded on the right with `pad`: tokens shifted by one (0 is the mask), candidate or IGNORE where
    nothing is written, bits (remask, insert, delete), and `valid` off the padding."""

    tokens: torch.Tensor  # (n, L) long
    candidate: torch.Tensor  # (n, L) long
    bits: torch.Tensor  # (n, L, 3) float
    valid: torch.Tensor  # (n, L) bool

    def rows(self, index) -> "Transitions":
        return Transitions(self.tokens[index], self.candidate[index], self.bits[index], self.valid[index])

    def to(self, device: torch.device) -> "Transitions":
        return Transitions(*(part.to(device) for part in (self.tokens, self.candidate, self.bits, self.valid)))


def transitions(program: Program, states: Sequence[String], pad: int) -> Transitions:
    """The actions of a program on the given sequences; a sequence at which it stops keeps everything.

    A sequence at which sites draw uniformly among k actions gives k rows, row j with the j-th action of each such site:
    together they show every position the law of its own action. ValueError for other draws.
    """
    rows = [(x, actions) for x in states for actions in _rows(x, program(x))]
    length = max(map(len, states))
    tokens = np.full((len(rows), length), pad)
    candidate = np.full((len(rows), length), IGNORE)
    bits = np.zeros((len(rows), length, 3), dtype=np.float32)
    valid = np.zeros((len(rows), length), dtype=bool)
    for row, (x, actions) in enumerate(rows):
        tokens[row, : len(x)] = np.array(x) + 1
        valid[row, : len(x)] = True
        for i, (v, action) in enumerate(zip(x, actions, strict=True)):
            bits[row, i] = action[1:]
            if v == MASK and not action[1] and not action[3]:
                candidate[row, i] = action[0]
    return Transitions(*map(torch.from_numpy, (tokens, candidate, bits, valid)))


def _rows(x: String, sites: Sequence[Site] | None) -> list[list[Action]]:
    if sites is None:
        return [[HOLD if v == MASK else KEEP for v in x]]
    count = max((len(site) for site in sites), default=1)
    for i, site in enumerate(sites):
        if len(site) not in (1, count) or any(weight != site[0][0] for weight, _ in site):
            raise ValueError(f"the program draws {site} at position {i} of {x}, allowed: uniform among {count} actions")
    return [[site[j % len(site)][1] for site in sites] for j in range(count)]


class LocalEncoder(nn.Module):
    """One attention layer over the window |i - j| <= radius, then an MLP and four heads.

    With `indexed`, what a position gives and takes is multiplied by a learned gain of its index, zero at the start.
    Only indices met in training ever get a gain, so every later position is invisible and inert, exactly: the logits
    there are the head biases. Without it (all gains 1) the network knows relative positions only.
    """

    def __init__(self, vocab_size: int, width: int, radius: int, hidden: int, indexed: bool):
        super().__init__()
        self.radius, self.pad, self.indexed = radius, vocab_size + 1, indexed
        self.embed = nn.Embedding(vocab_size + 2, width, padding_idx=vocab_size + 1)  # mask, tokens, padding
        self.gain = nn.Parameter(torch.zeros(8))
        self.score = nn.Parameter(torch.zeros(2 * radius + 1))
        self.value = nn.ModuleList(nn.Linear(width, width, bias=False) for _ in range(2 * radius + 1))
        self.mlp = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))
        self.unmask, self.control = nn.Linear(width, vocab_size), nn.Linear(width, 3)
        nn.init.constant_(self.control.bias, -2.0)

    def forward(self, tokens):  # (batch, L) -> (batch, L, V), (batch, L, 3)
        length, r = tokens.shape[1], self.radius
        gain = nn.functional.pad(self.gain, (0, max(0, length - 8)))[:length, None] if self.indexed else 1.0
        given = nn.functional.pad(self.embed(tokens) * gain, (0, 0, r, r))
        weight = torch.softmax(self.score, 0) * len(self.score)
        pairs = enumerate(zip(weight, self.value, strict=True))
        parts = [w * value(given[:, d : d + length]) for d, (w, value) in pairs]
        mixed = torch.stack(parts).sum(0)
        hidden = gain * (mixed + self.mlp(mixed))
        return self.unmask(hidden), self.control(hidden)


class GridEncoder(nn.Module):
    """Attention over a fixed set of cells: each head has a learned table of cell-to-cell scores; two rounds."""

    def __init__(self, vocab_size: int, cells: int, width: int, heads: int, rounds: int = 1):
        super().__init__()
        self.embed = nn.Embedding(vocab_size + 2, width)
        self.place = nn.Parameter(torch.randn(cells, width) * 0.02)
        self.score = nn.Parameter(torch.randn(rounds, heads, cells, cells) * 0.5)
        self.value = nn.ModuleList(nn.Linear(width, width * heads, bias=False) for _ in range(rounds))
        self.mix = nn.ModuleList(
            nn.Sequential(nn.Linear(width * (heads + 1), 4 * width), nn.GELU(), nn.Linear(4 * width, width))
            for _ in range(rounds)
        )
        self.unmask, self.control = nn.Linear(width, vocab_size), nn.Linear(width, 3)
        nn.init.constant_(self.control.bias, -2.0)

    def forward(self, tokens):
        hidden = self.embed(tokens) + self.place
        batch, cells, width = hidden.shape
        for score, value, mix in zip(self.score, self.value, self.mix, strict=True):
            values = value(hidden).view(batch, cells, -1, width)  # (batch, j, head, width)
            seen = torch.einsum("hij,bjhw->bihw", torch.softmax(score, -1), values).flatten(2)
            hidden = hidden + mix(torch.cat([hidden, seen], dim=-1))
        return self.unmask(hidden), self.control(hidden)


def loss(model: Callable, data: Transitions) -> torch.Tensor:
    """Cross-entropy of written masks + BCE of the three bits, each a mean over its positions.

    model: tokens (batch, L) -> scores (batch, L, V), bits (batch, L, 3); half precision is taken as float32.
    """
    scores, bits = (part.to(torch.promote_types(part.dtype, torch.float32)) for part in model(data.tokens))
    unmask = nn.functional.cross_entropy(scores.flatten(0, 1), data.candidate.flatten(), ignore_index=IGNORE)
    if not (data.candidate != IGNORE).any():
        unmask = scores.sum() * 0.0
    control = nn.functional.binary_cross_entropy_with_logits(bits, data.bits, reduction="none").mean(dim=(-1))
    return unmask + 3 * control[data.valid].mean()


def train(
    model: nn.Module, data: Transitions, steps: int, generator: torch.Generator, rate: float, decay: float, batch: int
) -> float:
    """AdamW on random batches (all data when batch is at least their number); returns the last loss."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=rate, total_steps=steps)
    count, value = len(data.tokens), torch.tensor(0.0)
    for _ in range(steps):
        rows = torch.randint(count, (batch,), generator=generator) if batch < count else slice(None)
        value = loss(model, data.rows(rows))
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        schedule.step()
    return float(value.detach())


@torch.no_grad()
def actions(model: nn.Module, tokens: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """(candidates (n, L), bits (n, L, 3)): argmax and the sign of the control logits."""
    scores, bits = model(tokens)
    return scores.argmax(-1).cpu().numpy(), (bits > 0).cpu().numpy()


def as_program(model: nn.Module):
    """The trained network as an edit program; it stops when no bit is set and no mask is left."""

    def program(x: String) -> list[Site] | None:
        if not x:
            return None
        candidate, bits = actions(model, torch.tensor([x]) + 1)
        if not bits.any() and MASK not in x:
            return None
        return [sure((int(v), int(r), int(i), int(d))) for v, (r, i, d) in zip(candidate[0], bits[0], strict=True)]

    return program


def train_parity(seed: int, indexed: bool, steps: int = 400) -> LocalEncoder:
    """A network of width 4 trained on the seven transitions of the first-pair program, all of length at most 3."""
    torch.manual_seed(seed)
    model = LocalEncoder(vocab_size=3, width=4, radius=2, hidden=8, indexed=indexed)
    data = transitions(first_pair, SEVEN, pad=model.pad)
    train(model, data, steps, torch.Generator().manual_seed(seed), rate=0.03, decay=0.01, batch=len(SEVEN))
    return model


def parity_answers(model: nn.Module, bits: np.ndarray, max_steps: int) -> np.ndarray:
    """Answers (batch,) of the trained program on bits (batch, n), run to its end: 0, 1, or -1 where it gives none.

    A row is at its end when a step leaves it as it is; there `<` reads as even, `<1` as odd, and anything else, or no
    end in max_steps steps, is no answer.
    """
    rows = [np.concatenate([[START], row]) for row in bits]
    answers = np.full(len(rows), -1)
    running = list(range(len(rows)))
    for _ in range(max_steps):
        tokens = np.full((len(running), max(len(rows[r]) for r in running)), model.pad)
        for k, r in enumerate(running):
            tokens[k, : len(rows[r])] = rows[r] + 1
        candidate, control = actions(model, torch.from_numpy(tokens))
        for k, r in enumerate(running):
            before, n = rows[r], len(rows[r])
            rows[r] = apply(before, candidate[k, :n], *control[k, :n].T)
            if np.array_equal(rows[r], before):
                answers[r] = {(START,): 0, (START, 1): 1}.get(tuple(before.tolist()), -1)
                running[k] = -1
        running = [r for r in running if r >= 0 and 0 < len(rows[r]) <= 2 * bits.shape[1] + 2]
        if not running:
            break
    return answers


def agrees_at_every_length(model: LocalEncoder) -> bool:
    """Whether the network takes the first-pair actions on every sequence with two or more symbols after the start.

    A finite check: gains beyond index 2 are exactly zero, so positions 0..2 act as on their own sequence of three
    tokens, and every later position carries the head biases, which must keep it. Only for indexed networks. Where the
    program has one symbol left or none it stops; what the network does there is `endings`.
    """
    if not model.indexed or bool((model.gain[3:] != 0).any()) or bool((model.control.bias >= 0).any()):
        return False
    program = as_program(model)
    for x in SEVEN:
        wanted, found = first_pair(x), program(x)
        if (
            wanted is None
            or found is None
            or [emit(v, a[0][1]) for v, a in zip(x, wanted, strict=True)]
            != [emit(v, a[0][1]) for v, a in zip(x, found, strict=True)]
        ):
            return False
    return True


def endings(model: nn.Module) -> dict[String, tuple[String, ...]]:
    """{x: the run of the network from x, x first} for the three sequences at which the first-pair program ends.

    None of them is among the seven samples. At most eight steps; a network that keeps x gives (x,).
    """
    runs = {}
    for x in map(first_pair.encode, ENDS):
        trace = [x]
        while len(trace) <= 8 and trace[-1]:
            candidate, bits = actions(model, torch.tensor([trace[-1]]) + 1)
            following = tuple(apply(trace[-1], candidate[0], *bits[0].T).tolist())
            if following == trace[-1]:
                break
            trace.append(following)
        runs[x] = tuple(trace)
    return runs


def train_sudoku(states: np.ndarray, candidate: np.ndarray, seed: int, steps: int, width: int) -> GridEncoder:
    """A network trained on naked-single steps: candidate (n, 16) = the forced value or IGNORE; other masks are held."""
    torch.manual_seed(seed)
    model = GridEncoder(vocab_size=4, cells=16, width=width, heads=4)
    bits = np.zeros((*states.shape, 3), dtype=np.float32)
    bits[..., 0] = (states == MASK) & (candidate == IGNORE)
    valid = torch.ones(states.shape, dtype=torch.bool)
    data = Transitions(torch.from_numpy(states + 1), torch.from_numpy(candidate), torch.from_numpy(bits), valid)
    train(model, data, steps, torch.Generator().manual_seed(seed), rate=0.01, decay=0.01, batch=256)
    return model


def fill_grids(model: nn.Module, x: np.ndarray) -> np.ndarray:
    """The sequences (batch, 16) after the trained program, run by its unmask and remask heads, 20 steps at most.

    A position whose insert or delete bit comes up spoils the row: it is marked -2.
    """
    spoiled = np.zeros(len(x), dtype=bool)
    for _ in range(20):
        candidate, bits = actions(model, torch.from_numpy(x) + 1)
        spoiled |= (bits[..., 1] | (bits[..., 2] & (x == MASK))).any(axis=1)
        following = np.where(bits[..., 0], MASK, np.where(x == MASK, candidate, x))
        if (following == x).all():
            break
        x = following
    return np.where(spoiled[:, None], -2, x)
