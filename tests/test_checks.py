"""No check that cannot fail: a linter over tests/ and theory/, and snippets that show what it catches."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted([*(ROOT / "tests").rglob("*.py"), *(ROOT / "theory").rglob("*.py")])
PREDICATES = {
    "allclose", "array_equal", "array_equiv", "isclose", "isfinite", "equal", "equals", "overlaps", "contains",
    "is_zero", "all", "any", "decide_at_most", "decide_equal", "exists", "isinstance", "issubset", "startswith",
    "endswith",
}  # fmt: skip
ASSERTING = ("assert_", "check_")  # numpy.testing.assert_allclose and helpers named so


def called(node: ast.AST) -> str:
    """The last part of the name of a called function, or ''."""
    if not isinstance(node, ast.Call):
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def is_test(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")


def decorators(node: ast.FunctionDef) -> Iterator[tuple[str, ast.AST]]:
    for decorator in node.decorator_list:
        yield ast.unparse(decorator.func if isinstance(decorator, ast.Call) else decorator), decorator


def has_reason(call: ast.AST) -> bool:
    """Whether a skip says why: a reason keyword, or a text argument of pytest.skip."""
    if not isinstance(call, ast.Call):
        return False
    texts = [k.value for k in call.keywords if k.arg in ("reason", "msg")]
    texts += call.args if called(call) in ("skip", "xfail") else []
    return any(not isinstance(t, ast.Constant) or (isinstance(t.value, str) and t.value.strip()) for t in texts)


def constant(test: ast.AST) -> bool:
    """A condition without a name, such as True, 1 == 1 or a non-empty tuple: (x == y, "message")."""
    if isinstance(test, ast.Tuple):
        return True
    return not any(isinstance(n, ast.Name | ast.Attribute | ast.Call) for n in ast.walk(test))


def compares_with_itself(test: ast.AST) -> bool:
    if not (isinstance(test, ast.Compare) and len(test.comparators) == 1):
        return False
    left, right = ast.unparse(test.left), ast.unparse(test.comparators[0])
    return left == right and not isinstance(test.ops[0], ast.NotEq | ast.Is) and "(" not in left


def checks_something(function: ast.FunctionDef, helpers: set[str]) -> bool:
    """An assert, pytest.raises/warns/fail, an assert_ call, or a call of a local helper that asserts."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assert | ast.Raise):
            return True
        name = called(node)
        if name in ("raises", "warns", "fail") or name.startswith(ASSERTING) or name in helpers:
            return True
    return False


def defects(source: str) -> list[str]:
    """line: what, for every check in `source` that cannot fail."""
    tree, found = ast.parse(source), []

    def tell(node, what):
        found.append(f"{node.lineno}: {what}")

    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
    helpers: set[str] = set()
    while True:  # helpers that assert, or call one that does
        more = {f.name for f in functions if not is_test(f) and checks_something(f, helpers)}
        if more <= helpers:
            break
        helpers |= more
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            value = node.value
            if isinstance(value, ast.Compare | ast.BoolOp) or (
                isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.Not)
            ):
                tell(node, "a comparison is thrown away")
            elif called(value) in PREDICATES:
                tell(node, f"the answer of {called(value)}() is thrown away")
        if isinstance(node, ast.Assert):
            if constant(node.test):
                tell(node, "an assertion of a constant")
            elif compares_with_itself(node.test):
                tell(node, "a value is compared with itself")
        if called(node) in ("all", "any"):
            for inner in ast.walk(node):
                if called(inner).startswith("assert_"):
                    tell(node, f"{called(inner)}() inside {called(node)}(): it returns None")
        if called(node) in ("skip", "importorskip") and not has_reason(node):
            tell(node, "a skip without a reason")
        silent = isinstance(node, ast.ExceptHandler) and {type(s) for s in node.body} == {ast.Pass}
        if silent and ast.unparse(node.type or ast.Name("")) in ("", "AssertionError"):
            tell(node, "a failed assertion is swallowed")
        if called(node) == "suppress" and "AssertionError" in ast.unparse(node):
            tell(node, "a failed assertion is swallowed")
        vague = called(node) == "raises" and not any(k.arg == "match" for k in node.keywords)
        if vague and node.args and ast.unparse(node.args[0]) in ("Exception", "BaseException"):
            tell(node, "any exception at all would do")
        if isinstance(node, ast.FunctionDef):
            for name, decorator in decorators(node):
                if name.endswith(("mark.skip", "mark.skipif", "mark.xfail")) and not has_reason(decorator):
                    tell(node, "a skip without a reason")
                if name.endswith(("mark.flaky", "flaky")):
                    tell(node, "a rerun")
            if is_test(node) and not checks_something(node, helpers):
                tell(node, f"{node.name} asserts nothing")
    names = [f.name for f in tree.body if is_test(f)]
    for name in sorted({n for n in names if names.count(n) > 1}):
        found.append(f"0: {name} is defined twice, only the last one runs")
    return sorted(found)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_every_check_can_fail(path):
    assert defects(path.read_text(encoding="utf-8")) == []


