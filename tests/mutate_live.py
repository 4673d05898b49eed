"""One process that holds topics of the ledger, computed once, and meets one fault after another in forks of itself.

At the start each topic's results, and then each registered function in a fork of its own, run unchanged under a trace
of the functions that they call. A fault replaces the code of the touched functions in place (constants, defaults and
class attributes likewise; kernels, and those that call them, are compiled anew with checked bounds), and then only what
calls the touched code runs again, the cheapest first, until one function's outcome makes its line red or changes
verdict or tier. Faults that act while modules are imported cannot be planted so: the answer is None, and a new process
runs them.
"""

import ast
import gc
import hashlib
import json
import os
import pickle
import resource
import signal
import sys
import threading
import time
import traceback
from collections import defaultdict
from copy import deepcopy
from functools import cache, cached_property
from inspect import unwrap
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import ClassVar

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "build" / "mutants-unchanged.pickle"
OURS = (str(ROOT / "toy_models"), str(ROOT / "theory"))
PLAIN = (bool, int, float, complex, str, bytes, tuple, list, dict, set, frozenset, range, type(None))
MEMORY = 12 * 2**30  # bytes of address space
SLOWER, MORE = 10, 30  # a fault may use ten times the CPU seconds of what it runs unchanged, and thirty


@cache
def source_hash(topic: str) -> str:
    """Of the library and of the topic's own code: what was kept of an earlier start holds while it stays."""
    files = [*(ROOT / "toy_models").rglob("*.py"), *(ROOT / "theory" / topic).rglob("*.py")]
    text = b"".join(p.read_bytes() for p in sorted(files) if "figures" not in p.stem)
    return hashlib.sha256(text).hexdigest()


def key_of(code: CodeType) -> tuple[str, str, int]:
    return code.co_filename, code.co_qualname, code.co_firstlineno


def codes_of(code: CodeType):
    yield code
    for value in code.co_consts:
        if isinstance(value, CodeType):
            yield from codes_of(value)


def by_key(code: CodeType) -> dict[tuple, list[CodeType]]:
    found = defaultdict(list)
    for each in codes_of(code):
        found[key_of(each)].append(each)
    return found


class Trace:
    """Code of the suite that runs inside `with`, as keys; `names` collects what each key's code names. Traces nest."""

    running: ClassVar[list["Trace"]] = []

    def __init__(self, names: dict):
        self.names, self.seen = names, {}

    def __enter__(self):
        Trace.running.append(self)
        seen = self.seen

        def call(frame, event, argument):
            code = frame.f_code
            if id(code) not in seen:
                seen[id(code)] = code

        threading.settrace(call)
        sys.settrace(call)
        self.call = call
        return self

    def __exit__(self, *_):
        Trace.running.pop()
        outer = Trace.running[-1] if Trace.running else None
        sys.settrace(outer and outer.call)
        threading.settrace(outer and outer.call)
        if outer:
            outer.seen.update(self.seen)
        own = [code for code in self.seen.values() if code.co_filename.startswith(OURS)]
        self.keys = {key_of(code) for code in own}
        for code in own:
            self.names.setdefault(key_of(code), set()).update(code.co_names)


class Section:
    """A function that a topic's `results` calls. Unchanged, it keeps what it returns; under a fault that it does not
    reach, with the same arguments, it returns that again."""

    def __init__(self, function, names: dict):
        self.function, self.names, self.calls, self.turn, self.changed = function, names, [], 0, None
        self.kept: list[set] = []  # traces of an earlier start

    def __call__(self, *arguments, **options):
        given = [*arguments, *options.values()]
        rngs = [a for a in given if isinstance(a, np.random.Generator)]
        if self.changed is not None:
            turn, self.turn = self.turn, self.turn + 1
            if turn < len(self.calls):
                before, keys, value, states = self.calls[turn]
                same = len(before) == len(given) and all(map(is_same, before, given))
                if same and not keys & self.changed:
                    for rng, state in zip(rngs, states, strict=True):
                        rng.bit_generator.state = deepcopy(state)
                    return value
            return self.function(*arguments, **options)
        if self.kept:
            keys, value = self.kept[len(self.calls)], self.function(*arguments, **options)
        else:
            with Trace(self.names) as trace:
                value = self.function(*arguments, **options)
            keys = trace.keys
        self.calls.append((given, keys, value, [deepcopy(r.bit_generator.state) for r in rngs]))
        return value


