"""Hosts that speak OpenAI's chat completions, each with what it says differently.

`cap_field` is `max_tokens` wherever a host's own reference does not name `max_completion_tokens`:
every one of them knows the old name. Aliases and the second names of variables are those of
https://docs.litellm.ai/docs/providers, 2026-11. A page marked `unread` is where to check a row
that was written without it.
"""

from __future__ import annotations

from .shape import Provider


def _host(
    name: str,
    base_url: str,
    variable: str,
    *,
    cap_field: str = "max_tokens",
    takes_stream_options: bool = True,
    reads_reasoning: bool = True,
    is_verified: bool = False,
    dimensions_field: str = "dimensions",
    others: tuple[str, ...] = (),
    aliases: tuple[str, ...] = (),
) -> Provider:
    return Provider(
        name,
        "openai_chat",
        base_url,
        f"{variable}_API_KEY",
        f"{variable}_BASE_URL",
        cap_field=cap_field,
        takes_stream_options=takes_stream_options,
        reads_reasoning=reads_reasoning,
        is_verified=is_verified,
        dimensions_field=dimensions_field,
        other_variables=(f"{variable}_API_BASE", *others),
        aliases=aliases,
    )


def _own(
    name: str,
    base_url: str,
    variable: str,
    *,
    is_verified: bool = False,
    others: tuple[str, ...] = (),
    aliases: tuple[str, ...] = (),
) -> Provider:
    """A server that an operator runs: no key is needed, and an address may lack its /v1."""
    return Provider(
        name,
        "openai_chat",
        base_url,
        f"{variable}_API_KEY",
        f"{variable}_BASE_URL",
        cap_field="max_tokens",
        needs_key=False,
        is_verified=is_verified,
        path="/v1",
        other_variables=(f"{variable}_API_BASE", *others),
        aliases=aliases,
    )


COMPATIBLE = (
    # https://learn.microsoft.com/azure/foundry/openai/api-version-lifecycle, 2026-11: the v1 API
    # is at /openai/v1 of the resource, takes `api-key`, and a model is a deployment's name.
    Provider(
        "azure",
        "openai_chat",
        "",
        "AZURE_API_KEY",
        "AZURE_BASE_URL",
        auth="api-key",
        path="/openai/v1",
        reads_reasoning=False,
        has_responses=True,
        embeds_base64=True,
        is_verified=True,
        other_variables=("AZURE_API_BASE", "AZURE_OPENAI_API_KEY", "AZURE_OPENAI_ENDPOINT"),
        aliases=("azure_openai",),
    ),
    # https://docs.mistral.ai/api, 2026-11: unknown fields are a 422, `stream_options` and
    # `max_completion_tokens` among them; a stream's last event has the usage unasked.
    _host(
        "mistral",
        "https://api.mistral.ai/v1",
        "MISTRAL",
        reads_reasoning=False,
        takes_stream_options=False,
        dimensions_field="output_dimension",
        is_verified=True,
    ),
    # https://console.groq.com/docs/api-reference, 2026-11: `max_tokens` is deprecated. A stream
    # has its usage in `x_groq` too.
    _host(
        "groq",
        "https://api.groq.com/openai/v1",
        "GROQ",
        reads_reasoning=False,
        cap_field="max_completion_tokens",
        is_verified=True,
    ),
    # https://api-docs.deepseek.com/api/create-chat-completion, unread
    _host("deepseek", "https://api.deepseek.com", "DEEPSEEK", is_verified=True),
    # https://docs.x.ai/docs/api-reference, 2026-11: `max_tokens` is deprecated; reasoning is
    # counted beside the completion, not within it.
    _host("xai", "https://api.x.ai/v1", "XAI", cap_field="max_completion_tokens"),
    # https://github.com/togethercomputer/together-py, 2026-11: no `stream_options`; a stream's
    # last event has the usage.
    _host(
        "together",
        "https://api.together.xyz/v1",
        "TOGETHER",
        takes_stream_options=False,
        is_verified=True,
        others=("TOGETHERAI_API_KEY", "TOGETHER_AI_API_KEY"),
        aliases=("together_ai",),
    ),
    # https://docs.fireworks.ai/api-reference/post-chatcompletions, unread
    _host(
        "fireworks",
        "https://api.fireworks.ai/inference/v1",
        "FIREWORKS",
        others=("FIREWORKS_AI_API_KEY", "FIREWORKSAI_API_KEY"),
        aliases=("fireworks_ai",),
    ),
    # https://inference-docs.cerebras.ai/api-reference/chat-completions, unread
    _host(
        "cerebras",
        "https://api.cerebras.ai/v1",
        "CEREBRAS",
        reads_reasoning=False,
        cap_field="max_completion_tokens",
    ),
    # https://openrouter.ai/docs/api-reference/chat-completion, unread
    _host(
        "openrouter",
        "https://openrouter.ai/api/v1",
        "OPENROUTER",
        others=("OR_API_KEY",),
    ),
    # https://github.com/perplexityai/perplexity-py, 2026-11: no `stream_options`; every event of
    # a stream has the usage so far.
    _host(
        "perplexity",
        "https://api.perplexity.ai",
        "PERPLEXITY",
        reads_reasoning=False,
        takes_stream_options=False,
        others=("PERPLEXITYAI_API_KEY",),
    ),
    # https://docs.api.nvidia.com/nim/reference/llm-apis, unread
    _host(
        "nvidia",
        "https://integrate.api.nvidia.com/v1",
        "NVIDIA",
        others=("NVIDIA_NIM_API_KEY", "NVIDIA_NIM_API_BASE"),
        aliases=("nvidia_nim",),
    ),
    # https://platform.moonshot.ai/docs/api/chat, unread
    _host("moonshot", "https://api.moonshot.ai/v1", "MOONSHOT"),
    # https://docs.z.ai/api-reference/llm/chat-completion, unread
    _host("zai", "https://api.z.ai/api/paas/v4", "ZAI"),
    # https://huggingface.co/docs/inference-providers, 2026-11: `model:host` names who answers
    _host(
        "huggingface",
        "https://router.huggingface.co/v1",
        "HUGGINGFACE",
        others=("HF_TOKEN",),
    ),
    # https://docs.ollama.com/api/openai-compatibility, 2026-11: the key is ignored
    _own("ollama", "http://127.0.0.1:11434/v1", "OLLAMA", aliases=("ollama_chat",)),
    # https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html, 2026-11. It listens on
    # port 8000 as many servers do, so its address is not guessed.
    _own(
        "vllm",
        "",
        "VLLM",
        is_verified=True,
        others=("HOSTED_VLLM_API_KEY", "HOSTED_VLLM_API_BASE"),
        aliases=("hosted_vllm",),
    ),
    # https://lmstudio.ai/docs/app/api/endpoints/openai, unread
    _own(
        "lmstudio",
        "http://127.0.0.1:1234/v1",
        "LMSTUDIO",
        others=("LM_STUDIO_API_KEY", "LM_STUDIO_API_BASE"),
        aliases=("lm_studio",),
    ),
    # https://github.com/ggml-org/llama.cpp/tree/master/tools/server, unread
    _own("llamacpp", "http://127.0.0.1:8080/v1", "LLAMACPP"),
    # Any other server, named by OPENAI_COMPATIBLE_BASE_URL.
    _own(
        "openai-compatible",
        "",
        "OPENAI_COMPATIBLE",
        others=("OPENAI_LIKE_API_KEY", "OPENAI_LIKE_API_BASE"),
        aliases=("openai_like", "custom_openai"),
    ),
)
