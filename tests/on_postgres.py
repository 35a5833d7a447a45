"""The tests of pages, REST and reports once more, on PostgreSQL:
`python -m tests.on_postgres tests/console ...` runs pytest with a database of a real server."""

from __future__ import annotations

import os
import subprocess
import sys

from tests import databases


def main(words: list[str]) -> int:
    with databases.server() as server, databases.database(server) as url:
        environment = {**os.environ, "DATABASE_URL": url}
        command = [sys.executable, "-m", "pytest", *words]
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
