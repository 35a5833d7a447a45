# Everything that must hold: lint, then the tests on SQLite and PostgreSQL, in random order.
set -eu
here=${PYTHON:-.venv/bin/python}
sh tests/lint.sh
"$here" -m pytest -n 2 --dist loadfile "$@"
