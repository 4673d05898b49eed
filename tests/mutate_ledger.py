"""Planted faults against the ledger alone: which of them turn a line red, and which of the rest the tests see.

    python tests/mutate.py --ledger                          every topic, seed 0; goes on where an earlier run stopped
    python tests/mutate.py --ledger energy --seed 1          one topic, another draw
    python tests/mutate.py --ledger --report                 the table of what has run so far
    python tests/mutate.py --ledger --tests                  what no line saw so far meets the tests
    python tests/mutate.py --ledger --again                  what no line saw so far meets the ledger again
    python tests/mutate.py --ledger energy --again --shown perplexity   and the lines of another topic

A fault is a mutant (see mutate.py) of a library module that a topic's checks or results import, directly or not, or
of the topic's own code, figures apart. It belongs to the topic that imports its module most directly. It is seen when a
line of the topics named (default: all) is red, or differs in verdict or tier from the unchanged run, small profile
(mutate_live.py: only what calls the touched code runs again; faults that act during an import run all of it in a new
process). First come 30 faults of each topic, then 10 of each module, in random order; the state is kept in build/.
A refusal is a fault in an `if` that raises, or in strict=True: no claim rests on it, the tests see it.
"""

import ast
import hashlib
import importlib
import json
import os
import random
import resource
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from importlib.machinery import SourceFileLoader
from inspect import unwrap
from multiprocessing import Pipe
from pathlib import Path

from mutate import PRELOADED, ROOT, mutant, sites
from mutate_live import Server, forked

THREE = 3  # topics that a fault of the slow way is shown to, the most direct first
PER_MODULE, PER_TOPIC = 10, 30
SECONDS = 180  # CPU time of one topic, or of the tests, in the slow way
SEEN = ("ledger", "ledger, by a limit", "ledger, by a crash")
ASIDE = {  # no line runs them: `run` says so if one does; the tests alone see their faults
    "toy_models.errors": "messages",
    "toy_models.networks.checkpoint": "files of interrupted training",
    "toy_models.networks.edit_judge": "trained edit programs, a figure",
    "toy_models.networks.edits": "trained edit programs, a figure",
    "toy_models.networks.planted": "schedules trained with a network, a figure",
    "toy_models.networks.schedules": "schedules trained with a network, a figure",
    "toy_models.variance.estimator": "a protocol",
}
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
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            names += [exported(node.module).get(alias.name, node.module) for alias in node.names]
        found |= {name for name in names if name.split(".")[0] in ("toy_models", "theory")}
    return found


@cache
def exported(package: str) -> dict[str, str]:
    """{name: home module} of what a package's __init__ imports from its own modules; {} for a module."""
    path = ROOT / package.replace(".", "/") / "__init__.py"
    if not path.exists():
        return {}
    tree = ast.parse(path.read_text(encoding="utf-8"))
    froms = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    return {alias.asname or alias.name: str(node.module) for node in froms for alias in node.names}


def attributes(path: Path, public: dict[str, str]) -> set[str]:
    """Home modules of the names that the file takes from the library as tm.NAME, networks.NAME or tm.PACKAGE.NAME."""
    tree, own, homes = ast.parse(path.read_text(encoding="utf-8")), exported("toy_models.networks"), set()
    for node in (n for n in ast.walk(tree) if isinstance(n, ast.Attribute)):
        of = getattr(node.value, "id", "")
        if of == "tm" and node.attr in public:
            homes.add(public[node.attr])
        elif of == "networks" and node.attr in own:
            homes.add(own[node.attr])
        elif isinstance(node.value, ast.Attribute) and getattr(node.value.value, "id", "") == "tm":
            package = getattr(importlib.import_module("toy_models"), node.value.attr, None)
            homes.add(getattr(getattr(package, node.attr, None), "__module__", None) or "")
    return homes


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
            if other in files and files[other].name != "__init__.py" and other not in depth:
                depth[other] = depth[name] + 1
                queue.append(other)
    return {m: d for m, d in depth.items() if m.startswith("toy_models.") and files[m].name != "__init__.py"}


def own_code(topic: str) -> list[str]:
    """Modules of the topic itself, checks first, without figures."""
    files = sorted((ROOT / "theory" / topic).rglob("*.py"), key=lambda p: (p.parent.name != "checks", p))
    return [module_of(p) for p in files if p.name != "__init__.py" and "figures" not in p.stem]


