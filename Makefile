# osmanthus: `make demo` needs Python 3.11 or newer and make, nothing else. What the commands promise: docs/architecture.md
SHELL := /bin/sh
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEV_STAMP := $(VENV)/.installed-dev
INTEROP_STAMP := $(VENV)/.installed-interop
BENCH_STAMP := $(VENV)/.installed-bench
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install --quiet --no-input
UV := VIRTUAL_ENV=$(CURDIR)/$(VENV) UV_LINK_MODE=copy $(BIN)/uv pip install --quiet
# Everything a lock names and nothing else: by uv in seconds, or by pip, which may know an index that uv does not.
INSTALL = { $(UV) --no-deps --require-hashes -r $(1) || { echo "uv could not; trying pip ..."; $(PIP) --no-deps --require-hashes -r $(1); }; }

# The first of these that is new enough; PYTHON=… overrides.
FIND_PYTHON = for p in $(PYTHON) python3.11 python3.12 python3.13 python3.14 python3 python; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo $$p; exit 0; }; done; exit 1

# Compiled once, kept beside the sources: else each process of a demo or a test, of which there are hundreds, does it anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test interop bench lint lock clean
.DEFAULT_GOAL := demo

demo: $(STAMP)  ## A demo city on 127.0.0.1:$(PORT); RESET=1 starts anew; CITIES=2 or 3: a league; VISIT=1: a visit in it
	@exec $(BIN)/osmanthus demo --port $(PORT) $(if $(CITIES),--cities $(CITIES)) $(if $(filter 1,$(VISIT)),--visit) $(if $(filter 1,$(RESET)),--reset)

test: $(DEV_STAMP)  ## The core suite and the house checks; ARGS=… runs a part, COVERAGE=1 says what it walked through
	@bash .ci/suite $(ARGS)

interop: $(INTEROP_STAMP)  ## Foreign clients and engines; says loudly what it could not run
	@bash .ci/engines
	$(BIN)/python -m pytest tests/interop -m interop -rs -o faulthandler_timeout=900 $(ARGS)

bench: $(BENCH_STAMP)  ## Ratios against peers, answers checked equal
	@for claim in benchmarks/*.py; do $(BIN)/python $$claim || exit 1; done

lint: $(DEV_STAMP)  ## ruff, pyright, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/pyright

lock:  ## Write the lock files anew (needs uv)
	uv lock --quiet
	uv export --quiet --no-emit-project --no-header --no-annotate --no-dev -o requirements.lock
	uv export --quiet --no-emit-project --no-header --no-annotate --only-dev -o requirements-dev.lock
	uv export --quiet --no-emit-project --no-header --no-annotate --only-group interop -o requirements-interop.lock
	uv export --quiet --no-emit-project --no-header --no-annotate --only-group bench -o requirements-bench.lock
	uv export --quiet --no-emit-project --no-header --no-annotate --only-group bootstrap -o requirements-uv.lock

clean:  ## Remove what was installed; the demo city's data stay in var/
	rm -rf $(VENV)

$(BIN)/python:
	@python=$$($(FIND_PYTHON)) || { echo "osmanthus needs Python 3.11 or newer; none was found (set PYTHON=/path/to/python)." >&2; exit 1; }; \
	$$python -m venv $(VENV) || { echo "$$python cannot make a virtual environment: install its venv package (Debian: python3-venv)." >&2; rm -rf $(VENV); exit 1; }

$(STAMP): requirements-uv.lock requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing into $(VENV) ..."
	@$(PIP) --require-hashes -r requirements-uv.lock || echo "no uv for this machine; pip takes a minute"
	@$(call INSTALL,requirements.lock)
	@$(PIP) --no-deps --no-index --no-build-isolation --editable .
	@touch $@

$(DEV_STAMP): requirements-dev.lock $(STAMP)
	@echo "Installing the test tools into $(VENV) ..."
	@$(call INSTALL,requirements-dev.lock)
	@touch $@

$(INTEROP_STAMP): requirements-interop.lock $(DEV_STAMP)
	@echo "Installing what drives the foreign engines ..."
	@$(call INSTALL,requirements-interop.lock)
	@touch $@

$(BENCH_STAMP): requirements-bench.lock $(DEV_STAMP)
	@echo "Installing the peers of the benchmarks ..."
	@$(call INSTALL,requirements-bench.lock)
	@touch $@
