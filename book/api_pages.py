"""The public names with their signatures and docstrings: one page for the top, one for each subject."""

import importlib
import inspect
import re
from functools import cache
from types import ModuleType

from book import ROOT
from book.markdown import plain_text

SUBJECTS = (
    "targets",
    "rules",
    "schedules",
    "quantities",
    "chains",
    "hidden_chains",
    "energy",
    "variance",
    "learned_order",
    "any_process",
    "text",
    "exact",
    "networks",
)
EXAMPLE = re.compile(r"^[ \t]*>>> ", re.MULTILINE)


def module(subject: str) -> ModuleType:
    return importlib.import_module(f"toy_models.{subject}" if subject else "toy_models")


def dotted(subject: str, name: str) -> str:
    """The name as a reader writes it: tm.X, tm.subject.X, networks.X."""
    if not subject:
        return f"tm.{name}"
    return f"networks.{name}" if subject == "networks" else f"tm.{subject}.{name}"


def names(subject: str) -> list[str]:
    """Public names of a subject that are no modules, classes last; at the top those of the top alone."""
    place = module(subject)
    found = [name for name in place.__all__ if not inspect.ismodule(getattr(place, name))]
    return sorted(found, key=lambda name: (inspect.isclass(getattr(place, name)), name.lower()))


@cache
def _places() -> dict[str, str]:
    """{dotted name: page and anchor} of everything on an API page."""
    found = {}
    for subject in ("", *SUBJECTS):
        for name in names(subject):
            found[dotted(subject, name)] = f"api/{subject or 'top'}.html#{dotted(subject, name)}"
    return found


def anchor_of(name: str) -> str:
    """Where a dotted name is described, from the root of the book; a member leads to its class; else empty."""
    for candidate in (name, name.rpartition(".")[0], f"tm.{name.rpartition('.')[2]}"):
        if candidate in _places():
            return _places()[candidate]
    parts = name.split(".")
    return f"api/{parts[1]}.html" if parts[0] == "tm" and len(parts) > 1 and parts[1] in SUBJECTS else ""


def index() -> str:
    """The list of pages, and every name at the top with what it computes."""
    parts = ["# The library", "`import toy_models as tm`. The names at the top are stable."]
    parts += ["```{toctree}\n:hidden:\n\n" + "\n".join(["top", *SUBJECTS]) + "\n```"]
    parts += ["- [`tm`](top.md): " + plain_text(_first(module("")))]
    lines = [f"- [`{dotted(s, '')[:-1]}`]({s}.md): {plain_text(_first(module(s)))}" for s in SUBJECTS]
    return "\n\n".join([*parts[:2], parts[2], "\n".join([parts[3], *lines])])


def page(subject: str) -> str:
    """Every public name of a subject."""
    place = module(subject)
    called = dotted(subject, "")[:-1]
    shown = (f'<a href="#{dotted(subject, name)}"><code>{name}</code></a>' for name in names(subject))
    parts = [f"# `{called}`", _prose(inspect.getdoc(place) or ""), f'<p class="names">{" ".join(shown)}</p>']
    for name in names(subject):
        parts += _described(getattr(place, name), dotted(subject, name))
    return "\n\n".join(part for part in parts if part)


def _described(member: object, called: str) -> list[str]:
    """Heading with an anchor, signature, docstring, file; then the public members of a class."""
    link = f'<a class="headerlink" href="#{called}" title="Link">#</a>'
    head = f'<h2 class="name" id="{called}"><code>{called}</code>{link}</h2>'
    if not (inspect.isclass(member) or callable(member)):
        return [head, f"A constant: `{_short(repr(member))}`."]
    parts = [head, _signature(member, called.rpartition(".")[2]), _prose(inspect.getdoc(member) or "")]
    if inspect.isclass(member):
        for name, value in vars(member).items():
            function = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
            if not name.startswith("_") and inspect.isfunction(function) and function.__doc__:
                shown = f"`.{name}`" if isinstance(value, property) else f"`.{name}{_plain_signature(function)}`"
                parts.append(f"{shown}\\\n{plain_text(function.__doc__.split(chr(10) * 2)[0])}")
    return [*parts, f'<p class="file"><code>{_file(member)}</code></p>']


