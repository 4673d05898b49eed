"""`mdm audit`: a sampler run on an exact network, and what it wrote compared with the language."""

import importlib
import importlib.util
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated

import typer

from mdm.door import AsJson, as_text, bad_input, print_json, require, write_files

if TYPE_CHECKING:
    from toy_models.audit.report import Audit
    from toy_models.quantities.intervals import Estimate
    from toy_models.targets.protocol import Target

Option = typer.Option


def audit(
    sampler: Annotated[str, typer.Argument(help="file.py:function or package.module:function")],
    language: Annotated[str, Option(help="a name of `mdm list languages`")],
    length: Annotated[int | None, Option(help="L; default by language")] = None,
    size: Annotated[int, Option(help="texts to write")] = 20_000,
    rule: Annotated[
        str | None,
        Option(help="the rule it claims to follow, such as eb:0.1; see `mdm list rules`; exit 1 is about the language"),
    ] = None,
    confidence: Annotated[float, Option(help="of every interval and of the verdict")] = 0.99,
    seed: Annotated[int, Option(help="of numpy's and torch's generators")] = 0,
    mask_id: Annotated[int | None, Option(help="id of the mask; default V")] = None,
    vocab_size: Annotated[
        int | None, Option(help="ids that the network knows; default up to the largest needed")
    ] = None,
    shift: Annotated[int, Option(help="1: logits of column j are about column j + 1")] = 0,
    prompt: Annotated[int, Option(help="columns before the text, such as BOS")] = 0,
    output: Annotated[str, Option(help="logits, tensor, tuple or log-score")] = "logits",
    revealed: Annotated[str, Option(help="at revealed positions: one-hot or leave-one-out")] = "one-hot",
    shortest: Annotated[bool, Option("--shortest", help="also find the shortest texts on which it errs")] = False,
    out: Annotated[Path | None, Option(help="folder for audit.json and audit.html")] = None,
    as_json: AsJson = False,
) -> None:
    """Run sampler(network, size) -> token ids on an exact network. Exits 1 when what it writes is not the language.

    The sampler finds network.length, network.mask_id and network(ids).logits.
    """
    with bad_input("audit"):
        from mdm import names

        target = names.language(language, length)
        declared = None if rule is None else names.rule(rule, target.length)
    require("audit", "torch")
    with bad_input("audit"):
        import numpy as np
        from tqdm import tqdm

        from toy_models.networks import ExactNetwork, Policies, shortest_error
        from toy_models.networks import audit as run_audit

        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
        policies = Policies(output=output, revealed=revealed)

        def network(of: "Target") -> ExactNetwork:
            mask = of.vocab_size if mask_id is None else mask_id
            return ExactNetwork(of, mask, vocab_size, shift, prompt, policies=policies)

        rng = np.random.default_rng(seed)
        with redirect_stdout(sys.stderr):  # what the sampler prints is no part of the report
            write = load(sampler)
        watched = network(target)
        # a letter per call is the guess behind the remaining time; shown on terminals only
        bar = tqdm(total=max(size, 0) * target.length, unit="row", unit_scale=True, disable=None)
        with bar, redirect_stdout(sys.stderr):
            watched.register_forward_hook(lambda *_: bar.update(watched.record.rows - bar.n))
            found = run_audit(write, target, size, rng, confidence, declared, network=watched)
        first = None
        if shortest and not found.exact:
            make = names.LANGUAGES[language].make
            with redirect_stdout(sys.stderr):
                first = shortest_error(write, make, target.length, size, rng, confidence, network)
    title = f"{sampler} on {language}, L = {target.length}"
    report = {"sampler": sampler, "language": language, **found.to_dict()}
    if shortest:
        report["shortest_text_in_error"] = None if first is None else first.length
    if out is not None:
        from mdm.audit_page import page

        write_files(out, {"audit.json": as_text(report) + "\n", "audit.html": page(found, title)})
    if as_json:
        print_json(report)
    else:
        typer.echo("\n".join(lines(found, title)))
        if first is not None:
            typer.echo(f"\nThe shortest text on which it errs: L = {first.length}. {first.verdict}")
        if out is not None:
            typer.echo(f"Written: {out}/audit.json, audit.html")
    raise typer.Exit(0 if found.exact else 1)


def load(name: str) -> Callable:
    """The function named file.py:function or package.module:function. ValueError says what is missing."""
    path, _, function = name.rpartition(":")
    if not path or not function:
        raise ValueError(f"sampler = {name!r}, its form is file.py:function or package.module:function")
    if path.endswith(".py") and not Path(path).is_file():
        raise ValueError(f"no file {path!r}")
    try:
        module = _module_of_file(Path(path)) if path.endswith(".py") else _module(path)
    except (Exception, SystemExit) as problem:
        raise ValueError(f"{path} cannot be imported: {type(problem).__name__}: {problem}") from problem
    if not callable(getattr(module, function, None)):
        raise ValueError(f"{path} has no function {function!r}")
    return getattr(module, function)


def _module_of_file(file: Path) -> ModuleType:
    """The file as a module; it may import its neighbours."""
    sys.path.insert(0, str(file.resolve().parent))
    spec = importlib.util.spec_from_file_location(f"sampler_in_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses and pickles look for it there
    spec.loader.exec_module(module)
    return module


def _module(name: str) -> ModuleType:
    sys.path.insert(0, str(Path.cwd()))
    return importlib.import_module(name)


def lines(found: "Audit", title: str) -> list[str]:
    """The report as text: verdict, numbers with intervals, reasons, baselines."""
    told = [title, "", found.verdict, ""]
    for name, estimate in estimates(found):
        told.append(f"  {name:<26} {_number(estimate.value):>10}   [{_number(estimate.low)}, {_number(estimate.high)}]")
    told += [f"  {'entropy of the language':<26} {_number(found.language_entropy):>10}"]
    if found.rule is not None and found.rule_comparison is not None:
        told += ["", f"  {found.rule}: {'does not fit' if found.rule_comparison.differs else 'fits'}"]
    if found.split:
        told += ["", "Why, as far as the calls tell", *(f"  {reason}" for reason in found.split)]
    if found.excess:
        told += ["", "E[-log q] - H(q) of the texts that the language allows, in nats per text"]
        for name, part in found.excess:
            told.append(f"  {name:<26} {_signed(part.value):>10}   [{_signed(part.low)}, {_signed(part.high)}]")
    if found.baselines:
        told += ["", f"Exact marginals at {_number(found.useful_calls.value)} calls per text: KL in nats, regret"]
        for b in found.baselines:
            low, high = found.regret(b)
            bound = " (upper bound)" if b.bound else ""
            told.append(f"  {b.name:<18} {b.calls:6.2f} calls  {b.kl:8.4f}{bound}   [{_number(low)}, {_number(high)}]")
    return told


def estimates(found: "Audit") -> list[tuple[str, "Estimate"]]:
    """(name, estimate) in the order in which they are shown."""
    return [
        ("calls per text", found.calls),
        ("calls that wrote", found.useful_calls),
        ("sequence error", found.sequence_error),
        ("texts with masks", found.masks_left),
        ("entropy", found.entropy),
        ("cross-entropy", found.cross_entropy),
        ("KL(language || written)", found.kl),
    ]


def _number(value) -> str:
    return f"{float(value):.4g}"


def _signed(value) -> str:
    return f"{float(value):+.4f}"
