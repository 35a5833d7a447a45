"""Output items while they are being said: each gives the events of its begin, deltas and end.

Events lack only their sequence number, which the stream's writer gives. `item` is the item as far
as it was said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...types import Json
from .response import ItemIds, write_call, write_message, write_text, write_thought

Event = dict[str, Any]


class OpenMessage:
    """A message of text parts and refusals."""

    def __init__(self, index: int, ids: ItemIds) -> None:
        self.item = write_message(ids.new("msg"), [], "in_progress")
        self._at = {"item_id": self.item["id"], "output_index": index}
        self._index = index

    def begin(self) -> list[Event]:
        return [_added(self._index, {**self.item, "content": []})]

    def say(self, text: str, logprobs: Sequence[Json] = ()) -> list[Event]:
        events = self._part("output_text", write_text(""))
        part = self.item["content"][-1]
        part["text"] += text
        part["logprobs"] += logprobs
        delta = {"delta": text, "logprobs": list(logprobs)}
        return [*events, {"type": "response.output_text.delta", **self._place(), **delta}]

    def refuse(self, text: str) -> list[Event]:
        events = self._part("refusal", {"type": "refusal", "refusal": ""})
        self.item["content"][-1]["refusal"] += text
        return [*events, {"type": "response.refusal.delta", **self._place(), "delta": text}]

    def annotate(self, annotation: Json) -> list[Event]:
        events = self._part("output_text", write_text(""))
        annotations = self.item["content"][-1]["annotations"]
        annotations.append(annotation)
        event = {
            "type": "response.output_text.annotation.added",
            **self._place(),
            "annotation_index": len(annotations) - 1,
            "annotation": annotation,
        }
        return [*events, event]

    def close(self, status: str) -> list[Event]:
        self.item["status"] = status
        return [*self._end_part(), _done(self._index, self.item)]

    def _place(self) -> dict[str, Any]:
        return {**self._at, "content_index": len(self.item["content"]) - 1}

    def _part(self, kind: str, part: dict[str, Any]) -> list[Event]:
        """Begin a part unless the last one is of this kind."""
        content = self.item["content"]
        if content and content[-1]["type"] == kind:
            return []
        events = self._end_part()
        content.append(part)
        # A copy: the part grows on while its event waits to be written.
        told = {name: list(v) if isinstance(v, list) else v for name, v in part.items()}
        return [*events, {"type": "response.content_part.added", **self._place(), "part": told}]

    def _end_part(self) -> list[Event]:
        if not self.item["content"]:
            return []
        part, place = self.item["content"][-1], self._place()
        kind = part["type"]
        said = {"refusal": part["refusal"]} if kind == "refusal" else {"text": part["text"]}
        if kind == "output_text":
            said["logprobs"] = part["logprobs"]
        return [
            {"type": f"response.{kind}.done", **place, **said},
            {"type": "response.content_part.done", **place, "part": part},
        ]


class OpenThought:
    """Reasoning, told as one part of a summary."""

    def __init__(self, index: int, ids: ItemIds) -> None:
        self.item = write_thought(ids.new("rs"), "")
        self._text = ""
        self._at = {"item_id": self.item["id"], "output_index": index, "summary_index": 0}
        self._index = index

    def begin(self) -> list[Event]:
        return [_added(self._index, dict(self.item))]

    def say(self, text: str) -> list[Event]:
        events: list[Event] = []
        if not self._text:
            part = {"type": "summary_text", "text": ""}
            events = [{"type": "response.reasoning_summary_part.added", **self._at, "part": part}]
        self._text += text
        delta = {"type": "response.reasoning_summary_text.delta", **self._at, "delta": text}
        return [*events, delta]

    def close(self, status: str, block: Json | None = None) -> list[Event]:
        """The end; `block` is the provider's own form of these thoughts, to be given back."""
        part = {"type": "summary_text", "text": self._text}
        self.item = {**write_thought(self.item["id"], self._text), **(block or {})}
        self.item["id"] = self._at["item_id"]
        told = [
            {"type": "response.reasoning_summary_text.done", **self._at, "text": self._text},
            {"type": "response.reasoning_summary_part.done", **self._at, "part": part},
        ]
        return [*(told if self._text else []), _done(self._index, self.item)]


class OpenCall:
    """A call of a function or a custom tool."""

    def __init__(self, index: int, call: Json, ids: ItemIds) -> None:
        bare = {name: value for name, value in call.items() if name != "custom"}
        if isinstance(call.get("custom"), Mapping):
            bare["custom"] = {"name": call["custom"].get("name")}
        else:
            bare["function"] = {"name": (call.get("function") or {}).get("name")}
        self.item = write_call(bare, ids, "in_progress")
        self._is_custom = self.item["type"] == "custom_tool_call"
        self._field = "input" if self._is_custom else "arguments"
        stem = "custom_tool_call_input" if self._is_custom else "function_call_arguments"
        self._stem = f"response.{stem}"
        self._at = {"item_id": self.item["id"], "output_index": index}
        self._index = index

    def begin(self) -> list[Event]:
        return [_added(self._index, dict(self.item))]

    def say(self, call: Json) -> list[Event]:
        """Whatever of the call's text this delta brings, and a name that came late."""
        said = call.get("custom" if self._is_custom else "function") or {}
        self.item["name"] = self.item["name"] or said.get("name") or ""
        text = said.get(self._field)
        if not isinstance(text, str) or not text:
            return []
        self.item[self._field] += text
        return [{"type": f"{self._stem}.delta", **self._at, "delta": text}]

    def close(self, status: str) -> list[Event]:
        self.item["status"] = status
        said = {self._field: self.item[self._field]}
        if not self._is_custom:
            said["name"] = self.item["name"]
        done = {"type": f"{self._stem}.done", **self._at, **said}
        return [done, _done(self._index, self.item)]


def _added(index: int, item: Json) -> Event:
    return {"type": "response.output_item.added", "output_index": index, "item": item}


def _done(index: int, item: Json) -> Event:
    return {"type": "response.output_item.done", "output_index": index, "item": item}
