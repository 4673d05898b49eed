# Every target sets up .venv by itself, once, from pyproject.toml and constraints.txt.
PYTHON  ?= python3.11
PROFILE ?= full
CORES   ?= 2
OUT     ?= $(if $(filter full,$(PROFILE)),figures/out,build/figures-$(PROFILE))
BIN     := .venv/bin
# CORES jobs run side by side with one thread each: no spinning, and the same rounding everywhere. A parallel numba
# kernel would raise torch's OpenMP threads too, so numba has one as well.
export MPLBACKEND := agg
export PYTHONHASHSEED := 0
export OMP_NUM_THREADS := 1
export NUMBA_NUM_THREADS := 1

.PHONY: help figures test verify bench lab lint clean
help:
	@echo "make figures   regenerate every figure in one batch (PROFILE=smoke|full, OUT=folder)"
	@echo "make test      run the tests"
	@echo "make verify    run every claim and write theory/LEDGER.md (FAST=1: small instances, compare only)"
	@echo "make bench     side by side with other packages (own environment)"
	@echo "make lab       open the notebooks"
	@echo "make lint      ruff"
	@echo "make clean     remove build products and .venv"

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[test]"
	touch $@

figures: .venv/ready
	$(BIN)/snakemake --cores $(CORES) --workflow-profile profiles/local --config profile=$(PROFILE) out=$(OUT)

test: .venv/ready
	$(BIN)/pytest -n $(CORES) --dist loadfile -q

verify: .venv/ready
	$(BIN)/python -m theory $(if $(FAST),--fast --compare)

bench: export NUMBA_NUM_THREADS := $(CORES)
bench: .venv/ready
	$(BIN)/python -m benchmarks.run

lab: .venv/ready
	$(BIN)/jupyter lab notebooks

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

clean:
	rm -rf build .venv .snakemake
