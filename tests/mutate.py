"""A small mutation runner for the core modules, kernels included and uncompiled.

    python tests/mutate.py                    one mutant per five lines of each core module, drawn with a fixed seed
    python tests/mutate.py laws.py --share 1  every mutant of one module

A mutant changes one place of one module: a comparison is flipped, + and -, * and / swapped, a number moved by one,
`and` and `or` swapped, `not` dropped, a returned value replaced by None. Messages, docstrings and annotations stay.
Each mutant runs the selected tests in a forked process until the first failure. A mutant that no test notices has
survived; survivors are explained in tests/MUTANTS.md. mutmut, configured in pyproject.toml, mutates more but cannot
reach the kernels: they are compiled from the unwrapped function.
"""

import argparse
import ast
import contextlib
import copy
import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from importlib.machinery import SourceFileLoader
from pathlib import Path

os.environ |= {"NUMBA_DISABLE_JIT": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": "agg"}
ROOT = Path(__file__).resolve().parent.parent
SMALL = "tests/toy_models/test_properties.py"
EXACT = "tests/toy_models/exact/"
CORE = {
    "toy_models/exact/verdict.py": [EXACT + "test_verdict.py"],
    "toy_models/laws.py": [SMALL],
    "toy_models/exact/log_sum.py": [EXACT + "test_log_sum.py"],
    "toy_models/pair_language.py": [SMALL],
    "toy_models/targets/table.py": ["tests/toy_models/targets/test_table.py", SMALL],
    "toy_models/quantities.py": [SMALL],
    "toy_models/lattice.py": ["tests/toy_models/test_lattice.py", SMALL],
    "toy_models/optimal_schedules.py": [SMALL],
    "toy_models/information.py": [SMALL, "tests/toy_models/test_information.py"],
    "toy_models/exact/rational_law.py": [EXACT + "test_rational_law.py", SMALL],
}
HEAVY = "chain_marginals or hmm_marginals or ngram_marginals or budget"  # other modules, or a time
LIMIT = 60  # seconds; a mutant that runs longer is noticed
FLIPS = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
SWAPS = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr, ast.LShift: ast.RShift,
    ast.RShift: ast.LShift, ast.MatMult: ast.Add,
}  # fmt: skip


def places(tree: ast.Module) -> Iterator[ast.AST]:
    """Nodes that may be changed: no annotation, decorator, docstring, message, or import."""
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Raise | ast.JoinedStr | ast.Import | ast.ImportFrom):
            continue
        yield node
        for field, value in ast.iter_fields(node):
            if field not in ("annotation", "returns", "decorator_list"):
                stack += [v for v in (value if isinstance(value, list) else [value]) if isinstance(v, ast.AST)]


