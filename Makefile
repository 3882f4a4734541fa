# Needs Python 3.11 or newer, make and a network; everything else goes into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ASSETS := webreader/static/vendor/vendor.json
LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--custom-compile-command "make lock" --upgrade
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: serve test check bench lock clean
.DEFAULT_GOAL := serve

serve: $(VENV)/.runtime $(ASSETS)
	@mkdir -p books
	@exec $(BIN)/bookwake serve --data ./data --books ./books

test: $(VENV)/.dev $(ASSETS)
	$(BIN)/python -m pytest -m "not nightly" $(PYTEST_ARGS)

check: $(VENV)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev $(ASSETS)
	$(BIN)/python -m tests.bench

# Newer versions within the bounds of pyproject.toml. The files hold hashes and no index address.
lock: $(VENV)/.dev
	$(BIN)/pip install --quiet "uv>=0.13"
	$(LOCK) pyproject.toml --extra postgresql --group install --output-file requirements.lock
	$(LOCK) pyproject.toml --extra postgresql --group install --group dev --constraint requirements.lock \
		--output-file requirements-dev.lock
	$(LOCK) --group build --output-file requirements-build.lock
	cd webreader && npm install --package-lock-only --ignore-scripts --no-audit --no-fund

clean:
	rm -rf $(VENV) $(dir $(ASSETS)) build dist .pytest_cache .hypothesis .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Bookwake needs Python 3.11 or newer; name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip' || { echo "This Python cannot make virtual environments; on Debian: apt install python3-venv" >&2; exit 1; }
	"$(PYTHON)" -m venv $(VENV)

# pip verifies every hash, also those of the tools that build the project itself (--build-constraint).
$(VENV)/.runtime: pyproject.toml hatch_build.py requirements.lock requirements-build.lock | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --build-constraint requirements-build.lock --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

$(ASSETS): webreader/package-lock.json hatch_build.py | $(VENV)/.runtime
	$(BIN)/python -m pip install --quiet --no-deps --build-constraint requirements-build.lock --editable .
	@touch $@
