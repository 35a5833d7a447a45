"""Providers with a dialect of their own, and the simulator in each dialect that it speaks."""

from __future__ import annotations

from .shape import Provider

NATIVE = (
    Provider(
        "openai",
        "openai_chat",
        "https://api.openai.com/v1",
        "OPENAI_API_KEY",
        "OPENAI_BASE_URL",
        reads_reasoning=False,
        has_responses=True,
        embeds_base64=True,
        is_verified=True,
        is_simulated=True,
        other_variables=("OPENAI_API_BASE",),
    ),
    # The same account by its other API: a route may choose it.
    Provider(
        "openai-responses",
        "openai_responses",
        "https://api.openai.com/v1",
        "OPENAI_API_KEY",
        "OPENAI_BASE_URL",
        cap_field="max_output_tokens",
        prices_of="openai",
        has_responses=True,
        is_verified=True,
        other_variables=("OPENAI_API_BASE",),
    ),
    Provider(
        "anthropic",
        "anthropic_messages",
        "https://api.anthropic.com",
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_BASE_URL",
        auth="x-api-key",
        models_path="/v1/models",
        is_verified=True,
        is_simulated=True,
        other_variables=("ANTHROPIC_API_BASE",),
    ),
    # https://docs.cohere.com/reference/chat, 2026-11: v2 needs a Bearer token and takes
    # `max_tokens`. CO_API_KEY is the name that Cohere's own SDK reads.
    Provider(
        "cohere",
        "cohere",
        "https://api.cohere.com",
        "COHERE_API_KEY",
        "COHERE_BASE_URL",
        cap_field="max_tokens",
        models_path="/v1/models",
        dimensions_field="output_dimension",
        is_verified=True,
        other_variables=("CO_API_KEY", "COHERE_API_BASE"),
        aliases=("cohere_chat",),
    ),
    # https://ai.google.dev/api/models, 2026-11: 50 to a page unless asked for more.
    Provider(
        "gemini",
        "gemini",
        "https://generativelanguage.googleapis.com",
        "GEMINI_API_KEY",
        "GEMINI_BASE_URL",
        cap_field="maxOutputTokens",
        auth="x-goog-api-key",
        models_path="/v1beta/models?pageSize=1000",
        dimensions_field="outputDimensionality",
        is_verified=True,
        other_variables=("GEMINI_API_BASE",),
    ),
    Provider(
        "simulator",
        "openai_chat",
        "",
        "SIMULATOR_API_KEY",
        "SIMULATOR_BASE_URL",
        is_simulated=True,
    ),
    Provider(
        "simulator-anthropic",
        "anthropic_messages",
        "",
        "SIMULATOR_ANTHROPIC_API_KEY",
        "SIMULATOR_ANTHROPIC_BASE_URL",
        auth="x-api-key",
        models_path="/v1/models",
        is_simulated=True,
    ),
    Provider(
        "simulator-refuse",
        "openai_chat",
        "",
        "SIMULATOR_REFUSE_API_KEY",
        "SIMULATOR_REFUSE_BASE_URL",
    ),
)
