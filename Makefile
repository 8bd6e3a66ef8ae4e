# Needs Python 3.11+ with pip, nothing else: `make run` creates .venv and installs into it.
NEW_ENOUGH = -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do $$p $(NEW_ENOUGH) && echo $$p && exit; done; echo python3)
TASK   ?= Binary_Addition
BIN    := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help install run check format test test-slow docs benchmark clean

help:                     ## this list
	@echo "mips_jax: trains small recurrent networks and distils them into short, verified Python programs."
	@echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-18s %s\n", $$1, $$2}'
	@echo
	@echo "  make run TASK=Sum_All   any of the names that $(BIN)/mips-jax tasks lists"
	@echo "  make run PYTHON=python3.12   the Python that .venv is made from (first call only)"

$(BIN)/python:
	@$(PYTHON) $(NEW_ENOUGH) || \
	  { echo "mips_jax needs Python 3.11 or newer; $(PYTHON) is older or missing. Try: make PYTHON=python3.12" >&2; exit 2; }
	$(PYTHON) -m venv .venv

.venv/.installed: setup.cfg pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/.installed-for-tests: setup.cfg pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@ .venv/.installed

.venv/.installed-for-checks: setup.cfg pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[check,test]'
	@touch $@ .venv/.installed .venv/.installed-for-tests

.venv/.installed-for-docs: setup.cfg pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	@touch $@ .venv/.installed

install: .venv/.installed  ## create .venv and install the package into it

run: .venv/.installed     ## train on one task (TASK=...), print the program found and how well it was verified
	@$(BIN)/mips-jax task=$(TASK)

check: .venv/.installed-for-checks  ## what is static: format, lint, types, the rules of the house
	@$(BIN)/python -m ruff format --check .
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m mypy
	@$(BIN)/python -m pytest tests/test_architecture.py

format: .venv/.installed-for-checks  ## format the sources and sort their imports
	@$(BIN)/python -m ruff check --fix --select I .
	@$(BIN)/python -m ruff format .

test: .venv/.installed-for-tests  ## the fast tests
	@$(BIN)/python -m pytest -m "not slow" -n 2

test-slow: .venv/.installed-for-tests  ## the tests that train or distil for more than a few seconds
	@$(BIN)/python -m pytest -m slow

docs: .venv/.installed-for-docs  ## build the documentation's site into build/site; a warning is an error
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --strict --config-file .mkdocs.yml

benchmark: .venv/.installed  ## train and distil all 62 tasks: one table beside the peers, all programs; can be resumed
	@$(BIN)/python benchmarks/distil_all.py

clean:                    ## remove .venv, caches and outputs
	rm -rf .venv build dist *.egg-info outputs .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
