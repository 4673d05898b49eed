"""NetworkDenoiser: frames, shifts, subsets and batches against a softmax by hand; every refusal is one line."""

import numpy as np
import pytest
import torch
from torch import nn

import toy_models as tm
from toy_models import networks
from toy_models.networks import NetworkDenoiser, PeekingNetwork, network_denoiser, require_honest
from toy_models.networks.training import OutOfMemory

MASK_ID, LETTERS, L = 9, np.array([4, 2, 7]), 5


class Mixer(nn.Module):
    """Logits of each column from all columns: embeddings, one dense layer over the whole row."""

    def __init__(self, columns: int, vocab: int = 11, seed: int = 0):
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.table = nn.Parameter(torch.randn(vocab, 4, generator=generator))
        self.dense = nn.Parameter(torch.randn(columns * 4, columns * vocab, generator=generator) / 3)
        self.sizes: list[int] = []

    def forward(self, ids):
        self.sizes.append(len(ids))
        return (self.table[ids].flatten(1) @ self.dense).view(*ids.shape, -1)


def by_hand(model, denoiser, y):
    """One row at a time in numpy."""
    result = np.zeros((*y.shape, 3))
    for r, row in enumerate(y):
        text = [MASK_ID if t < 0 else LETTERS[t] for t in row]
        ids = torch.tensor([[*denoiser.prefix, *text, *denoiser.suffix]])
        logits = model(ids)[0].detach().double().numpy()
        for i, t in enumerate(row):
            if t >= 0:
                result[r, i, t] = 1.0
            else:
                z = np.exp(logits[len(denoiser.prefix) + i - denoiser.shift][LETTERS])
                result[r, i] = z / z.sum()
    return result


