"""The house keeps its shape: one slug per topic, one dependency set, imports in one direction."""

import ast
import io
import re
import subprocess
import sys
import tokenize
import tomllib
from functools import cache
from pathlib import Path

import pytest

from figures import registry
from theory.claims import TOPICS

ROOT = Path(__file__).resolve().parent.parent
LAYERS = ("toy_models", "theory", "figures", "notebooks")  # each may import itself and those before it
ENGINE = {"figures", *(f"figures.{name}" for name in registry.ENGINE)}  # of the figures, which stands below theory
PACKAGES = [path for layer in LAYERS for path in sorted((ROOT / layer).rglob("*.py"))]
CONDA_NAMES = {"torch": "pytorch"}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(module: ast.AST) -> set[str]:
    """Top-level packages and dotted names imported anywhere below `module`."""
    names = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


# ---------------------------------------------------------------- one slug per topic


@pytest.mark.parametrize("topic", [t for t in TOPICS if (ROOT / "theory" / f"{t}.py").exists()])
def test_one_slug_per_topic(topic):
    notebooks = [p.stem for p in (ROOT / "notebooks").glob("[0-9][0-9]-*.ipynb")]
    assert (ROOT / "theory" / f"{topic}.md").exists()
    assert (ROOT / "figures" / f"{topic}.py").exists()
    assert (ROOT / "tests" / "theory" / f"test_{topic}.py").exists()
    number = TOPICS.index(topic) + 1
    assert f"{number:02d}-{topic.replace('_', '-')}" in notebooks


# ---------------------------------------------------------------- one dependency set, three faces


def requirement(text: str) -> tuple[str, str]:
    name = re.match(r"[A-Za-z0-9_.-]+", text).group()
    return name.lower().replace("_", "-"), text[len(name) :]


def at_least(version: str, bound: str) -> bool:
    """Whether a pinned version satisfies one of the bounds used here: >=, <, ==."""
    sign, wanted = re.match(r"(>=|<|==)(.*)", bound).groups()
    number = [int(k) for k in re.findall(r"\d+", version)]
    limit = [int(k) for k in re.findall(r"\d+", wanted)]
    return {">=": number >= limit, "<": number < limit, "==": number == limit}[sign]


def test_three_faces_of_one_set():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = dict(map(requirement, project["dependencies"] + project["optional-dependencies"]["test"]))
    conda = re.findall(r"^  - (\S+)$", (ROOT / "environment.yml").read_text(), re.MULTILINE)
    conda = dict(map(requirement, [line for line in conda if line != "conda-forge"]))
    assert conda.pop("python") == project["requires-python"]
    assert conda == {CONDA_NAMES.get(name, name): bound for name, bound in wanted.items()}
    pins = dict(map(requirement, (ROOT / "constraints.txt").read_text().split()))
    assert set(wanted) <= set(pins)
    for name, bound in wanted.items():
        assert at_least(pins[name].removeprefix("=="), bound), (name, pins[name], bound)


def test_versions_are_compared():
    assert at_least("1.26.4", ">=1.15")
    assert not at_least("1.9", ">=1.15")
    assert at_least("1.3.0", "<1.4")
    assert not at_least("1.4.0", "<1.4")


# ---------------------------------------------------------------- imports


def test_importing_the_library_does_not_import_torch():
    code = "import sys, toy_models; print('torch' in sys.modules, 'matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.split() == ["False", "False"]


@pytest.mark.parametrize("layer", LAYERS)
def test_dependencies_point_one_way(layer):
    later = LAYERS[LAYERS.index(layer) + 1 :]
    found = {
        (path.relative_to(ROOT).as_posix(), name)
        for path in sorted((ROOT / layer).rglob("*.py"))
        for name in imports(tree(path))
        if name.split(".")[0] in (*later, "tests", "benchmarks")
    }
    engine = {
        (path, name) for path, name in found if any(name == e or name.startswith(f"{e}.") for e in ENGINE - {"figures"})
    }
    assert found - (engine if layer == "theory" else set()) == set()


