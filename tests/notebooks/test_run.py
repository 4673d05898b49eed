"""The strict runner refuses what papermill lets pass, and the notebooks keep their form."""

import json
from pathlib import Path

import pytest

from notebooks import run as runner
from notebooks.run import ParameterError, checked_parameters, declared_parameters, main, notebook_names, source

NAMES = notebook_names()
LINES = 17  # "about 15"
COMMON = {"profile": str, "seed": int, "device": str, "out_dir": str}


def cells(name):
    return json.loads(source(name).read_text(encoding="utf-8"))["cells"]


# ---------------------------------------------------------------- form


def test_there_are_notebooks():
    assert {"00-start-here", "01-perplexity", "03-energy"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_declared_parameters(name):
    declared = declared_parameters(source(name))
    assert {key: declared[key][0] for key in COMMON} == COMMON
    assert declared["profile"][1] == '"full"'
    assert declared["device"][1] == '"auto"'
    tagged = [c for c in cells(name) if "parameters" in c["metadata"].get("tags", [])]
    assert len(tagged) == 1


@pytest.mark.parametrize("name", NAMES)
def test_source_form(name):
    """No outputs, unique readable ids, short cells, one kernel name."""
    page = json.loads(source(name).read_text(encoding="utf-8"))
    assert (page["nbformat"], page["nbformat_minor"]) == (4, 5)
    assert page["metadata"]["kernelspec"]["name"] == "python3"
    ids = [cell["id"] for cell in page["cells"]]
    assert len(set(ids)) == len(ids)
    for cell in page["cells"]:
        assert cell["id"] == cell["id"].lower()
        assert not cell["id"].isalnum() or not any(c.isdigit() for c in cell["id"]) or len(cell["id"]) < 8, cell["id"]
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None
            assert len("".join(cell["source"]).splitlines()) <= LINES, cell["id"]


@pytest.mark.parametrize("name", NAMES)
def test_every_code_cell_compiles(name):
    for cell in cells(name):
        if cell["cell_type"] == "code":
            assert compile("".join(cell["source"]), f"{name}:{cell['id']}", "exec")


# ---------------------------------------------------------------- bad input


def refused(given, message, name="01-perplexity"):
    with pytest.raises(ValueError, match=message):
        checked_parameters(source(name), given)


def test_unknown_notebook_lists_what_exists():
    with pytest.raises(ParameterError, match="no notebook '99-none'; there are: 00-start-here, 01-perplexity"):
        source("99-none")
    assert source("01-perplexity.ipynb") == source("notebooks/01-perplexity.ipynb") == source("01-perplexity")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"epochs": "3"}, "01-perplexity has no parameter 'epochs'; it has: profile, seed, device, out_dir"),
        ({"seed": "one"}, "01-perplexity: seed = 'one' is no int"),
        ({"seed": "1.5"}, "seed = '1.5' is no int"),
        ({"seed": "-1"}, r"01-perplexity: seed = -1, allowed: 0, 1, 2, \.\.\."),
        ({"profile": "fast"}, "profile = 'fast', allowed: smoke, full, gpu"),
        ({"device": "tpu"}, "device = 'tpu', allowed: auto, cpu, cuda"),
        ({"corpus": "/absent/text.txt"}, r"corpus /absent/text.txt cannot be read: No such file"),
    ],
)
def test_bad_parameters(given, message):
    refused(given, message)


