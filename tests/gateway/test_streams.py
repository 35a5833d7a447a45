"""A stream's listener may leave, fail or fall asleep; the stream itself goes on."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Sequence
from typing import Any

import pytest
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from gateway_project import streams
from gateway_project.errors import Unavailable
from gateway_project.patience import Patience
from gateway_project.serving import Joining, pipe_of
from gateway_project.streams import Outlet
from providers.types import ChatChunk
from tests.servers import Running

CHUNK = ChatChunk("c", "m", 1)


class Listener:
    def __init__(
        self, error: Exception | None = None, seconds: float = 0.0, *, has_room: bool = True
    ) -> None:
        self.headers: dict[str, str] | None = None
        self.taken: list[ChatChunk] = []
        self._error, self._seconds, self._has_room = error, seconds, has_room

    async def begin(self, headers: dict[str, str]) -> None:
        self.headers = headers

    async def take(self, chunks: list[ChatChunk]) -> None:
        if self._error is not None:
            raise self._error
        await asyncio.sleep(self._seconds)
        self.taken += chunks

    def take_now(self, chunk: ChatChunk) -> bool:
        if self._error is not None:
            raise self._error
        if self._has_room:
            self.taken.append(chunk)
        return self._has_room


async def test_headers_come_before_the_first_chunks_and_only_once() -> None:
    listener = Listener()
    outlet = Outlet(listener)
    await outlet.put([CHUNK], {"x": "1"})
    await outlet.put([CHUNK, CHUNK])
    assert listener.headers == {"x": "1"}
    assert len(listener.taken) == 3


async def test_a_listener_that_left_is_given_nothing_more() -> None:
    listener = Listener()
    outlet = Outlet(listener)
    outlet.close()
    await outlet.put([CHUNK])
    assert listener.taken == []


async def test_what_a_listener_raises_is_told_and_does_not_end_the_stream() -> None:
    error = RuntimeError("the pen broke")
    outlet = Outlet(Listener(error))
    await outlet.put([CHUNK])
    await outlet.put([CHUNK])
    assert outlet.failed.result() is error


async def test_a_chunk_is_offered_only_after_the_head_has_gone_out() -> None:
    listener = Listener()
    outlet = Outlet(listener)
    assert not outlet.offer(CHUNK)
    assert listener.taken == []
    await outlet.put([CHUNK], {"x": "1"})
    assert outlet.offer(CHUNK)
    assert len(listener.taken) == 2


async def test_a_chunk_that_there_is_no_room_for_must_be_put() -> None:
    listener = Listener(has_room=False)
    outlet = Outlet(listener)
    await outlet.put([CHUNK], {})
    assert not outlet.offer(CHUNK)
    assert len(listener.taken) == 1


async def test_a_chunk_for_a_listener_that_left_is_thrown_away() -> None:
    listener = Listener()
    outlet = Outlet(listener)
    await outlet.put([CHUNK], {})
    outlet.close()
    assert outlet.offer(CHUNK)
    assert len(listener.taken) == 1


async def test_a_stream_whose_listener_left_before_it_began_is_not_thrown_away() -> None:
    """Its task waits for words: did they go past it, it would take the provider for silent."""
    outlet = Outlet(Listener())
    outlet.close()
    assert not outlet.offer(CHUNK)


async def test_what_a_listener_raises_at_an_offer_is_told_too() -> None:
    error = RuntimeError("the pen broke")
    listener = Listener()
    outlet = Outlet(listener)
    await outlet.put([CHUNK], {})
    listener._error = error
    assert outlet.offer(CHUNK)
    assert outlet.failed.result() is error


async def test_a_listener_that_takes_nothing_for_too_long_counts_as_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streams, "STALL_SECONDS", 0.01)
    listener = Listener(seconds=3600)
    outlet = Outlet(listener)
    await outlet.put([CHUNK])  # comes back
    await outlet.put([CHUNK])
    assert listener.taken == []
    assert isinstance(outlet.failed.result(), Unavailable), "a later reader must not miss it"


async def test_what_is_being_given_as_the_listener_leaves_stays_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streams, "STALL_SECONDS", 0.01)
    outlet = Outlet(Listener(seconds=3600))
    giving = asyncio.create_task(outlet.put([CHUNK]))
    await asyncio.sleep(0)
    outlet.close()
    async with asyncio.timeout(10):
        await giving


async def test_a_stream_that_is_cancelled_while_its_listener_is_slow_is_cancelled() -> None:
    outlet = Outlet(Listener(seconds=3600))
    task = asyncio.create_task(outlet.put([CHUNK]))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_patience_that_is_ended_in_time_cancels_nothing() -> None:
    patience = Patience(0.0)
    patience.end()
    later: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.0, later.set_result, None)
    await later  # a timer that was set after the other
    assert not patience.has_ended()


class Socket:
    """A transport that remembers what it was given, write by write."""

    def __init__(self) -> None:
        self.said: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.said.append(data)

    def close(self) -> None:
        self.said.append(b"closed")

    def is_closing(self) -> bool:
        return self.said[-1:] == [b"closed"]


def joined() -> tuple[Any, Socket]:
    transport: Any = Socket()
    return Joining(transport, asyncio.get_running_loop()), transport


async def test_a_head_and_its_body_are_one_write() -> None:
    joining, transport = joined()
    joining.write(b"HTTP/1.1 200 OK\r\n\r\n")
    joining.write(b"{}")
    joining.write(b"more")
    await asyncio.sleep(0)
    assert transport.said == [b"HTTP/1.1 200 OK\r\n\r\n{}", b"more"]


async def test_a_head_that_nothing_follows_leaves_with_the_loops_next_turn() -> None:
    joining, transport = joined()
    joining.write(b"HTTP/1.1 204 No Content\r\n\r\n")
    assert transport.said == []
    await asyncio.sleep(0)
    assert transport.said == [b"HTTP/1.1 204 No Content\r\n\r\n"]


async def test_a_head_for_a_connection_that_is_lost_goes_nowhere() -> None:
    joining, transport = joined()
    joining.write(b"HTTP/1.1 200 OK\r\n\r\n")
    transport.close()
    await asyncio.sleep(0)
    assert transport.said == [b"closed"]


async def test_a_head_leaves_before_its_connection_is_closed() -> None:
    joining, transport = joined()
    joining.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    joining.close()
    await asyncio.sleep(0)
    assert transport.said == [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"closed"]
    assert joining.is_closing()


async def test_what_shares_a_turn_with_others_leaves_before_its_connection_is_closed() -> None:
    other, _ = joined()
    joining, transport = joined()
    other.write(b"this goes out at once")
    joining.write(b"HTTP/1.1 200 OK\r\n\r\n")
    joining.write(b"{}")
    assert transport.said == []
    joining.close()
    await asyncio.sleep(0)
    assert transport.said == [b"HTTP/1.1 200 OK\r\n\r\n{}", b"closed"]


def cycle() -> tuple[RequestResponseCycle, Socket]:
    """uvicorn's own, of a request that came over `Socket`."""
    transport: Any = Socket()
    made = RequestResponseCycle(
        scope={"type": "http", "method": "POST"},  # type: ignore[typeddict-item]
        transport=transport,
        flow=FlowControl(transport),
        logger=logging.getLogger("none"),
        access_logger=logging.getLogger("none"),
        access_log=False,
        default_headers=[],
        message_event=asyncio.Event(),
        expect_100_continue=False,
        keep_alive=True,
        on_response=lambda: None,
    )
    return made, transport


