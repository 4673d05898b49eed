"""Training: it learns, it resumes to the same weights after kill -9, it refuses what it must, it runs in parallel."""

import dataclasses
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

from toy_models import medium
from toy_models.medium import checkpoint
from toy_models.medium import train as train_function
from toy_models.variance.losses_torch import LossOptions

WORKER = Path(__file__).with_name("worker.py")
spec = importlib.util.spec_from_file_location("medium_worker", WORKER)
worker = importlib.util.module_from_spec(spec)
spec.loader.exec_module(worker)
training = sys.modules["toy_models.medium.train"]


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An uninterrupted run and its checkpoint."""
    path = tmp_path_factory.mktemp("whole") / "model.pt"
    return worker.run(path), path


def test_the_loss_falls():
    options = medium.TrainOptions(steps=60, batch=64, warmup=5)
    found = train_function(worker.CONFIG, lambda g: medium.stream(worker.CHAIN, g), options, 0, "cpu")
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
    with pytest.raises(medium.CheckpointError, match="batch"):
        worker.run(path, dataclasses.replace(worker.OPTIONS, batch=8))
    assert path.read_bytes() == before


def test_truncated_checkpoints_are_refused_and_the_older_one_is_used(whole, tmp_path):
    path = tmp_path / "model.pt"
    path.write_bytes(whole[1].read_bytes()[:-200])
    with pytest.raises(medium.CheckpointError, match="truncated"):
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
    with pytest.raises(medium.CheckpointError):
        worker.run(path)
    torch.save({"format": 1, "configuration": Trap()}, path)
    with pytest.raises(medium.CheckpointError):
        worker.run(path)
    assert not (tmp_path / "sprung").exists()


def test_nan_stops_and_keeps_the_last_checkpoint(whole, tmp_path, monkeypatch):
    path, calls, honest = tmp_path / "model.pt", [], training.mean_loss

    def broken(*arguments):
        calls.append(1)
        return honest(*arguments) * (float("nan") if len(calls) == 7 else 1.0)

    monkeypatch.setattr(training, "mean_loss", broken)
    with pytest.raises(medium.NonFiniteLoss, match="step 6") as problem:
        worker.run(path)
    assert problem.value.step == 6
    monkeypatch.undo()
    assert worker.run(path).resumed_at == 4


def test_out_of_memory_names_the_batch(monkeypatch):
    def full(*arguments):
        raise torch.OutOfMemoryError("no room")

    monkeypatch.setattr(training, "mean_loss", full)
    with pytest.raises(medium.OutOfMemory, match=r"batch = 16 .* try batch = 8 with accumulate = 2"):
        worker.run(None)


def test_accumulation_averages_the_parts():
    """Two half batches of the same stream are one batch, when the loss draws nothing itself (the causal model)."""
    config = dataclasses.replace(worker.CONFIG, causal=True)
    one = dataclasses.replace(worker.OPTIONS, steps=3, batch=8)
    two = dataclasses.replace(one, batch=4, accumulate=2)

    def fixed(generator):
        rows = medium.stream(worker.CHAIN, torch.Generator().manual_seed(0))(24)
        place = iter(range(0, 24, 4))
        return lambda size: torch.cat([rows[k : k + 4] for k in [next(place) for _ in range(size // 4)]])

    found = [train_function(config, fixed, options, 0, "cpu") for options in (one, two)]
    torch.testing.assert_close(weights(found[0].model), weights(found[1].model), rtol=1e-4, atol=1e-6)
    assert found[0].losses == pytest.approx(found[1].losses, rel=1e-6)


@pytest.mark.parametrize("masks", ["single", "independent-pair", "mirror"])
def test_every_loss_option_trains(masks):
    options = dataclasses.replace(worker.OPTIONS, steps=2)
    loss = LossOptions(masks=masks, coupling="stratified", epsilon=0.05)
    found = train_function(worker.CONFIG, lambda g: medium.stream(worker.CHAIN, g), options, 0, "cpu", loss)
    assert np.isfinite(found.losses).all()


def test_bf16_autocast_runs_on_the_cpu():
    options = dataclasses.replace(worker.OPTIONS, steps=2, bf16=True)
    found = train_function(worker.CONFIG, lambda g: medium.stream(worker.CHAIN, g), options, 0, "cpu")
    assert found.losses[0] == pytest.approx(np.log(3), rel=1e-2)  # the untrained model is uniform
    assert next(found.model.parameters()).dtype == torch.float32


def test_two_processes_share_weights_and_not_data(tmp_path):
    """torchrun with gloo: equal weights on both ranks, different sequences, one checkpoint."""
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*torchrun, str(WORKER), "distributed", str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["norms"][0] == result["norms"][1]
    assert result["drawn"][0] != result["drawn"][1]
    assert len(result["losses"]) == 12
    assert (tmp_path / "model.pt").exists()


def test_bad_options():
    with pytest.raises(ValueError, match="steps"):
        medium.TrainOptions(steps=0)
    with pytest.raises(ValueError, match="ema"):
        medium.TrainOptions(ema=1.0)


def test_rate_rises_then_falls():
    options = medium.TrainOptions(steps=100, warmup=10, rate=1.0)
    assert options.rate_at(0) == pytest.approx(0.1)
    assert options.rate_at(10) == pytest.approx(1.0)
    assert options.rate_at(99) < 0.02
