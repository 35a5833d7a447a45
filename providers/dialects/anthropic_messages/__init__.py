"""Anthropic's messages API: outward to providers, and inward from callers who speak it.

What a caller says, in canonical form, and back again without loss for an Anthropic model:

| Anthropic | canonical | an OpenAI model is told |
|---|---|---|
| `system`, string or blocks | first message, role `system`, text parts | the same |
| `role: system` between turns | `system` with `provider_specific_fields.turn` | a system message |
| text | string, or text part with `cache_control`, `citations` | without these two |
| image by base64 or url | `image_url` part | the same |
| image by file id | the block as a part | refused |
| document | the block as a part | a PDF as `file`, plain text as text, else refused |
| tool_use | `tool_calls`, `cache_control` and `caller` beside `function` | without these two |
| tool_result | `tool` message, `is_error`, `cache_control` on it | images in a next message |
| thinking, redacted_thinking | `thinking_blocks` of the message, unchanged | nothing |
| blocks in another order | `provider_specific_fields.block_order` | nothing |
| any other block | the block as a part | refused |
| custom tool | function, its other fields beside `function` | name, description, parameters |
| web_search and its like | the tool as it is | refused |
| `tool_choice` any, tool | `required`, a function | the same |
| `disable_parallel_tool_use` | `parallel_tool_calls` | the same |
| `stop_sequences` | `stop` | the first four |
| `metadata.user_id` | `user` | the same, hashed beyond 64 characters |
| `output_config` effort, format | `reasoning_effort`, `response_format` | the same |
| `anthropic-beta` header | `anthropic_beta` in `native` | nothing |
| `thinking`, `top_k`, any other field | by its name in `native` | nothing |

What is not told to a model is named in `dropped`.
"""

from __future__ import annotations

from ..answers import read_error
from .inward_answer import write_error, write_response, write_usage
from .inward_request import parse_count, parse_request, read_betas
from .inward_stream import StreamWriter
from .request import DIALECT, build_request
from .response import read_response, read_usage
from .stream import StreamReader

__all__ = [
    "DIALECT",
    "StreamReader",
    "StreamWriter",
    "build_request",
    "parse_count",
    "parse_request",
    "read_betas",
    "read_error",
    "read_response",
    "read_usage",
    "write_error",
    "write_response",
    "write_usage",
]