def started(headers: Sequence[tuple[bytes, bytes]] = ()) -> Any:
    return {"type": "http.response.start", "status": 200, "headers": headers}


async def test_a_pipe_writes_what_a_message_would() -> None:
    made, transport = cycle()
    pipe = pipe_of(made.send)
    assert pipe is not None
    await made.send(started())
    for piece in (b"data: {}\n\n", b"x" * 70_000):
        pipe.write(piece)
        await made.send({"type": "http.response.body", "body": piece, "more_body": True})
    assert transport.said[1] == transport.said[2]
    assert transport.said[3] == transport.said[4]


async def test_a_pipe_has_room_while_its_body_is_under_way_and_is_read() -> None:
    made, _ = cycle()
    pipe = pipe_of(made.send)
    assert pipe is not None
    assert not pipe.has_room, "the head comes first"
    await made.send(started())
    assert pipe.has_room
    made.flow.pause_writing()
    assert not pipe.has_room
    made.flow.resume_writing()
    assert pipe.has_room
    await made.send({"type": "http.response.body", "body": b"", "more_body": False})
    assert not pipe.has_room


async def test_a_pipe_has_no_room_for_a_caller_who_has_gone_or_wants_no_pieces() -> None:
    made, _ = cycle()
    await made.send(started())
    made.disconnected = True
    plain, _ = cycle()
    await plain.send(started([(b"content-length", b"5")]))
    for each in (made, plain):
        pipe = pipe_of(each.send)
        assert pipe is not None
        assert not pipe.has_room


async def test_another_server_has_no_pipe() -> None:
    async def send(message: Any) -> None:
        raise AssertionError(message)

    assert pipe_of(send) is None
    assert pipe_of(Socket().write) is None


def test_an_answer_arrives_with_its_head(running: Running) -> None:
    with socket.create_connection(("127.0.0.1", running.port), timeout=10) as connection:
        connection.sendall(b"GET /v1/models HTTP/1.1\r\nhost: x\r\nauthorization: Bearer x\r\n\r\n")
        first = connection.recv(65536)
    assert first.startswith(b"HTTP/1.1 401 ")
    assert b"\r\n\r\n{" in first
