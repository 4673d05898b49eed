# The batch graph: notebook + library + parameters -> figures. Run through `make figures`.
from pathlib import Path

SLUGS = {
    "00-start-here": "start_here",
    "01-perplexity": "perplexity",
    "02-sequence-error": "sequence_error",
    "03-energy": "energy",
    "04-entropy-bound": "entropy_bound",
    "05-variance": "variance",
    "06-learned-order": "learned_order",
    "07-any-process": "any_process",
    "08-medium": "medium",
}
PROFILE = config.get("profile", "full")
OUT = config.get("out", "figures/out")
CORPUS = config.get("corpus", "")
NOTEBOOKS = sorted(p.stem for p in Path("notebooks").glob("[0-9][0-9]-*.ipynb"))
LIBRARY = sorted(str(p) for p in Path("toy_models").rglob("*.py") if "__pycache__" not in p.parts)


def code_of(wildcards):
    slug = SLUGS[wildcards.notebook]
    places = (("theory", f"{slug}*.py"), (f"theory/checks/{slug}", "*.py"), ("figures", f"{slug}*.py"))
    own = [str(path) for folder, pattern in places for path in sorted(Path(folder).glob(pattern))]
    return [*own, "theory/verdicts.json"] if slug == "start_here" else own


rule all:
    input:
        expand("{out}/.runs/{notebook}.done", out=OUT, notebook=NOTEBOOKS),


rule notebook:
    input:
        notebook="notebooks/{notebook}.ipynb",
        library=LIBRARY,
        code=code_of,
        frame=[
            "figures/registry.py",
            "figures/save.py",
            "figures/layout.py",
            "figures/mdm.mplstyle",
            "theory/claims.toml",
            "theory/claims.py",
            "theory/registry.py",
            "theory/ledger.py",
            "theory/exact_curves.py",
            "theory/checks/common.py",
            "constraints.txt",
        ],
    output:
        touch(OUT + "/.runs/{notebook}.done"),
    params:
        profile=PROFILE,
        corpus=CORPUS,
    log:
        "build/logs/{notebook}.log",
    message:
        "{wildcards.notebook} ({params.profile})"
    shell:
        "{workflow.basedir}/.venv/bin/python -m notebooks.run {wildcards.notebook} --quiet"
        " -p profile {params.profile} -p out_dir " + OUT + " > {log} 2>&1"
        " || (cat {log} >&2; exit 1)"
