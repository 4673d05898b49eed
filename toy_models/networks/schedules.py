"""Masking schedules per position, trained together with the network: m_l(s) = s**w_l with learned log w.

J(w, theta) = E_x integral over s of E_M sum_{l in M} (w_l / s) C_l(M) = sum over orders of PL_w(order) L_theta(order),
nats per sequence, C_l(M) = -log p_theta(x_l | x outside M) (Garg, Kohli, Sarawagi 2025, arXiv 2511.19152). Estimators,
one draw per row, unbiased in theta:

    rloo    two masks at one s: 1/2 (F1 + F2) + 1/2 [F1 - F2] (log P(M1) - log P(M2)), [.] without gradient; 2 calls
    orders  two orders: 1/2 (L1 + L2) + 1/2 [L1 - L2] (log PL(order 1) - log PL(order 2)); 2 L calls, no division by s
    direct  rloo without its score term: BIASED in w, a control

J is the same for w and c w, so log w is kept with mean 0. With s uniform the variance would be infinite unless
min w > 1, and grow with max w. Here a position l is drawn uniformly and s = U**(2 / w_l), so that
p(s) = mean over l of (w_l / 2) s**(w_l / 2 - 1). Then the second moment of 1[l in M] w_l / (s p(s)) is at most 4 L for
every w: integral of s**w (w / s)^2 / p <= 2 L w integral of s**(w/2 - 1) = 4 L. No scale has to be chosen.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from toy_models.networks.model import Config
from toy_models.networks.training import Trained, TrainOptions, train
from toy_models.validation import MASK

ESTIMATORS = ("rloo", "orders", "direct")
TEMPER = 2.0  # c of s = U**(c / w_l): the bound L c^2 / (c - 1) is least at 2


@dataclass(frozen=True, eq=False)
class ScheduleDraw:
    """Masks of one time s per row. weights = w_l / (s p(s)) and log_prob = log P(M | s) carry the gradient in log w."""

    hidden: Bool[Tensor, "2 *shape L"]
    weights: Float[Tensor, "*shape L"]
    log_prob: Float[Tensor, "2 *shape"]


def draw_schedule_masks(log_w: Float[Tensor, " L"], shape: tuple[int, ...], generator: torch.Generator) -> ScheduleDraw:
    """s ~ p as above, then two independent masks: l is hidden with probability s**w_l. float64."""
    w = log_w.double().exp()
    fixed, device = w.detach() / TEMPER, generator.device
    chosen = torch.randint(len(w), shape, generator=generator, device=device)
    log_s = -_exponential(shape, generator) / fixed[chosen]
    log_density = torch.logsumexp(torch.log(fixed / len(w)) + fixed * log_s[..., None], dim=-1)  # of log s: s p(s)
    log_m = w * log_s[..., None]
    hidden = _exponential((2, *shape, len(w)), generator) >= -log_m.detach()
    log_prob = torch.where(hidden, log_m, torch.log(-torch.expm1(log_m))).sum(dim=-1)
    return ScheduleDraw(hidden, w * torch.exp(-log_density)[..., None], log_prob)


def draw_orders(
    log_w: Float[Tensor, " L"], shape: tuple[int, ...], generator: torch.Generator
) -> tuple[Int[Tensor, "*shape L"], Float[Tensor, "*shape"]]:
    """Plackett-Luce orders by the exponential race, and log PL(order) with its gradient in log w."""
    log_w = log_w.double()
    order = (_exponential((*shape, len(log_w)), generator) / log_w.detach().exp()).argsort(dim=-1)
    placed = log_w[order]
    left = torch.logcumsumexp(placed.flip(-1), dim=-1).flip(-1)
    return order, (placed - left).sum(dim=-1)


def schedule_losses(
    model: Callable,
    x: Int[Tensor, "batch L"],
    log_w: Float[Tensor, " L"],
    generator: torch.Generator,
    estimator: str = "rloo",
) -> Float[Tensor, " batch"]:
    """One draw per row: the value has mean NELBO(x), the gradient has mean dJ / d(theta, log w). Nats per sequence."""
    if estimator not in ESTIMATORS:
        raise ValueError(f"estimator = {estimator!r}, allowed: {', '.join(ESTIMATORS)}")
    if log_w.shape != x.shape[1:]:
        raise ValueError(f"log_w has shape {tuple(log_w.shape)}, the sequences have length {x.shape[1]}")
    if estimator == "orders":
        order, log_prob = draw_orders(log_w, (2, len(x)), generator)
        total = _losses_along(model, x, order)
    else:
        drawn = draw_schedule_masks(log_w, (len(x),), generator)
        total = (_token_losses(model, x.expand(drawn.hidden.shape), drawn.hidden) * drawn.weights).sum(dim=-1)
        log_prob = drawn.log_prob
    value = total.mean(dim=0)
    if estimator == "direct":
        return value
    score = 0.5 * (total[0] - total[1]).detach() * (log_prob[0] - log_prob[1])
    return value + score - score.detach()


def _exponential(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return torch.empty(shape, dtype=torch.float64, device=generator.device).exponential_(generator=generator)


def _token_losses(model: Callable, x: Tensor, hidden: Tensor) -> Tensor:
    """-log p(x_l | x outside M) for l in M, else 0; all leading axes in one call of the model."""
    logits = model(torch.where(hidden, MASK, x).flatten(0, -2)).double()
    chosen = torch.log_softmax(logits, dim=-1).unflatten(0, x.shape[:-1]).gather(-1, x[..., None])[..., 0]
    return torch.where(hidden, -chosen, 0.0)


def _losses_along(model: Callable, x: Tensor, order: Tensor) -> Tensor:
    """L(order) of each row: step k predicts order[k] from the tokens at order[:k]."""
    rank = order.argsort(dim=-1)
    steps = torch.arange(x.shape[1], device=x.device)[:, None]
    hidden = rank[..., None, :] >= steps
    losses = _token_losses(model, x[:, None].expand(hidden.shape), hidden)
    return torch.where(rank[..., None, :] == steps, losses, 0.0).sum(dim=(-1, -2))


class LearnedSchedule(nn.Module):
    """log w of mean 0, descended on by plain steps: an objective of toy_models.networks.training.

    parents=None: the parameters are the log-weights. With the parents of a forest (-1: a root) they are the differences
    log w_parent - log w_child along the edges, on which exact descent always finds the best order; roots stay.
    """

    basis: Tensor
    base: Tensor

    def __init__(
        self,
        start: Float[Tensor, " L"],
        rate: float = 1.0,
        parents: Sequence[int] | None = None,
        estimator: str = "rloo",
    ):
        super().__init__()
        if estimator not in ESTIMATORS:
            raise ValueError(f"estimator = {estimator!r}, allowed: {', '.join(ESTIMATORS)}")
        if not rate >= 0:
            raise ValueError(f"rate = {rate}, allowed: >= 0")
        start = start.detach().double().clone()  # training moves the parameter in place
        self.rate, self.estimator, self.parents = rate, estimator, None if parents is None else list(parents)
        basis = torch.eye(len(start), dtype=torch.float64) if parents is None else edge_basis(parents)
        values = start if parents is None else _differences(start, parents)
        self.register_buffer("basis", basis.to(start.device))
        self.register_buffer("base", start - self.basis @ values)
        self.values = nn.Parameter(values)

    def log_weights(self) -> Float[Tensor, " L"]:
        s = self.base + self.basis @ self.values
        return s - s.mean()

    def forward(
        self, model: Callable, x: Int[Tensor, "batch L"], generator: torch.Generator
    ) -> Float[Tensor, " batch"]:
        """Nats per token."""
        return schedule_losses(model, x, self.log_weights(), generator, self.estimator) / x.shape[1]

    def record(self) -> Tensor:
        return self.log_weights().detach().cpu().clone()

    def describe(self) -> dict:
        start = self.record().tolist()
        return {"estimator": self.estimator, "rate": self.rate, "parents": self.parents, "log_weights": start}


def edge_basis(parents: Sequence[int]) -> Float[Tensor, "L L"]:
    """A with s = s_root + A d for d_i = s_parent(i) - s_i: A[i, j] = -1 for j on the way from i to its root."""
    length = len(parents)
    basis = torch.zeros(length, length, dtype=torch.float64)
    for i in range(length):
        node, hops = i, 0
        while parents[node] >= 0:
            basis[i, node] = -1.0
            node, hops = parents[node], hops + 1
            if hops > length:
                raise ValueError(f"parents = {list(parents)} has a cycle; edge differences need a forest")
    return basis


def _differences(s: Tensor, parents: Sequence[int]) -> Tensor:
    return torch.stack([s[a] - s[i] if a >= 0 else torch.zeros_like(s[i]) for i, a in enumerate(parents)])


@dataclass(frozen=True, eq=False)
class TrainedSchedule:
    """The network, its losses, and log w (mean 0) at the start and after every step."""

    trained: Trained
    path: Float[Tensor, "steps L"]

    @property
    def log_weights(self) -> Float[Tensor, " L"]:
        return self.path[-1]


def train_with_schedules(
    config: Config,
    make_stream: Callable,
    options: TrainOptions,
    seed: int = 0,
    device: str | torch.device = "auto",
    log_weights: Float[Tensor, " L"] | None = None,
    schedule_rate: float = 1.0,
    parents: Sequence[int] | None = None,
    estimator: str = "rloo",
    path: str | Path | None = None,
) -> TrainedSchedule:
    """Network and log w together, from `log_weights` (None: w = 1). options.batch sequences a step, see ESTIMATORS.

    The network takes AdamW steps; log w takes plain steps of size schedule_rate on the gradient of J / L, with the same
    warm-up and decay. schedule_rate = 0 trains the network at fixed w. Checkpoints and resuming as in train.
    """
    start = torch.zeros(config.length, dtype=torch.float64) if log_weights is None else log_weights
    if start.shape != (config.length,):
        raise ValueError(f"log_weights has shape {tuple(start.shape)}, the model has length {config.length}")
    if config.causal:
        raise ValueError("config has causal = True, allowed: a bidirectional model")
    schedule = LearnedSchedule(start, schedule_rate, parents, estimator)
    first = schedule.record()
    trained = train(config, make_stream, options, seed, device, schedule, path)
    return TrainedSchedule(trained, torch.stack([first, *trained.path]))
