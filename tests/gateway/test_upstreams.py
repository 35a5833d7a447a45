"""Where a target's calls go: by the environment's names, by a credential, with a key or without."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from pytest_django import Settings

from gateway_project import directory, probe
from gateway_project.directory import CredentialRow, Directory
from gateway_project.models import Credential

SIMULATOR = "http://127.0.0.1:9"


@pytest.fixture
def environment(settings: Settings) -> Iterator[dict[str, str]]:
    """The names that the providers' rows read; a simulator is there too."""
    names: dict[str, str] = {}
    settings.PROVIDER_ENVIRONMENT = names
    settings.SIMULATOR_URL = SIMULATOR
    directory._from_environment.cache_clear()
    yield names
    directory._from_environment.cache_clear()


def where(provider: str, credential: CredentialRow | None = None) -> tuple[str, str] | None:
    """(address, key) of a target's calls."""
    known = Directory(credentials={"own": credential} if credential else {})
    upstream = known.upstream(provider, "m", "own" if credential else None)
    return None if upstream is None else (upstream.base_url, upstream.api_key)


def test_a_host_is_called_with_the_key_of_the_environment(environment: dict[str, str]) -> None:
    environment |= {"GROQ_API_KEY": "k", "TOGETHERAI_API_KEY": "t"}

    assert where("groq") == ("https://api.groq.com/openai/v1", "k")
    assert where("together") == ("https://api.together.xyz/v1", "t")


def test_a_host_without_a_key_is_nowhere_and_no_simulator_stands_in(
    environment: dict[str, str],
) -> None:
    assert where("groq") is None
    assert where("cohere") is None
    assert where("azure") is None
    assert where("openai") == (f"{SIMULATOR}/v1", directory.DUMMY_KEY)


def test_a_server_of_one_s_own_is_called_without_a_key(environment: dict[str, str]) -> None:
    environment |= {"VLLM_BASE_URL": "http://box:8000"}

    assert where("ollama") == ("http://127.0.0.1:11434/v1", "")
    assert where("vllm") == ("http://box:8000/v1", "")
    assert where("openai-compatible") is None


def test_azure_is_at_its_resource_whichever_way_that_is_named(environment: dict[str, str]) -> None:
    environment |= {"AZURE_API_KEY": "k", "AZURE_API_BASE": "https://r.openai.azure.com/"}
    credential = CredentialRow("azure", "https://s.openai.azure.com", "c")

    assert where("azure") == ("https://r.openai.azure.com/openai/v1", "k")
    assert where("azure", credential) == ("https://s.openai.azure.com/openai/v1", "c")


@contextmanager
def listing(document: Any) -> Iterator[str]:
    """A server that answers every GET with a document; its address."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(document).encode())

        def log_message(self, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize(
    "document",
    [{"data": [{}, {}]}, {"models": [{}, {}]}, [{}, {}]],
    ids=["OpenAI", "Cohere", "Together"],
)
def test_a_credential_is_tested_by_whatever_list_of_models_its_host_has(document: Any) -> None:
    with listing(document) as url:
        result = probe.test(Credential(provider="cohere", base_url=url, sealed_key=b""))

    assert (result.ok, result.message) == (True, "The provider lists 2 models.")
