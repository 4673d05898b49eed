"""Planted faults against the ledger alone: which of them turn a line red, and which of the rest the tests see.

    python tests/mutate.py --ledger                          every topic, seed 0; goes on where an earlier run stopped
    python tests/mutate.py --ledger energy --seed 1          one topic, another draw
    python tests/mutate.py --ledger --report                 the table of what has run so far

A fault is a mutant (see mutate.py) of a library module that a topic's checks or results import, directly or not, or of
the checks themselves. Each runs the small profile of the topics that use its module most directly, at most THREE, until
a line is red, or differs in verdict or tier from the unchanged run. Kernels of the touched module, and those that call
them, run uncompiled; everything else is compiled. With --tests, faults that no line sees meet their module's tests.
State is kept in build/.
"""

import ast
import importlib
import json
import os
import random
import resource
import sys
import time
import types
from collections import Counter, defaultdict
from collections.abc import Iterator
from importlib.machinery import SourceFileLoader
from inspect import unwrap
from pathlib import Path

from mutate import MEMORY, ROOT, draw

THREE = 3  # topics a fault is shown to, the most direct first
PER_MODULE, PER_TOPIC = 10, 30
SECONDS = 180  # CPU time of one topic under a fault; more is counted as seen
SEEN = ("ledger", "ledger, by a limit")
NEUTRAL = ("default_rng", "Random", "RandomState")  # a changed seed is no fault


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported(path: Path) -> set[str]:
    """Modules of the suite that the file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        found |= {name for name in names if name.split(".")[0] in ("toy_models", "theory")}
    return found


def attributes(path: Path, public: dict[str, str]) -> set[str]:
    """Home modules of the names that the file takes from the library's top level, as tm.NAME."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    taken = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute) and getattr(n.value, "id", "") == "tm"}
    return {public[name] for name in taken & set(public)}


def closure(topic: str) -> dict[str, int]:
    """Library modules that the topic's code reaches, with the length of the shortest chain of imports."""
    import toy_models as tm

    public = {name: getattr(getattr(tm, name), "__module__", None) or "" for name in tm.__all__}
    files = {module_of(p): p for layer in ("toy_models", "theory") for p in (ROOT / layer).rglob("*.py")}
    start = [m for m, p in files.items() if m.startswith(f"theory.{topic}.") and "figures" not in p.stem]
    depth, queue = dict.fromkeys(start, 0), list(start)
    while queue:
        name = queue.pop(0)
        for other in sorted(imported(files[name]) | attributes(files[name], public)):
            if other in files and other != "toy_models" and other not in depth:
                depth[other] = depth[name] + 1
                queue.append(other)
    return {m: d for m, d in depth.items() if m.startswith("toy_models.") and files[m].name != "__init__.py"}