@pytest.mark.parametrize(
    ("shift", "prefix", "suffix"), [(0, [], []), (0, [0, 5, 5], [1]), (1, [0], []), (1, [0, 3], [1])]
)
def test_marginals_by_hand(shift, prefix, suffix, monkeypatch):
    model = Mixer(L + len(prefix) + len(suffix))
    denoiser = NetworkDenoiser(model, MASK_ID, LETTERS, L, shift, prefix, suffix, batch_tokens=3 * 8)
    y = np.random.default_rng(0).integers(-1, 3, (13, L))
    wanted = by_hand(model, denoiser, y)
    model.sizes.clear()
    np.testing.assert_allclose(denoiser.marginals(y), wanted, rtol=1e-5, atol=1e-7)
    assert max(model.sizes) <= max(1, 24 // denoiser.columns)
    monkeypatch.setattr(network_denoiser, "CELLS", 7)  # two tokens at a time
    np.testing.assert_allclose(denoiser.marginals(y), wanted, rtol=1e-5, atol=1e-7)
    x = np.where(y < 0, 1, y)
    log_p, entropy = denoiser.scores(y, x)
    masked = y < 0
    np.testing.assert_allclose(log_p, np.log(np.where(masked, wanted[:, :, 1], 1.0)), rtol=1e-4, atol=1e-6)
    log_wanted = np.log(np.where(wanted > 0, wanted, 1.0))
    np.testing.assert_allclose(entropy, -(wanted * log_wanted).sum(axis=2), rtol=1e-4, atol=1e-6)
    laws = denoiser.laws(torch.as_tensor(y)).numpy()
    np.testing.assert_allclose(laws[masked], wanted[masked], rtol=1e-5, atol=1e-7)


def test_a_network_of_this_suite_is_a_denoiser_too():
    model = networks.Transformer(networks.Config(3, 6, width=16, layers=1), torch.Generator().manual_seed(1))
    nn.init.normal_(model.head.weight, generator=torch.Generator().manual_seed(2))
    plain = NetworkDenoiser(model, -1, range(3), 6)
    y = np.random.default_rng(1).integers(-1, 3, (7, 6))
    np.testing.assert_allclose(plain.marginals(y), networks.Network(model).marginals(y), atol=1e-6)
    assert isinstance(plain, tm.Denoiser)
    assert tm.sample(plain, tm.RandomOrder([2, 2, 2]), 5, np.random.default_rng(0)).tokens.min() >= 0


def test_outputs_as_objects_and_tuples():
    class Output:
        def __init__(self, logits):
            self.logits = logits

    model = Mixer(L)
    y = np.array([[0, -1, -1, 2, -1]])
    made = [lambda i: Output(model(i)), lambda i: (model(i), None), lambda i: model(i).bfloat16().float()]
    found = [NetworkDenoiser(f, MASK_ID, LETTERS, L).marginals(y) for f in made]
    np.testing.assert_array_equal(found[0], found[1])
    assert 0 < np.abs(found[0] - found[2]).max() < 0.05


def test_a_large_vocabulary_makes_no_large_float64(monkeypatch):
    """V = 128k: float64 pieces stay within CELLS, and rows per pass within a GiB of logits."""
    vocab, seen = 2**17, []
    original = torch.log_softmax

    def spy(z, dim):
        seen.append((z.numel(), z.dtype))
        return original(z, dim=dim)

    monkeypatch.setattr(torch, "log_softmax", spy)
    denoiser = NetworkDenoiser(lambda ids: torch.zeros(*ids.shape, vocab), vocab - 1, range(vocab - 1), 64)
    assert denoiser.rows_per_pass * denoiser.columns * vocab <= network_denoiser.LOGITS
    y = np.full((1, 64), -1)
    log_p, entropy = denoiser.scores(y, np.zeros((1, 64), dtype=int))
    np.testing.assert_allclose(log_p, -np.log(vocab - 1))
    np.testing.assert_allclose(entropy, np.log(vocab - 1))
    assert max(n for n, _ in seen) <= network_denoiser.CELLS
    assert len(seen) == 2


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"mask_id": 2}, "tokens holds mask_id = 2, allowed: other ids"),
        ({"tokens": [1, 1]}, "different ids"),
        ({"tokens": []}, "at least one"),
        ({"tokens": [-3]}, r"tokens\[0\] = -3, allowed: at most|tokens\[0\] = -3"),
        ({"length": 0}, "length = 0, it must be an integer >= 1"),
        ({"shift": 2}, "shift = 2, allowed: 0, or 1"),
        ({"shift": 1}, "shift = 1 without a prefix"),
        ({"prefix": [MASK_ID]}, "prefix holds mask_id = 9"),
        ({"mask_id": True}, "mask_id = True, it must be an integer"),
        ({"batch_tokens": 0}, "batch_tokens = 0"),
    ],
)
def test_bad_arguments(change, line):
    arguments = {"model": Mixer(L), "mask_id": MASK_ID, "tokens": LETTERS, "length": L} | change
    with pytest.raises(ValueError, match=line):
        NetworkDenoiser(**arguments)


def test_no_function():
    with pytest.raises(TypeError, match="it must be callable"):
        NetworkDenoiser(3, MASK_ID, LETTERS, L)  # pyright: ignore[reportArgumentType]


def poisoned(value):
    def model(ids):
        logits = torch.zeros(*ids.shape, 11)
        logits[1, 2, 4] = value
        return logits

    return model


def starved(ids):
    raise RuntimeError("[enforce fail at alloc_cpu.cpp:114] DefaultCPUAllocator: can't allocate memory: you tried ...")


