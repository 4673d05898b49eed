"""What is built holds what it needs: the archive makes a checkout, the wheel works outside of one."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", "build", "*.egg-info", ".snakemake", "__pycache__", ".*_cache", "mutants"
)
BUILD = """
from setuptools import build_meta
print(build_meta.build_sdist("made"), build_meta.build_wheel("made"), sep="\\n")
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """(source archive, wheel) built from a copy, as builds write beside the sources."""
    copy = shutil.copytree(ROOT, tmp_path_factory.mktemp("build") / "copy", ignore=LEFT_OUT)
    done = subprocess.run([sys.executable, "-c", BUILD], cwd=copy, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "importable" not in done.stdout + done.stderr  # setuptools' word for a package that was forgotten
    return [copy / "made" / name for name in done.stdout.splitlines()[-2:]]


@pytest.fixture(scope="module")
def installed(made, tmp_path_factory):
    """(python, site-packages) of an environment that has the wheel, and this environment's other packages behind it."""
    folder = tmp_path_factory.mktemp("empty environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    site = next(folder.glob("lib/python*/site-packages"))
    with zipfile.ZipFile(made[1]) as wheel:
        wheel.extractall(site)
    packages = [p for p in sys.path if Path(p).name in ("site-packages", "dist-packages")]
    (site / "others.pth").write_text("\n".join(packages) + "\n")
    return folder / "bin" / "python", site


def call(python: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """The module run in `folder`, without what makes the checkout visible."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
    return subprocess.run([python, *arguments], cwd=folder, env=environment, capture_output=True, text=True)


def test_the_archive_is_the_checkout(made):
    listed = subprocess.run(["git", "ls-files", "-zco", "--exclude-standard"], capture_output=True, text=True, cwd=ROOT)
    if listed.returncode:
        pytest.skip("no git checkout to compare with")
    kept = {name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()}
    with tarfile.open(made[0]) as archive:
        names = {m.name.split("/", 1)[1] for m in archive.getmembers() if m.isfile()}
    assert kept - names == set()
    extra = {name for name in names - kept if ".egg-info/" not in name}
    assert extra == {"PKG-INFO", "setup.cfg"}


def test_the_wheel_holds_its_data_and_nothing_else(made):
    with zipfile.ZipFile(made[1]) as wheel:
        names = [name for name in wheel.namelist() if ".dist-info/" not in name]
    assert {name.split("/")[0] for name in names} == {"toy_models", "theory", "figures", "notebooks", "mdm"}
    data = (
        "theory/**/*.md",
        "theory/**/*.toml",
        "theory/**/*.json",
        "theory/**/*.npy",
        "theory/*.bib",
        "toy_models/targets/data/*.npz",
    )
    data += ("theory/formal/*.v", "theory/formal/*.txt", "theory/formal/Makefile", "theory/formal/_CoqProject")
    data += ("figures/*.mplstyle", "notebooks/*.ipynb", "t*/**/*.py", "figures/*.py", "notebooks/*.py", "mdm/*.py")
    wanted = {p.relative_to(ROOT).as_posix() for pattern in data for p in ROOT.glob(pattern)}
    assert {name for name in wanted if not name.startswith("tests/")} == set(names)


def test_the_wheel_works_where_it_is_called(installed, tmp_path):
    """A notebook and a claim write into the working folder alone."""
    python, site = installed
    where = call(python, tmp_path, "-c", "import toy_models; print(toy_models.__file__)")
    assert where.stdout.strip() == str(site / "toy_models" / "__init__.py")
    before = {p for p in site.rglob("*") if "__pycache__" not in p.parts}
    run = call(python, tmp_path, "-m", "notebooks.run", "00-start-here", "--quiet", "-p", "profile", "smoke")
    assert run.stdout == "build/notebooks/00-start-here.ipynb\n", run.stderr
    assert len(list((tmp_path / "build" / "figures").glob("*.svg"))) == 4
    claim = call(python, tmp_path, "-m", "theory", "--fast", "--claim", "trajectory-identity")
    assert claim.returncode in (0, 1), claim.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["build"]
    built = {p.name for p in (tmp_path / "build").iterdir()} - {"formal"}  # there where coqc is
    assert built == {"figures", "ledger-environment.json", "notebooks"}
    assert [p.name for p in (tmp_path / "build" / "notebooks").iterdir()] == ["00-start-here.ipynb"]
    assert {p for p in site.rglob("*") if "__pycache__" not in p.parts} == before


@pytest.mark.parametrize(
    ("module", "message"),
    [
        ("theory", "the full run rewrites the ledger of a checkout, and this is an installed copy; add --fast"),
        ("notebooks.batch", "runs in the root of a checkout; elsewhere: python -m notebooks.run NOTEBOOK"),
    ],
)
def test_what_needs_a_checkout_says_so(installed, tmp_path, module, message):
    done = call(installed[0], tmp_path, "-m", module)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"{module}: {message}\n")
    assert list(tmp_path.iterdir()) == []


def test_measured_tables_of_the_benchmarks_are_referred_to(installed, tmp_path):
    code = "from notebooks.measured import measured; print(measured('networks-gpu'))"
    assert "in benchmarks/RESULTS.md of the repository" in call(installed[0], tmp_path, "-c", code).stdout
