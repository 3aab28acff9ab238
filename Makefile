# Everything a newcomer needs: `make run`, `make test`. Python 3.11 or later, and make.
PYTHON ?= python3
VENV := .venv
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

bench: $(VENV)/installed
	$(BIN)/python -m benchmarks

# The parsers that `make bench` compares with; they are no part of the project.
peers: $(VENV)/installed
	$(BIN)/pip install --quiet --constraint constraints.txt --requirement benchmarks/peers.txt

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
	rm -rf $(VENV) build dist site .pytest_cache .mypy_cache .ruff_cache .hypothesis
