# `make run` and `make test` need only Python 3.11 or later; everything else they set up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: run test lint lock clean

run: $(STAMP)
	@$(BIN)/python manage.py up

test: $(STAMP)
	@PYTHON=$(BIN)/python sh tests/run.sh

lint: $(STAMP)
	@PYTHON=$(BIN)/python sh tests/lint.sh

$(STAMP): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed: make PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $(STAMP)

lock:
	uv pip compile pyproject.toml --extra dev --extra scale --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links -o requirements.lock

clean:
	rm -rf $(VENV)
