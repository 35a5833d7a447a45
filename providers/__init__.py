"""The public door of the SDK: `from providers import completion`, by LiteLLM's names.

Importing it imports nothing else, opens nothing and changes nothing: a name's room is entered when
the name is first asked for. Whoever comes from LiteLLM writes `import providers as litellm`;
what is the same and what is not is in `docs/sdk.md`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .exceptions import APIConnectionError as APIConnectionError
    from .exceptions import APIError as APIError
    from .exceptions import APIResponseValidationError as APIResponseValidationError
    from .exceptions import AuthenticationError as AuthenticationError
    from .exceptions import BadRequestError as BadRequestError
    from .exceptions import BudgetExceededError as BudgetExceededError
    from .exceptions import ContentPolicyViolationError as ContentPolicyViolationError
    from .exceptions import ContextWindowExceededError as ContextWindowExceededError
    from .exceptions import ImageFetchError as ImageFetchError
    from .exceptions import InternalServerError as InternalServerError
    from .exceptions import InvalidRequestError as InvalidRequestError
    from .exceptions import JSONSchemaValidationError as JSONSchemaValidationError
    from .exceptions import MidStreamFallbackError as MidStreamFallbackError
    from .exceptions import MockException as MockException
    from .exceptions import NotFoundError as NotFoundError
    from .exceptions import OpenAIError as OpenAIError
    from .exceptions import PermissionDeniedError as PermissionDeniedError
    from .exceptions import RateLimitError as RateLimitError
    from .exceptions import ServiceUnavailableError as ServiceUnavailableError
    from .exceptions import Timeout as Timeout
    from .exceptions import UnprocessableEntityError as UnprocessableEntityError
    from .exceptions import UnsupportedParamsError as UnsupportedParamsError
    from .pricing import PriceUnknown as PriceUnknown
    from .sdk.abilities import get_supported_openai_params as get_supported_openai_params
    from .sdk.abilities import supports_audio_input as supports_audio_input
    from .sdk.abilities import supports_function_calling as supports_function_calling
    from .sdk.abilities import (
        supports_parallel_function_calling as supports_parallel_function_calling,
    )
    from .sdk.abilities import supports_pdf_input as supports_pdf_input
    from .sdk.abilities import supports_prompt_caching as supports_prompt_caching
    from .sdk.abilities import supports_reasoning as supports_reasoning
    from .sdk.abilities import supports_response_schema as supports_response_schema
    from .sdk.abilities import supports_system_messages as supports_system_messages
    from .sdk.abilities import supports_tool_choice as supports_tool_choice
    from .sdk.abilities import supports_vision as supports_vision
    from .sdk.addresses import validate_environment as validate_environment
    from .sdk.callbacks import CustomLogger as CustomLogger
    from .sdk.chat import acompletion as acompletion
    from .sdk.chat import completion as completion
    from .sdk.costs import completion_cost as completion_cost
    from .sdk.costs import cost as cost
    from .sdk.costs import cost_per_token as cost_per_token
    from .sdk.counting import decode as decode
    from .sdk.counting import encode as encode
    from .sdk.counting import token_counter as token_counter
    from .sdk.gathering import stream_chunk_builder as stream_chunk_builder
    from .sdk.models import get_llm_provider as get_llm_provider
    from .sdk.models import get_max_tokens as get_max_tokens
    from .sdk.models import get_model_info as get_model_info
    from .sdk.models import model_cost as model_cost
    from .sdk.models import model_list as model_list
    from .sdk.models import provider_list as provider_list
    from .sdk.models import register_model as register_model
    from .sdk.responses import ResponsesAPIResponse as ResponsesAPIResponse
    from .sdk.responses import aresponses as aresponses
    from .sdk.responses import responses as responses
    from .sdk.results import ChatCompletionDeltaToolCall as ChatCompletionDeltaToolCall
    from .sdk.results import ChatCompletionMessageToolCall as ChatCompletionMessageToolCall
    from .sdk.results import Choices as Choices
    from .sdk.results import Delta as Delta
    from .sdk.results import Function as Function
    from .sdk.results import Message as Message
    from .sdk.results import ModelResponse as ModelResponse
    from .sdk.results import ModelResponseStream as ModelResponseStream
    from .sdk.results import StreamingChoices as StreamingChoices
    from .sdk.results import Usage as Usage
    from .sdk.router import Router as Router
    from .sdk.streams import AsyncStream as AsyncStream
    from .sdk.streams import CustomStreamWrapper as CustomStreamWrapper
    from .sdk.streams import SyncStream as SyncStream
    from .sdk.vectors import EmbeddingResponse as EmbeddingResponse
    from .sdk.vectors import aembedding as aembedding
    from .sdk.vectors import embedding as embedding

# Settings, read at each call: lists may be appended to, everything may be assigned to.
api_key: str | None = None
api_base: str | None = None
drop_params: bool = False
num_retries: int | None = None
request_timeout: float | None = None
context_window_fallbacks: dict[str, str] | None = None
input_callback: list[Any] = []
success_callback: list[Any] = []
failure_callback: list[Any] = []
callbacks: list[Any] = []

ROOMS = {
    ".exceptions": (
        "APIConnectionError APIError APIResponseValidationError AuthenticationError "
        "BadRequestError BudgetExceededError ContentPolicyViolationError "
        "ContextWindowExceededError ImageFetchError InternalServerError InvalidRequestError "
        "JSONSchemaValidationError MidStreamFallbackError MockException NotFoundError OpenAIError "
        "PermissionDeniedError RateLimitError ServiceUnavailableError Timeout "
        "UnprocessableEntityError UnsupportedParamsError"
    ),
    ".pricing": "PriceUnknown",
    ".sdk.abilities": (
        "get_supported_openai_params supports_audio_input supports_function_calling "
        "supports_parallel_function_calling supports_pdf_input supports_prompt_caching "
        "supports_reasoning supports_response_schema supports_system_messages "
        "supports_tool_choice supports_vision"
    ),
    ".sdk.addresses": "validate_environment",
    ".sdk.callbacks": "CustomLogger",
    ".sdk.chat": "acompletion completion",
    ".sdk.costs": "completion_cost cost cost_per_token",
    ".sdk.counting": "decode encode token_counter",
    ".sdk.gathering": "stream_chunk_builder",
    ".sdk.models": (
        "get_llm_provider get_max_tokens get_model_info model_cost model_list provider_list "
        "register_model"
    ),
    ".sdk.responses": "ResponsesAPIResponse aresponses responses",
    ".sdk.results": (
        "ChatCompletionDeltaToolCall ChatCompletionMessageToolCall Choices Delta Function Message "
        "ModelResponse ModelResponseStream StreamingChoices Usage"
    ),
    ".sdk.router": "Router",
    ".sdk.streams": "AsyncStream CustomStreamWrapper SyncStream",
    ".sdk.vectors": "EmbeddingResponse aembedding embedding",
}
_ROOM_OF = {name: room for room, names in ROOMS.items() for name in names.split()}

__all__ = [*_ROOM_OF]


def __getattr__(name: str) -> Any:
    """A name of a room, kept from then on; so each class is one object however it is asked for."""
    room = _ROOM_OF.get(name)
    if room is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(room, __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_ROOM_OF})