def is_same(a, b) -> bool:
    """Whether an argument is the one of the unchanged run: the object itself, an equal number, or the topic's rng."""
    if isinstance(a, np.random.Generator):
        return isinstance(b, np.random.Generator)
    return a is b or (isinstance(a, bool | int | float | str) and type(a) is type(b) and a == b)


class Server:
    """Everything unchanged: results, outcomes, seconds and traces of each topic."""

    def __init__(self, topics: list[str]):
        from theory.ledger.claims import load_claims
        from theory.ledger.registry import REGISTRY
        from theory.ledger.run import load_topic

        self.names, self.claims, self.results, self.state = {}, load_claims(), {}, {}
        self.trace, self.seconds, self.make, self.sections = {}, {}, {}, []
        with Trace(self.names) as imports:
            modules = {topic: load_topic(topic) for topic in topics}
        self.at_import = imports.keys
        kept = pickle.loads(KEPT.read_bytes()) if KEPT.exists() else {}
        for topic, module in modules.items():
            self.results[topic] = self.first_results(topic, module, kept)
            self.make[topic] = module.results
            rng = getattr(self.results[topic], "rng", None)
            own = isinstance(rng, np.random.Generator)
            self.state[topic] = deepcopy(rng.bit_generator.state) if own else None
        self.entries = [e for e in REGISTRY.entries if e.topic in topics]
        self.functions = [
            f for f in gc.get_objects() if type(f) is FunctionType and key_of(f.__code__)[0].startswith(OURS)
        ]
        self.caches = [c for c in gc.get_objects() if type(c).__name__ == "_lru_cache_wrapper" and own_cache(c)]
        gc.collect()
        gc.freeze()
        self.ran = {}
        for k, entry in enumerate(self.entries):
            name = entry.claim, entry.role, entry.function.__qualname__, source_hash(entry.topic)
            if name not in kept:
                kept[name] = self.in_fork(k)
                keep(name, kept[name])
            self.ran[k], self.trace[k], names, self.seconds[k] = kept[name]
            for key, used in names.items():
                self.names.setdefault(key, set()).update(used)
        self.lines = {}
        for claim in {e.claim for e in self.entries}:
            self.lines[claim] = self.line(claim, {})

    def first_results(self, topic: str, module, kept: dict):
        """The results of a topic, traced as a whole and by the functions that `results` calls."""
        name, sections = ("results", topic, source_hash(topic)), {}
        for label in module.results.__code__.co_names:
            if type(vars(module).get(label)) is FunctionType:
                sections[label] = Section(vars(module)[label], self.names)
                setattr(module, label, sections[label])
        self.sections += sections.values()
        if name in kept:
            self.trace[topic], self.seconds[topic], names, traces = kept[name]
            self.names |= names
            for label, section in sections.items():
                section.kept = traces[label]
            return module.results("smoke", np.random.default_rng(0))
        start = time.process_time()
        with Trace(self.names) as trace:
            results = module.results("smoke", np.random.default_rng(0))
        self.trace[topic], self.seconds[topic] = trace.keys, time.process_time() - start
        traces = {label: [call[1] for call in section.calls] for label, section in sections.items()}
        kept[name] = trace.keys, self.seconds[topic], {k: self.names[k] for k in trace.keys}, traces
        keep(name, kept[name])
        return results

    def in_fork(self, k: int):
        """(Ran, trace, names, CPU seconds) of one registered function, computed in a fork."""
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                quiet(2)
                names, start = {}, time.process_time()
                with Trace(names) as trace:
                    ran = self.run(k, self.results)
                told = (ran.outcome, ran.error), trace.keys, names, time.process_time() - start
                with os.fdopen(write, "wb") as pipe:
                    pickle.dump(told, pipe)
            except BaseException:
                traceback.print_exc()
            os._exit(0)
        os.close(write)
        with os.fdopen(read, "rb") as pipe:
            told = pipe.read()
        _, status = os.waitpid(pid, 0)
        if not told:
            raise RuntimeError(f"{self.entries[k].function.__qualname__} ended with status {status} and said nothing")
        return pickle.loads(told)

    def run(self, k: int, results: dict):
        from theory.ledger.run import _run

        topic = self.entries[k].topic
        if self.state[topic] is not None:
            results[topic].rng.bit_generator.state = deepcopy(self.state[topic])
        return _run(self.entries[k], results[topic])

    def line(self, claim: str, changed: dict):
        """(verdict, tier, red) of a claim with the outcomes in `changed` in place of those of the unchanged run."""
        from theory.ledger.report import is_red
        from theory.ledger.run import Ran, judge
        from theory.ledger.statements import statement_of

        own = self.claims[claim]
        ran = [Ran(e, *changed.get(k, self.ran[k])) for k, e in enumerate(self.entries) if e.claim == claim]
        block = statement_of(own.topic, claim)
        found = judge(own, tuple(ran), conjecture=block is not None and block.kind == "conjecture")
        return found.verdict, found.tier, is_red(found)

    def hit(self, changed: set) -> list[tuple[float, str, list[int]]]:
        """(seconds, topic whose results run first or "", functions to run) for code that changed, cheapest first."""
        alone, again = [], []
        for topic in self.results:
            own = [k for k, e in enumerate(self.entries) if e.topic == topic]
            if self.trace[topic] & changed:
                again.append((self.seconds[topic] + sum(self.seconds[k] for k in own), topic, own))
            else:
                alone += [(self.seconds[k], "", [k]) for k in own if self.trace[k] & changed]
        return sorted(alone) + sorted(again)

    def trial(self, module: str, tree: ast.Module) -> str | None:
        """Which claim's line a fault turns, "" if none; None when it cannot be planted in place. Runs in a fork."""
        try:
            planted = self.plant(module, tree)
        except Exception as problem:
            return f"import: {type(problem).__name__}"
        if planted is None:
            return None
        plan = self.hit(planted)
        seconds = int(SLOWER * sum(p[0] for p in plan) + MORE)
        resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + seconds, resource.RLIM_INFINITY))
        for kept in self.caches:
            kept.cache_clear()
        for section in self.sections:
            section.changed = planted
        for _, topic, chosen in plan:
            results = self.results
            if topic:
                try:
                    results = {topic: self.make[topic]("smoke", np.random.default_rng(0))}
                except Exception as problem:
                    return f"{topic} results: {type(problem).__name__}"
            for k in sorted(chosen, key=self.seconds.get):
                ran = self.run(k, results)
                new = (ran.outcome, ran.error)
                if ran.error == self.ran[k][1] == "" and ran.outcome.result == self.ran[k][0].result:
                    continue
                claim = self.entries[k].claim
                line = self.line(claim, {k: new})
                if line[2] or line != self.lines[claim]:
                    return f"{claim} {self.entries[k].role} {self.entries[k].function.__name__}"
        return ""

    def plant(self, name: str, tree: ast.Module) -> set | None:
        """Put the fault into the running process: the keys of the code that it may reach, None if that cannot be."""
        module = sys.modules.get(name)
        if module is None:
            return set()  # nothing of the ledger imports it
        path = module.__file__
        old = by_key(compile(Path(path).read_text(encoding="utf-8"), path, "exec", dont_inherit=True))
        code = compile(tree, path, "exec", dont_inherit=True)
        new = by_key(code)
        differ = {k for k in old if old[k] != new.get(k)}
        inside = {k for k in differ if k[1] != "<module>" and k not in self.at_import}
        if any(k in self.at_import and k[1] != "<module>" and not is_class(old[k][0]) for k in differ):
            return None
        constants = set()
        if not inside:
            constants, touched = self.replace(name, module, code)
            if not constants and not touched:
                return None
            inside |= touched
        for function in self.functions:
            key = key_of(function.__code__)
            if key in inside and key in new:
                pairs = [n for o, n in zip(old[key], new[key], strict=False) if o == function.__code__]
                function.__code__ = pairs[0] if pairs else new[key][0]
        reach = inside | {k for k, used in self.names.items() if used & constants}
        return reach | self.compile_again(path, inside, constants)

    def replace(self, name: str, module: ModuleType, code: CodeType) -> tuple[set[str], set]:
        """Execute the changed module aside and bring over constants (their names) and defaults (keys) that differ."""
        from theory.ledger.registry import REGISTRY

        aside = ModuleType(name)
        aside.__dict__.update({k: v for k, v in vars(module).items() if k.startswith("__") and k != "__builtins__"})
        count = len(REGISTRY.entries)
        exec(code, aside.__dict__)
        del REGISTRY.entries[count:]
        constants, touched = set(), set()
        for key, value in list(vars(aside).items()):
            have = vars(module).get(key)
            if key.startswith("__") or have is value:
                continue
            if isinstance(value, type) and isinstance(have, type):
                for attribute, inner in list(vars(value).items()):
                    now = vars(have).get(attribute)
                    if function_of(inner) is not None and function_of(now) is not None:
                        touched |= defaults(function_of(now), function_of(inner))
                    elif isinstance(inner, PLAIN) and not attribute.startswith("__") and now != inner:
                        setattr(have, attribute, inner)
                        constants.add(attribute)
            elif function_of(value) is not None and function_of(have) is not None:
                touched |= defaults(function_of(have), function_of(value))
            elif unequal(have, value):
                for other in list(sys.modules.values()):
                    if getattr(other, "__name__", "").startswith(("toy_models", "theory")):
                        for label, held in list(vars(other).items()):
                            if held is have and (other is module or label == key):
                                setattr(other, label, value)
                constants.add(key)
        return constants, touched

    def compile_again(self, path: str, inside: set, constants: set[str]) -> set:
        """Compile the touched kernels and those that call them; the keys of code that names one of them."""
        from numba import njit
        from numba.core.dispatcher import Dispatcher

        from toy_models.kernel import callees

        homes = [m for n, m in sys.modules.items() if n.startswith(("toy_models", "theory"))]
        kernels = {id(v): v for m in homes for v in vars(m).values() if isinstance(v, Dispatcher)}
        stale = {
            i
            for i, d in kernels.items()
            if key_of(d.py_func.__code__) in inside or (constants & set(d.py_func.__code__.co_names))
        }
        while True:
            more = {i for i, d in kernels.items() if i not in stale and any(id(c) in stale for c in callees(d.py_func))}
            if not more:
                break
            stale |= more
        names = set()
        for i in stale:
            options = {k: v for k, v in kernels[i].targetoptions.items() if k not in ("nopython", "boundscheck")}
            fresh = njit(**options, boundscheck=True)(kernels[i].py_func)
            for m in homes:
                for label, held in list(vars(m).items()):
                    if held is kernels[i]:
                        setattr(m, label, fresh)
                        names.add(label)
        return {k for k, used in self.names.items() if used & names}