def typed_verdicts(source: str) -> list[int]:
    """Lines of registered functions all of whose returns give one and the same constant verdict."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and node.decorator_list:
            returns = [n.value for n in ast.walk(node) if isinstance(n, ast.Return)]
            verdicts = [r.args[0] for r in returns if called(r) in ("decide", "Outcome") and r.args]
            if verdicts and len(verdicts) == len(returns) and all(map(constant, verdicts)):
                found += [node.lineno] * (len(set(map(ast.unparse, verdicts))) == 1)
    return found


@pytest.mark.parametrize("path", sorted((ROOT / "theory").rglob("*.py")), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_verdicts_are_computed(path):
    assert typed_verdicts(path.read_text(encoding="utf-8")) == []


def test_typed_verdicts_are_caught():
    registered = '@check("c")\ndef f(r):\n'
    assert typed_verdicts(registered + "    return decide(True, 3)\n") == [2]
    assert typed_verdicts(registered + "    return decide(1 == 1, 3)\n") == [2]
    assert typed_verdicts(registered + '    return Outcome("PROVED", 1)\n') == [2]
    assert typed_verdicts(registered + '    return Outcome("PROVED" if g() else "REFUTED", 1)\n') == []
    assert typed_verdicts(registered + "    return decide(a == b, 3)\n") == []
    early = "    if g():\n        return decide(False, 1)\n    return decide(True, 3)\n"
    assert typed_verdicts(registered + early) == []


BAD = {
    "np.allclose(a, b)": "the answer of allclose() is thrown away",
    "torch.equal(a, b)": "the answer of equal() is thrown away",
    "np.array_equal(a, b)": "the answer of array_equal() is thrown away",
    "math.isclose(a, b)": "the answer of isclose() is thrown away",
    "ball.overlaps(other)": "the answer of overlaps() is thrown away",
    "a == b": "a comparison is thrown away",
    "a < b < c": "a comparison is thrown away",
    "a == b and c": "a comparison is thrown away",
    "not a": "a comparison is thrown away",
    "assert all(np.testing.assert_allclose(x, y) for x, y in z)": "assert_allclose() inside all(): it returns None",
    "assert not any(np.testing.assert_equal(x, 0) for x in z)": "assert_equal() inside any(): it returns None",
    "assert True": "an assertion of a constant",
    "assert 1 == 1": "an assertion of a constant",
    "assert (a == b, 'they differ')": "an assertion of a constant",
    "assert a.x == a.x": "a value is compared with itself",
    "pytest.skip()": "a skip without a reason",
    "pytest.importorskip('torch')": "a skip without a reason",
    "try:\n    f()\nexcept AssertionError:\n    pass": "a failed assertion is swallowed",
    "with suppress(AssertionError):\n    f()": "a failed assertion is swallowed",
    "with pytest.raises(Exception):\n    f()": "any exception at all would do",
}


@pytest.mark.parametrize("snippet", BAD, ids=range(len(BAD)))
def test_the_linter_catches(snippet):
    body = "\n".join("    " + line for line in snippet.splitlines())
    told = defects(f"def test_x():\n{body}\n    assert f(1) == 2\n")
    assert [line.split(": ", 1)[1] for line in told] == [BAD[snippet]]


@pytest.mark.parametrize(
    ("source", "defect"),
    [
        ("def test_x():\n    f(1)\n", "test_x asserts nothing"),
        ("def test_x():\n    helper()\n\ndef helper():\n    pass\n", "test_x asserts nothing"),
        ("@pytest.mark.skip\ndef test_x():\n    assert f()\n", "a skip without a reason"),
        ("@pytest.mark.skipif(a)\ndef test_x():\n    assert f()\n", "a skip without a reason"),
        ("@pytest.mark.xfail(reason='')\ndef test_x():\n    assert f()\n", "a skip without a reason"),
        ("@pytest.mark.flaky(reruns=3)\ndef test_x():\n    assert f()\n", "a rerun"),
        (
            "def test_x():\n    assert f()\n\ndef test_x():\n    assert g()\n",
            "test_x is defined twice, only the last one runs",
        ),
    ],
)
def test_the_linter_catches_whole_tests(source, defect):
    assert [line.split(": ", 1)[1] for line in defects(source)] == [defect]


GOOD = """
import pytest

def same(a, b):
    assert a == b

def both(a, b):
    same(a, b)

def test_helper():
    both(f(1), 2)

def test_raises():
    with pytest.raises(ValueError, match="x"):
        f(1)

@pytest.mark.skipif(not gpu(), reason="needs a GPU")
def test_numpy():
    np.testing.assert_allclose(f(1), 2)
    assert np.allclose(f(1), 2)
    assert all(x == 1 for x in f(2))
    assert f(1) == f(1)
    found.add(1)
"""


def test_good_tests_pass():
    assert defects(GOOD) == []
