# Every target sets up .venv by itself, once, from pyproject.toml and constraints.txt.
# Values reach the recipes through the environment, so that the shell never reads what is in them.
PYTHON  ?= python3.11
PROFILE ?= full
CORES   ?= 2
CORPUS  ?=
SEED    ?=
DEVICE  ?=
# figures/out is committed: other parameters than the committed ones write elsewhere
OUT     ?= $(if $(CORPUS)$(SEED)$(filter-out full,$(PROFILE)),build/figures-$(if $(CORPUS)$(SEED),mine-)$(PROFILE),figures/out)
# URL of the index that has the build of PyTorch you want, such as the one for CPUs
TORCH_INDEX ?=
BIN     := .venv/bin
PIP     := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
export PROFILE CORES CORPUS SEED DEVICE OUT TORCH_INDEX
# CORES jobs run side by side with one thread each: no spinning, and the same rounding everywhere. A parallel numba
# kernel would raise torch's OpenMP threads too, so numba has one as well.
export MPLBACKEND := agg
export PYTHONHASHSEED := 0
export OMP_NUM_THREADS := 1
export NUMBA_NUM_THREADS := 1

.PHONY: help figures test verify proofs book bench lab lint clean
help:
	@echo "make figures   regenerate every figure in one batch (PROFILE=smoke|full, OUT=folder, CORPUS=text, SEED, DEVICE)"
	@echo "make test      run the tests"
	@echo "make verify    run every claim and write theory/LEDGER.md (FAST=1: small instances, compare only)"
	@echo "make proofs    compile the machine-checked proofs with Coq"
	@echo "make book      figures, then the book: build/book/html/index.html (PROFILE and OUT as for figures)"
	@echo "make bench     side by side with other packages (own environment)"
	@echo "make lab       open the notebooks"
	@echo "make lint      ruff, pyright"
	@echo "make clean     remove build products and .venv"

.venv/ready: pyproject.toml constraints.txt
	"$(PYTHON)" -m venv .venv
	if [ -n "$$TORCH_INDEX" ]; then $(PIP) --index-url "$$TORCH_INDEX" torch; fi
	$(PIP) -e ".[all]"
	touch $@

figures: .venv/ready
	$(BIN)/python -m notebooks.batch --profile="$$PROFILE" --out="$$OUT" --corpus="$$CORPUS" --seed="$$SEED" \
	    --device="$$DEVICE" --cores="$$CORES"

test: .venv/ready
	$(BIN)/python -m pytest -n "$$CORES" --dist loadfile -q

verify: .venv/ready
	$(BIN)/python -m theory $(if $(FAST),--fast --compare)
	$(if $(FAST),,$(BIN)/python -m theory.ledger.glossary)
	$(if $(FAST),,$(BIN)/python -m theory.start_here.findings)
	$(if $(FAST),,$(BIN)/python -m theory.start_here.moving)

# what to install stands in theory/formal/coq.py
proofs: .venv/ready
	@$(BIN)/python -m theory.formal

# from what the batch of `figures` left; notebooks are not run again
book: figures
	$(BIN)/python -m book --figures="$$OUT"

bench: export NUMBA_NUM_THREADS := $(CORES)
bench: .venv/ready
	$(BIN)/python -m benchmarks.run

lab: .venv/ready
	$(BIN)/python -m jupyter lab notebooks

lint: .venv/ready
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m pyright --pythonpath $(BIN)/python

clean:
	rm -rf build .venv .snakemake
