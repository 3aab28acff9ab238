# Everything a newcomer needs: `make run`, `make test`. Python 3.11 or later, and make.
PYTHON ?= python3
VENV := .venv
PEERS := .peers
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: run test quality docs check bench peers soak lock clean

run: $(VENV)/installed
	$(BIN)/zhiji-etl run .

test: $(VENV)/installed
	$(BIN)/python -m pytest -n 2

quality: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/interrogate -q zhiji_etl

check: test quality

# The documentation as a site, in site/.
docs: $(VENV)/installed
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

# All speeds in one table, docs/benchmarks.md, and their numbers: `make bench BENCH=--small` to see that all of it runs.
BENCH ?=
bench: $(VENV)/installed
	$(BIN)/python -m benchmarks.table --write --json build/bench.json $(BENCH)

# The libraries that `make bench` compares with, in a place of their own, without hashes; no part of the project.
peers: $(PEERS)/installed

$(PEERS)/installed: constraints.txt benchmarks/peers.txt
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/pip install --quiet --require-hashes --requirement constraints.txt
	$(PEERS)/bin/pip freeze > $(PEERS)/constraints.txt
	$(PEERS)/bin/pip install --quiet --constraint $(PEERS)/constraints.txt --requirement benchmarks/peers.txt
	touch $@

# Minutes: random projects through random faults, the laws of a run checked after each.
soak: $(VENV)/installed
	PYTHONPATH=tests $(BIN)/python -m soak

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "zhiji_etl needs Python 3.11 or later")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes --requirement constraints.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

# After a change of dependencies: names, versions and hashes for every platform and Python, and no index address.
lock:
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --quiet --output-file constraints.txt

clean:
	rm -rf $(VENV) $(PEERS) build dist site .pytest_cache .mypy_cache .ruff_cache .hypothesis
