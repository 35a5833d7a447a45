"""Events of a stream that say what the one before them said, but for a piece of text.

Nearly all of a stream's events are such, and neither their lines nor their JSON need be read: what
stands before the text and after it is compared as it came. What differs otherwise is of no mould,
but for what providers pad each event with, so that its length tells nothing: OpenAI by a field of
letters at the end, Anthropic by spaces before the last brace.
"""

from __future__ import annotations

from collections.abc import Callable

from ..sse import EVENT_END, PLAIN_BYTES, SseEvent

MOULDS_MAX = 8  # are tried in one stream
PROBE = "\u2603 probe"
OBJECT_END = b"}" + EVENT_END
PADDING = b',"obfuscation":"'
PADDING_END = b'"' + OBJECT_END


class Mould:
    """What came before the text and after it; `text_in` finds the text of a further event."""

    __slots__ = ("_after", "_before", "_end", "_is_padded", "_least", "_start")

    def __init__(self, before: bytes, after: bytes, *, is_padded: bool) -> None:
        self._before, self._after, self._is_padded = before, after, is_padded
        self._start, self._end = len(before), -len(after)
        self._least = len(before) + len(after)

    def text_in(self, event: bytes) -> str | None:
        """The text of a whole event, as it came, that needs no unescaping; None for any other."""
        if self._is_padded:
            event, found, padding = event.rpartition(PADDING)
            if not found or not _is_padding(padding):
                return None
        elif event.endswith(OBJECT_END):
            event = event[: -len(OBJECT_END)].rstrip(b" ")
        else:
            return None
        if not (
            event.startswith(self._before)
            and event.endswith(self._after)
            and len(event) >= self._least
        ):
            return None
        try:
            text = event[self._start : self._end].decode()
        except UnicodeDecodeError:
            return None
        return text if is_bare(text) else None


def is_bare(text: str) -> bool:
    """Does it stand in JSON as it is? It may be no for a text that does; never yes for another."""
    return '"' not in text and "\\" not in text and text.isprintable()


def mould_of(
    event: SseEvent, field: str, text: str, reads: Callable[[str, str], bool]
) -> Mould | None:
    """The mould of events like this one, which says `text` in a field of this name.

    There may be none. `reads` is asked whether an event's data say a text, and otherwise just what
    this one's say: that the text was found in its place is proven by another one put there.
    """
    ways = [f'"{field}":{space}"' for space in ("", " ")]
    way = next((each for each in ways if event.data.count(f'{each}{text}"') == 1), None)
    if way is None or not is_bare(text):
        return None
    before, _, rest = event.data.partition(f'{way}{text}"')
    before, rest = before + way, '"' + rest
    if not reads(before + PROBE + rest, PROBE):
        return None
    start, after = _prefix(event.event) + before.encode(), rest.encode() + EVENT_END
    kept, found, padding = after.rpartition(PADDING)
    if found and _is_padding(padding):
        return Mould(start, kept, is_padded=True)
    return Mould(start, after.removesuffix(OBJECT_END).rstrip(b" "), is_padded=False)


def _prefix(name: str) -> bytes:
    """What stands before the data of an event."""
    return (f"event: {name}\n" if name else "").encode() + PLAIN_BYTES


def _is_padding(text: bytes) -> bool:
    said = text.removesuffix(PADDING_END)
    return said != text and (not said or said.isalnum())