def _signature(member: object, name: str) -> str:
    """The call with its types, a parameter a line when it is long."""
    try:
        told = inspect.signature(member)  # pyright: ignore[reportArgumentType]  # a class or a function
    except (TypeError, ValueError):
        return ""
    parameters = [_named(p) for p in told.parameters.values() if p.name != "self"]
    back = told.return_annotation
    end = "" if back is inspect.Signature.empty or inspect.isclass(member) else f" -> {_annotation(back)}"
    line = f"{name}({', '.join(parameters)}){end}"
    if len(line) > 88:
        line = f"{name}(\n" + "".join(f"    {p},\n" for p in parameters) + f"){end}"
    return f"```python\n{line}\n```"


def _plain_signature(function) -> str:
    """Names of the parameters alone."""
    return f"({', '.join(name for name in inspect.signature(function).parameters if name not in ('self', 'cls'))})"


def _named(parameter: inspect.Parameter) -> str:
    star = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
    typed = "" if parameter.annotation is inspect.Parameter.empty else f": {_annotation(parameter.annotation)}"
    if parameter.default is inspect.Parameter.empty:
        return f"{star}{parameter.name}{typed}"
    return f"{star}{parameter.name}{typed}{' = ' if typed else '='}{_short(repr(parameter.default))}"


def _annotation(annotation: object) -> str:
    """A type as it is written in the source: without the modules of its parts."""
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return re.sub(r"\b(?:\w+\.)+(?=[A-Za-z_]\w*)", "", text).replace("NoneType", "None")


def _short(text: str) -> str:
    text = re.sub(r" at 0x[0-9a-f]+", "", text)
    return text if len(text) <= 60 else text[:57] + "..."


def _prose(doc: str) -> str:
    """Paragraphs as text, indented passages and examples as code."""
    parts, code = [], []
    for block in re.split(r"\n\s*\n", doc):
        lines = block.splitlines()
        if EXAMPLE.match(block) or all(line.startswith("    ") for line in lines if line):
            code.append("\n".join(line.removeprefix("    ") for line in lines))
            continue
        parts += _fenced(code)
        code = []
        parts.append(_text(block))
    return "\n\n".join(part for part in [*parts, *_fenced(code)] if part)


def _fenced(code: list[str]) -> list[str]:
    if not code:
        return []
    text = "\n\n".join(code)
    return [f"```{'pycon' if EXAMPLE.search(text) else 'text'}\n{text}\n```"]


def _text(block: str) -> str:
    """Prose with its `code` kept; lists and aligned lines stay line by line."""
    lines = block.splitlines()
    aligned = any(line.startswith(("  ", "- ", "* ")) for line in lines[1:]) or bool(re.search(r"\S {3,}\S", block))
    if aligned:
        return f"```text\n{block}\n```"
    return "".join(
        part if k % 2 else plain_text_keeping_ends(part) for k, part in enumerate(re.split(r"(`[^`\n]+`)", block))
    ).strip()


def plain_text_keeping_ends(part: str) -> str:
    """`plain_text`, but a space at either end stays."""
    inner = plain_text(part)
    return f"{' ' * part[:1].isspace()}{inner}{' ' * (part[-1:].isspace() and bool(inner))}"


def _first(place: ModuleType) -> str:
    return (inspect.getdoc(place) or "").split("\n\n")[0]


def _file(member: object) -> str:
    try:
        return f"{inspect.getfile(member).removeprefix(f'{ROOT}/')}"  # pyright: ignore[reportArgumentType]  # as above
    except TypeError:
        return ""
