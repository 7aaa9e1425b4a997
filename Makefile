# `make demo` and `make test` do all the set-up by themselves.

# The first that really runs and is of a right version: a name on the path may be an empty shim.
PYTHON ?= $(shell for name in python3.12 python3.11 python3 python; do \
  $$name -c 'import sys, venv; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' \
  2>/dev/null && echo $$name && break; done)
VENV := .venv
# Test files that run at once.
JOBS ?= 2
BIN := $(VENV)/bin
UV := $(BIN)/uv
SAMPLE := $(wildcard sample/*.mp4)

.DEFAULT_GOAL := help
.PHONY: help setup models test-models demo test lint accuracy bench e2e soak up sample docs constraints clean

help: ## This list
	@grep -hE '^[a-z0-9]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

# Made anew when the pins change; nothing is done when it is current.
$(VENV)/installed: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or 3.12 is needed and was not found:" \
	  "install one, or make PYTHON=/path/to/python3.12 ..." >&2; exit 1; }
	@test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
	@test -x $(UV) || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(UV) pip install --python $(BIN)/python --compile-bytecode --constraint constraints.txt --editable '.[dev]'
	@touch $@

setup: $(VENV)/installed ## Install everything into .venv

models: setup ## Pull the embedded models
	@$(BIN)/tiktok-assets models pull --profile embedded

# The models that may be chosen in place of the embedded ones are tested too.
test-models: models
	@$(BIN)/tiktok-assets models pull yolox_nano easyocr_english

demo: models ## Analyze the sample video and show what came out
	@$(BIN)/tiktok-assets analyze $(SAMPLE)

test: test-models ## All tests, the accuracy targets among them
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile -m "not comparison and not e2e"

lint: setup ## Format, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

accuracy: test-models ## Measure every analyzer against the labels and print one table
	$(BIN)/python -m pytest tests/accuracy -m accuracy -q

bench: models ## The pipeline beside the naive script, and the engine's own cost
	$(BIN)/python -m benchmarks.naive_against_pipeline
	$(BIN)/python -m benchmarks.engine

# Needs Chromium and its driver (apt install chromium-driver).
e2e: models ## The running product: dropped files, URLs, a browser, processes killed in mid-run
	$(BIN)/python -m pytest tests/e2e -m e2e -s -x

soak: models ## 200 short clips through one worker: do memory, files and threads stay flat?
	$(BIN)/python -m benchmarks.soak

up: models ## Start the web page, the daemon and one warm worker
	@$(BIN)/tiktok-assets up

sample: setup ## Build the sample video again
	$(BIN)/python sample/make_sample.py

docs: setup ## Write the generated pages in docs/
	$(BIN)/python -m tiktok_assets.schema_page > docs/schema.md.new
	mv docs/schema.md.new docs/schema.md
	$(BIN)/python -m analyzers.rules.page > docs/rules.md.new
	mv docs/rules.md.new docs/rules.md
	$(BIN)/python -m tiktok_assets.configuration > docs/configuration.md.new
	mv docs/configuration.md.new docs/configuration.md

constraints: setup ## Pin the newest versions that go together
	$(UV) pip compile pyproject.toml --extra dev --extra s3 --extra redis --universal --python-version 3.11 \
	  --fork-strategy fewest --no-header --no-annotate --upgrade --output-file constraints.txt

clean: ## Remove the installation; data/ stays
	rm -rf $(VENV)
