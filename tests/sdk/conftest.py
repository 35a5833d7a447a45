"""The SDK against the project's own simulator, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import providers
from providers.simulator.journal import Call, read_journal
from tests.sdk.scripted import Script, running
from tests.servers import ROOT, START_SECONDS, wait_until

SETTINGS = ("api_key", "api_base", "num_retries", "request_timeout", "context_window_fallbacks")
LISTS = ("input_callback", "success_callback", "failure_callback", "callbacks")


@dataclass(frozen=True)
class Simulated:
    """Where the simulator answers, and where nothing does."""

    url: str
    refusing: str
    journal: Path

    def calls(self) -> list[Call]:
        return read_journal(self.journal)


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulated]:
    data = tmp_path_factory.mktemp("simulator")
    process = subprocess.Popen(
        [sys.executable, "-m", "providers.simulator", "--data", str(data)], cwd=ROOT
    )
    known = data / "simulator.json"
    wait_until(known.exists, START_SECONDS)
    where = json.loads(known.read_text())
    yield Simulated(
        where["url"],
        f"http://127.0.0.1:{where['refuse_port']}/v1",
        data / "simulator-journal.jsonl",
    )
    process.terminate()
    process.wait(30)


@pytest.fixture(autouse=True)
def addresses(simulated: Simulated, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every provider's own variables lead to the simulator; the door's settings are fresh."""
    for name in ("OPENAI", "SIMULATOR"):
        monkeypatch.setenv(f"{name}_BASE_URL", f"{simulated.url}/v1")
        monkeypatch.setenv(f"{name}_API_KEY", f"key-of-{name.lower()}")
    for name in ("ANTHROPIC", "SIMULATOR_ANTHROPIC"):
        monkeypatch.setenv(f"{name}_BASE_URL", simulated.url)
        monkeypatch.setenv(f"{name}_API_KEY", f"key-of-{name.lower()}")
    monkeypatch.setenv("SIMULATOR_REFUSE_BASE_URL", simulated.refusing)
    monkeypatch.setenv("SIMULATOR_REFUSE_API_KEY", "none")
    for name in SETTINGS:
        monkeypatch.setattr(providers, name, None)
    for name in LISTS:
        monkeypatch.setattr(providers, name, [])
    monkeypatch.setattr(providers, "drop_params", False)


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    """OpenAI's address leads to answers that the test writes down."""
    with running() as found:
        monkeypatch.setenv("OPENAI_BASE_URL", found.url)
        yield found