def keep(name: tuple, value) -> None:
    """Add one entry to what later starts find; other runs may add theirs."""
    kept = pickle.loads(KEPT.read_bytes()) if KEPT.exists() else {}
    aside = KEPT.with_suffix(f".{os.getpid()}")
    aside.write_bytes(pickle.dumps(kept | {name: value}))
    os.replace(aside, KEPT)


def is_class(code: CodeType) -> bool:
    return "__qualname__" in code.co_names and "__module__" in code.co_names


def own_cache(cache) -> bool:
    return (getattr(cache, "__module__", "") or "").startswith(("toy_models", "theory"))


def function_of(value) -> FunctionType | None:
    """The plain function behind a function, method, property or cache."""
    if isinstance(value, property):
        value = value.fget
    elif isinstance(value, cached_property):
        value = value.func
    elif isinstance(value, staticmethod | classmethod):
        value = value.__func__
    try:
        value = unwrap(value)
    except Exception:
        return None
    return value if isinstance(value, FunctionType) else None


def defaults(have: FunctionType, value: FunctionType) -> set:
    changed = set()
    for name in ("__defaults__", "__kwdefaults__"):
        if unequal(getattr(have, name), getattr(value, name)):
            setattr(have, name, getattr(value, name))
            changed.add(key_of(have.__code__))
    return changed


