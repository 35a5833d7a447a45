"""The house itself: small rooms, short bodies, and no provider's name outside its own rooms."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("gateway_project", "providers", "budgets", "audit")
LINES_MAX = 400
BODY_MAX = 40
TOP_LEVEL = {
    ".ci",
    ".gitignore",
    "CHANGELOG.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "SECURITY.md",
    "audit",
    "budgets",
    "docs",
    "gateway_project",
    "manage.py",
    "providers",
    "pyproject.toml",
    "requirements-dev.lock",
    "requirements.lock",
    "tests",
}
OPTIONAL = {"benchmarks", "deploy", "templates"}
PROVIDER = re.compile(r"openai|anthropic|gemini|mistral|cohere|bedrock", re.IGNORECASE)
MAY_NAME_PROVIDERS = (
    "providers/",
    "gateway_project/consumers.py",
    "gateway_project/plain_chat.py",
    "gateway_project/messages.py",
    "gateway_project/responses.py",
)


def sources() -> list[Path]:
    found = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    return [path for path in found if "migrations" not in path.parts]


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", sources(), ids=named)
def test_a_file_is_small_enough_to_be_read_at_once(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LINES_MAX


@pytest.mark.parametrize("path", sources(), ids=named)
def test_a_body_is_short_enough_to_be_seen_at_once(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            length = node.end_lineno - node.body[0].lineno + 1
            assert length <= BODY_MAX, f"{node.name} has {length} lines"


@pytest.mark.parametrize("path", sources(), ids=named)
def test_no_provider_is_named_outside_its_rooms(path: Path) -> None:
    """Comments and docstrings may explain; code may not decide by a name."""
    if named(path).startswith(MAY_NAME_PROVIDERS):
        return
    tree = ast.parse(path.read_text())
    docstrings = {
        ast.get_docstring(node, clean=False)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            is_simulator = node.value.startswith("simulator")
            is_name = PROVIDER.search(node.value) and node.value not in docstrings
            assert not is_name or is_simulator, f"line {node.lineno}: {node.value!r}"


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        named(path)
        for path in sources()
        if path.read_text().strip()
        and path.name not in {"apps.py", "__main__.py"}
        and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert silent == []


def test_nothing_else_stands_at_the_top_of_the_house() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    tops = {name.partition("/")[0] for name in listed}
    assert tops - OPTIONAL == TOP_LEVEL
