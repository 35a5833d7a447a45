# Everything that must hold: lint, then the tests on SQLite and PostgreSQL and in a browser.
set -eu
here=${PYTHON:-.venv/bin/python}
if ! command -v chromium >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core
fi
sh tests/lint.sh
"$here" -m pytest -n 2 --dist loadfile "$@"
"$here" -m tests.on_postgres -n 2 --dist loadfile tests/administration tests/console tests/control tests/reporting tests/gateway/test_writer.py