def test_the_engine_of_the_figures_stands_below_theory():
    """It imports the library and itself; draw functions are found by name, when asked for."""
    for module in ("__init__", *registry.ENGINE):
        for name in imports(tree(ROOT / "figures" / f"{module}.py")):
            package, *below = name.split(".")
            assert package not in ("theory", "notebooks", "tests"), (module, name)
            if package == "figures" and below:
                assert below[0] in (*registry.ENGINE, "ROOT", "STYLE"), (module, name)


def test_the_library_draws_nothing_and_reads_no_claim():
    found = {
        (path.name, name)
        for path in (ROOT / "toy_models").rglob("*.py")
        for name in imports(tree(path))
        if name.split(".")[0] in ("matplotlib", "papermill", "sympy")
    }
    assert found == set()


def test_torch_stays_in_its_modules():
    """Outside toy_models/medium and *_torch.py no module of the library imports torch at the top."""
    found = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "toy_models").rglob("*.py")
        if not path.stem.endswith("_torch") and "medium" not in path.parts
        for node in tree(path).body
        if isinstance(node, ast.Import | ast.ImportFrom) and any(n.split(".")[0] == "torch" for n in imports(node))
    ]
    assert found == []


def test_no_cycles_within_a_layer():
    modules = {".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): p for p in PACKAGES}
    top = {
        name: {
            target
            for node in tree(path).body
            for target in imports(node)
            if isinstance(node, ast.Import | ast.ImportFrom) and target in modules and target != name
        }
        for name, path in modules.items()
        if path.name != "__init__.py"
    }
    done: set[str] = set()

    def visit(name, trail):
        assert name not in trail, " -> ".join((*trail, name))
        if name not in done and name in top:
            for target in sorted(top[name]):
                visit(target, (*trail, name))
            done.add(name)

    for name in top:
        visit(name, ())


def test_annotations_are_evaluated():
    """jaxtyping's shapes are checked only where annotations are objects."""
    found = [
        p.name for p in PACKAGES if "annotations" in re.findall(r"^from __future__ import (\w+)", p.read_text(), re.M)
    ]
    assert found == []


# ---------------------------------------------------------------- one subject per module

LONGEST = 220  # lines of code; the longest module had 201 when the limit was set
MODULES = [path for folder in (*LAYERS, "benchmarks") for path in sorted((ROOT / folder).rglob("*.py"))]


def code_lines(source: str) -> int:
    """Lines that hold a token of code: no blank lines, no comments, no docstrings."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        line
        for node in ast.walk(ast.parse(source))
        if isinstance(node, documented) and ast.get_docstring(node) is not None
        for line in range(node.body[0].lineno, node.body[0].end_lineno + 1)
    }
    silent = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
    lines = {
        line
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type not in silent
        for line in range(token.start[0], token.end[0] + 1)
    }
    return len(lines - docstrings)


def test_modules_are_short():
    counted = {path.relative_to(ROOT).as_posix(): code_lines(path.read_text(encoding="utf-8")) for path in MODULES}
    assert len(counted) > 150
    assert {name: lines for name, lines in counted.items() if lines > LONGEST} == {}


def test_only_code_is_counted():
    source = '''"""Doc.

    More.
    """

# a comment
x = 1  # counted

def f():
    """Doc."""
    return """two
lines"""
'''
    assert code_lines(source) == 4


# ---------------------------------------------------------------- the repository speaks of the project alone


def test_no_paths_of_a_workplace():
    """No absolute path of one machine in any text file."""
    folders = "|".join(("work", "home", "Users", "root", "mnt"))
    pattern = re.compile(rf"(?<![\w.)\]}}~-])/(?:{folders})/[\w.-]+")
    tracked = subprocess.run(["git", "ls-files"], capture_output=True, text=True, cwd=ROOT, check=False).stdout.split()
    names = tracked or [str(p.relative_to(ROOT)) for p in (*PACKAGES, *ROOT.glob("*.md"), *ROOT.glob("theory/*.md"))]
    found = []
    for name in names:
        path = ROOT / name
        if path.suffix in (".py", ".md", ".toml", ".ipynb", ".txt", ".yml", ".yaml", ".bib") and path.exists():
            found += [f"{name}: {m}" for m in pattern.findall(path.read_text(encoding="utf-8"))]
    assert found == []
    assert pattern.search("see " + "/" + "home" + "/someone/x")
    assert not pattern.search("https://example.org/" + "work" + "/x")
