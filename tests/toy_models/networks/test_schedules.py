"""Learned schedules: unbiased in network and log w (level 1e-6), exact cases, training that resumes, visibility."""

from functools import partial

import numpy as np
import pytest
import torch
from scipy.stats import t as student
from torch import nn

import toy_models as tm
from toy_models import networks
from toy_models.learned_order.nelbo import nelbo_gradient, schedule_nelbo
from toy_models.learned_order.plackett_luce import plackett_luce
from toy_models.learned_order.reveal_weights import plackett_luce_reveals
from toy_models.learned_order.rloo import order_scores
from toy_models.networks import schedules
from toy_models.networks.judge import Tabulated
from toy_models.networks.schedules import (
    LearnedSchedule,
    draw_orders,
    draw_schedule_masks,
    edge_basis,
    schedule_losses,
    train_with_schedules,
)
from toy_models.quantities import lattice

LENGTH, VOCAB = 3, 2
TARGET = tm.MarkovChain([[0.8, 0.2], [0.4, 0.6]], LENGTH, initial=[0.3, 0.7])
WEIGHTS = np.array([2.0, 0.5, 1.2])
LOG_W = torch.tensor(np.log(WEIGHTS))
POWERS = (VOCAB + 1) ** torch.arange(LENGTH - 1, -1, -1)
CHUNKS, ROWS = 120, 1000


class Table(nn.Module):
    """Logits of every state: a denoiser whose parameters can be anything."""

    def __init__(self, logits):
        super().__init__()
        self.logits = nn.Parameter(logits)

    def forward(self, y):
        return self.logits[((y + 1) * POWERS).sum(dim=-1)]


MODEL = Table(torch.randn(27, LENGTH, VOCAB, generator=torch.Generator().manual_seed(2), dtype=torch.float64))
ORACLE = Table(torch.log(torch.tensor(TARGET.marginals(lattice.states(VOCAB, LENGTH), on_impossible="uniform"))))


def exact():
    """J, dJ / d log w and dJ / d logits, by enumeration of sequences and revealed sets."""
    x = torch.tensor(lattice.sequences(VOCAB, LENGTH))
    q = torch.tensor(np.exp(TARGET.log_prob(x.numpy())))
    reveals = torch.tensor(plackett_luce_reveals(list(WEIGHTS)))
    total, table = 0.0, np.zeros((2**LENGTH, LENGTH))
    for revealed in range(2**LENGTH - 1):
        shown = torch.tensor([bool(revealed >> i & 1) for i in range(LENGTH)])
        logs = torch.log_softmax(MODEL(torch.where(shown, x, -1)), dim=-1)
        losses = -(logs.gather(2, x[..., None])[..., 0] * q[:, None]).sum(dim=0)
        total = total + (losses * reveals[revealed])[~shown].sum()
        table[revealed] = np.where(shown, 0.0, losses.detach())
    (slope,) = torch.autograd.grad(total, MODEL.logits)
    return float(total.detach()), WEIGHTS * nelbo_gradient(table, WEIGHTS), slope


def chunks(estimator):
    """Means over chunks: value, gradient in log w, gradient in the logits along four directions."""
    generator, rng = torch.Generator().manual_seed(7), np.random.default_rng(7)
    log_w, rows = LOG_W.clone().requires_grad_(True), []
    for _ in range(CHUNKS):
        x = torch.tensor(TARGET.sample(ROWS, rng))
        value = schedule_losses(MODEL, x, log_w, generator, estimator).mean()
        in_w, in_logits = torch.autograd.grad(value, [log_w, MODEL.logits])
        rows.append(np.concatenate([[value.item()], in_w.numpy(), directions(in_logits)]))
    return np.array(rows)


