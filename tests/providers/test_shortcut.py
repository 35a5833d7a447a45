"""What is taken as it arrives and what is read are together what was sent, each once, in order."""

from __future__ import annotations

import asyncio
import gzip
import random
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

import orjson
import pytest

from providers import client
from providers.catalog import PROVIDERS
from providers.client import Limits, Taker
from providers.errors import ConnectionLost, StreamError
from providers.lean_connection import BUFFER_BYTES_MAX
from providers.lean_transport import LeanTransport
from providers.routing import Target
from providers.types import ChatChunk, HttpRequest
from tests.providers.test_lean_transport import Talk, read_request, serving

Item = TypeVar("Item")
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n"
DONE = b"data: [DONE]\n\n"
ASKED = HttpRequest("", {}, b"{}")


@pytest.fixture
async def transport() -> AsyncIterator[LeanTransport]:
    made = LeanTransport()
    yield made
    await made.close()


def framed(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def saying(*pieces: bytes, more: bytes = b"", is_cut: bool = False) -> Talk:
    """A server that sends these pieces, each for itself, a turn of the loop apart."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(STREAM + more + b"\r\n")
        for piece in pieces:
            writer.write(framed(piece))
            await writer.drain()
            await asyncio.sleep(0.001)
        if not is_cut:
            writer.write(b"0\r\n\r\n")
            await writer.drain()

    return talk


def into(taken: list[Item]) -> Callable[[Item], bool]:
    """Takes everything."""

    def take(item: Item) -> bool:
        taken.append(item)
        return True

    return take


async def heard(transport: LeanTransport, url: str, taker: Callable[[bytes], bool]) -> list[bytes]:
    """What `chunks` gives while `taker` has the first say."""
    read: list[bytes] = []
    async with transport.send(
        url, headers={}, body=b"{}", first_byte_seconds=5.0, total_seconds=30.0
    ) as answer:
        answer.tap(taker)
        async for data in answer.chunks:
            read.append(data)
    return read


async def test_what_arrives_while_the_reader_waits_is_the_takers(transport: LeanTransport) -> None:
    taken: list[bytes] = []

    async with serving(saying(b"a", b"b", b"c")) as (url, _):
        read = await heard(transport, url, into(taken))

    assert b"".join(read + taken) == b"abc"
    assert len(taken) >= 2


async def test_what_the_taker_refuses_is_read(transport: LeanTransport) -> None:
    taken: list[bytes] = []

    def take(data: bytes) -> bool:
        if data in (b"b", b"d"):
            return False
        taken.append(data)
        return True

    async with serving(saying(b"a", b"b", b"c", b"d", b"e")) as (url, _):
        read = await heard(transport, url, take)

    assert {b"b", b"d"} <= set(read)
    assert sorted(read + taken) == [b"a", b"b", b"c", b"d", b"e"]


async def test_a_taker_is_not_asked_before_its_reader_has_all_that_came_earlier(
    transport: LeanTransport,
) -> None:
    order: list[bytes] = []

    async with serving(saying(*[b"%d" % at for at in range(30)])) as (url, _):  # noqa: SIM117
        async with transport.send(
            url, headers={}, body=b"{}", first_byte_seconds=5.0, total_seconds=30.0
        ) as answer:
            answer.tap(into(order))
            async for data in answer.chunks:
                await asyncio.sleep(0.005)  # the server says more meanwhile
                order.append(data)

    assert b"".join(order) == b"".join(b"%d" % at for at in range(30))


async def test_what_comes_together_is_not_for_the_taker(transport: LeanTransport) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(STREAM + b"\r\n")
        for _ in range(9):
            writer.write(framed(b"a") + framed(b"b"))
            await writer.drain()
            await asyncio.sleep(0.001)
        writer.write(b"0\r\n\r\n")

    async with serving(talk) as (url, _):
        read = await heard(transport, url, lambda data: True)

    assert b"".join(read) == b"ab" * 9


async def test_a_piece_that_is_larger_than_the_buffer_does_not_stop_the_reading(
    transport: LeanTransport,
) -> None:
    taken = 0

    def take(data: bytes) -> bool:
        nonlocal taken
        taken += len(data)
        return True

    piece = b"x" * (2 * BUFFER_BYTES_MAX)
    async with serving(saying(*[piece] * 10)) as (url, _):
        read = await heard(transport, url, take)

    assert taken + sum(map(len, read)) == 20 * BUFFER_BYTES_MAX
    assert taken > 0


async def test_what_comes_packed_is_not_for_the_taker(transport: LeanTransport) -> None:
    packed = gzip.compress(b"hello " * 100)
    pieces = [packed[at : at + 10] for at in range(0, len(packed), 10)]

    async with serving(saying(*pieces, more=b"content-encoding: gzip\r\n")) as (url, _):
        read = await heard(transport, url, lambda data: True)

    assert b"".join(read) == b"hello " * 100


async def test_a_connection_that_is_used_again_has_no_taker(transport: LeanTransport) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            await saying(b"a", b"b")(reader, writer)

    async with serving(talk) as (url, connections):
        await heard(transport, url, lambda data: True)
        async with transport.send(
            url, headers={}, body=b"{}", first_byte_seconds=5.0, total_seconds=5.0
        ) as answer:
            assert await answer.body() == b"ab"

    assert len(connections) == 1


def event(text: str, **more: object) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    document = {
        "id": "c1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [choice],
        **more,
    }
    return b"data: " + orjson.dumps(document) + b"\n\n"


def target(url: str) -> Target:
    return Target(PROVIDERS["openai"], "m", url, "key")


async def streamed(
    transport: LeanTransport, url: str, taker: Taker | None
) -> AsyncIterator[ChatChunk]:
    source = client.stream(ASKED, target(url), transport, Limits(), "a1", taker)
    async for chunks in source:
        for chunk in chunks:
            yield chunk


def said(chunk: ChatChunk) -> tuple[object, ...]:
    return chunk.id, chunk.model, chunk.choices, chunk.usage, chunk.is_last, chunk.extra, chunk.text


def pieces_of(chance: random.Random, words: list[bytes]) -> list[bytes]:
    """Events as a network cuts them: mostly one by one, some together, some in halves."""
    pieces: list[bytes] = []
    for word in words:
        match chance.randrange(6):
            case 0 if pieces:
                pieces[-1] += word
            case 1:
                at = chance.randrange(1, len(word))
                pieces += [word[:at], word[at:]]
            case _:
                pieces.append(word)
    return pieces


@pytest.mark.parametrize("seed", range(12))
async def test_a_stream_is_the_same_with_a_taker_as_without(
    transport: LeanTransport, seed: int
) -> None:
    chance = random.Random(seed)
    words = [event(chance.choice(["a", " word", 'quo"te', "é", "", "\n"])) for _ in range(40)]
    words.insert(chance.randrange(40), event("tier", service_tier="flex"))
    pieces = pieces_of(chance, [*words, DONE])
    together: list[ChatChunk] = []
    taken = 0

    def take(chunk: ChatChunk) -> bool:
        nonlocal taken
        if chance.random() < 0.2:
            return False
        together.append(chunk)
        taken += 1
        return True

    async with serving(saying(*pieces)) as (url, _):
        alone = [each async for each in streamed(transport, url, None)]
        async for each in streamed(transport, url, take):
            together.append(each)

    assert [said(each) for each in together] == [said(each) for each in alone]
    assert taken >= 3


async def test_a_stream_that_is_cut_after_what_was_taken_is_told_as_cut(
    transport: LeanTransport,
) -> None:
    taken: list[ChatChunk] = []

    async with serving(saying(*[event("a") for _ in range(9)], is_cut=True)) as (url, _):
        with pytest.raises(ConnectionLost):
            async for each in streamed(transport, url, into(taken)):
                taken.append(each)

    assert len(taken) == 9


async def test_an_event_whose_name_came_before_it_is_not_taken_for_another(
    transport: LeanTransport,
) -> None:
    pieces = [*[event("a") for _ in range(5)], b"event: error\n", event("a")]

    async with serving(saying(*pieces)) as (url, _):
        with pytest.raises(StreamError):
            [each async for each in streamed(transport, url, lambda chunk: True)]


def named(kind: str, **more: object) -> bytes:
    document = orjson.dumps({"type": kind, **more})
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), document)


@pytest.mark.parametrize("model", ["", "claude"])
async def test_chunks_of_a_host_that_does_not_say_its_model_are_not_taken(
    transport: LeanTransport, model: str
) -> None:
    delta = {"type": "text_delta", "text": "a"}
    words = [named("content_block_delta", index=0, delta=delta) for _ in range(9)]
    start = named("message_start", message={"id": "m1", "model": model, "content": []})
    taken: list[ChatChunk] = []

    async with serving(saying(start, *words, named("message_stop"))) as (url, _):
        asked = Target(PROVIDERS["anthropic"], "asked", url, "key")
        source = client.stream(ASKED, asked, transport, Limits(), "a1", into(taken))
        read = [each async for chunks in source for each in chunks]

    assert bool(taken) == bool(model)
    assert {each.model for each in [*read, *taken]} == {model or "asked"}
