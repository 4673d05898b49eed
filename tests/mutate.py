"""A small mutation runner for the core modules, kernels included and uncompiled.

    python tests/mutate.py                         one mutant per five lines of each core module, drawn with seed 0
    python tests/mutate.py law --seed 1            another draw, one module
    python tests/mutate.py law --share 1e9         every mutant of one module
    python tests/mutate.py --ledger                faults that the ledger alone has to see, by topic: mutate_ledger.py

A mutant changes one place of one module: a comparison is flipped, + and -, * and / swapped, a number moved by one, True
and False or `and` and `or` swapped, a minus or a `not` dropped, a returned value replaced by None. Messages, docstrings
and annotations stay. Each mutant runs the module's tests in a forked process until the first failure. A mutant that no
test notices has survived; survivors are explained in tests/MUTANTS.md. A mutant that uses more CPU time than ten
unchanged runs and ten seconds, or all memory it may have, is stopped and counted apart. mutmut, configured in
pyproject.toml, mutates more but cannot reach the kernels: they are compiled from the unwrapped function.
"""

import argparse
import ast
import copy
import gc
import importlib
import os
import random
import resource
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from importlib.machinery import SourceFileLoader
from pathlib import Path

os.environ |= {
    "NUMBA_DISABLE_JIT": str(int(Path(sys.argv[0]).name == "mutate.py" and "--ledger" not in sys.argv)),
    "NUMBA_THREADING_LAYER": "workqueue",  # GNU OpenMP ends forked processes
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MPLBACKEND": "agg",
}
ROOT = Path(__file__).resolve().parent.parent

QUANTITIES = [
    "test_properties",
    "quantities or against_the_lattice or cross_entropy_from or infinite or rules_out or oracle_alone or by_hand "
    "or methods_are or fixed_order_kl or inclusion or shifted_grid or long_chain",
]
SCHEDULES = [
    "test_properties schedules/test_optimal",
    "brute_force or the_largest or closed_form or fine_grid or refuse or quantities or more_steps or few_steps "
    "or every_composition or coarse_grid",
]
CORE = {  # module: test files, and which of their tests by name; chosen to take a few seconds uncompiled
    "quantities/information_curve": [
        "quantities/test_information_curve test_properties",
        "test_information and not estimated_trajectory",
    ],
    "quantities/total_correlation": [
        "quantities/test_information_curve test_properties",
        "test_information and not estimated_trajectory",
    ],
    "quantities/law": [
        "test_properties quantities/test_law",
        "sampler_law or calls_of or adaptive_law or random_order_by or adaptive_rule_by or empty_steps",
    ],
    **{f"quantities/{name}": QUANTITIES for name in ("trajectory_kl", "token_error", "sequence_error", "calls")},
    "quantities/lattice": [
        "quantities/test_lattice test_properties",
        "test_lattice or lattice_tables or subset_cross",
    ],
    **{f"schedules/{name}": SCHEDULES for name in ("optimal", "budget")},
    "targets/pair_language": [
        "test_properties targets/test_pair_language",
        "collision_law or independent_pairs or pair_languages or small_published or is_pair",
    ],
    "targets/kernels/ancestral": ["targets/kernels/test_ancestral", ""],
    "targets/kernels/bridges": ["targets/test_markov", "not samples_have"],
    "targets/kernels/extended_range": ["targets/kernels/test_extended_range", ""],
    "targets/kernels/forward_backward": ["targets/kernels/test_forward_backward", ""],
    "targets/hmm": ["targets/test_hmm", "not samples_have"],
    "targets/kernels/impossible": ["targets/test_table targets/test_hmm", "test_table or listed"],
    "targets/markov": ["targets/test_markov", "not samples_have"],
    "targets/ngram": [
        "targets/test_ngram",
        "entropy or order_ or orbits or log_prob or fit or never_occur or short or smoothing or input or listed",
    ],
    "targets/kernels/stationary": ["targets/test_ngram", "stationary_law or iteration or smoothing or input"],
    "targets/table": ["targets/test_table test_properties", "test_table"],
    "targets/kernels/windows": [
        "targets/test_ngram",
        "screens or every_context or ordinary or decays or deterministic or input",
    ],
    "exact/log_sum": ["exact/test_log_sum", ""],
    "exact/rational_law": ["exact/test_rational_law test_properties", "law or subset_cross or test_information"],
    "exact/verdict": ["exact/test_verdict", ""],
}
PRELOADED = ("dit", "flint", "hmmlearn.hmm", "numba", "scipy.optimize", "scipy.sparse.linalg", "scipy.stats", "sympy")
MEMORY = 4 * 2**30  # bytes of address space; more is a MemoryError
FLIPS = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
SWAPS = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr, ast.LShift: ast.RShift,
    ast.RShift: ast.LShift, ast.MatMult: ast.Add,
}  # fmt: skip


