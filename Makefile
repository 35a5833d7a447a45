# `make run` and `make test` need only Python 3.11 or later; everything else they set up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
READY_FOR_TESTS := $(VENV)/.ready-for-tests
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r
COMPILE := uv pip compile --quiet pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-header --no-emit-index-url --no-emit-find-links --extra server --extra scale

.PHONY: run test soak lint bench bench-record bench-beside bench-growth soak-load recordings screens lock clean

run: $(READY)
	@$(BIN)/python manage.py up

test: $(READY_FOR_TESTS)
	@PYTHON=$(BIN)/python sh tests/run.sh

lint: $(READY_FOR_TESTS)
	@PYTHON=$(BIN)/python sh tests/lint.sh

# The proofs of limits, crashes and keys, SCALE times as large as in `make test`.
soak: $(READY_FOR_TESTS)
	@SCALE=$(or $(SCALE),10) $(BIN)/python -m pytest -p no:randomly tests/gateway/test_money.py tests/gateway/test_crash.py tests/gateway/test_keys.py tests/reporting/test_year.py

# What a call costs, beside other gateways: BENCH="--only sqlite,litellm --seconds 3" make bench
bench: $(READY_FOR_TESTS)
	@$(BIN)/python -m benchmarks $(BENCH)

# The same, written into docs/benchmarks.md.
bench-record: $(READY_FOR_TESTS)
	@$(BIN)/python -m benchmarks --record $(BENCH)

# How many times less a call costs than LiteLLM's: both up together, loaded in turn.
bench-beside: $(READY_FOR_TESTS)
	@$(BIN)/python -m benchmarks.beside $(BENCH)

# What a call costs with a million postings in the database, beside an empty one.
bench-growth: $(READY_FOR_TESTS)
	@$(BIN)/python -m benchmarks.growth $(BENCH)

# Moderate load for SOAK_MINUTES (30): memory over time, errors, then ledger and chain.
soak-load: $(READY_FOR_TESTS)
	@$(BIN)/python -m benchmarks.soak $(BENCH)

# Recorded traffic of real providers (vcr cassettes) against our dialects: make recordings FROM=folder
recordings: $(READY_FOR_TESTS)
	@$(BIN)/python -m tests.recordings $(FROM)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(READY): requirements.lock | $(BIN)/python
	@$(INSTALL) requirements.lock
	@touch $@

$(READY_FOR_TESTS): requirements-dev.lock | $(BIN)/python
	@$(INSTALL) requirements-dev.lock
	@touch $@ $(READY)

# Every page of the console in light, dark and 390 px wide, as pictures in docs/screens.
screens: $(READY_FOR_TESTS)
	@$(BIN)/python -m tests.e2e.screens docs/screens

lock:
	$(COMPILE) -o requirements.lock
	$(COMPILE) --extra dev -c requirements.lock -o requirements-dev.lock

clean:
	rm -rf $(VENV)
