# Each target sets up what it needs: a virtual environment in .venv, from constraints.txt.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PACKAGE := pyproject.toml CMakeLists.txt constraints.txt $(shell find csrc -type f)

.DEFAULT_GOAL := help
.PHONY: help demo test check bench docs dev fuzz clean

help:  ## say what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

demo: $(VENV)/.installed  ## reconstruct the bundled object from its masks
	$(BIN)/invgraph fit assets/demo --out out/demo --truth assets/demo/truth.ply --overwrite

test: $(VENV)/.installed  ## run the tests on the installed package
	$(BIN)/python -m pytest

check: $(VENV)/.installed  ## lint, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.installed  ## print the benchmark tables
	$(BIN)/python -m benchmarks

docs: $(VENV)/.docs  ## build the pages of docs/ and the reference: out/docs/index.html
	$(BIN)/python -m sphinx -q -W --keep-going -b html -d build/docs docs out/docs

dev:  ## build the native module in place, with the active Python, for work on the package
	cmake -S . -B build/dev -G Ninja -DCMAKE_BUILD_TYPE=Release -DPython_EXECUTABLE="$$(command -v python)" > /dev/null
	cmake --build build/dev
	cmake --install build/dev --prefix . > /dev/null

SECONDS ?= 60
fuzz:  ## throw random scenes at the kernels under sanitizers: make fuzz SECONDS=900; SANITIZE=thread for races
	cmake -S tests/fuzz -B build/fuzz$(SANITIZE) -G Ninja $(if $(SANITIZE),-DSANITIZE=$(SANITIZE)) > /dev/null
	cmake --build build/fuzz$(SANITIZE)
	build/fuzz$(SANITIZE)/fuzz $(SECONDS)

clean:  ## remove everything that was built
	rm -rf $(VENV) build out invgraph/ops/_native*.so

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# the package is installed in place, so that the sources here are what runs
$(VENV)/.installed: $(BIN)/python $(PACKAGE)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[dev]"
	@touch $@

$(VENV)/.docs: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[docs]"
	@touch $@