def source_of(path: str) -> Path:
    return ROOT / "toy_models" / f"{path}.py"


def places(tree: ast.Module) -> Iterator[ast.AST]:
    """Nodes that may be changed: no annotation, decorator, docstring, message, import, or option of the compiler."""
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Raise | ast.JoinedStr | ast.Import | ast.ImportFrom):
            continue
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "kernel":
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
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield "minus dropped", {"op": ast.UAdd()}
    if isinstance(node, ast.Constant) and type(node.value) is bool:
        yield f"{node.value} -> {not node.value}", {"value": not node.value}
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield f"{node.value} -> {node.value + 1}", {"value": node.value + 1}
        yield f"{node.value} -> {node.value - 1}", {"value": node.value - 1}
    if isinstance(node, ast.Return) and node.value is not None:
        yield "returns None", {"value": ast.Constant(None)}


def sites(tree: ast.Module) -> list[tuple]:
    """(line, column, index of the node, what, new fields) of every mutant, in source order."""
    found = [(n.lineno, n.col_offset, k, *c) for k, n in enumerate(places(tree)) for c in changes(n)]
    return sorted(found, key=lambda m: (m[0], m[1], m[3]))


def mutant(tree: ast.Module, site: tuple) -> ast.Module:
    """The module with one of its sites changed."""
    other = copy.deepcopy(tree)
    target = next(n for i, n in enumerate(places(other)) if i == site[2])
    for name, value in site[4].items():
        setattr(target, name, value)
    return ast.fix_missing_locations(other)


def draw(source: str, count: float, seed: int) -> list[tuple[str, str, ast.Module]]:
    """("line:column", what, mutated module) of `count` mutants drawn without repetition, in source order."""
    tree = ast.parse(source)
    found = sites(tree)
    drawn = sorted(random.Random(seed).sample(range(len(found)), int(min(count, len(found)))))
    return [(f"{found[k][0]}:{found[k][1]}", found[k][3], mutant(tree, found[k])) for k in drawn]


def run_tests(path: str, module: ast.Module | None, limit: int) -> int:
    """Exit code of the tests of `path` with `module` in its place (None: unchanged); runs in the forked child."""
    import numpy as np
    import pytest

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    if limit:
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))
    np.seterr(all="ignore")  # as in compiled kernels
    original = SourceFileLoader.get_code

    def get_code(self, name):
        if module is not None and Path(self.path) == source_of(path):
            return compile(module, self.path, "exec")
        return original(self, name)

    SourceFileLoader.get_code = get_code
    for stream in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    options = "-x -q --assert=plain -p no:xdist -p no:cacheprovider -p no:anyio -o addopts=--import-mode=importlib "
    options += "--hypothesis-profile=mutants -k"
    files, names = CORE[path]
    return int(pytest.main([*options.split(), names, *(f"tests/toy_models/{file}.py" for file in files.split())]))


def outcome(status: int) -> str:
    """What became of a process: survived, noticed (a test failed), limit (of time, memory) or broken (no verdict)."""
    if os.WIFSIGNALED(status):
        return "limit" if os.WTERMSIG(status) == signal.SIGXCPU else "broken"
    codes = {0: "survived", 1: "noticed", 2: "noticed", 3: "limit"}  # 3: pytest itself has no memory left
    return codes.get(os.WEXITSTATUS(status), "broken")


