# drimbench: the targets that the README promises. Needs python3 (3.11 or later) and make.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: setup demo test quick lint types campaign fuzz interop bench viewer viewer-speed soak crowd clean help

help:
	@echo "make demo    installe l'environnement et joue la campagne embarquée"
	@echo "make test    tous les contrôles du banc (lint, types, tests, campagne)"
	@echo "make quick   lint, types et tests de ce qui a changé, en moins d'une minute"
	@echo "make interop vérifie avec des programmes tiers (DCMTK, openssl, curl, Orthanc, PostgreSQL…)"
	@echo "make fuzz    20 000 entrées hostiles par lecteur et par juge (graine affichée)"
	@echo "make bench   mesures relatives (docs/performance.md)"
	@echo "make viewer-speed  première image et série de 1 300 images dans la visionneuse (chromium)"
	@echo "make soak    2 000 comptes rendus, des pannes, 20 SIGKILL de la Source (SOAK='--seed 7')"
	@echo "make crowd   50 professionnels cinq minutes : rien de l'un chez l'autre (CROWD='--people 8')"
	@echo "make viewer  installe OHIF par npm (facultatif) et l'essaie dans Chromium"

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

# Twice: nothing that only POSIX has is called where a platform is not asked about first.
types: .setup-dev
	$(BIN)/mypy
	$(BIN)/mypy --platform win32 --cache-dir .mypy_cache/win32

test: lint types
	$(BIN)/python -m pytest -n auto --dist worksteal
	$(BIN)/drimbench run

quick: .setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	@$(BIN)/python -m tests.quick

.setup-interop: .setup-dev
	@echo "Installation des bibliothèques tierces…"
	@$(PIP) install -c constraints.txt -e '.[interop]'
	@touch $@

# Packages that start a service are installed where nothing starts one: in a container.
# pynetdicom has scripts of the same names as DCMTK's: dsrdump tells whether DCMTK is there.
interop: .setup-interop
	@wanted=; \
	command -v dsrdump >/dev/null || wanted="$$wanted dcmtk"; \
	for program in curl openssl xmlsec1; do \
	  command -v $$program >/dev/null || wanted="$$wanted $$program"; \
	done; \
	test -f /usr/share/java/pixelmed.jar || wanted="$$wanted libpixelmed-java"; \
	command -v java >/dev/null || wanted="$$wanted default-jre-headless"; \
	services=; \
	test -f /usr/share/orthanc/plugins/libOrthancDicomWeb.so \
	  || services="$$services orthanc orthanc-dicomweb"; \
	ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null \
	  || services="$$services postgresql"; \
	if [ ! -d /run/systemd/system ]; then wanted="$$wanted$$services"; \
	elif [ -n "$$services" ]; then \
	  echo "Absents, tests sautés (leur paquet démarre un service : à installer soi-même) :$$services"; \
	fi; \
	if [ -n "$$wanted" ] && command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	  echo "Installation par apt-get :$$wanted"; \
	  install="apt-get install -y -qq --no-install-recommends $$wanted"; \
	  { $$install || { apt-get update -qq && $$install; }; } >/dev/null \
	    || echo "apt-get n'a pas pu les installer : leurs tests seront sautés."; \
	elif [ -n "$$wanted" ]; then \
	  echo "Absents, tests sautés (apt-get demande Debian et root) :$$wanted"; \
	fi
	PATH="$$PATH:$(CURDIR)/$(BIN)" $(BIN)/python -m pytest -m interop -ra tests

fuzz: .setup-dev
	$(BIN)/python -m tests.fuzz

bench: .setup-dev
	$(BIN)/python -m load.benchmarks

# VIEWER: options of the command, as in `make viewer-speed VIEWER='--images 200 --json'`.
viewer-speed: .setup-dev
	$(BIN)/python -m load.viewer_speed $(VIEWER)

# SOAK: options of the command, as in `make soak SOAK='--seed 7 --keep /tmp/endurance'`.
soak: .setup-dev
	$(BIN)/python -m load.soak $(SOAK)

# CROWD: options of the command, as in `make crowd CROWD='--people 8 --seconds 10'`.
crowd: .setup-dev
	$(BIN)/python -m load.crowd $(CROWD)

viewer: .setup-dev ohif/dist/index.html
	$(BIN)/python -m pytest -ra tests/ohif

ohif/dist/index.html: ohif/package.json ohif/build.py | .setup-dev
	@$(BIN)/python ohif/build.py

clean:
	rm -rf $(VENV) .setup-* runs dist build ohif/dist
