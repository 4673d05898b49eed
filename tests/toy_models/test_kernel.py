"""Kernels compile wherever they are imported, whatever became of their cache, and never run with outdated callees."""

import importlib.util
import inspect
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

import toy_models
from toy_models.kernel import KernelCache, callees, kernel
from toy_models.targets.kernels import ancestral

PACKAGE = Path(toy_models.__file__).parent
NOBODY = 65534
CALLEE = """
from toy_models.kernel import kernel
def _scale(x): return {factor} * x
scale = kernel(_scale)
"""
CALLER = """
{importing}
from toy_models.kernel import kernel
def _total(x):
    result = 0.0
    for value in x:
        result += {name}(value)
    return result
total = kernel(_total)
"""


def load(path: Path):
    """A fresh module from its file, also under its name, so that another one can import it."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = sys.modules[path.stem] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def pair(tmp_path, monkeypatch):
    """write(factor, by attribute) -> the compiled sum of factor * x, its callee in a file of its own."""
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)

    def write(factor: int, attribute: bool = False):
        (tmp_path / "callee_of_test.py").write_text(CALLEE.format(factor=factor))
        load(tmp_path / "callee_of_test.py")
        importing, name = ("import callee_of_test", "callee_of_test.scale")
        if not attribute:
            importing, name = ("from callee_of_test import scale", "scale")
        caller = tmp_path / "caller_of_test.py"
        if not caller.exists():  # an unchanged file keeps its time
            caller.write_text(CALLER.format(importing=importing, name=name))
        return load(caller).total

    yield write
    for name in ("callee_of_test", "caller_of_test"):
        sys.modules.pop(name, None)


def test_a_kernel_is_the_function():
    assert ancestral.invert.py_func is inspect.unwrap(ancestral._invert)
    cdf = np.array([0.25, 0.5, 1.0])
    assert [ancestral.invert(cdf, u) for u in (0.0, 0.25, 0.6)] == [ancestral._invert(cdf, u) for u in (0.0, 0.25, 0.6)]


def test_compilation_switched_off():
    code = "from toy_models.targets.kernels import ancestral as a; assert a.invert is a._invert; print('plain')"
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=PACKAGE.parent, env=environment
    )
    assert (done.stdout, done.stderr) == ("plain\n", "")


def test_the_second_process_compiles_nothing(pair):
    x = np.arange(4.0)
    assert pair(2)(x) == 12
    again = pair(2)
    assert again(x) == 12
    assert sum(again.stats.cache_hits.values()) == 1
    assert isinstance(again._cache, KernelCache)


@pytest.mark.parametrize("attribute", [False, True])
def test_a_changed_callee_is_noticed(pair, attribute):
    """numba's own cache answers 12 here: the file of the caller has not changed."""
    x = np.arange(4.0)
    assert pair(2, attribute)(x) == 12
    changed = pair(30, attribute)
    assert [callee.py_func(1) for callee in callees(changed.py_func)] == [30]
    assert changed(x) == 180


@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
@pytest.mark.parametrize("kept", [0.0, 0.02, 0.5, 0.99])
def test_a_damaged_cache_file_is_replaced(pair, tmp_path, suffix, kept):
    x = np.arange(4.0)
    assert pair(2)(x) == 12
    damaged = list((tmp_path / "__pycache__").glob(f"*.{suffix}"))
    assert len(damaged) == 2
    for path in damaged:
        content = path.read_bytes()
        path.write_bytes(content[: int(kept * len(content))])
    assert pair(2)(x) == 12
    healed = pair(2)
    assert healed(x) == 12
    assert sum(healed.stats.cache_hits.values()) == 1


def test_a_full_disk_costs_only_the_cache(pair, tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    compiled = pair(2)
    monkeypatch.setattr(compiled._cache._cache_file, "_save_data", full)
    assert compiled(np.arange(4.0)) == 12
    assert compiled(np.arange(4)) == 12


def test_errors_of_the_kernel_itself_are_not_swallowed(tmp_path):
    source = "from toy_models.kernel import kernel\ndef _f(x):\n    return x.nothing\nf = kernel(_f)\n"
    (tmp_path / "wrong_of_test.py").write_text(source)
    with pytest.raises(Exception, match="Unknown attribute 'nothing'"):
        load(tmp_path / "wrong_of_test.py").f(1.0)


WITHOUT_A_HOME = """
import os, sys
import numpy as np

def compute():
    import toy_models as tm
    from toy_models.targets.kernels import ancestral
    chain = tm.MarkovChain([[0.7, 0.3], [0.4, 0.6]], 4)
    shape = chain.sample(3, np.random.default_rng(0)).shape
    return tm.__file__, shape, type(ancestral.draw_windows._cache).__name__

original = compute()[0]  # everything from outside is loaded now: the interpreter itself may be closed to the other user
for name in [name for name in sys.modules if name.split(".")[0] == "toy_models"]:
    del sys.modules[name]
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
os.environ.pop("HOME", None)
os.environ |= dict(pair.split("=") for pair in sys.argv[2:])
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
where, shape, cache = compute()
assert where != original and where.startswith(sys.argv[1]), where
print(os.geteuid(), shape, cache)
"""


@pytest.mark.parametrize("home", [[], ["HOME=/nonexistent"], ["HOME=/nonexistent", "NUMBA_CACHE_DIR=/nonexistent"]])
def test_another_user_without_a_home(home):
    """Read-only files and no folder to write: kernels compile without a cache, and compute."""
    with tempfile.TemporaryDirectory() as folder:  # tmp_path is closed to other users
        copy = shutil.copytree(PACKAGE, Path(folder) / "toy_models", ignore=shutil.ignore_patterns("__pycache__"))
        folders = [Path(folder), copy, *(path for path in copy.rglob("*") if path.is_dir())]
        for path in folders:
            path.chmod(0o555)
        done = subprocess.run(
            [sys.executable, "-c", WITHOUT_A_HOME, folder, *home], cwd=PACKAGE.parent, capture_output=True, text=True
        )
        for path in folders:
            path.chmod(0o755)
    assert done.stderr == ""
    assert done.stdout == f"{os.geteuid() or NOBODY} (3, 4) NullCache\n"


def test_every_kernel_is_compiled_here():
    """One place says how kernels are compiled."""
    others = [
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if path.name != "kernel.py" and ("njit" in path.read_text() or "cache=True" in path.read_text())
    ]
    assert others == []
    assert callable(kernel)
