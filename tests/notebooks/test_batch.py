"""make figures, for real, on one small notebook in a folder "a b é": every value arrives, a killed batch resumes."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from snakemake.common.configfile import load_configfile

from notebooks import batch
from notebooks.run import ParameterError, declared_parameters, notebook_names, source
from toy_models.files import ROOT

PARAMETERS = """profile: str = "full"
seed: int = 0
out_dir: str = "build/figures"
corpus: str = ""
"""
BODY = """import json, time
from pathlib import Path
while Path("wait").exists():
    time.sleep(0.1)
Path(out_dir, "told.json").write_text(json.dumps([profile, seed, out_dir, corpus]))
"""


@pytest.fixture
def checkout(tmp_path):
    """A checkout in "a b é" whose only notebook writes down its parameters, and waits while the file `wait` exists."""
    folder = tmp_path / "a b é"
    ignored = shutil.ignore_patterns("__pycache__", "out", "*.ipynb")
    for name in ("toy_models", "theory", "figures", "notebooks", "batch"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, folder)
    cell = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    page = json.loads(source("00-start-here").read_text(encoding="utf-8"))
    page["cells"] = [
        cell | {"id": "parameters", "source": PARAMETERS, "metadata": {"tags": ["parameters"]}},
        cell | {"id": "body", "source": BODY},
    ]
    (folder / "notebooks" / "01-perplexity.ipynb").write_text(json.dumps(page))
    (folder / ".venv" / "bin").mkdir(parents=True)
    python = folder / ".venv" / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    (folder / ".venv" / "ready").touch()
    return folder


# what a make that runs these tests would hand down
OF_MAKE = ("OUT", "CORPUS", "SEED", "DEVICE", "PROFILE", "MAKELEVEL", "MAKEFLAGS", "MFLAGS")


def make(folder: Path, *values: str) -> subprocess.Popen:
    environment = {k: v for k, v in os.environ.items() if k not in OF_MAKE}
    (folder / "temporary").mkdir(exist_ok=True)
    environment |= {"PYTHONPATH": str(folder), "TMPDIR": str(folder / "temporary")}
    return subprocess.Popen(
        ["make", "figures", *values],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def done(process: subprocess.Popen) -> str:
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    return output


def test_every_value_arrives(checkout):
    (checkout / "my text.txt").write_text("a text of one's own; it's short")
    done(make(checkout, "PROFILE=smoke", "OUT=my $$(touch hurt) 'figs'", "CORPUS=my text.txt", "SEED=3"))
    out = "my $(touch hurt) 'figs'"
    assert json.loads((checkout / out / "told.json").read_text()) == ["smoke", 3, out, "my text.txt"]
    assert not (checkout / "hurt").exists()
    done(make(checkout, "PROFILE=smoke", "SEED=4", "CORPUS=my text.txt"))
    own = "build/figures-mine-smoke"
    assert json.loads((checkout / own / "told.json").read_text()) == ["smoke", 4, own, "my text.txt"]
    assert not (checkout / "figures" / "out").exists()


def test_a_killed_batch_resumes_and_a_live_one_is_named(checkout):
    (checkout / "wait").touch()
    first = make(checkout, "PROFILE=smoke")
    out = checkout / "build" / "figures-smoke"
    limit = time.monotonic() + 240
    while not list((checkout / "build" / "notebooks").glob(".run-*/*.ipynb")):
        assert first.poll() is None
        assert time.monotonic() < limit
        time.sleep(0.1)
    second = make(checkout, "PROFILE=smoke")
    output, _ = second.communicate(timeout=300)
    owner = (out / ".runs" / "owner").read_text().strip()
    assert f"out_dir = 'build/figures-smoke' is being written by process {owner}; wait for it or stop it" in output
    assert second.returncode == 2
    assert len(output.splitlines()) <= 4  # the command, the refusal, and what make says
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    time.sleep(3)  # a kernel notices within a second that its runner is gone
    assert not (out / "told.json").exists()
    (checkout / "wait").unlink()
    done(make(checkout, "PROFILE=smoke"))
    assert (out / "told.json").exists()
    assert [p.name for p in (checkout / "build" / "notebooks").iterdir()] == ["01-perplexity.ipynb"]
    assert {p.name for p in out.iterdir()} == {".runs", "told.json"}
    assert [p.name for p in (checkout / "temporary").rglob("*.json")] == []  # the kernels' connection files


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--seed=-1"], "00-start-here: seed = -1, allowed: 0, 1, 2, ..."),
        (["--profile=fast"], "00-start-here: profile = 'fast', allowed: smoke, full, gpu"),
        (["--device=tpu"], "00-start-here: device = 'tpu', allowed: auto, cpu, cuda"),
        (["--corpus=absent.txt"], "corpus absent.txt cannot be read: No such file or directory"),
        (["--out=Makefile"], "00-start-here: out_dir = 'Makefile' cannot be written: File exists"),
    ],
)
def test_refused_before_anything_runs(arguments, message, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(batch.os, "execv", lambda *call: pytest.fail("snakemake was started"))
    assert batch.main(arguments) == 2
    assert capsys.readouterr().err == f"notebooks.batch: {message}\n"


def test_elsewhere_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert batch.main([]) == 2
    assert "runs in the root of a checkout" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", ["my figs", "12", "1e3", "true", "a: b", "[x]", "a=b", "é'\"\\", "null"])
def test_values_pass_snakemake_as_text(value, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.close(batch.own(Path(value)))
    call = batch.command({"profile": "smoke", "out_dir": value, "corpus": ""}, 1, [])
    assert call[-2] == "--configfile"
    assert load_configfile(call[-1]) == {"profile": "smoke", "out_dir": value}


def test_each_notebook_gets_what_it_declares():
    values = {"profile": "smoke", "seed": "3", "device": "", "corpus": "my.txt", "out_dir": "out"}
    given = {name: batch.given_to(declared_parameters(source(name)), values) for name in notebook_names()}
    assert all(own.keys() >= {"profile", "seed", "out_dir"} and "device" not in own for own in given.values())
    assert sum("corpus" in own for own in given.values()) == 5


def test_the_owner_writes_its_number(tmp_path):
    lock = batch.own(tmp_path)
    assert (tmp_path / ".runs" / "owner").read_text() == f"{os.getpid()}\n"
    with pytest.raises(ParameterError, match=f"is being written by process {os.getpid()}; wait for it or stop it"):
        batch.own(tmp_path)
    os.close(lock)
    os.close(batch.own(tmp_path))
