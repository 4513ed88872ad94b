# Everything happens in .venv inside this clone. `make help` lists what can be made.

VENV := .venv
BIN := $(VENV)/bin
# What is installed depends on these two files alone, so their content names the stamps.
KEY := $(shell cat pyproject.toml constraints.txt | cksum | cut -d ' ' -f 1)
INSTALLED := $(VENV)/.installed-$(KEY)
TESTABLE := $(VENV)/.testable-$(KEY)
PIP := $(BIN)/python -m pip --disable-pip-version-check install --constraint constraints.txt

.DEFAULT_GOAL := help
.PHONY: help run test lint docs bench soak

help: ## list what can be made
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile | expand -t 14

run: $(INSTALLED) ## install what is missing, then run the demo
	ZOETROPE_HOME="$(CURDIR)/.zoetrope" $(BIN)/zoetrope demo

test: lint ## install what is missing, then check style, types, layers and run the tests
	@# Half of the tests wait for browsers and processes more than they compute: three at a time fill two cores.
	$(BIN)/pytest --quiet --numprocesses 3 --dist worksteal

lint: $(TESTABLE) ## style, types and layers only
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(INSTALLED) ## write docs/cli.md again from the commands themselves
	$(BIN)/python tools/cli_docs.py

bench: $(TESTABLE) ## the benchmarks that fit in an hour together; writes docs/results.md
	$(BIN)/python benchmarks/run_all.py bench

soak: $(TESTABLE) ## the long benchmarks, posts first (20 minutes), the wheel last (2 hours); writes docs/results.md
	$(BIN)/python benchmarks/run_all.py soak

$(INSTALLED): | $(BIN)/python
	$(PIP) --editable '.[studio]'
	@touch $@

$(TESTABLE): | $(BIN)/python
	$(PIP) --editable '.[test]'
	@touch $(INSTALLED) $@

$(BIN)/python:
	@for python in python3.11 python3.12 python3 python; do \
		if $$python -c 'import sys, ensurepip, venv; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' 2>/dev/null; \
		then echo "Making $(VENV) with $$($$python --version)"; exec $$python -m venv $(VENV); fi; \
	done; \
	echo "Zoetrope needs Python 3.11 or 3.12 with its venv module (on Debian and Ubuntu: apt install python3.11-venv)." >&2; \
	exit 1
