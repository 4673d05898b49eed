"""Runs Coq: compiles the sources, asks what each theorem assumes, and tries the changed statements.

Everything is kept below build/formal/ in the working folder, by the digest of the sources and the version of Coq.
"""

import re
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from theory.formal import FORMAL
from theory.formal.sources import digest, files, read

VERSION = "8.16"  # of Debian 12; other versions come with other libraries
INSTALL = (
    "apt-get install --no-install-recommends coq libcoq-mathcomp-ssreflect libcoq-mathcomp-fingroup "
    "libcoq-mathcomp-algebra libcoq-mathcomp-real-closed libcoq-mathcomp-analysis"
)
BUILD = Path("build") / "formal"  # in the working folder
LIMIT = 300  # seconds for one file


class NoCoq(Exception):
    """Coq cannot run these proofs here; the text says why."""


@cache
def version(path: str | None = None) -> str:
    """The version of coqc on the path; NoCoq, in one line, where these proofs cannot be compiled."""
    del path  # PATH, so that a changed one is looked at again
    coqc = shutil.which("coqc")
    if coqc is None:
        raise NoCoq("no coqc on PATH")
    found = subprocess.run([coqc, "--print-version"], capture_output=True, text=True, check=True).stdout.split()[0]
    if not found.startswith(f"{VERSION}."):
        raise NoCoq(f"coqc is {found}, the proofs are for {VERSION}")
    where = Path(subprocess.run([coqc, "-where"], capture_output=True, text=True, check=True).stdout.strip())
    for library in ("ssreflect", "fingroup", "algebra", "real_closed", "analysis"):
        if not (where / "user-contrib" / "mathcomp" / library).is_dir():
            raise NoCoq(f"coqc {found} has no mathcomp.{library}")
    return found


def key(folder: Path, coq: str) -> str:
    """Twenty hex digits for what was compiled and by which version."""
    return digest("\n".join([coq, *files(folder), *(read(name, folder) for name in files(folder))]))[:20]


def compiled(folder: Path = FORMAL, coq: str | None = None) -> tuple[Path, dict[str, str]]:
    """The folder of the compiled files, and {file: error} (empty, or the first file that failed)."""
    BUILD.mkdir(parents=True, exist_ok=True)
    place = BUILD / key(folder, coq or version())
    if not place.exists():
        aside = Path(tempfile.mkdtemp(prefix=".part-", dir=BUILD))
        for name in files(folder):
            shutil.copy(folder / name, aside / name)
        for name in files(folder):
            code, told = _run(["coqc", "-w", "none", "-Q", ".", "Formal", name], aside)
            if code:
                shutil.rmtree(aside)
                return place, {name: told}
        try:
            aside.rename(place)
        except OSError:  # another process was first
            shutil.rmtree(aside)
    return place, {}


def assumptions(place: Path, theorems: list[tuple[str, str]]) -> dict[str, list[str]]:
    """{theorem: the names of everything that it rests on unproved}, for pairs (file, theorem)."""
    with tempfile.TemporaryDirectory() as aside:
        modules = " ".join(dict.fromkeys(file.removesuffix(".v") for file, _ in theorems))
        asked = [f'Redirect "{name}" Print Assumptions {file.removesuffix(".v")}.{name}.' for file, name in theorems]
        script = "\n".join([f"From Formal Require Import {modules}.", *asked])
        code, told = _run(_batch(place, script, Path(aside)), Path(aside))
        if code:
            raise ValueError(told)
        return {name: _names((Path(aside) / f"{name}.out").read_text(encoding="utf-8")) for _, name in theorems}


def _names(told: str) -> list[str]:
    """The names in an answer to Print Assumptions; an axiom's type is indented or follows a colon."""
    if told.strip() == "Closed under the global context":
        return []
    lines = [line for line in told.splitlines() if line and not line[0].isspace() and line != "Axioms:"]
    return sorted({line.split()[0] for line in lines}) or [f"not understood: {' '.join(told.split())[:80]}"]


def rejected(place: Path, program: str, begins: int) -> str:
    """Why Coq refuses the program after line `begins`. ValueError: it accepts it, or refuses what stands before."""
    with tempfile.TemporaryDirectory() as aside:
        code, told = _run(_batch(place, program, Path(aside)), Path(aside))
    if not code:
        raise ValueError("the changed statement compiles with the same proof")
    at = re.search(r"line (\d+), characters", told)
    if at is None or int(at[1]) < begins:
        raise ValueError(f"the change is no statement: {told}")
    return told


def _batch(place: Path, program: str, aside: Path) -> list[str]:
    (aside / "program.v").write_text(program, encoding="utf-8")
    return ["coqtop", "-q", "-w", "none", "-Q", str(place.resolve()), "Formal", "-batch", "-l", "program.v"]


def _run(command: list[str], folder: Path) -> tuple[int, str]:
    """Exit status and what was said, in one line."""
    try:
        ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LIMIT, check=False)
    except subprocess.TimeoutExpired:
        return 1, f"{command[0]} took more than {LIMIT} s"
    return ran.returncode, " ".join((ran.stderr or ran.stdout).split())[:300]
