"""OpenAI's Responses API, outward to providers and inward from callers, whole and streamed.

| inward, in this order | gives |
|---|---|
| `parse_request(document)` | the ChatRequest, with what only Responses can say in `native` |
| `write_response(response, request, response_id=..., usage=...)` | a whole Response object |
| `StreamWriter(request, response_id=...)` | `write(chunk)`, then `finish(usage)` or `fail(...)` |
| `event_bytes(event)` | one event of a stream as bytes |

For another dialect's provider `plain(request, dialect)` takes away what only Responses can say.
"""

from ..answers import read_error
from .answer import read_response, read_usage
from .native import plain
from .outward import build_request
from .request import parse_request
from .response import write_response, write_usage
from .stream import StreamReader
from .writer import StreamWriter, event_bytes

__all__ = [
    "StreamReader",
    "StreamWriter",
    "build_request",
    "event_bytes",
    "parse_request",
    "plain",
    "read_error",
    "read_response",
    "read_usage",
    "write_response",
    "write_usage",
]
