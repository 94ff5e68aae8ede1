# turbostar: `make demo` shows it at work, `make test` proves it.

.DEFAULT_GOAL := help
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help demo test unit compat nightly soak lint format bench bench-hosted figures profile build clean

help:  ## Show this list.
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/make \1\t\2/' | expand -t 16

demo: $(READY)  ## The main job on a bundled application: swap, verify, measure; writes demo-report.html.
	@$(BIN)/python -m benchmarks.demo

test: unit compat  ## Everything that proves the answers: unit, differential and compatibility tests.

unit: $(READY)  ## The unit and differential tests alone.
	$(BIN)/python -m pytest -n auto --dist loadfile $(PYTEST)

compat: $(READY)  ## The own tests of Starlette, FastAPI and others, on stock and on turbostar.
	$(BIN)/python -m compat $(COMPAT)

nightly: $(READY)  ## The generated tests with 20,000 examples each; takes hours.
	HYPOTHESIS_PROFILE=nightly $(BIN)/python -m pytest -n auto -m hypothesis --timeout 0 $(PYTEST)

soak: $(READY)  ## A minute of requests that are cut off, cancelled and failing, on both sides.
	$(BIN)/python -m tests.soak --seconds $(or $(SECONDS),60) $(SOAK)

lint: $(READY)  ## Format, lint and types, as CI checks them.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy --config-file pyproject.toml -p compat

format: $(READY)  ## Format the code in place.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY)  ## The ratios stock / turbostar, in process; takes minutes.
	$(BIN)/python -m pytest benchmarks --ratios benchmarks/ratios.json

bench-hosted: $(READY)  ## The same cases side by side by pytest-benchmark, as JSON for hosted services.
	$(BIN)/python -m pytest benchmarks --benchmark-json benchmarks/hosted.json

figures: $(READY)  ## Measure anew what the documentation shows, and write its tables and its plot.
	$(BIN)/python -m pytest benchmarks --ratios benchmarks/ratios.json
	$(BIN)/python -m benchmarks.server --json benchmarks/server.json
	$(BIN)/python -m benchmarks.tables --server benchmarks/server.json

profile: $(READY)  ## Where the time of a case goes: make profile CASE=JSON SIDE=turbostar.
	$(BIN)/python -m benchmarks.profile $(or $(CASE),"JSON, 1 route") --side $(or $(SIDE),turbostar)

build: $(READY)  ## The wheel and the source distribution, in dist/.
	rm -rf dist
	$(BIN)/python -m build --outdir dist .

clean:  ## Remove what the other targets made.
	rm -rf $(VENV) .venvs dist compat/.cache compat/report*.json benchmarks/ratios.json benchmarks/hosted.json benchmarks/server.json demo-report.html

# Made anew only when pyproject.toml changes, so that the second run is quick.
$(READY): pyproject.toml
	@test -x $(BIN)/python || { python=$${PYTHON:-$$(.ci/find-python)} && \
	    echo "Making $(VENV) with $$python" && "$$python" -m venv $(VENV); }
	@$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	@echo "Installing turbostar and what its tests need; this takes a minute the first time."
	@$(BIN)/python -m pip install --quiet --editable '.[all]' --group dev
	@touch $@
