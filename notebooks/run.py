"""The strict papermill runner.

    python -m notebooks.run 01-perplexity -p corpus my.txt -p profile smoke
    python -m notebooks.run --list

papermill itself accepts unknown and wrongly typed parameters; this runner refuses both and says what is allowed. The
executed copy goes to build/notebooks of the folder it is called from, figures to the notebook's out_dir, relative to
the same folder. Check failures are never retried; only a kernel that did not start is, once.
"""

import argparse
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from toy_models.files import run_folder

SOURCES = Path(__file__).resolve().parent
EXECUTED = Path("build/notebooks")  # in the working folder
TYPES = {"str": str, "int": int, "float": float, "bool": bool}
DEVICES = ("auto", "cpu", "cuda")
TOKENS = 4  # that a text needs: one context of the highest order that the notebooks fit, and what follows it


class ParameterError(ValueError):
    """An unknown notebook, or a parameter the notebook does not have or cannot take."""


def notebook_names() -> list[str]:
    return sorted(p.stem for p in SOURCES.glob("[0-9][0-9]-*.ipynb"))


def source(name: str) -> Path:
    """The path of one notebook; ParameterError lists what exists."""
    name = name.removesuffix(".ipynb").removeprefix("notebooks/")
    if name not in notebook_names():
        raise ParameterError(f"no notebook {name!r}; there are: {', '.join(notebook_names())}")
    return SOURCES / f"{name}.ipynb"


def declared_parameters(path: Path) -> dict[str, tuple[type, str, str]]:
    """name -> (type, default as written, help) from the cell tagged `parameters`."""
    from papermill import inspect_notebook

    declared = {}
    for name, item in inspect_notebook(str(path)).items():
        kind = TYPES.get(item["inferred_type_name"])
        if kind is None:
            raise ParameterError(f"{path.stem}: parameter {name} has no type str, int, float or bool")
        declared[name] = (kind, item["default"], item["help"])
    if not declared:
        raise ParameterError(f"{path.stem}: no cell is tagged `parameters`")
    return declared


def checked_parameters(path: Path, given: dict[str, str]) -> dict[str, object]:
    """The given parameters with their declared types; ParameterError names notebook, parameter and what is allowed."""
    declared = declared_parameters(path)
    result = {}
    for name, text in given.items():
        if name not in declared:
            raise ParameterError(f"{path.stem} has no parameter {name!r}; it has: {', '.join(declared)}")
        result[name] = cast(path.stem, name, text, declared[name][0])
    if "profile" in result and result["profile"] not in ("smoke", "full", "gpu"):
        raise ParameterError(f"{path.stem}: profile = {result['profile']!r}, allowed: smoke, full, gpu")
    if result.get("seed", 0) < 0:
        raise ParameterError(f"{path.stem}: seed = {result['seed']}, allowed: 0, 1, 2, ...")
    if "device" in result:
        check_device(path.stem, result["device"])
    if result.get("corpus"):
        check_corpus(path.stem, result["corpus"])
    if "out_dir" in result:
        check_writable(path.stem, "out_dir", Path(result["out_dir"]))
    return result


def once(notebook: str, pairs: list[list[str]]) -> dict[str, str]:
    """The given (name, value) pairs as a dictionary; ParameterError when a name comes twice."""
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ParameterError(f"{notebook}: given more than once: {', '.join(twice)}")
    return result


def cast(notebook: str, name: str, text: str, kind: type):
    """`text` as `kind`; booleans are true or false."""
    if kind is bool:
        if text.lower() not in ("true", "false"):
            raise ParameterError(f"{notebook}: {name} = {text!r}, allowed: true, false")
        return text.lower() == "true"
    try:
        return kind(text)
    except ValueError:
        raise ParameterError(f"{notebook}: {name} = {text!r} is no {kind.__name__}") from None


def check_device(notebook: str, device: str) -> None:
    if device not in DEVICES:
        raise ParameterError(f"{notebook}: device = {device!r}, allowed: {', '.join(DEVICES)}")
    if device == "cuda":
        import torch

        if not torch.cuda.is_available():
            raise ParameterError(f'{notebook}: device = "cuda", but torch finds no CUDA device; use auto or cpu')


def check_corpus(notebook: str, path: str) -> None:
    """A text that every n-gram language of the notebooks can be fitted to."""
    from toy_models.targets import corpus

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", corpus.CorpusWarning)
        tokens = corpus.load(path)
    for warning in said:  # what folding lost, as one line
        print(warning.message, file=sys.stderr)
    for what, count, least in (("tokens", len(tokens), TOKENS), ("different symbols", len(set(tokens.tolist())), 2)):
        if count < least:
            raise ParameterError(
                f"{notebook}: corpus = {path!r} has {count} {what} after folding, allowed: at least {least}"
            )


def check_writable(notebook: str, name: str, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as problem:
        raise ParameterError(f"{notebook}: {name} = {str(folder)!r} cannot be written: {problem.strerror}") from None


@contextmanager
def temporary_files_in(folder: Path) -> Iterator[None]:
    """Temporary files of this process, such as the kernel's connection file, go where the next run sweeps."""
    before, tempfile.tempdir = tempfile.tempdir, str(folder.resolve())
    try:
        yield
    finally:
        tempfile.tempdir = before


def run(name: str, given: dict[str, str], progress: bool = True) -> Path:
    """Execute one notebook and return the path of the executed copy. Raises papermill's error when a cell fails."""
    import papermill
    from nbclient.exceptions import DeadKernelError

    path = source(name)
    parameters = checked_parameters(path, given)
    check_writable(path.stem, "the folder of executed notebooks", EXECUTED)
    with run_folder(EXECUTED) as private, temporary_files_in(private):
        own = str(private.resolve())
        os.environ.update(MDM_BATCH="1", IPYTHONDIR=own, JUPYTER_RUNTIME_DIR=own, PYDEVD_DISABLE_FILE_VALIDATION="1")
        for attempt in (1, 2):
            try:
                papermill.execute_notebook(
                    str(path),
                    str(private / path.name),
                    parameters=parameters,
                    kernel_name="python3",
                    cwd=os.getcwd(),
                    progress_bar=progress,
                    execution_timeout=1800,
                )
                break
            except (DeadKernelError, RuntimeError) as problem:
                if attempt == 2 or "Kernel died before replying" not in str(problem):
                    raise
        executed = EXECUTED / path.name
        os.replace(private / path.name, executed)
    return executed


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m notebooks.run", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("notebook", nargs="?", help="such as 01-perplexity")
    parser.add_argument("-p", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"), help="set a parameter")
    parser.add_argument("--list", action="store_true", help="list notebooks with their parameters")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    options = parser.parse_args(arguments)
    if options.list or not options.notebook:
        for name in notebook_names():
            declared = declared_parameters(source(name))
            print(name + "\n  " + ", ".join(f"{n}: {k.__name__} = {d}" for n, (k, d, _) in declared.items()))
        return 0
    try:
        print(run(options.notebook, once(options.notebook, options.p), progress=not options.quiet))
    except ValueError as problem:
        print(f"notebooks.run: {problem}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
