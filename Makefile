# make demo | test | bench: each sets up what it needs in .venv, from constraints.txt.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
SOURCES := $(shell find csrc invgraph -type f -not -name '*.so' -not -path '*/__pycache__/*') CMakeLists.txt pyproject.toml constraints.txt

.PHONY: demo test check bench dev clean

# installs the package, not in place: what is run is what a user gets
$(VENV)/.installed: $(SOURCES)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt ".[dev]"
	touch $@

dev:  ## build the native module in place, for work on the package
	cmake -S . -B build/dev -G Ninja -DCMAKE_BUILD_TYPE=Release -DPython_EXECUTABLE="$$(command -v python)" > /dev/null
	cmake --build build/dev
	cmake --install build/dev --prefix . > /dev/null
