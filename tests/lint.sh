# Style, types and walls: ruff, mypy --strict, import-linter.
set -eu
here=${PYTHON:-.venv/bin/python}
"$here" -m ruff check .
"$here" -m ruff format --check .
"$here" -m mypy
"$(dirname "$here")/lint-imports" --no-cache