def changes(node: ast.AST) -> Iterator[tuple[str, dict]]:
    """(what, new fields) for every change of one node."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in FLIPS:
        new = FLIPS[type(node.ops[0])]
        yield f"{type(node.ops[0]).__name__} -> {new.__name__}", {"ops": [new(), *node.ops[1:]]}
    if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in SWAPS:
        yield f"{type(node.op).__name__} -> {SWAPS[type(node.op)].__name__}", {"op": SWAPS[type(node.op)]()}
    if isinstance(node, ast.BoolOp):
        new = ast.Or if isinstance(node.op, ast.And) else ast.And
        yield f"{type(node.op).__name__} -> {new.__name__}", {"op": new()}
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "not dropped", {"op": ast.UAdd(), "operand": ast.Call(ast.Name("bool", ast.Load()), [node.operand], [])}
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield f"{node.value} -> {node.value + 1}", {"value": node.value + 1}
        yield f"{node.value} -> {node.value - 1}", {"value": node.value - 1}
    if isinstance(node, ast.Return) and node.value is not None:
        yield "returns None", {"value": ast.Constant(None)}


def mutants(source: str) -> list[tuple[int, str, ast.Module]]:
    """(line, what, mutated module) in source order."""
    tree, found = ast.parse(source), []
    for index, node in enumerate(places(tree)):
        for what, fields in changes(node):
            other = copy.deepcopy(tree)
            target = next(n for k, n in enumerate(places(other)) if k == index)
            for name, value in fields.items():
                setattr(target, name, value)
            found.append((node.lineno, what, ast.fix_missing_locations(other)))
    return sorted(found, key=lambda m: m[:2])


def survives(path: str, module: ast.Module | None, tests: list[str]) -> int:
    """Exit code of the tests with `module` in place of `path` (None: unchanged); runs in the forked child."""
    import pytest

    signal.alarm(LIMIT)
    original = SourceFileLoader.get_code

    def get_code(self, name):
        if module is not None and Path(self.path) == ROOT / path:
            return compile(module, self.path, "exec")
        return original(self, name)

    SourceFileLoader.get_code = get_code
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    options = [
        "-x",
        "-q",
        "--assert=plain",
        "-p",
        "no:xdist",
        "-p",
        "no:cacheprovider",
        "-o",
        "addopts=--import-mode=importlib",
    ]
    return pytest.main([*options, "--hypothesis-profile=mutants", "-k", f"not ({HEAVY})", *tests])


def run(jobs: list[tuple], workers: int) -> Iterator[tuple[tuple, bool]]:
    """(job, noticed) for every job, `workers` forked processes at a time."""
    waiting, running = list(reversed(jobs)), {}
    while waiting or running:
        while waiting and len(running) < workers:
            job = waiting.pop()
            pid = os.fork()
            if pid == 0:
                code = 1
                with contextlib.suppress(BaseException):
                    code = int(survives(job[0], job[3], job[4]))
                os._exit(code)
            running[pid] = job
        pid, status = os.wait()
        yield running.pop(pid), status != 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("modules", nargs="*", help="part of a module's path; default: all core modules")
    parser.add_argument("--share", type=float, default=0.2, help="mutants per line, 1 or more: all of them")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    import hypothesis

    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    os.chdir(ROOT)
    import flint  # noqa: F401  imported once, inherited by every fork
    import mpmath  # noqa: F401
    import numba  # noqa: F401
    import scipy.optimize
    import scipy.stats  # noqa: F401
    import sympy  # noqa: F401

    phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
    checks = list(hypothesis.HealthCheck)
    hypothesis.settings.register_profile(
        "mutants", derandomize=True, deadline=None, suppress_health_check=checks, phases=phases, database=None
    )
    jobs, lines = [], {}
    for path, own in CORE.items():
        if options.modules and not any(m in path for m in options.modules):
            continue
        source = (ROOT / path).read_text(encoding="utf-8")
        lines[path] = len(source.splitlines())
        tests = [t for t in own if (ROOT / t).exists()]
        drawn = mutants(source)
        count = len(drawn) if options.share >= 1 else min(len(drawn), -int(-lines[path] * options.share // 1))
        jobs += [(path, 0, "unchanged", None, tests)]
        jobs += [(path, *m, tests) for m in sorted(random.Random(0).sample(drawn, count), key=lambda m: m[:2])]
    start, noticed = time.time(), {path: [] for path in lines}
    for (path, line, what, module, _), dead in run(jobs, options.workers):
        if module is None:
            if dead:
                print(f"{path}: the tests fail without any change", flush=True)
            continue
        noticed[path].append(dead)
        if not dead:
            print(f"survived  {path}:{line}  {what}", flush=True)
        if len(noticed[path]) == sum(job[0] == path and job[3] is not None for job in jobs):
            print(f"{path}: {sum(noticed[path])} of {len(noticed[path])} noticed", flush=True)
    print(f"\n{'module':<36} lines mutants noticed")
    for path, found in noticed.items():
        print(f"{path:<36} {lines[path]:>5} {len(found):>7} {sum(found):>7}")
    total = [dead for found in noticed.values() for dead in found]
    score = sum(total) / max(len(total), 1)
    print(f"{sum(total)} of {len(total)} noticed, {score:.1%}, in {time.time() - start:.0f} s")
    return 0 if score >= 0.95 else 1


if __name__ == "__main__":
    sys.exit(main())
