"""LiteLLM's documented examples, with one line changed: `import providers as litellm`.

Run as a script with the providers' variables leading to a server; each example prints what it
found. https://docs.litellm.ai/docs/, 2026-11: completion, streaming, function calling, exception
mapping, cost tracking, callbacks, fallbacks, routing.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import providers as litellm
from providers import acompletion, completion

MESSAGES = [{"content": "Hello, how are you?", "role": "user"}]
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_current_weather",
            "description": "Get the current weather in a given location",
            "parameters": {
                "type": "object",
                "properties": {"location": {"type": "string"}},
                "required": ["location"],
            },
        },
    }
]


def basic() -> None:
    response = completion(model="openai/sim-echo", messages=MESSAGES)
    print("basic:", response["choices"][0]["message"]["content"])


def streaming() -> None:
    response = completion(model="anthropic/sim-echo", messages=MESSAGES, stream=True)
    text = "".join(part.choices[0].delta.content or "" for part in response)
    print("streaming:", text)


async def streaming_in_a_loop() -> None:
    response = await acompletion(model="openai/sim-echo", messages=MESSAGES, stream=True)
    text = ""
    async for chunk in response:
        text += chunk["choices"][0]["delta"]["content"] or ""
    print("async streaming:", text)


def rebuilding() -> None:
    response = completion(model="openai/sim-echo", messages=MESSAGES, stream=True)
    chunks = list(response)
    built = litellm.stream_chunk_builder(chunks, messages=MESSAGES)
    print("rebuilt:", built.choices[0].message.content if built else None)


def tools() -> None:
    messages: list[Any] = [{"role": "user", "content": "call the tool"}]
    response = completion("openai/sim-echo", messages, tools=TOOLS, tool_choice="auto")
    response_message = response.choices[0].message
    messages.append(response_message)
    for tool_call in response_message.tool_calls or []:
        arguments = json.loads(tool_call.function.arguments)
        messages.append(
            {
                "tool_call_id": tool_call.id,
                "role": "tool",
                "name": tool_call.function.name,
                "content": f"22 degrees in {arguments['location']}",
            }
        )
    second = completion("openai/sim-echo", messages, tools=TOOLS)
    print(
        "tools:",
        response_message["tool_calls"][0]["function"]["name"],
        second.choices[0].finish_reason,
    )


def exceptions() -> None:
    import openai

    try:
        completion(model="openai/sim-hang", messages=MESSAGES, timeout=0.2, num_retries=0)
    except openai.APITimeoutError as error:
        print("passed:", type(error).__name__, isinstance(error, litellm.Timeout))
    try:
        completion(model="anthropic/sim-401", messages=MESSAGES)
    except litellm.AuthenticationError as error:
        print("passed:", error.llm_provider, error.status_code)


def costs() -> None:
    spent: list[float] = []

    def track_cost_callback(
        kwargs: dict[str, Any], completion_response: Any, start_time: Any, end_time: Any
    ) -> None:
        spent.append(kwargs["response_cost"])

    litellm.success_callback = [track_cost_callback]
    response = completion("simulator/sim-fixed", MESSAGES)
    for _ in completion("simulator/sim-fixed", MESSAGES, stream=True):
        pass
    litellm.success_callback = []
    print("costs:", spent, litellm.completion_cost(completion_response=response))
    print("cost per token:", litellm.cost_per_token("gpt-4o", 1_000_000, 1_000_000))
    print("tokens:", litellm.token_counter(model="gpt-4o", messages=MESSAGES))


def fallbacks() -> None:
    response = completion("openai/sim-500", MESSAGES, num_retries=0, fallbacks=["openai/sim-echo"])
    print("fallbacks:", response.model)


def routing() -> None:
    router = litellm.Router(
        model_list=[
            {"model_name": "gpt", "litellm_params": {"model": "openai/sim-echo", "rpm": 900}},
            {"model_name": "gpt", "litellm_params": {"model": "anthropic/sim-echo", "rpm": 100}},
        ]
    )
    response = asyncio.run(router.acompletion(model="gpt", messages=MESSAGES))
    print("router:", response.choices[0].message.content)


if __name__ == "__main__":
    basic()
    streaming()
    asyncio.run(streaming_in_a_loop())
    rebuilding()
    tools()
    exceptions()
    costs()
    fallbacks()
    routing()
