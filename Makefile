PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench

help:  ## List the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST)

demo: $(INSTALLED)  ## Group a few sample articles into stories
	$(BIN)/sahel-dedup demo

test: lint  ## Check style and types, then run the tests
	$(BIN)/python -m pytest

lint: $(INSTALLED)  ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(INSTALLED)  ## List the benchmarks
	$(BIN)/python -m benchmarks

# Everything is pinned, the build backend too: hence no build isolation, which would fetch
# another one.
$(INSTALLED): pyproject.toml requirements.lock
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@