def jobs_of(topics: list[str], seed: int) -> list[tuple]:
    """(topic, module, place, what, topics of the slow way, (tree, site)): 30 of each topic, then the rest."""
    users = defaultdict(list)
    for topic in topics:
        for module, steps in closure(topic).items():
            users[module].append((steps, topics.index(topic), topic))
    jobs = []
    for module in sorted(set(users) - set(ASIDE)):
        shown = [topic for *_, topic in sorted(users[module])][:THREE]
        jobs += [(shown[0], module, *m[:2], shown, m[2]) for m in faults(module, PER_MODULE, seed)]
    for topic in topics:
        own = own_code(topic)
        per = -(-PER_TOPIC // len(own))
        for name in own:
            jobs += [(topic, name, *m[:2], [topic], m[2]) for m in faults(name, per, seed)]
    random.Random(seed).shuffle(jobs)
    first, count = [], Counter()
    for job in jobs:
        count[job[0]] += 1
        first.append(count[job[0]] > PER_TOPIC)
    return [job for _, job in sorted(zip(first, jobs, strict=True), key=lambda pair: pair[0])]


def faults(module: str, count: int, seed: int) -> list[tuple[str, str, tuple]]:
    """(place, what, (tree, site)) of a module in random order, without changed seeds of random generators."""
    source = file_of(module).read_text(encoding="utf-8")
    tree = ast.parse(source)
    seeds = {
        (a.lineno, a.col_offset)
        for n in ast.walk(tree)
        if isinstance(n, ast.Call) and getattr(n.func, "attr", getattr(n.func, "id", "")) in NEUTRAL
        for a in n.args
    }
    found = [site for site in sites(tree) if site[:2] not in seeds]
    random.Random(f"{module} {seed}").shuffle(found)
    return [(f"{s[0]}:{s[1]}", s[3], (tree, s)) for s in found[:count]]


def refusals(module: str) -> set[str]:
    """Places ("line:column") that only say no: an `if` that raises, its test and body, and strict=True of a zip."""
    tree, nodes = ast.parse(file_of(module).read_text(encoding="utf-8")), []
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and not node.orelse and isinstance(node.body[-1], ast.Raise):
            nodes += [n for part in (node.test, *node.body) for n in ast.walk(part)]
        if isinstance(node, ast.keyword) and node.arg == "strict":
            nodes.append(node.value)
    return {f"{n.lineno}:{n.col_offset}" for n in nodes if hasattr(n, "lineno")}


def file_of(module: str) -> Path:
    return ROOT / (module.replace(".", "/") + ".py")


def plant_by_import(module: str, tree: ast.Module) -> None:
    """From now on `module` is imported as `tree`; its kernels, and those that call them, are compiled anew."""
    original = SourceFileLoader.get_code

    def get_code(self, name):
        return compile(tree, self.path, "exec") if name == module else original(self, name)

    SourceFileLoader.get_code = get_code
    kernels = importlib.import_module("toy_models.kernel")
    compile_it, anew = kernels.kernel, set()

    def kernel(function, **options):
        bare = unwrap(function)
        if bare.__module__ == module or any(id(c) in anew for c in kernels.callees(bare)):
            compiled = kernels.njit(**options, boundscheck=True)(bare)
            anew.add(id(compiled))
            return compiled
        return compile_it(function, **options)

    kernels.kernel = kernel


def judge(topic: str, module: str, tree: ast.Module, lines: dict, only: str | None = None) -> str:
    """The slow way, in a fork that has imported nothing: the first claim whose line differs, "" if none."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 5))
    try:
        plant_by_import(module, tree)
        from theory.ledger.report import is_red
        from theory.ledger.run import run_topic
    except Exception as problem:
        return f"import: {type(problem).__name__}"
    for line in run_topic(topic, "smoke", only=only):
        if is_red(line) or [line.verdict, line.tier, False] != list(lines[line.claim.id]):
            return line.claim.id
    return ""


def run_tests_of(module: str, tree: ast.Module) -> str:
    """The exit code of the tests of the module, its package or the general properties, "" for 0; in a fork."""
    import pytest

    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 5))
    try:
        plant_by_import(module, tree)
    except Exception as problem:
        return f"import: {type(problem).__name__}"
    options = "-x -q --assert=plain -p no:xdist -p no:cacheprovider -p no:anyio -o addopts=--import-mode=importlib"
    code = int(pytest.main([*options.split(), *map(str, files_of_tests(module))]))
    return {0: "", 5: ""}.get(code, f"exit {code}")


def files_of_tests(module: str) -> list[Path]:
    """The module's own test file and the others of its package; then the properties of the whole library."""
    folder = ROOT / "tests" / Path(*module.split(".")[:-1])
    own = folder / f"test_{module.split('.')[-1]}.py"
    rest = [p for p in sorted(folder.glob("test_*.py")) if p != own]
    general = ROOT / "tests" / "toy_models" / "test_properties.py"
    return [*([own] if own.exists() else []), *rest, *([general] if module.startswith("toy_models.") else [])]


def named(kind: str, what: str | None) -> tuple[str, str]:
    """(outcome, detail) of a trial in a fork."""
    if kind == "said" and what is not None and what.startswith("raised "):
        return "broken", what
    if kind == "said":
        return ("ledger", what) if what else ("unseen", "")
    return f"ledger, by a {kind}", ""


def table(done: dict[str, dict]) -> Iterator[str]:
    """Rows of the report, by topic and by library package; the interval is Clopper and Pearson's, 95 %."""
    from scipy.stats import beta

    for what, part in (("topic", 0), ("package", 1)):
        yield f"| {what} | faults | ledger | 95 % interval | without refusals | tests | survived | not shown to tests |"
        yield "|---|---|---|---|---|---|---|---|"
        tally, say_no = defaultdict(Counter), {m: refusals(m) for m in {name.split(" ")[1] for name in done}}
        for name, found in done.items():
            topic, module, place = name.split(" ")[:3]
            for key in ((topic, ".".join(module.split(".")[:2]))[part], "all"):
                kind = "ledger" if found["became"] in SEEN else found["became"]
                tally[key][kind] += 1
                tally[key]["refusal " + kind] += place in say_no[module]
        for name, n in sorted(tally.items()):
            kinds = ("ledger", "tests", "survived", "unseen", "broken")
            ledger, total = n["ledger"], sum(n[k] for k in kinds)
            low = beta.ppf(0.025, ledger, total - ledger + 1) if ledger else 0.0
            high = beta.ppf(0.975, ledger + 1, total - ledger) if ledger < total else 1.0
            real = total - sum(n["refusal " + k] for k in kinds)
            share = (ledger - n["refusal ledger"]) / max(real, 1)
            yield (
                f"| {name} | {total} | {ledger} = {ledger / total:.0%} | {low:.0%}-{high:.0%} | {share:.0%} of {real} "
                f"| {n['tests']} | {n['survived']} | {n['unseen'] + n['broken']} |"
            )
        yield ""


def zygote(pipe) -> None:
    """A process that has imported nothing of the suite: it forks for each (function, arguments) that it is sent."""
    while True:
        try:
            function, arguments = pipe.recv()
        except EOFError:
            os._exit(0)
        pipe.send(forked(globals()[function], *arguments))


def main(options) -> int:
    for name in PRELOADED:  # once, inherited by every fork; nothing of the suite
        importlib.import_module(name)
    state = ROOT / "build" / f"mutants-ledger-{options.seed}.json"
    state.parent.mkdir(exist_ok=True)
    done = json.loads(state.read_text(encoding="utf-8")) if state.exists() else {}
    stamps = {m: stamp(m) for m in {name.split(" ")[1] for name in done}}
    done = {name: found for name, found in done.items() if found["source"] == stamps[name.split(" ")[1]]}
    if not options.report:
        run(options, state, done)
    chosen = {n: found for n, found in done.items() if not options.modules or n.split(" ")[0] in options.modules}
    print("\n".join(table(chosen)))
    return 0


def stamp(module: str) -> str:
    """A fault is one of a module as it stands: a module that changed since is drawn from again."""
    return hashlib.sha256(file_of(module).read_bytes()).hexdigest()[:12] if file_of(module).exists() else ""


def run(options, state: Path, done: dict[str, dict]) -> None:
    start = time.time()
    ours, theirs = Pipe()
    if os.fork() == 0:
        ours.close()
        zygote(theirs)
    theirs.close()

    def slowly(function: str, *arguments) -> tuple[str, str]:
        ours.send((function, arguments))
        return named(*ours.recv())

    from theory.ledger.claims import TOPICS

    server = None if options.tests else Server(options.shown or options.modules or list(TOPICS))
    print(f"unchanged: {time.time() - start:.0f} s", flush=True)
    ran = {key[0] for keys in server.trace.values() for key in keys if key[1] != "<module>"} if server else set()
    wrong = [m for m in ASIDE if m != "toy_models.errors" and str(file_of(m)) in ran]
    if wrong:
        sys.exit(f"a line runs {', '.join(wrong)}: take it out of ASIDE")
    red = [claim for claim, line in server.lines.items() if line[2]] if server else []
    if red:
        sys.exit(f"red without any fault: {', '.join(red)}")
    jobs = [job for job in jobs_of(list(TOPICS), options.seed) if not options.modules or job[0] in options.modules]
    count = Counter()
    for topic, module, place, what, shown, where in jobs:
        count[topic] += 1
        if count[topic] > options.first:
            continue
        name = f"{topic} {module} {place} {what}"
        became = done.get(name, {"became": ""})["became"]
        if options.tests != (became == "unseen") and not (options.again and became in ("unseen", "survived", "broken")):
            continue
        if became in SEEN:
            continue
        if time.time() - start > 60 * options.minutes:
            break
        began, tree = time.time(), mutant(*where)
        if options.tests:
            kind, detail = slowly("run_tests_of", module, tree)
            kind = {"unseen": "survived", "ledger": "tests"}.get(kind, kind.replace("ledger", "tests"))
        else:
            said = forked(server.trial, module, tree)
            kind, detail = named(*said)
            if said == ("said", None):
                for other in [t for t in shown if t in server.results]:
                    kind, detail = slowly("judge", other, module, tree, server.lines)
                    if kind != "unseen":
                        break
        seconds = round(time.time() - began, 1)
        done[name] = {"became": kind, "by": detail, "source": stamp(module), "seconds": seconds}
        print(f"{kind:<20} {seconds:6.1f} s  {name}  [{detail}]", flush=True)
        if state.exists():  # another run may have written since
            done = {**json.loads(state.read_text(encoding="utf-8")), name: done[name]}
        aside = state.with_suffix(f".{os.getpid()}")
        aside.write_text(json.dumps(done, indent=1) + "\n", encoding="utf-8")
        os.replace(aside, state)
    ours.close()
