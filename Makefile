# rftspec: two commands for a newcomer.
#   make demo    set up .venv, train the demo, write its report        (a few minutes)
#   make test    set up .venv, run every check and test
# More: make lint | readme | screenshot | bench | clean

# Recipes use relative paths only: the folder's own path may hold spaces.
SHELL := /bin/sh
PY := .venv/bin/python
SPEC ?= specs/rare_disease.yaml
# Another torch than the pinned one, for a GPU: make demo TORCH="torch==2.13.0+cu130"
TORCH ?=
# A Python to build .venv with; else the first of these that is 3.11 or newer.
PYTHON ?=
export PYTHONUTF8 := 1

.PHONY: help demo test set-up set-up-dev lint readme screenshot bench clean

help:
	@sed -n '1,4s/^# \{0,1\}//p' Makefile

demo: set-up
	@echo "demo: rftspec run $(SPEC)"
	@$(PY) -m rftspec run $(SPEC)

test: set-up-dev lint
	@echo "test: pytest, a file at a time on each of up to four cores"
	@$(PY) -m pytest -n auto --maxprocesses 4 --dist loadfile

lint: set-up-dev
	@echo "lint: ruff check"
	@$(PY) -m ruff check .
	@echo "lint: ruff format"
	@$(PY) -m ruff format --check .
	@echo "lint: mypy --strict"
	@$(PY) -m mypy
	@echo "lint: import floors"
	@.venv/bin/lint-imports --no-logo --config pyproject.toml

readme: set-up-dev
	@$(PY) tools/readme_tree.py --write

screenshot: set-up-dev
	@$(PY) tools/screenshot.py

bench: set-up-dev
	@$(PY) bench/front.py

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache build dist

# $(call set_up,run|dev): find a Python by version, then let it do the rest.
define set_up
	@for candidate in $(or $(PYTHON),python3 python3.13 python3.12 python3.11 python); do \
	  if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	    exec "$$candidate" tools/set_up.py $(1) --torch "$(TORCH)"; \
	  fi; \
	done; \
	echo "rftspec needs Python 3.11 or newer; tried: $(or $(PYTHON),python3 python3.13 python3.12 python3.11 python)" >&2; \
	echo "  Install one, or name it: make demo PYTHON=/path/to/python3" >&2; \
	exit 1
endef

set-up:
	$(call set_up,run)

set-up-dev:
	$(call set_up,dev)
