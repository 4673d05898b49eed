"""Whole or absent; what killed processes leave is removed by the next one, what live ones use is left alone."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from toy_models.files import ROOT, hold, run_folder, write_aside

BUSY = """
import sys, time
from pathlib import Path
from toy_models.files import hold, run_folder, write_aside

def wait(path):
    path.write_text("half")
    print(path, flush=True)
    time.sleep(600)

folder = Path(sys.argv[2])
if sys.argv[1] == "write":
    write_aside(folder / "a.txt", wait)
elif sys.argv[1] == "run":
    with run_folder(folder) as own:
        wait(own / "b.ipynb")
else:
    owner = hold(folder / "owner")
    wait(folder / "c.txt")
"""


@pytest.fixture
def busy():
    """busy(what, folder) -> (process that holds something there, the path it is writing)."""
    started = []

    def start(what: str, folder: Path):
        process = subprocess.Popen(
            [sys.executable, "-c", BUSY, what, folder], stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        started.append(process)
        return process, Path(process.stdout.readline().strip())

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def test_one_owner_at_a_time(tmp_path, busy):
    process, _ = busy("hold", tmp_path)
    assert hold(tmp_path / "owner") is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    owner = hold(tmp_path / "owner")
    assert owner is not None
    os.close(owner)


def test_a_half_written_file_is_removed_by_the_next_writer(tmp_path, busy):
    process, half = busy("write", tmp_path)
    assert half.name.endswith(".part")
    write_aside(tmp_path / "a.txt", lambda p: p.write_text("whole"))
    assert half.exists()  # its owner lives
    process.send_signal(signal.SIGKILL)
    process.wait()
    write_aside(tmp_path / "a.txt", lambda p: p.write_text("again"))
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "again"


def test_a_killed_run_is_swept_by_the_next(tmp_path, busy):
    process, inside = busy("run", tmp_path)
    with run_folder(tmp_path) as own:
        assert own.is_dir()
        assert inside.exists()  # its owner lives
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert inside.exists()
    with run_folder(tmp_path) as own:
        assert [p for p in tmp_path.iterdir() if p != own] == []
    assert list(tmp_path.iterdir()) == []


def test_permissions_are_the_users(tmp_path):
    write_aside(tmp_path / "x", lambda p: p.write_text("x"))
    plain = tmp_path / "y"
    plain.write_text("y")
    assert (tmp_path / "x").stat().st_mode == plain.stat().st_mode


def test_names_with_patterns_inside(tmp_path):
    for name in ("a[1].txt", "a*.txt", "a b é.txt"):
        write_aside(tmp_path / name, lambda p: p.write_text("x"))
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["a[1].txt", "a*.txt", "a b é.txt"])