def run(jobs: list[tuple], workers: int) -> Iterator[tuple[tuple, str, float]]:
    """(job, outcome, CPU seconds) for every job (path, place, what, module, limit), `workers` processes at a time."""
    waiting, running = list(reversed(jobs)), {}
    gc.freeze()  # the children's collector leaves the parent's objects alone
    while waiting or running:
        while waiting and len(running) < workers:
            job = waiting.pop()
            pid = os.fork()
            if pid == 0:
                code = 99
                try:
                    code = run_tests(job[0], job[3], job[4])
                except BaseException:
                    traceback.print_exc()
                os._exit(code)
            running[pid] = job
        pid, status, usage = os.wait4(-1, 0)
        yield running.pop(pid), outcome(status), usage.ru_utime + usage.ru_stime


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("modules", nargs="*", help="such as law or targets/hmm; default: all core modules")
    parser.add_argument("--ledger", action="store_true", help="against the ledger; `modules` are topics then")
    parser.add_argument("--report", action="store_true", help="with --ledger: the table of what has run")
    parser.add_argument("--tests", action="store_true", help="with --ledger: what no line sees meets the tests")
    parser.add_argument("--again", action="store_true", help="with --ledger: what no line saw meets the ledger again")
    parser.add_argument("--shown", nargs="+", help="with --ledger: show the faults to the lines of these topics")
    parser.add_argument("--first", type=int, default=10**6, help="with --ledger: as many faults of each topic")
    parser.add_argument("--minutes", type=float, default=600.0, help="with --ledger: stop after them")
    parser.add_argument("--share", type=float, default=0.2, help="mutants per line, at most all of them")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    os.chdir(ROOT)
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    if options.ledger:
        from mutate_ledger import main as against_the_ledger

        return against_the_ledger(options)
    for name in PRELOADED:  # once, inherited by every fork
        importlib.import_module(name)
    import hypothesis

    phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
    checks = list(hypothesis.HealthCheck)
    hypothesis.settings.register_profile(
        "mutants", derandomize=True, deadline=None, suppress_health_check=checks, phases=phases, database=None
    )
    chosen = [p for p in CORE if not options.modules or any(p.endswith(m) for m in options.modules)]
    start, jobs, lines = time.time(), [], {}
    for (path, *_), became, seconds in run([(path, "", "unchanged", None, 0) for path in chosen], options.workers):
        if became != "survived":
            sys.exit(f"{path}: its tests fail without any change")
        source = source_of(path).read_text(encoding="utf-8")
        lines[path] = len(source.splitlines())
        print(f"{path}: unchanged {seconds:.1f} s", flush=True)
        count, limit = -(-lines[path] * options.share // 1), int(10 * seconds + 10)
        jobs += [(path, *mutant, limit) for mutant in draw(source, count, options.seed)]
    tally = {path: Counter() for path in lines}
    for (path, place, what, *_), became, _ in run(jobs, options.workers):
        tally[path][became] += 1
        if became in ("survived", "broken"):
            print(f"{became}  {path}:{place}  {what}", flush=True)
        if tally[path].total() == sum(job[0] == path for job in jobs):
            print(f"{path}: {dict(tally[path])}", flush=True)
    print("\n| module | lines | mutants | noticed | of these, by a limit |\n|---|---|---|---|---|")
    for path in chosen:
        noticed = tally[path]["noticed"] + tally[path]["limit"]
        print(f"| {path} | {lines[path]} | {tally[path].total()} | {noticed} | {tally[path]['limit']} |")
    total = sum(tally.values(), Counter())
    score = (total["noticed"] + total["limit"]) / max(total.total(), 1)
    print(
        f"\nseed {options.seed}: {score:.1%} of {total.total()} noticed, in {time.time() - start:.0f} s; {dict(total)}"
    )
    return 0 if score >= 0.95 else 1


if __name__ == "__main__":
    sys.exit(main())
