PYTHON ?= python3
OTHER_PYTHON ?= /usr/bin/python3
# The types of the standard library differ between releases, so two of them are checked.
NEWEST_PYTHON := 3.14
BIN := .venv/bin
INSTALLED := .venv/.installed
# What is run beside the package has environments of its own, so that it changes no pin of the
# package.
TOOLS := .venv-tools/bin
DOCS := .venv-docs/bin
LOWEST := .venv-lowest/bin
OTHER := .venv-other/bin
PIP := -m pip install -q --disable-pip-version-check
LOCKED := $(PIP) --require-hashes -r
LOCKS := requirements.lock requirements-tools.lock docs/requirements.lock
LOWEST_TESTS := tests/test_articles.py tests/test_writing.py tests/test_settings.py \
	tests/test_cli_evaluate.py tests/test_reading.py
OTHER_TESTS := tests/test_boilerplate.py tests/test_document.py tests/test_fingerprint.py tests/test_golden.py \
	tests/test_quantities.py tests/test_reported_quantities.py \
	tests/test_patterns.py::test_the_matcher_finds_what_re_finds
PIN := $(TOOLS)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate

.DEFAULT_GOAL := help
.PHONY: help demo test test-fast test-without-jit test-lowest test-other coverage mutants golden \
	lint format docs cli-page bench audit sbom lock hooks

help:  ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

demo: $(INSTALLED)  ## Group a few sample articles into stories
	$(BIN)/sahel-dedup demo

# A file of tests stays in one process: see tests/conftest.py.
SHARED_OUT := --numprocesses auto --maxprocesses 4 --dist loadfile

test: lint  ## Check style and types, then run the tests
	$(BIN)/python -m pytest $(SHARED_OUT)

# Loops run as Python, as they do under a debugger.
test-without-jit: $(INSTALLED)
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest -q tests/test_without_jit.py

test-fast: $(INSTALLED)  ## Run the tests that need no Spark, browser, kill, or large archive
	$(BIN)/python -m pytest $(SHARED_OUT) -m "not slow"

test-lowest: .venv-lowest/.installed  ## Run some tests with the lowest versions that are declared
	$(LOWEST)/sahel-dedup demo
	$(LOWEST)/python -m pytest $(LOWEST_TESTS)

test-other: .venv-other/.installed  ## Run some tests under another Python: OTHER_PYTHON=/usr/bin/python3
	$(OTHER)/python -m pytest $(OTHER_TESTS)

coverage: $(INSTALLED)  ## Run the tests and fail if they leave too many lines out
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m pytest
	$(BIN)/python -m coverage combine -q
	$(BIN)/python -m coverage report --skip-covered

mutants: $(INSTALLED)  ## Change values that decide about stories, and see whether tests notice
	$(BIN)/python -m benchmarks.mutants

golden: $(INSTALLED)  ## Write the stories of the invented archive down again
	$(BIN)/python -m tests.make_golden

lint: $(INSTALLED)  ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --python-version $(NEWEST_PYTHON)

format: $(INSTALLED)  ## Format the code, and fix what ruff can fix
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: .venv-docs/.installed $(INSTALLED)  ## Run the notebooks and build the pages into build/site
	$(BIN)/python -m ipykernel install --prefix build/jupyter --name sahel-dedup >/dev/null
	JUPYTER_PATH=build/jupyter/share/jupyter NO_MKDOCS_2_WARNING=1 \
		$(DOCS)/mkdocs build -q --strict --site-dir build/site

cli-page: $(INSTALLED)  ## Write docs/cli.md from the commands
	$(BIN)/python -m typer sahel_dedup.cli utils docs --name sahel-dedup --output docs/cli.md

bench: $(INSTALLED)  ## List the benchmarks
	$(BIN)/python -m benchmarks

audit: .venv-tools/.installed  ## Look up known vulnerabilities of everything that is pinned
	@# Strict: where the advisories cannot be reached, pip-audit skips everything and succeeds.
	@$(TOOLS)/pip-audit --strict --disable-pip --require-hashes $(addprefix -r ,$(LOCKS)) || { \
		echo "make audit: a pin is vulnerable, or the advisories of PyPI could not be asked: see above" >&2; \
		exit 1; }

sbom: .venv-tools/.installed  ## List everything that is pinned in CycloneDX, as build/sbom.json
	mkdir -p build
	PYTHONWARNINGS=ignore $(TOOLS)/cyclonedx-py requirements --pyproject pyproject.toml --of JSON -o build/sbom.json \
		requirements.lock

lock: .venv-tools/.installed  ## Pin what is asked for and not pinned yet, and keep other pins
	$(PIN) --all-extras pyproject.toml -o requirements.lock
	$(PIN) --upgrade --resolution lowest-direct --extra dev pyproject.toml -o requirements-lowest.lock
	$(PIN) requirements-tools.in -o requirements-tools.lock
	$(PIN) docs/requirements.in -o docs/requirements.lock

hooks: $(INSTALLED) .venv-tools/.installed  ## Check style and types before each commit
	$(TOOLS)/pre-commit install

# Everything is pinned, the build backend too: hence no build isolation, which would fetch
# another one.
$(INSTALLED): pyproject.toml requirements.lock
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python $(LOCKED) requirements.lock
	$(BIN)/python $(PIP) --no-deps --no-build-isolation -e .
	touch $@

.venv-lowest/.installed: pyproject.toml requirements-lowest.lock
	test -x $(LOWEST)/python || $(PYTHON) -m venv .venv-lowest
	$(LOWEST)/python $(LOCKED) requirements-lowest.lock
	$(LOWEST)/python $(PIP) --no-deps --no-build-isolation -e .
	touch $@

# Another Python may lack pip. PySpark is left out because it is large and not tested here.
.venv-other/.installed: requirements.lock $(INSTALLED)
	test -x $(OTHER)/python || $(OTHER_PYTHON) -m venv --without-pip .venv-other
	awk '/^[^ ]/ {wanted = !/^pyspark==/} wanted' requirements.lock >.venv-other/requirements.lock
	$(BIN)/python -m pip --python $(OTHER)/python install -q --disable-pip-version-check --no-compile \
		--require-hashes -r .venv-other/requirements.lock
	touch $@

.venv-tools/.installed: requirements-tools.lock
	test -x $(TOOLS)/python || $(PYTHON) -m venv .venv-tools
	$(TOOLS)/python $(LOCKED) requirements-tools.lock
	touch $@

.venv-docs/.installed: docs/requirements.lock
	test -x $(DOCS)/python || $(PYTHON) -m venv .venv-docs
	$(DOCS)/python $(LOCKED) docs/requirements.lock
	touch $@
