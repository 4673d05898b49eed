"""Training: it learns, it resumes to the same weights after kill -9, it refuses what it must, it runs in parallel."""

import dataclasses
import functools
import importlib.util
import json
import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.optim.optimizer import register_optimizer_step_pre_hook

import toy_models as tm
from toy_models import networks
from toy_models.networks import checkpoint
from toy_models.networks.losses import LossOptions
from toy_models.networks.training import train as train_function

WORKER = Path(__file__).with_name("worker.py")
spec = importlib.util.spec_from_file_location("networks_worker", WORKER)
worker = importlib.util.module_from_spec(spec)
spec.loader.exec_module(worker)
training = sys.modules["toy_models.networks.training"]


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An uninterrupted run and its checkpoint."""
    path = tmp_path_factory.mktemp("whole") / "model.pt"
    return worker.run(path), path


def test_the_loss_falls():
    options = networks.TrainOptions(steps=60, batch=64, warmup=5)
    found = train_function(worker.CONFIG, lambda g: networks.stream(worker.CHAIN, g), options, 0, "cpu")
    assert np.mean(found.losses[-10:]) < np.mean(found.losses[:5]) - 0.1


def test_the_same_seed_gives_the_same_weights(whole):
    assert torch.equal(weights(worker.run(None).model), weights(whole[0].model))
    assert not torch.equal(weights(worker.run(None, seed=4).model), weights(whole[0].model))


def test_killed_while_saving_and_resumed(whole, tmp_path):
    """SIGKILL in the middle of the second checkpoint: the first one is whole, and the resumed run ends the same."""
    died = subprocess.run([sys.executable, str(WORKER), "kill", str(tmp_path)], timeout=120)
    assert died.returncode == -signal.SIGKILL
    resumed = worker.run(tmp_path / "model.pt")
    assert resumed.resumed_at == 4
    assert torch.equal(weights(resumed.model), weights(whole[0].model))
    assert resumed.losses == whole[0].losses


def test_another_configuration_is_refused_and_kept(whole):
    _, path = whole
    before = path.read_bytes()
    with pytest.raises(networks.CheckpointError, match=r"\(options.batch: 16 there, 8 here\)"):
        worker.run(path, dataclasses.replace(worker.OPTIONS, batch=8))
    assert path.read_bytes() == before


def test_truncated_checkpoints_are_refused_and_the_older_one_is_used(whole, tmp_path):
    path = tmp_path / "model.pt"
    path.write_bytes(whole[1].read_bytes()[:-200])
    with pytest.raises(networks.CheckpointError, match="truncated"):
        worker.run(path)
    checkpoint.previous(path).write_bytes(checkpoint.previous(whole[1]).read_bytes())
    resumed = worker.run(path)
    assert resumed.resumed_at == 8
    assert torch.equal(weights(resumed.model), weights(whole[0].model))


def test_a_pickle_is_not_executed(tmp_path):
    class Trap:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "sprung"),))

    path = tmp_path / "model.pt"
    path.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(networks.CheckpointError):
        worker.run(path)
    torch.save({"format": 1, "configuration": Trap()}, path)
    with pytest.raises(networks.CheckpointError):
        worker.run(path)
    assert not (tmp_path / "sprung").exists()


def test_nan_stops_and_keeps_the_last_checkpoint(whole, tmp_path, monkeypatch):
    path, calls, honest = tmp_path / "model.pt", [], training.mean_loss

    def broken(*arguments):
        calls.append(1)
        return honest(*arguments) * (float("nan") if len(calls) == 7 else 1.0)

    monkeypatch.setattr(training, "mean_loss", broken)
    with pytest.raises(networks.NonFiniteLoss, match="step 6") as problem:
        worker.run(path)
    assert problem.value.step == 6
    monkeypatch.undo()
    assert worker.run(path).resumed_at == 4


def test_out_of_memory_names_the_batch(monkeypatch):
    def full(*arguments):
        raise torch.OutOfMemoryError("no room")

    monkeypatch.setattr(training, "mean_loss", full)
    with pytest.raises(networks.OutOfMemory, match=r"batch = 16 .* try batch = 8 with accumulate = 2"):
        worker.run(None)


def test_accumulation_averages_the_parts():
    """Two half batches of the same stream are one batch, when the loss draws nothing itself (the causal model)."""
    config = dataclasses.replace(worker.CONFIG, causal=True)
    one = dataclasses.replace(worker.OPTIONS, steps=3, batch=8)
    two = dataclasses.replace(one, batch=4, accumulate=2)

    def fixed(generator):
        rows = networks.stream(worker.CHAIN, torch.Generator().manual_seed(0))(24)
        place = iter(range(0, 24, 4))
        return lambda size: torch.cat([rows[k : k + 4] for k in [next(place) for _ in range(size // 4)]])

    found = [train_function(config, fixed, options, 0, "cpu") for options in (one, two)]
    torch.testing.assert_close(weights(found[0].model), weights(found[1].model), rtol=1e-4, atol=1e-6)
    assert found[0].losses == pytest.approx(found[1].losses, rel=1e-6)


@pytest.mark.parametrize("masks", ["single", "independent-pair", "mirror"])
def test_every_loss_option_trains(masks):
    options = dataclasses.replace(worker.OPTIONS, steps=2)
    loss = LossOptions(masks=masks, coupling="stratified", epsilon=0.05)
    found = train_function(worker.CONFIG, lambda g: networks.stream(worker.CHAIN, g), options, 0, "cpu", loss)
    assert np.isfinite(found.losses).all()


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("size", [3, 64, 1000])
def test_bf16_losses_are_computed_in_float32(size, causal):
    """The untrained model is uniform: its loss is log V to float32 rounding, which is 2^-24, not the 2^-9 of bf16."""
    uniform = tm.MarkovChain(np.full((size, size), 1 / size), 4)
    config = networks.Config(size, 4, width=16, layers=1, causal=causal)
    options = networks.TrainOptions(steps=1, batch=8, bf16=True)
    found = train_function(config, lambda g: networks.stream(uniform, g), options, 0, "cpu")
    assert found.losses[0] == pytest.approx(np.log(size), rel=1e-6)
    assert next(found.model.parameters()).dtype == torch.float32


def torchrun(action, folder, processes=2):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [*command, str(WORKER), action, str(folder)], env=environment, capture_output=True, text=True, timeout=240
    )


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """What two processes saw, and the folder of their disks."""
    folder = tmp_path_factory.mktemp("two processes")
    done = torchrun("distributed", folder)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads((folder / "result.json").read_text()), folder


def test_two_processes_share_weights_and_not_data(both):
    (first, second), _ = both
    assert first["weights"] == second["weights"]
    assert first["drawn"] != second["drawn"]
    assert len(first["losses"]) == 12
    assert (first["files"], second["files"]) == (True, False)


def test_processes_without_a_common_disk_resume_together(both):
    """Only the first machine has the file; both go on from its step and end where the uninterrupted run ended."""
    for found in both[0]:
        assert found["resumed"] == {"at": 8, "losses": found["losses"], "weights": found["weights"]}


def test_every_process_refuses_at_once(both):
    for found in both[0]:
        other, seeds, paths = found["refusals"]
        assert other.startswith("OtherConfiguration: ")
        assert "(options.batch: 16 there, 8 here)" in other
        assert seeds == "ValueError: processes 0 and 1 train with different seed, allowed: the same"
        assert paths == "ValueError: processes 0 and 1 train with different path given, allowed: the same"


def test_another_number_of_processes_is_refused(both, whole):
    path = both[1] / "disk of machine 0" / "model.pt"
    before = path.read_bytes()
    with pytest.raises(networks.CheckpointError, match=r"another configuration \(processes: 2 there, 1 here\)"):
        worker.run(path)
    assert path.read_bytes() == before


def test_gradients_are_averaged_over_processes(both):
    """Two processes with eight rows each are one with sixteen: the same gradients and the same loss."""
    pair = [worker.rows_of(r)(None) for r in (0, 1)]
    gradients, losses = worker.first_gradients(lambda g: lambda size: torch.cat([draw(8) for draw in pair]), 16)
    for found in both[0]:
        np.testing.assert_allclose(found["gradients"], gradients, rtol=1e-3, atol=1e-6)
        assert found["gradient losses"] == pytest.approx(losses, rel=1e-6)
    assert np.abs(gradients[0]).max() > 1e-2


def test_the_gradient_of_an_objective_is_averaged_over_processes(both):
    """1 and 2 on the two processes: steps of 1.5 times the size."""
    options = dataclasses.replace(worker.OPTIONS, steps=3)
    sizes = [0.5 * options.rate_at(step) / options.rate for step in range(3)]
    for found in both[0]:
        np.testing.assert_allclose(found["pulled"], -1.5 * np.cumsum(sizes), rtol=1e-12)


def test_processes_that_never_joined_are_refused(tmp_path, monkeypatch):
    """Under torchrun without start_processes each would train alone and write the same file."""
    done = torchrun("unjoined", tmp_path)
    assert done.returncode != 0
    assert "of WORLD_SIZE = 2 has not joined the others: call networks.start_processes() before" in done.stderr
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "1")
    assert len(worker.run(None, dataclasses.replace(worker.OPTIONS, steps=1)).losses) == 1


NEVER = -1


class Poisoned(torch.nn.Module):
    """The usual loss; its gradient alone is nan or infinite in one step."""

    rate = 0.0

    def __init__(self, step, slope):
        super().__init__()
        self.step, self.slope, self.calls = step, slope, 0

    def forward(self, model, x, generator):
        value = training.training_losses(model, x, LossOptions(size_weights=[1 / 5] * 5), generator)
        self.calls += 1
        if self.calls == self.step + 1:
            nothing = 0 * next(model.parameters()).sum().double()
            value = value + (torch.sqrt(nothing) * 0 if self.slope == "nan" else torch.sqrt(nothing))
        return value

    def record(self):
        return torch.zeros(0)

    def describe(self):
        return {}


def poisoned_run(path, step, slope="nan"):
    torch.set_num_threads(1)
    objective = Poisoned(step, slope)
    stream = functools.partial(networks.stream, worker.CHAIN)
    return train_function(worker.CONFIG, stream, worker.OPTIONS, 3, "cpu", objective, path)


@pytest.mark.parametrize("slope", ["nan", "inf"])
@pytest.mark.parametrize("step", [6, 7, 11])
def test_a_gradient_that_is_not_finite_never_reaches_the_weights(tmp_path, step, slope):
    """The loss is finite. Step 7 would be saved, step 11 is the last; the next run goes on from step 4 or 8."""
    path = tmp_path / "model.pt"
    with pytest.raises(networks.NonFiniteLoss, match=f"norm of the gradient = nan at step {step}.*{path} is kept"):
        poisoned_run(path, step, slope)
    saved = torch.load(path, weights_only=True)
    assert saved["step"] == (8 if step == 11 else 4)
    assert all(p.isfinite().all() for p in [*saved["model"].values(), *saved["averaged"].values()])
    resumed = poisoned_run(path, NEVER)
    assert (resumed.resumed_at, len(resumed.losses)) == (saved["step"], 12)
    assert torch.equal(weights(resumed.model), weights(poisoned_run(None, NEVER).model))


def test_the_gradient_of_an_objective_must_be_finite_too():
    class Steep(Poisoned):
        def __init__(self):
            super().__init__(NEVER, None)
            self.theta = torch.nn.Parameter(torch.zeros((), dtype=torch.float64))

        def forward(self, model, x, generator):
            return super().forward(model, x, generator) + torch.sqrt(self.theta)

    with pytest.raises(networks.NonFiniteLoss, match=r"gradient = (inf|nan) at step 0.*no checkpoint path"):
        train_function(worker.CONFIG, lambda g: networks.stream(worker.CHAIN, g), worker.OPTIONS, 3, "cpu", Steep())


def test_weights_that_are_not_finite_are_not_saved(tmp_path):
    """A finite gradient and a step beyond float32, in the very step that would be saved."""
    options = dataclasses.replace(worker.OPTIONS, rate=1e39, warmup=0, save_every=1)
    with pytest.raises(networks.NonFiniteLoss, match=r"largest weight = .* at step 0.* was written yet"):
        worker.run(tmp_path / "model.pt", options)
    assert list(tmp_path.iterdir()) == []


def test_averaged_weights_follow_their_recursion(tmp_path, monkeypatch):
    """a <- d a + (1 - d) w with d = min(ema, (1 + t) / (10 + t)) and the w of every step; a is returned."""
    options, steps, save = dataclasses.replace(worker.OPTIONS, save_every=1, ema=0.8), [], checkpoint.save

    def keeping(path, state, configuration):
        steps.append({name: p.clone().double() for name, p in state["model"].items()})
        save(path, state, configuration)

    monkeypatch.setattr(checkpoint, "save", keeping)
    trained = worker.run(tmp_path / "model.pt", options)
    expected = training.Transformer(worker.CONFIG, torch.Generator().manual_seed(3)).double().state_dict()
    for t, now in enumerate(steps):
        decay = min(0.8, (1 + t) / (10 + t))
        expected = {name: decay * expected[name] + (1 - decay) * now[name] for name in now}
    for name, p in trained.model.state_dict().items():
        torch.testing.assert_close(p.double(), expected[name], rtol=1e-5, atol=1e-7)
    last = torch.cat([p.flatten() for p in steps[-1].values()])
    assert (weights(trained.model).double() - last).abs().max() > 1e-4  # the average is not the last


@pytest.mark.parametrize("clip", [1e-3, 1e9])
def test_the_optimiser_is_given_clipped_gradients(clip):
    norms = []

    def look(optimiser, *_):
        norms.append(float(torch.cat([p.grad.flatten() for p in optimiser.param_groups[0]["params"]]).norm()))

    hook = register_optimizer_step_pre_hook(look)
    worker.run(None, dataclasses.replace(worker.OPTIONS, clip=clip))
    hook.remove()
    assert len(norms) == 12
    if clip < 1:
        assert norms == pytest.approx([clip] * 12, rel=1e-2)  # PyTorch divides by the norm plus 1e-6
    else:
        assert min(norms) > 2e-3


def test_bad_options():
    with pytest.raises(ValueError, match="steps"):
        networks.TrainOptions(steps=0)
    with pytest.raises(ValueError, match="ema"):
        networks.TrainOptions(ema=1.0)


def test_rate_rises_then_falls():
    options = networks.TrainOptions(steps=100, warmup=10, rate=1.0)
    assert options.rate_at(0) == pytest.approx(0.1)
    assert options.rate_at(10) == pytest.approx(1.0)
    assert options.rate_at(99) < 0.02


def test_killed_at_random_moments(tmp_path):
    """Three of the moments of tests/crash_training.py, which takes as many as one has time for."""
    script = Path(__file__).parents[2] / "crash_training.py"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "TMPDIR": str(tmp_path)}
    command = [sys.executable, str(script), "--moments", "3"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 partial checkpoints, 0 runs with other weights, 0 folders with other files" in done.stdout
    assert list(tmp_path.iterdir()) == []
