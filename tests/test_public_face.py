"""What `import toy_models as tm` offers: the stable names, one subject one level down, an example for each of them."""

import ast
import doctest
import importlib
import inspect
import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import toy_models as tm

ROOT = Path(__file__).resolve().parent.parent
SUBJECTS = [name for name in tm.__all__ if hasattr(getattr(tm, name), "__path__")]
USERS = ("theory", "figures", "benchmarks", "notebooks")
NEEDS_TORCH = "toy_models.networks"


def public(package: ModuleType, prefix: str) -> dict[str, object]:
    """Dotted name -> object of what a package exports."""
    return {f"{prefix}.{name}": getattr(package, name) for name in package.__all__}


EXPORTED = public(tm, "tm")
for subject in SUBJECTS:
    EXPORTED |= public(getattr(tm, subject), f"tm.{subject}")
DOCUMENTED = {name: member for name, member in EXPORTED.items() if inspect.isclass(member) or inspect.isroutine(member)}


def modules() -> list[str]:
    """Every module of the library that does without torch."""
    paths = [path.relative_to(ROOT).with_suffix("") for path in sorted((ROOT / "toy_models").rglob("*.py"))]
    names = [".".join(path.parts).removesuffix(".__init__") for path in paths if "data" not in path.parts]
    return [name for name in names if not name.startswith(NEEDS_TORCH)]


def test_the_top_level_is_its_list():
    """Nothing is public by accident: besides the list only the modules of the library."""
    assert len(set(tm.__all__)) == len(tm.__all__)
    assert dir(tm) == sorted(tm.__all__)
    public_names = {name for name, value in vars(tm).items() if name[0] != "_" and not isinstance(value, ModuleType)}
    assert public_names - {"attach"} == {name for name in tm.__all__ if not isinstance(getattr(tm, name), ModuleType)}
    with pytest.raises(AttributeError, match=r"'toy_models' has no attribute 'Markov'"):
        tm.Markov  # noqa: B018


@pytest.mark.parametrize("subject", SUBJECTS)
def test_one_public_address(subject):
    """A subject's list can be read, and its names are not hidden by modules of the same name."""
    package = getattr(tm, subject)
    assert len(set(package.__all__)) == len(package.__all__)
    for name in package.__all__:
        member = getattr(package, name)
        path = Path(package.__path__[0])
        assert isinstance(member, ModuleType) == ((path / f"{name}.py").exists() or (path / name).is_dir()), name


def deep_names() -> set[tuple[str, str]]:
    """(module, name) of every import from below the library's subjects in theory, figures, benchmarks and notebooks."""
    sources = [path.read_text(encoding="utf-8") for user in USERS for path in (ROOT / user).rglob("*.py")]
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        cells = [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
        sources += ["".join(line for line in cell["source"] if not line.startswith("%")) for cell in cells]
    return {
        (node.module, alias.name)
        for source in sources
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("toy_models.")
        for alias in node.names
        if not node.module.startswith((NEEDS_TORCH, "toy_models.files"))
    }


def test_what_is_used_is_exported():
    """The library's own theory reaches for nothing that a user is not offered."""
    offered = {id(member) for name, member in EXPORTED.items() if name.removeprefix("tm.") not in SUBJECTS}
    hidden = [
        (module, name)
        for module, name in sorted(deep_names())
        if not {id(importlib.import_module(module)), id(getattr(importlib.import_module(module), name))} & offered
    ]
    assert hidden == []


@pytest.mark.parametrize("name", sorted(DOCUMENTED))
def test_every_exported_name_has_an_example(name):
    assert ">>> " in (inspect.getdoc(DOCUMENTED[name]) or ""), f"{name} has no example in its docstring"


@pytest.mark.parametrize("name", modules())
def test_examples_come_out_as_written(name):
    module = importlib.import_module(name)
    runner = doctest.DocTestRunner(verbose=False)
    report = []
    for test in doctest.DocTestFinder(exclude_empty=True).find(module, extraglobs={"tm": tm, "np": np}):
        runner.run(test, out=report.append)
    assert runner.failures == 0, "".join(report)