def directions(slope):
    fixed = torch.randn(4, *slope.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return (fixed * slope).sum(dim=(1, 2, 3)).numpy()


def scores(found, wanted):
    return np.abs(found.mean(axis=0) - wanted) / (found.std(axis=0, ddof=1) / np.sqrt(CHUNKS))


LEVEL = student.isf(0.5e-6 / 8, CHUNKS - 1)  # eight comparisons


@pytest.mark.parametrize("estimator", ["rloo", "orders"])
def test_value_and_both_gradients_are_unbiased(estimator):
    value, in_w, in_logits = exact()
    found = scores(chunks(estimator), np.concatenate([[value], in_w, directions(in_logits)]))
    assert (found < LEVEL).all()


def test_without_the_score_term_only_the_gradient_in_log_w_is_wrong():
    value, in_w, in_logits = exact()
    found = scores(chunks("direct"), np.concatenate([[value], in_w, directions(in_logits)]))
    assert (found[1:4] > LEVEL).all()
    assert (np.delete(found, [1, 2, 3]) < LEVEL).all()


def test_exact_value_is_the_library_nelbo():
    p = Tabulated(torch.softmax(MODEL.logits, dim=-1).detach().numpy())
    assert exact()[0] == pytest.approx(schedule_nelbo(TARGET, p, WEIGHTS), abs=1e-12)


def test_pairs_of_orders_have_no_noise_on_the_oracle():
    x, log_w = torch.tensor(TARGET.sample(50, np.random.default_rng(0))), LOG_W.clone().requires_grad_(True)
    losses = schedule_losses(ORACLE, x, log_w, torch.Generator().manual_seed(0), "orders")
    np.testing.assert_allclose(losses.detach().numpy(), -TARGET.log_prob(x.numpy()), atol=1e-12)
    assert torch.autograd.grad(losses.sum(), log_w)[0].abs().max() < 1e-11
    masks = schedule_losses(ORACLE, x, log_w, torch.Generator().manual_seed(0), "rloo")
    assert torch.autograd.grad(masks.sum(), log_w)[0].abs().min() > 1e-2


def test_only_ratios_of_weights_matter():
    x = torch.tensor(TARGET.sample(200, np.random.default_rng(0)))

    def losses(log_w, estimator):
        with torch.no_grad():
            return schedule_losses(MODEL, x, log_w, torch.Generator().manual_seed(4), estimator)

    for estimator in ("rloo", "orders"):
        torch.testing.assert_close(losses(LOG_W + 5.0, estimator), losses(LOG_W, estimator), rtol=1e-10, atol=0)
        assert (losses(LOG_W * 2.0, estimator) - losses(LOG_W, estimator)).abs().max() > 0.1


def test_masks_follow_their_law():
    drawn = draw_schedule_masks(LOG_W, (40_000,), torch.Generator().manual_seed(0))
    whole = drawn.hidden[0].all(dim=1)
    w = torch.tensor(WEIGHTS)
    log_s = drawn.log_prob[0][whole] / w.sum()  # all hidden: log P = sum of w log s
    s = log_s.exp()[:, None]
    density = ((w / 2) * s ** (w / 2 - 1)).mean(dim=1, keepdim=True)
    torch.testing.assert_close(drawn.weights[whole], w / (s * density), rtol=1e-9, atol=0)
    # each position pays an integral of w s^(w - 1), which is 1
    paid = (drawn.hidden.double() * drawn.weights).mean(dim=0).numpy()
    error = paid.std(axis=0, ddof=1) / np.sqrt(len(paid))
    assert (np.abs(paid.mean(axis=0) - 1.0) < 5.2 * error).all()
    assert (np.abs(paid.mean(axis=0) * 1.1 - 1.0) > 5.2 * error).all()


@pytest.mark.parametrize("spread", [0.0, 1.0, 8.0])
def test_second_moment_is_bounded_for_every_spread(spread):
    """E 1[l hidden] weight^2 = integral of s^w (w/s)^2 / p, in y = -log s: at most 4 L, and 4 where all w are equal."""
    w = np.exp(np.linspace(-spread, spread, LENGTH))
    y = np.exp(np.linspace(-40.0, 40.0, 400_001))
    with np.errstate(under="ignore"):
        density = np.mean([v / 2 * np.exp(-v / 2 * y) for v in w], axis=0)  # of y
        moments = [
            np.trapezoid(np.where(density > 0, v**2 * np.exp(-v * y) / np.maximum(density, 1e-300), 0.0) * y, np.log(y))
            for v in w
        ]
    assert max(moments) < 4.0 * LENGTH
    if spread == 0.0:
        np.testing.assert_allclose(moments, 4.0, rtol=1e-6)
    if spread == 8.0:
        assert min(moments) > 3.9 * LENGTH


def test_orders_are_plackett_luce():
    log_w = LOG_W.clone().requires_grad_(True)
    order, log_prob = draw_orders(log_w, (30_000,), torch.Generator().manual_seed(0))
    law, score = plackett_luce(WEIGHTS), order_scores(WEIGHTS)
    count = dict.fromkeys(law, 0)
    for row in order.tolist():
        count[tuple(row)] += 1
    for o, p in law.items():
        assert abs(count[o] - 30_000 * p) < 5.2 * np.sqrt(30_000 * p * (1 - p))
    for row in range(5):
        o = tuple(order[row].tolist())
        assert log_prob[row].item() == pytest.approx(np.log(law[o]), abs=1e-12)
        (slope,) = torch.autograd.grad(log_prob[row], log_w, retain_graph=True)
        np.testing.assert_allclose(slope.numpy(), score[o], atol=1e-12)


def test_edge_differences():
    parents, start = (2, -1, 1, 0), torch.tensor([0.3, 1.0, -2.0, 0.5], dtype=torch.float64)
    schedule = LearnedSchedule(start, parents=parents)
    torch.testing.assert_close(schedule.log_weights(), start - start.mean(), rtol=0, atol=1e-14)
    with torch.no_grad():
        schedule.values[2] += 1.0  # of the edge 1 -> 2: position 2 and those below it move down
    moved = schedule.log_weights().detach()
    wanted = start - torch.tensor([1.0, 0.0, 1.0, 1.0], dtype=torch.float64)
    torch.testing.assert_close(moved, wanted - wanted.mean(), rtol=0, atol=1e-14)
    with pytest.raises(ValueError, match="has a cycle"):
        edge_basis((1, 2, 0))


CONFIG = networks.Config(VOCAB, LENGTH, width=8, layers=1)
OPTIONS = networks.TrainOptions(steps=8, batch=16, warmup=2, save_every=4)


def train_small(path=None, **changes):
    settings = {"log_weights": LOG_W, "schedule_rate": 2.0, **changes}
    make = partial(networks.stream, TARGET)
    return train_with_schedules(CONFIG, make, OPTIONS, 3, "cpu", path=path, **settings)


def test_log_weights_move_and_the_start_stays():
    before = LOG_W.clone()
    found = train_small()
    assert torch.equal(LOG_W, before)
    assert found.path.shape == (9, LENGTH)
    torch.testing.assert_close(found.path[0], LOG_W - LOG_W.mean(), rtol=0, atol=1e-14)
    assert (found.path[1:] - found.path[:-1]).abs().amax(dim=1).min() > 0
    assert found.path.mean(dim=1).abs().max() < 1e-14
    still = train_small(schedule_rate=0.0)
    assert torch.equal(still.path, still.path[:1].expand(9, LENGTH))


def test_interrupted_and_resumed(tmp_path, monkeypatch):
    whole, calls, honest = train_small(), [], schedules.schedule_losses

    def interrupted(*arguments):
        calls.append(1)
        if len(calls) == 7:
            raise KeyboardInterrupt
        return honest(*arguments)

    monkeypatch.setattr(schedules, "schedule_losses", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train_small(tmp_path / "model.pt")
    monkeypatch.undo()
    with pytest.raises(networks.CheckpointError, match="loss"):
        train_small(tmp_path / "model.pt", schedule_rate=1.0)
    resumed = train_small(tmp_path / "model.pt")
    assert resumed.trained.resumed_at == 4
    assert torch.equal(resumed.path, whole.path)
    pairs = zip(resumed.trained.model.parameters(), whole.trained.model.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    assert resumed.trained.losses == whole.trained.losses


@pytest.mark.parametrize("layers", [1, 2])
def test_a_restricted_network_sees_what_it_may(layers):
    """One layer: itself and its parent; two layers: the parent of the parent too."""
    visible = tuple(tuple(j in (i, i - 1) for j in range(6)) for i in range(6))
    model = networks.Transformer(networks.Config(4, 6, width=16, layers=layers, visible=visible))
    with torch.no_grad():
        model.head.weight.normal_(generator=torch.Generator().manual_seed(1))
    y = torch.full((1, 6), -1)
    changed = y.clone()
    changed[0, 2] = 3
    moved = (model(y) - model(changed)).abs().amax(dim=2)[0] > 0
    assert moved.tolist() == [2 <= i <= 2 + layers for i in range(6)]


def test_bad_input_is_named():
    x, generator = torch.zeros(2, LENGTH, dtype=torch.int64), torch.Generator()
    with pytest.raises(ValueError, match="estimator = 'reinforce', allowed"):
        schedule_losses(MODEL, x, LOG_W, generator, "reinforce")
    with pytest.raises(ValueError, match=r"rate = -1\.0, allowed"):
        LearnedSchedule(LOG_W, -1.0)
    with pytest.raises(ValueError, match=r"log_weights has shape \(2,\)"):
        train_small(log_weights=LOG_W[:2])
    with pytest.raises(ValueError, match="causal = True"):
        train_with_schedules(networks.Config(2, 3, width=8, causal=True), partial(networks.stream, TARGET), OPTIONS)
    see = (True, True, True)
    with pytest.raises(ValueError, match=r"visible\[1\]\[1\] = False"):
        networks.Config(2, 3, width=8, visible=(see, (True, False, True), see))
    with pytest.raises(ValueError, match=r"rows of lengths \[3, 3\], allowed: 3 of 3"):
        networks.Config(2, 3, width=8, visible=(see, see))
    with pytest.raises(ValueError, match="visible with causal"):
        networks.Config(2, 3, width=8, visible=(see, see, see), causal=True)


def test_a_small_network_reaches_the_nelbo_of_its_schedule():
    """Trained at fixed w the mean loss falls towards H(X): the value of the objective means what it says."""
    options = networks.TrainOptions(steps=120, batch=32, rate=1e-2, warmup=5)
    found = train_with_schedules(
        CONFIG, partial(networks.stream, TARGET), options, 0, "cpu", LOG_W, 0.0, estimator="orders"
    )
    network = networks.tabulate(networks.Network(found.trained.model))
    value, entropy = schedule_nelbo(TARGET, network, WEIGHTS), TARGET.entropy()
    assert entropy < value < entropy + 0.1 < LENGTH * np.log(VOCAB)
    assert np.mean(found.trained.losses[-40:]) * LENGTH == pytest.approx(value, abs=0.1)
