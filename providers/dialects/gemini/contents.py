"""Messages as turns: `systemInstruction` and `contents`.

System and developer messages join, in order, wherever they stand. Messages of one speaker make one
turn. Results of function calls stand first in their turn, and Gemini wants them by the function's
name, which is found by the call's id (https://ai.google.dev/gemini-api/docs/function-calling,
2026-11: one result for every call, in the turn after the calls).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from ...errors import BadRequest, Unsupported
from .parts import parts_of, text_of
from .signatures import UNSIGNED, read_signature, signed

Parts = list[dict[str, Any]]
EMPTY_TURN = {"role": "user", "parts": [{"text": "."}]}


def write_contents(messages: Sequence[Mapping[str, Any]], *, must_sign: bool) -> dict[str, Any]:
    """`contents` and, where there is one, `systemInstruction`; raises BadRequest, Unsupported.

    `must_sign` puts the text that stands for a signature on calls that no Gemini model made.
    """
    system: list[str] = []
    turns: list[dict[str, Any]] = []
    names: dict[str, str] = {}
    for message in messages:
        role = message["role"]
        if role in {"system", "developer"}:
            system += text_of(message.get("content"), role)
        elif role == "assistant":
            _add(turns, "model", _said(message, names, must_sign))
        elif role == "tool":
            _add(turns, "user", [_result(message, names)])
        elif role == "function":
            raise Unsupported("Say tool messages instead of function ones.", param="messages")
        else:
            _add(turns, "user", parts_of(message.get("content")))
    if not turns or turns[0]["role"] != "user":
        turns.insert(0, EMPTY_TURN)
    body: dict[str, Any] = {"contents": turns}
    if system:
        body["systemInstruction"] = {"parts": [{"text": text} for text in system]}
    return body


def _add(turns: list[dict[str, Any]], speaker: str, parts: Parts) -> None:
    if not parts:
        return
    if not turns or turns[-1]["role"] != speaker:
        turns.append({"role": speaker, "parts": parts})
        return
    turn: Parts = turns[-1]["parts"]
    at = sum("functionResponse" in part for part in turn)
    turn[at:at] = [part for part in parts if "functionResponse" in part]
    turn += [part for part in parts if "functionResponse" not in part]


def _said(message: Mapping[str, Any], names: dict[str, str], must_sign: bool) -> Parts:
    """Signed thoughts, text, calls. Unsigned thoughts are a summary for people: not sent back."""
    if message.get("function_call"):
        raise Unsupported("Say tool_calls instead of function_call.", param="messages")
    parts = [
        signed({"text": str(block.get("thinking") or ""), "thought": True}, block)
        for block in message.get("thinking_blocks") or ()
        if read_signature(block) is not None
    ]
    texts = parts_of(message.get("content")) or parts_of(_refusal(message))
    if read_signature(message) is not None:
        texts = [*texts[:-1], signed(texts[-1] if texts else {"text": ""}, message)]
    calls = [_call(call, names) for call in message.get("tool_calls") or ()]
    if must_sign and calls and not any("thoughtSignature" in call for call in calls):
        calls[0]["thoughtSignature"] = UNSIGNED
    return parts + texts + calls


def _refusal(message: Mapping[str, Any]) -> str:
    refusal = message.get("refusal")
    return refusal if isinstance(refusal, str) else ""


def _call(call: Mapping[str, Any], names: dict[str, str]) -> dict[str, Any]:
    function = call["function"]
    try:
        arguments = orjson.loads(function.get("arguments") or "{}")
    except orjson.JSONDecodeError as error:
        raise _bad_arguments(call) from error
    if not isinstance(arguments, dict):
        raise _bad_arguments(call)
    names[call["id"]] = function["name"]
    part = {"functionCall": {"id": call["id"], "name": function["name"], "args": arguments}}
    return signed(part, call)


def _bad_arguments(call: Mapping[str, Any]) -> BadRequest:
    return BadRequest(
        f"The arguments of tool call {call['id'][:100]} are not a JSON object.", param="messages"
    )


def _result(message: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """A result as `output`, exactly as it was given; media stand beside it."""
    call_id = message["tool_call_id"]
    name = names.get(call_id) or message.get("name")
    if not isinstance(name, str) or not name:
        raise BadRequest(
            f"No earlier message calls the tool that {call_id[:100]} answers.", param="messages"
        )
    parts = parts_of(message.get("content"))
    media = [part for part in parts if "text" not in part]
    response: dict[str, Any] = {
        "id": call_id,
        "name": name,
        "response": {"output": "".join(part.get("text", "") for part in parts)},
    }
    if media:
        response["parts"] = media
    return {"functionResponse": response}