def jobs_of(topics: list[str], seed: int) -> list[tuple[str, str, str, str, list[str], ast.Module]]:
    """(topic, module, place, what, topics to show it to, mutated module), in a fixed order."""
    reach = {topic: closure(topic) for topic in topics}
    users = defaultdict(list)
    for topic in topics:
        for module, steps in reach[topic].items():
            users[module].append((steps, topics.index(topic), topic))
    jobs = []
    for module in sorted(users):
        shown = [topic for *_, topic in sorted(users[module])][:THREE]
        jobs += [(shown[0], module, *m[:2], shown, m[2]) for m in faults(module, PER_MODULE, seed)]
    for topic in topics:
        checks = sorted((ROOT / "theory" / topic / "checks").glob("[a-z]*.py"))
        per = -(-PER_TOPIC // max(len(checks), 1))
        for path in checks:
            name = module_of(path)
            jobs += [(topic, name, *m[:2], [topic], m[2]) for m in faults(name, per, seed)]
    random.Random(seed).shuffle(jobs)
    return jobs


def faults(module: str, count: int, seed: int) -> list[tuple[str, str, ast.Module]]:
    """Mutants of a module, without changed seeds of random generators."""
    source = (ROOT / (module.replace(".", "/") + ".py")).read_text(encoding="utf-8")
    seeds = {
        (a.lineno, a.col_offset)
        for n in ast.walk(ast.parse(source))
        if isinstance(n, ast.Call) and getattr(n.func, "attr", getattr(n.func, "id", "")) in NEUTRAL
        for a in n.args
    }
    drawn = [m for m in draw(source, 2 * count + 4, seed) if tuple(map(int, m[0].split(":"))) not in seeds]
    keep = sorted(random.Random(f"{module} {seed}").sample(range(len(drawn)), min(count, len(drawn))))
    return [drawn[k] for k in keep]


def uncompiled_in(touched: str) -> None:
    """From now on kernels of `touched`, and kernels that call them, are left as plain functions."""
    kernels = importlib.import_module("toy_models.kernel")
    compile_it, plain = kernels.kernel, set()

    def kernel(function, **options):
        bare = unwrap(function)
        named = [bare.__globals__.get(name) for name in bare.__code__.co_names]
        if bare.__module__ == touched or any(isinstance(f, types.FunctionType) and f in plain for f in named):
            plain.add(bare)
            return bare
        return compile_it(function, **options)

    kernels.kernel = kernel


def judge(topic: str, module: str, mutant: ast.Module | None) -> int:
    """1 when a line of the topic is red or differs from the unchanged run (mutant None); runs in a forked child."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 5))
    original = SourceFileLoader.get_code

    def get_code(self, name):
        if name == module:
            return compile(mutant, self.path, "exec")
        return original(self, name)

    for stream in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    if mutant is not None:
        SourceFileLoader.get_code = get_code
        try:
            uncompiled_in(module)
        except Exception:
            return 1  # the fault stops the import of what every kernel needs
    from theory.ledger.report import is_red
    from theory.ledger.run import run_topic

    lines = run_topic(topic, "smoke")
    found = {line.claim.id: [line.verdict, line.tier] for line in lines}
    if any(is_red(line) for line in lines):
        return 1
    if mutant is None:
        baseline(topic).write_text(json.dumps(found), encoding="utf-8")
        return 0
    return int(found != json.loads(baseline(topic).read_text(encoding="utf-8")))


def baseline(topic: str) -> Path:
    """Where the verdicts and tiers of the unchanged topic stand."""
    return ROOT / "build" / f"mutants-baseline-{topic}.json"


def in_child(function, *arguments) -> str:
    """seen | silent | limit | broken: how a forked call of `function` ended (exit code 1, 0, a limit, another)."""
    pid = os.fork()
    if pid == 0:
        code = 99
        try:
            code = function(*arguments)
        except MemoryError:
            code = 3
        except BaseException:
            code = 1  # the library does not import, or the ledger cannot run: a red run
        os._exit(code)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return "limit"
    return {0: "silent", 1: "seen", 3: "limit"}.get(os.WEXITSTATUS(status), "broken")


def run_tests_of(module: str, mutant: ast.Module) -> int:
    """1 when a test of the module, its package or the general properties fails under the fault; in a forked child."""
    import pytest

    resource.setrlimit(resource.RLIMIT_CPU, (4 * SECONDS, 4 * SECONDS + 5))
    original = SourceFileLoader.get_code

    def get_code(self, name):
        return compile(mutant, self.path, "exec") if name == module else original(self, name)

    SourceFileLoader.get_code = get_code
    uncompiled_in(module)
    for stream in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    options = "-x -q --assert=plain -p no:xdist -p no:cacheprovider -p no:anyio -o addopts=--import-mode=importlib"
    return 0 if pytest.main([*options.split(), *map(str, files_of_tests(module))]) == 0 else 1


def files_of_tests(module: str) -> list[Path]:
    """The module's own test file and the others of its package; then the properties of the whole library."""
    folder = ROOT / "tests" / Path(*module.split(".")[:-1])
    own = folder / f"test_{module.split('.')[-1]}.py"
    rest = [p for p in sorted(folder.glob("test_*.py")) if p != own]
    general = ROOT / "tests" / "toy_models" / "test_properties.py"
    return [*([own] if own.exists() else []), *rest, *([general] if module.startswith("toy_models.") else [])]


def outcome(module: str, shown: list[str], mutant: ast.Module, tests: bool) -> str:
    for topic in shown:
        became = in_child(judge, topic, module, mutant)
        if became in ("seen", "limit"):
            return SEEN[became == "limit"]
    if not tests:
        return "not seen by the ledger"
    return {"silent": "survived"}.get(in_child(run_tests_of, module, mutant), "tests")


def table(done: dict[str, str]) -> Iterator[str]:
    """Rows of the report, by topic and by library package."""
    for what, key in (("topic", 0), ("package", 1)):
        yield f"| {what} | faults | ledger | ledger or tests | survived |"
        yield "|---|---|---|---|---|"
        tally = defaultdict(Counter)
        for name, became in done.items():
            topic, module = name.split(" ")[:2]
            tally[(topic, ".".join(module.split(".")[:2]))[key]][became] += 1
        for name, counts in sorted(tally.items()):
            ledger, total = sum(counts[s] for s in SEEN), counts.total()
            both = ledger + counts["tests"]
            yield f"| {name} | {total} | {ledger / total:.0%} | {both / total:.0%} | {counts['survived']} |"
        yield ""


def main(arguments: list[str], seed: int, tests: bool, report: bool, minutes: float) -> int:
    from theory.ledger.claims import TOPICS

    topics = [topic for topic in TOPICS if not arguments or topic in arguments]
    state = ROOT / "build" / f"mutants-ledger-{seed}.json"
    state.parent.mkdir(exist_ok=True)
    done = json.loads(state.read_text(encoding="utf-8")) if state.exists() else {}
    start = time.time()
    if not report:
        for topic in topics:
            if in_child(judge, topic, "", None) != "silent":
                sys.exit(f"{topic}: its ledger is red without any fault")
        jobs = [job for job in jobs_of(list(TOPICS), seed) if job[0] in topics]
        for topic, module, place, what, shown, mutant in jobs:
            name = f"{topic} {module} {place} {what}"
            if name in done:
                continue
            if time.time() - start > 60 * minutes:
                break
            done[name] = outcome(module, shown, mutant, tests)
            print(f"{done[name]:<24} {name}", flush=True)
            aside = state.with_suffix(".part")
            aside.write_text(json.dumps(done, indent=1) + "\n", encoding="utf-8")
            os.replace(aside, state)
        print(f"{len(done)} of {len(jobs)} faults have run")
    chosen = {name: became for name, became in done.items() if name.split(" ")[0] in topics}
    print("\n".join(table(chosen)))
    return 0
