# The whole developer interface. Every target sets up what it needs; `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NATIVE_SOURCES := $(shell find native/src -name '*.rs') native/Cargo.toml native/Cargo.lock .cargo/config.toml
PACKAGES_STAMP := $(VENV)/.packages
NATIVE_STAMP := $(VENV)/.native

.PHONY: help setup run test test-long check format bench proto lock clean native

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

# Two `make` at the same time set up one after the other.
LOCKED := $(if $(shell command -v flock),flock --close requirements,)

setup: ## Make .venv with everything in it, the native extension built
	@$(LOCKED) $(MAKE) --silent --no-print-directory $(NATIVE_STAMP)

native: setup

$(PACKAGES_STAMP): requirements/dev.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: Python 3.11 or later is needed; name one, as in: make PYTHON=python3.12 run"; exit 1; }
	@for tool in cargo cc; do command -v $$tool >/dev/null || \
		{ echo "error: $$tool is needed (a Rust toolchain, a C compiler) and not on the path"; exit 1; }; done
	@echo "installing the pinned packages into $(VENV), about half a minute"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	@touch $@

$(NATIVE_STAMP): $(PACKAGES_STAMP) $(NATIVE_SOURCES) pyproject.toml
	@echo "building the native extension, about a minute at the first time"
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

run: setup ## Five nodes, a private payment, a crash, a verdict
	$(BIN)/mcnode network demo

test: setup ## All tests that need no extra program
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow"

test-long: setup ## The long ones too, and those of the native half
	$(BIN)/python -m pytest -n 2 --dist loadfile
	cargo test --manifest-path native/Cargo.toml --release

check: setup ## Format, lint, types, import contract
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	cargo fmt --manifest-path native/Cargo.toml --check
	cargo clippy --manifest-path native/Cargo.toml --release --quiet --all-targets -- -D warnings

format: setup ## Put the sources in form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	cargo fmt --manifest-path native/Cargo.toml

bench: setup ## Print the figures
	$(BIN)/python -m bench

proto: setup ## Make src/mcnode/api/gen anew from proto/
	$(BIN)/python -m mcnode.api.generate

lock: ## Pin every package anew (needs uv)
	uv pip compile pyproject.toml --group dev --generate-hashes --no-emit-index-url --no-header --python-version 3.11 -o requirements/dev.lock

clean: ## Remove what the targets made
	rm -rf $(VENV) native/target src/mcnode/_native*.so .mypy_cache .ruff_cache .pytest_cache
