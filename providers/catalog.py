"""Every provider, one table. A new OpenAI-compatible host is a row, not code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Dialect = Literal["openai_chat", "openai_responses", "anthropic_messages"]


@dataclass(frozen=True, slots=True)
class Provider:
    """`base_url` has no trailing slash; `cap_field` carries the cap on output tokens."""

    name: str
    dialect: Dialect
    base_url: str
    key_variable: str
    url_variable: str
    cap_field: str = "max_completion_tokens"

    def address_at(self, root: str) -> str:
        """The base URL of this provider's dialect on a server that speaks all of them."""
        return root if self.dialect == "anthropic_messages" else f"{root}/v1"

    def headers(self, api_key: str) -> dict[str, str]:
        """Credentials go into headers only, never into a URL."""
        if self.dialect == "anthropic_messages":
            return {"x-api-key": api_key}
        return {"authorization": f"Bearer {api_key}"}

    def models_request(self, api_key: str) -> tuple[str, dict[str, str]]:
        """(path below the base URL, headers) of the list of models: asking it costs nothing."""
        headers = self.headers(api_key)
        if self.dialect == "anthropic_messages":
            # https://docs.anthropic.com/en/api/models-list, 2026-11: the version is required
            return "/v1/models", {**headers, "anthropic-version": "2023-06-01"}
        return "/models", headers


def _row(
    name: str,
    dialect: Dialect,
    base_url: str,
    variable: str,
    cap_field: str = "max_completion_tokens",
) -> Provider:
    return Provider(
        name, dialect, base_url, f"{variable}_API_KEY", f"{variable}_BASE_URL", cap_field
    )


PROVIDERS: Mapping[str, Provider] = {
    provider.name: provider
    for provider in (
        _row("openai", "openai_chat", "https://api.openai.com/v1", "OPENAI"),
        _row(
            "openai-responses",
            "openai_responses",
            "https://api.openai.com/v1",
            "OPENAI",
            "max_output_tokens",
        ),
        _row("anthropic", "anthropic_messages", "https://api.anthropic.com", "ANTHROPIC"),
        _row("simulator", "openai_chat", "", "SIMULATOR"),
        _row("simulator-anthropic", "anthropic_messages", "", "SIMULATOR_ANTHROPIC"),
        _row("simulator-refuse", "openai_chat", "", "SIMULATOR_REFUSE"),
    )
}
