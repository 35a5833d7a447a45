"""What a row of the catalogue says, and what follows from it. Data only: no row has code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

Dialect = Literal["openai_chat", "anthropic_messages", "cohere", "gemini", "openai_responses"]
Auth = Literal["bearer", "x-api-key", "x-goog-api-key", "api-key"]


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider: where it is, how it is spoken to, and what is special about it.

    `base_url` has no trailing slash, and is empty where only the operator knows the address.
    `key_variable` and `url_variable` are the environment's names for the key and the address;
    `other_variables` are names for either that the provider's own or LiteLLM's users know.
    `cap_field` carries the cap on output tokens. `path` is what an address without any path is
    completed by. `takes_stream_options` is false for a host that refuses `stream_options` (it
    sends its usage unasked), `reads_reasoning` for one that refuses a history with
    `reasoning_content`. `has_responses` is true where OpenAI's Responses API is there as well.
    `dimensions_field` and `embeds_base64` are for embeddings.
    `is_verified` is true where recorded traffic of the host itself proves the row. A simulator
    may stand in for a row that `is_simulated`, where no key is set. `prices_of` names the row whose
    prices hold here too, where both lead to the same account.
    """

    name: str
    dialect: Dialect
    base_url: str
    key_variable: str
    url_variable: str
    cap_field: str = "max_completion_tokens"
    auth: Auth = "bearer"
    needs_key: bool = True
    takes_stream_options: bool = True
    reads_reasoning: bool = True
    has_responses: bool = False
    is_verified: bool = False
    is_simulated: bool = False
    path: str = ""
    models_path: str = "/models"
    dimensions_field: str = "dimensions"
    embeds_base64: bool = False
    prices_of: str = ""
    other_variables: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()

    def address_at(self, root: str) -> str:
        """The base URL of this provider's dialect on a simulator; empty where none stands in."""
        if not self.is_simulated:
            return ""
        return root if self.dialect == "anthropic_messages" else f"{root}/v1"

    def completed(self, url: str) -> str:
        """An operator's address: without a trailing slash, and with `path` where it has none."""
        address = url.rstrip("/")
        if not address or urlsplit(address).path:
            return address
        return address + self.path

    def key_in(self, environment: Mapping[str, str]) -> str:
        """The key that an environment has for this provider, or empty."""
        return _first(environment, self.key_variable, self.other_variables, is_key=True)

    def url_in(self, environment: Mapping[str, str]) -> str:
        """The address that an environment names for this provider, or empty."""
        url = _first(environment, self.url_variable, self.other_variables, is_key=False)
        return self.completed(url)

    def headers(self, api_key: str) -> dict[str, str]:
        """Credentials go into headers only, never into a URL; without a key there are none."""
        if not api_key:
            return {}
        if self.auth == "bearer":
            return {"authorization": f"Bearer {api_key}"}
        return {self.auth: api_key}

    def models_request(self, api_key: str) -> tuple[str, dict[str, str]]:
        """(path below the base URL, headers) of the list of models: asking it costs nothing."""
        headers = self.headers(api_key)
        if self.dialect == "anthropic_messages":
            # https://docs.anthropic.com/en/api/models-list, 2026-11: the version is required
            return self.models_path, {**headers, "anthropic-version": "2023-06-01"}
        return self.models_path, headers


def _first(
    environment: Mapping[str, str], variable: str, others: tuple[str, ...], *, is_key: bool
) -> str:
    names = [variable, *(name for name in others if is_key_variable(name) == is_key)]
    return next((environment[name] for name in names if environment.get(name)), "")


def is_key_variable(name: str) -> bool:
    """Whether a variable of the environment holds a key; otherwise it holds an address."""
    return name.endswith(("_KEY", "_TOKEN"))
