"""A small mutation runner for the core modules, kernels included and uncompiled.

    python tests/mutate.py                         one mutant per five lines of each core module, drawn with seed 0
    python tests/mutate.py laws.py --seed 1        another draw, one module
    python tests/mutate.py laws.py --share 1e9     every mutant of one module

A mutant changes one place of one module: a comparison is flipped, + and -, * and / swapped, a number moved by one, True
and False or `and` and `or` swapped, a minus or a `not` dropped, a returned value replaced by None. Messages, docstrings
and annotations stay. Each mutant runs the module's tests in a forked process until the first failure. A mutant that no
test notices has survived; survivors are explained in tests/MUTANTS.md. A mutant that uses more CPU time than ten
unchanged runs and ten seconds is stopped (it may loop forever) and counted apart. mutmut, configured in pyproject.toml,
mutates more but cannot reach the kernels: they are compiled from the unwrapped function.
"""

import argparse
import ast
import copy
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

os.environ |= {"NUMBA_DISABLE_JIT": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": "agg"}
ROOT = Path(__file__).resolve().parent.parent


def selected(file: str, names: str = "") -> list[str]:
    """The named tests of a file, all of them by default."""
    path = f"tests/toy_models/{file}.py"
    return [f"{path}::test_{name}" for name in names.split()] or [path]


PROPERTIES = "test_properties"
CORE = {
    "toy_models/information.py": selected(PROPERTIES, "information") + selected("test_information"),
    "toy_models/laws.py": selected(
        PROPERTIES,
        "sampler_law calls_of_the_law_where_nothing_stops calls_of_stopped_runs_by_hand adaptive_law_by_replay",
    )
    + selected("test_laws", "random_order_by_definition adaptive_rule_by_definition empty_steps_make_no_call"),
    "toy_models/lattice.py": selected("test_lattice") + selected(PROPERTIES, "lattice_tables subset_cross_entropies"),
    "toy_models/quantities.py": selected(
        PROPERTIES,
        "quantities independent_pairs_against_the_lattice generative_cross_entropy_from_the_law expected_calls_by_hand "
        "methods_are_checked fixed_order_kl_over_all_pairs_of_blocks inclusion_chance_by_counting "
        "a_stopped_run_costs_an_infinite_cross_entropy what_the_denoiser_rules_out_costs_inf_in_every_schedule "
        "structured_routes_are_for_the_oracle_alone shifted_grid_kl_is_the_mean_over_shifts",
    ),
    "toy_models/optimal_schedules.py": selected(
        PROPERTIES,
        "optimal_sizes_by_brute_force tc_sizes_take_the_largest_zeta_that_fits budget_only_weights_in_closed_form "
        "optimal_weights_beat_a_fine_grid schedules_refuse_bad_curves_and_sizes quantities",
    )
    + selected("test_optimal_schedules", "more_steps_than_tokens_and_one_step odds_geometric_few_steps refused"),
    "toy_models/pair_language.py": selected(
        PROPERTIES,
        "collision_law_by_counting independent_pairs_against_the_lattice which_laws_are_pair_languages",
    )
    + selected("test_pair_language", "collision_law_by_enumeration_of_orders small_published_values is_pair_language"),
    "toy_models/targets/ancestral.py": selected("targets/test_ancestral"),
    "toy_models/targets/bridges.py": selected("targets/test_markov"),
    "toy_models/targets/extended_range.py": selected("targets/test_extended_range"),
    "toy_models/targets/forward_backward.py": selected("targets/test_forward_backward"),
    "toy_models/targets/hmm.py": selected("targets/test_hmm"),
    "toy_models/targets/impossible.py": selected("targets/test_hmm", "impossible_contexts_are_listed")
    + selected("targets/test_table"),
    "toy_models/targets/markov.py": selected("targets/test_markov"),
    "toy_models/targets/ngram.py": selected(
        "targets/test_ngram",
        "entropy_matches_the_table order_one_is_the_frequencies_of_tokens samples_of_a_noiseless_recursion_are_its_orbits "
        "order_two_is_a_markov_chain log_prob_matches_the_rational_law fit_counts_the_circle "
        "contexts_that_never_occur_get_a_uniform_row_that_no_sample_reaches smoothing_makes_every_window_possible "
        "a_corpus_as_short_as_the_order_still_continues bad_input_is_refused_with_the_place_and_the_value "
        "impossible_contexts_are_listed_at_every_order",
    ),
    "toy_models/targets/stationary.py": selected(
        "targets/test_ngram",
        "stationary_law_by_elimination_and_by_iteration iteration_serves_periods_and_slow_mixing "
        "smoothing_makes_every_window_possible bad_input_is_refused_with_the_place_and_the_value",
    ),
    "toy_models/targets/table.py": selected("targets/test_table") + selected(PROPERTIES, "table_marginals"),
    "toy_models/targets/windows.py": selected(
        "targets/test_ngram",
        "longest_segment_counts_windows_between_screens every_context_matches_the_table "
        "ordinary_rows_need_no_extended_range a_window_that_decays_step_by_step_is_not_lost "
        "near_deterministic_rows_match_the_rational_law bad_input_is_refused_with_the_place_and_the_value",
    ),
    "toy_models/exact/log_sum.py": selected("exact/test_log_sum"),
    "toy_models/exact/rational_law.py": selected("exact/test_rational_law")
    + selected(PROPERTIES, "the_lattice_law_is_the_average_over_orders independent_reveal_is_the_average_over_steps"),
    "toy_models/exact/verdict.py": selected("exact/test_verdict"),
}
HEAVY = "samples_have_the_exact or estimated_trajectory"  # over a second uncompiled
MEMORY = 6 * 2**30  # bytes of address space; more is a MemoryError
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
    """Nodes that may be changed: no annotation, decorator, docstring, message, import, or option of the compiler."""
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Raise | ast.JoinedStr | ast.Import | ast.ImportFrom):
            continue
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "njit":
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