def unequal(a, b) -> bool:
    """Whether two constants differ; instances of a class that was made anew are compared by their reprs."""
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return not np.array_equal(np.asarray(a), np.asarray(b))
    if isinstance(a, PLAIN) and isinstance(b, PLAIN):
        return repr(a) != repr(b) if not isinstance(a, set | frozenset) else a != b
    return " at 0x" not in repr(a) and repr(a) != repr(b)


def quiet(kept: int = 0) -> None:
    """No cores, no more memory than MEMORY, nothing printed (but to the stream `kept`), no warnings of numpy."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for stream in {1, 2} - {kept}:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    np.seterr(all="ignore")


def forked(function, *arguments) -> tuple[str, str | None]:
    """(said | limit | crash, what) of a call in a fork."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        code = 0
        try:
            quiet()
            answer = json.dumps(function(*arguments))
        except MemoryError:
            answer, code = json.dumps("memory"), 3
        except BaseException as problem:
            answer = json.dumps(f"raised {type(problem).__name__}")
        os.write(write, answer.encode()[:60000])
        os._exit(code)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        text = pipe.read().decode()
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return ("limit" if os.WTERMSIG(status) == signal.SIGXCPU else "crash"), None
    return ("limit" if os.WEXITSTATUS(status) == 3 else "said"), json.loads(text) if text else None
