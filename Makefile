# Sunshine Sanwu. `make` shows what there is.

PYTHON ?= python3
VENV := .venv
SETUP := $(PYTHON) deploy/local/setup.py
MAKEFLAGS += --no-print-directory
# What was compiled once is kept, pytest's tests too.
unexport PYTHONDONTWRITEBYTECODE
.DEFAULT_GOAL := help
# A process for each processor of a small machine: more start so many cities at once that each waits for the others.
PROCESSES ?= $(if $(findstring tests/,$(ARGS)),0,2)
.PHONY: help run test check bench docs fmt clean

##@ Use it
run: ## Start the whole city on this machine (SANWU_HOME, SANWU_PORT, SANWU_SAMPLE=full|small|none)
	@$(SETUP) run
	@exec $(VENV)/bin/python -m deploy.local run

##@ Work on it
test: ## Run every test, on real PostgreSQL, Kafka and a browser (ARGS= goes to pytest, PROCESSES=0 is one after another)
	@$(SETUP) test
	@$(VENV)/bin/python -m deploy.local.browser
	@$(VENV)/bin/python -m pytest -n $(PROCESSES) --dist loadgroup --no-loadscope-reorder $(ARGS)

check: ## Lint, format, types, imports, generated documents, and no secret in a file
	@$(SETUP) test
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy .
	@$(VENV)/bin/lint-imports
	@$(VENV)/bin/python -m deploy.docs --check
	@$(VENV)/bin/python -m deploy.leaks

bench: ## Measure against nginx, pgbench and the others; writes docs/benchmarks.md
	@$(SETUP) test
	@$(VENV)/bin/python -m tests.bench

docs: ## Write the generated documents anew
	@$(SETUP) test
	@$(VENV)/bin/python -m deploy.docs

fmt: ## Format the code and fix what can be fixed
	@$(SETUP) test
	@$(VENV)/bin/ruff format .
	@$(VENV)/bin/ruff check --fix .

##@ Care
clean: ## Remove the packages and the caches; the local city's data stays (it is in SANWU_HOME)
	@if [ -x $(VENV)/bin/python ]; then $(VENV)/bin/python -m deploy.local down; fi
	@rm -rf $(VENV) .venv.partial .venv.lock .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} \
		/^##@/ {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))