def draw(source: str, count: float, seed: int) -> list[tuple[str, str, ast.Module]]:
    """("line:column", what, mutated module) of `count` mutants drawn without repetition, in source order."""
    tree = ast.parse(source)
    found = [(n.lineno, n.col_offset, k, *c) for k, n in enumerate(places(tree)) for c in changes(n)]
    found.sort(key=lambda m: (m[0], m[1], m[3]))
    mutants = []
    for drawn in sorted(random.Random(seed).sample(range(len(found)), int(min(count, len(found))))):
        line, column, index, what, fields = found[drawn]
        other = copy.deepcopy(tree)
        target = next(n for i, n in enumerate(places(other)) if i == index)
        for name, value in fields.items():
            setattr(target, name, value)
        mutants.append((f"{line}:{column}", what, ast.fix_missing_locations(other)))
    return mutants


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
        if module is not None and Path(self.path) == ROOT / path:
            return compile(module, self.path, "exec")
        return original(self, name)

    SourceFileLoader.get_code = get_code
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    options = [
        "-x",
        "-p",
        "no:xdist",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:anyio",
        "-o",
        "addopts=--import-mode=importlib",
    ]
    options += ["--assert=plain", "--hypothesis-profile=mutants", "-k", f"not ({HEAVY})"]
    return int(pytest.main([*options, *CORE[path]]))


def outcome(status: int) -> str:
    """What became of a process: survived, noticed (a test failed), limit (of CPU time) or broken (no verdict)."""
    if os.WIFSIGNALED(status):
        return "limit" if os.WTERMSIG(status) == signal.SIGXCPU else "broken"
    return {0: "survived", 1: "noticed", 2: "noticed"}.get(os.WEXITSTATUS(status), "broken")


def run(jobs: list[tuple], workers: int) -> Iterator[tuple[tuple, str, float]]:
    """(job, outcome, CPU seconds) for every job (path, place, what, module, limit), `workers` processes at a time."""
    waiting, running = list(reversed(jobs)), {}
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
    parser.add_argument("modules", nargs="*", help="part of a module's path; default: all core modules")
    parser.add_argument("--share", type=float, default=0.2, help="mutants per line, at most all of them")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    os.chdir(ROOT)
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    import dit  # noqa: F401  imported once, inherited by every fork
    import flint  # noqa: F401
    import hmmlearn.hmm  # noqa: F401
    import hypothesis
    import mpmath  # noqa: F401
    import numba  # noqa: F401
    import scipy.optimize
    import scipy.sparse.linalg
    import scipy.stats  # noqa: F401
    import sympy  # noqa: F401

    phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
    checks = list(hypothesis.HealthCheck)
    hypothesis.settings.register_profile(
        "mutants", derandomize=True, deadline=None, suppress_health_check=checks, phases=phases, database=None
    )
    chosen = [path for path in CORE if not options.modules or any(m in path for m in options.modules)]
    start, jobs, lines = time.time(), [], {}
    for (path, *_), became, seconds in run([(path, "", "unchanged", None, 0) for path in chosen], options.workers):
        if became != "survived":
            sys.exit(f"{path}: its tests fail without any change")
        source = (ROOT / path).read_text(encoding="utf-8")
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
    print("\n| module | lines | mutants | noticed | of these, by the time limit |\n|---|---|---|---|---|")
    for path in chosen:
        noticed = tally[path]["noticed"] + tally[path]["limit"]
        print(f"| {path[11:]} | {lines[path]} | {tally[path].total()} | {noticed} | {tally[path]['limit']} |")
    total = sum(tally.values(), Counter())
    score = (total["noticed"] + total["limit"]) / max(total.total(), 1)
    print(
        f"\nseed {options.seed}: {total['noticed'] + total['limit']} of {total.total()} noticed, {score:.1%}, ", end=""
    )
    print(f"{total['limit']} by the time limit, {total['broken']} broken, in {time.time() - start:.0f} s")
    return 0 if score >= 0.95 else 1


if __name__ == "__main__":
    sys.exit(main())
