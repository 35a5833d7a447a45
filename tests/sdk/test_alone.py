"""The SDK with nothing but its own dependencies: no Django, no openai, nothing of the gateway."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

from tests.sdk.conftest import Simulated
from tests.servers import ROOT

NAME = re.compile(r"[A-Za-z0-9._-]+")
CODE = """
import sys
sys.path.insert(0, sys.argv[1])
import asyncio
import providers as litellm

hello = [{"role": "user", "content": "hello"}]
for wire, base in (("openai", "/v1"), ("anthropic", "")):
    to = {"api_key": "k", "api_base": sys.argv[2] + base}
    answer = litellm.completion(f"{wire}/sim-echo", hello, **to)
    again = asyncio.run(litellm.acompletion(f"{wire}/sim-echo", hello, **to))
    parts = litellm.completion(f"{wire}/sim-echo", hello, stream=True, **to)
    text = "".join(part.choices[0].delta.content or "" for part in parts)
    print(answer.choices[0].message.content, again.choices[0].message.content, text)
print(litellm.completion_cost(model="gpt-4o", prompt="hello", completion="hello"))
try:
    litellm.completion("gpt-4o", hello, api_key="k", api_base=sys.argv[2] + "/nowhere")
except litellm.NotFoundError as error:
    print(error.status_code)
router = litellm.Router([{"model_name": "m", "litellm_params": {"model": "openai/sim-echo", **to,
    "api_base": sys.argv[2] + "/v1"}}])
print(router.completion("m", hello).choices[0].message.content)
print([name for name in ("django", "openai", "gateway_project") if name in sys.modules])
"""


def closure(names: list[str]) -> set[str]:
    """These distributions and what they require here, extras left out."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        try:
            required = distribution(name).requires or []
        except PackageNotFoundError:  # for another platform or version of Python
            continue
        found.add(name)
        plain = [each for each in required if "extra ==" not in each]
        waiting += [NAME.match(each)[0] for each in plain]  # type: ignore[index]
    return found


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `providers` and the installed files of its dependencies, and nothing else."""
    folder = tmp_path_factory.mktemp("alone")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for name in closure([NAME.match(each)[0] for each in project["dependencies"]]):  # type: ignore[index]
        files = distribution(name).files or []
        for top in {file.parts[0] for file in files} - {"..", "bin", "__pycache__"}:
            where = folder / top
            if not where.exists():
                where.symlink_to(Path(str(distribution(name).locate_file(top))))
    shutil.copytree(ROOT / "providers", folder / "providers")
    return folder


def test_it_works_with_its_own_dependencies_alone(alone: Path, simulated: Simulated) -> None:
    assert not (alone / "django").exists()

    command = [sys.executable, "-I", "-S", "-c", CODE, str(alone), simulated.url]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "hello hello hello",
        "hello hello hello",
        "1.25e-05",
        "404",
        "hello",
        "[]",
    ]