@pytest.mark.parametrize(
    ("model", "kind", "line"),
    [
        (lambda ids: torch.zeros(len(ids), 5, 3), ValueError, r"shape \(2, 5, 3\), allowed: \(2, 5, at least 8\)"),
        (
            lambda ids: torch.zeros(len(ids), 11),
            ValueError,
            r"logits of shape \(2, 11\), allowed: \(2, 5, at least 8\)",
        ),
        (lambda ids: None, ValueError, "returned NoneType"),
        (lambda ids: torch.zeros(*ids.shape, 11, dtype=torch.long), ValueError, "dtype torch.int64"),
        (lambda ids: torch.zeros(3, 3) @ torch.zeros(2, 2), ValueError, "the model raised RuntimeError on ids 2..9"),
        (poisoned(float("nan")), ValueError, "returned nan among the logits of row 1, position 2"),
        (poisoned(float("inf")), ValueError, "returned inf among the logits of row 1, position 2"),
        (starved, OutOfMemory, r"out of memory at a batch of 2 rows of 5 ids \(batch_tokens = 16384\)"),
    ],
)
def test_bad_networks(model, kind, line):
    y = np.array([[0, -1, 2, 1, 1], [-1, 0, -1, 0, 2]])
    with pytest.raises(kind, match=line) as told:
        NetworkDenoiser(model, MASK_ID, LETTERS, L).marginals(y)
    assert "\n" not in str(told.value)


def test_minus_infinity_excludes_a_letter():
    def model(ids):
        logits = torch.zeros(*ids.shape, 11)
        logits[:, :, 2] = -torch.inf
        return logits

    denoiser = NetworkDenoiser(model, MASK_ID, LETTERS, L)
    np.testing.assert_array_equal(denoiser.marginals(np.full((1, L), -1))[0], np.tile([0.5, 0.0, 0.5], (L, 1)))
    log_p, entropy = denoiser.scores(np.full((1, L), -1), np.full((1, L), 1))
    assert np.isneginf(log_p).all()
    np.testing.assert_allclose(entropy, np.log(2))


# ---------------------------------------------------------------------------------------------------------- peeking

X = np.array([[0, 1, 2, 1, 0], [2, 2, 1, 0, 0], [1, 0, 0, 2, 1], [0, 0, 2, 2, 1]])


def denoiser_of(model):
    return NetworkDenoiser(model, MASK_ID, LETTERS, L)


def test_an_honest_network_passes():
    assert require_honest(denoiser_of(Mixer(L)), X, np.random.default_rng(0)) is None


class MixesRows(Mixer):
    """Normalises over the batch, as batch normalisation in training mode does."""

    def forward(self, ids):
        logits = super().forward(ids)
        return logits - logits.mean(dim=0, keepdim=True) if len(ids) > 1 else logits


class Remembers(Mixer):
    """Adds the logits of the last text that was shown in full."""

    held: torch.Tensor | None = None

    def forward(self, ids):
        logits = super().forward(ids)
        if (ids != MASK_ID).all():
            self.held = nn.functional.one_hot(ids, 11).float()[:1]
        return logits if self.held is None else logits + self.held


class Drops(Mixer):
    """Dropout left on."""

    def forward(self, ids):
        return nn.functional.dropout(super().forward(ids), 0.5, training=True)


@pytest.mark.parametrize(
    ("model", "line"),
    [
        (MixesRows(L), "changes with what another row of the batch holds there"),
        (Remembers(L), "changes with what an earlier call held there"),
        (Drops(L), "answers the same text twice with different laws"),
    ],
)
def test_networks_that_peek(model, line):
    torch.manual_seed(0)
    with pytest.raises(PeekingNetwork, match=line):
        require_honest(denoiser_of(model), X, np.random.default_rng(0))
    with pytest.raises(PeekingNetwork, match="peeks"):
        networks.two_curves(denoiser_of(model), X, [], np.random.default_rng(0))


def test_a_revealed_token_whose_marginal_depends_on_masked_ones():
    class LeaveOneOut:
        vocab_size, length = 3, L

        def marginals(self, y, on_impossible="raise"):
            p = np.full((*y.shape, 3), 1 / 3)
            p[(y >= 0) & ((y < 0).sum(axis=1) < 2)[:, None]] = [0.2, 0.2, 0.6]
            return p

    with pytest.raises(PeekingNetwork, match="a revealed token is known"):
        require_honest(LeaveOneOut(), X, np.random.default_rng(0))