def test_cuda_without_a_device(monkeypatch):
    torch = pytest.importorskip("torch", reason="needs torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    refused({"device": "cuda"}, 'device = "cuda", but torch finds no CUDA device; use auto or cpu')
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert checked_parameters(source("01-perplexity"), {"device": "cuda"}) == {"device": "cuda"}


def test_unwritable_folder(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("x")
    refused({"out_dir": str(tmp_path / "file" / "below")}, "out_dir = .* cannot be written: Not a directory")
    refused({"out_dir": str(tmp_path / "file")}, "out_dir = .* cannot be written: File exists")

    def denied(**options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(runner.tempfile, "TemporaryFile", denied)
    refused({"out_dir": str(tmp_path)}, "cannot be written: Permission denied")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no letter"),
        (b"12 34 \n", "holds no letter"),
        (b"\xff\xfe\x00", "is no UTF-8 text: byte 0"),
        (b"a", "corpus = .* has 1 tokens after folding, allowed: at least 4"),
        (b"abc", "corpus = .* has 3 tokens after folding, allowed: at least 4"),
        (b"a" * 10000, "corpus = .* has 1 different symbols after folding, allowed: at least 2"),
        (b"text\x00text", "is a binary file: it holds a NUL at character 4"),
    ],
)
def test_bad_corpora(tmp_path, content, message):
    path = tmp_path / "text.txt"
    path.write_bytes(content)
    refused({"corpus": str(path)}, message)


def test_a_text_of_which_much_is_lost_gives_one_line(tmp_path, capsys):
    path = tmp_path / "text.txt"
    path.write_text("我们 a" * 500, encoding="utf-8")
    checked_parameters(source("01-perplexity"), {"corpus": str(path)})
    said = capsys.readouterr().err.splitlines()
    assert [line.split(";")[0] for line in said] == [
        f"corpus {path}: 50.0 % of the characters are letters a-z or white space"
    ]


def test_a_folder_is_no_corpus(tmp_path):
    refused({"corpus": str(tmp_path)}, "cannot be read: it is a directory")


def test_good_parameters(tmp_path, monkeypatch):
    text = tmp_path / "text.txt"
    text.write_text("a good text")
    given = {"profile": "smoke", "seed": "7", "out_dir": str(tmp_path / "new" / "folder"), "corpus": str(text)}
    assert checked_parameters(source("01-perplexity"), given) == given | {"seed": 7}
    assert (tmp_path / "new" / "folder").is_dir()
    monkeypatch.chdir(tmp_path)
    elsewhere = checked_parameters(source("01-perplexity"), {"corpus": "text.txt", "out_dir": "out"})
    assert elsewhere == {"corpus": "text.txt", "out_dir": "out"}
    assert (tmp_path / "out").is_dir()


def test_a_refused_value_leaves_no_folder(tmp_path):
    refused({"out_dir": str(tmp_path / "new"), "seed": "-1"}, "seed = -1")
    assert list(tmp_path.iterdir()) == []


def test_a_working_folder_that_cannot_be_written(tmp_path, monkeypatch, capsys):
    (tmp_path / "build").write_text("a file")
    monkeypatch.chdir(tmp_path)
    assert main(["00-start-here", "-p", "out_dir", "out", "--quiet"]) == 2
    message = "the folder of executed notebooks = 'build/notebooks' cannot be written: "
    assert message in capsys.readouterr().err


def test_booleans():
    assert runner.cast("n", "flag", "True", bool) is True
    assert runner.cast("n", "flag", "false", bool) is False
    assert runner.cast("n", "x", "1e-3", float) == 1e-3
    with pytest.raises(ParameterError, match="flag = '1', allowed: true, false"):
        runner.cast("n", "flag", "1", bool)


def notebook(path: Path, source_text: str, tags: list[str]) -> Path:
    cell = {"cell_type": "code", "id": "p", "metadata": {"tags": tags}, "outputs": [], "execution_count": None}
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    page = {"nbformat": 4, "nbformat_minor": 5, "metadata": kernel, "cells": [cell | {"source": source_text}]}
    path.write_text(json.dumps(page))
    return path


def test_notebooks_without_types_or_parameters(tmp_path):
    untyped = notebook(tmp_path / "untyped.ipynb", "steps = 3", ["parameters"])
    with pytest.raises(ParameterError, match="untyped: parameter steps has no type"):
        declared_parameters(untyped)
    typed = notebook(tmp_path / "typed.ipynb", "steps: int = 3  # how many", ["parameters"])
    assert declared_parameters(typed) == {"steps": (int, "3", "how many")}


def test_the_command(capsys):
    assert main(["--list"]) == 0
    assert "01-perplexity\n  profile: str" in capsys.readouterr().out
    for arguments, message in (
        (["99-none"], "no notebook '99-none'"),
        (["01-perplexity", "-p", "epochs", "3"], "has no parameter 'epochs'"),
        (["01-perplexity", "-p", "seed", "1", "-p", "seed", "2"], "given more than once: seed"),
    ):
        assert main(arguments) == 2
        assert message in capsys.readouterr().err
