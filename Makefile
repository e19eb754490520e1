# drimbench: the targets that the README promises. Needs python3 (3.11 or later) and make.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: setup demo test quick lint types campaign fuzz interop bench clean help

help:
	@echo "make demo    installe l'environnement et joue la campagne embarquée"
	@echo "make test    tous les contrôles du banc (lint, types, tests, campagne)"
	@echo "make quick   lint, types et tests de ce qui a changé, en moins d'une minute"
	@echo "make interop vérifie avec des programmes tiers (DCMTK, openssl, curl, dciodvfy)"
	@echo "make bench   mesures relatives (docs/performance.md)"

setup: .setup-runtime

.setup-runtime: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installation de drimbench dans $(VENV) (une à deux minutes la première fois)…"
	@$(PIP) install -c constraints.txt -e .
	@touch $@

.setup-dev: .setup-runtime pyproject.toml constraints.txt
	@echo "Installation des outils de développement…"
	@$(PIP) install -c constraints.txt -e '.[dev]'
	@touch $@

demo: .setup-runtime
	@$(BIN)/drimbench run

lint: .setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: .setup-dev
	$(BIN)/mypy

test: lint types
	$(BIN)/python -m pytest -n auto
	$(BIN)/drimbench run

quick: .setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	@tests="$$($(BIN)/python tests/changed.py)"; \
	if [ -n "$$tests" ]; then $(BIN)/python -m pytest -q -m "not slow and not interop" $$tests; \
	else echo "Aucun test ne correspond à ce qui a changé."; fi

interop: .setup-dev
	@$(PIP) install -c constraints.txt -e '.[interop]'
	@if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	  apt-get install -y -qq dcmtk curl openssl xmlsec1 >/dev/null || apt-get update -qq && apt-get install -y -qq dcmtk curl openssl xmlsec1 >/dev/null; \
	else echo "apt-get indisponible ou droits insuffisants : les programmes absents seront signalés."; fi
	$(BIN)/python -m pytest -m interop -ra tests

bench: .setup-dev
	$(BIN)/python -m load.benchmarks

clean:
	rm -rf $(VENV) .setup-* runs dist build
