# The batch graph: notebook + library + parameters -> figures. Run through `make figures` (notebooks/batch.py).
import sys
from pathlib import Path

from notebooks.batch import SHARED, given_to
from notebooks.run import declared_parameters, source

VALUES = {"profile": "full", "out_dir": "figures/out"} | {name: config[name] for name in SHARED if name in config}
RUNS = VALUES["out_dir"].replace("{", "{{").replace("}", "}}") + "/.runs/"
NOTEBOOKS = sorted(p.stem for p in Path("notebooks").glob("[0-9][0-9]-*.ipynb"))
FRAME = [
    "figures/registry.py",
    "figures/save.py",
    "figures/layout.py",
    "figures/mdm.mplstyle",
    *sorted(str(p) for p in Path("theory").rglob("*.toml")),
    "theory/claims.py",
    "theory/registry.py",
    "theory/ledger.py",
    "theory/exact_curves.py",
    "theory/checks/common.py",
    "constraints.txt",
]
LIBRARY = sorted(str(p) for p in Path("toy_models").rglob("*.py") if "__pycache__" not in p.parts)


def code_of(wildcards):
    slug = wildcards.notebook[3:].replace("-", "_")
    places = (("theory", f"{slug}*.py"), (f"theory/checks/{slug}", "*.py"), ("figures", f"{slug}*.py"))
    own = [str(path) for folder, pattern in places for path in sorted(Path(folder).glob(pattern))]
    return [*own, "theory/verdicts.json"] if slug == "start_here" else own


DECLARED = {notebook: declared_parameters(source(notebook)) for notebook in NOTEBOOKS}


def given(wildcards):
    own = given_to(DECLARED[wildcards.notebook], VALUES)
    return [word for name, value in own.items() for word in ("-p", name, value)]


def text(wildcards):
    return given_to(DECLARED[wildcards.notebook], {"corpus": VALUES.get("corpus", "")}).values()


rule all:
    input:
        expand(RUNS + "{notebook}.done", notebook=NOTEBOOKS),


rule notebook:
    input:
        notebook="notebooks/{notebook}.ipynb",
        library=LIBRARY,
        code=code_of,
        text=text,
        frame=FRAME,
    output:
        touch(RUNS + "{notebook}.done"),
    params:
        given=given,
    log:
        RUNS + "{notebook}.log",
    message:
        "{wildcards.notebook}"
    shell:
        "{sys.executable:q} -m notebooks.run {wildcards.notebook:q} --quiet {params.given:q} > {log:q} 2>&1"
        " || (cat {log:q} >&2; exit 1)"
