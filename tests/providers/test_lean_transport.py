"""The server's transport against servers that behave well, badly, and not at all."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from providers.errors import ConnectFailed, ConnectionLost, TimedOut, UnusableAnswer
from providers.lean_connection import BUFFER_BYTES_MAX
from providers.lean_transport import Exchange, LeanTransport

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


@asynccontextmanager
async def serving(
    talk: Talk, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[str, list[int]]]:
    """(address, one entry per connection that was made) of a server that talks so."""
    connections: list[int] = []

    async def on_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(len(connections))
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(on_connection, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/v1/chat", connections
    finally:
        server.close()


@pytest.fixture
async def transport() -> AsyncIterator[LeanTransport]:
    made = LeanTransport()
    yield made
    await made.close()


async def read_request(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    [length] = [
        int(line.partition(b":")[2])
        for line in head.split(b"\r\n")
        if line.startswith(b"content-length:")
    ]
    return head, await reader.readexactly(length)


def answering(*answers: bytes) -> Talk:
    """Each request of a connection gets the next of these bytes; after the last it is closed."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await read_request(reader)
            writer.write(answer)
            await writer.drain()

    return talk


def whole(body: bytes, more: bytes = b"") -> bytes:
    return OK + more + b"content-length: %d\r\n\r\n" % len(body) + body


async def ask(
    transport: LeanTransport,
    url: str,
    body: bytes = b"{}",
    first_byte_seconds: float = 5.0,
    total_seconds: float = 5.0,
) -> tuple[int, bytes]:
    async with transport.send(
        url,
        headers={"authorization": "Bearer k"},
        body=body,
        first_byte_seconds=first_byte_seconds,
        total_seconds=total_seconds,
    ) as answer:
        return answer.status, await answer.body()


async def test_a_request_is_sent_as_it_was_given(transport: LeanTransport) -> None:
    seen: list[tuple[bytes, bytes]] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await read_request(reader))
        writer.write(whole(b"[]"))

    async with serving(talk) as (url, _):
        assert await ask(transport, url + "?api-version=1", b'{"a":1}') == (200, b"[]")

    [(head, body)] = seen
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /v1/chat?api-version=1 HTTP/1.1"
    assert lines[1] == f"host: {url.split('/')[2]}"
    assert {"content-length: 7", "authorization: Bearer k"} <= set(lines)
    assert body == b'{"a":1}'


async def test_a_connection_is_used_again_and_answers_do_not_mix(transport: LeanTransport) -> None:
    async with serving(answering(whole(b"one"), whole(b"two"), whole(b"three"))) as (url, made):
        said = [(await ask(transport, url))[1] for _ in range(3)]

    assert said == [b"one", b"two", b"three"]
    assert len(made) == 1


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
async def test_however_the_bytes_are_split_the_answer_is_the_same(
    transport: LeanTransport, size: int
) -> None:
    data = OK + b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n"

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        for at in range(0, len(data), size):
            writer.write(data[at : at + size])
            await writer.drain()
            await asyncio.sleep(0)

    async with serving(talk) as (url, _):
        assert await ask(transport, url) == (200, b"hello world")


async def test_an_interim_answer_is_passed_over(transport: LeanTransport) -> None:
    async with serving(answering(b"HTTP/1.1 100 Continue\r\n\r\n" + whole(b"ok"))) as (url, _):
        assert await ask(transport, url) == (200, b"ok")


async def test_an_answer_without_a_length_ends_with_its_connection(
    transport: LeanTransport,
) -> None:
    async with serving(answering(OK + b"\r\nall of it")) as (url, made):
        assert await ask(transport, url) == (200, b"all of it")
        assert await ask(transport, url) == (200, b"all of it")

    assert len(made) == 2


@pytest.mark.parametrize(
    "cut",
    [
        b"",
        b"HTTP/1.1 200",
        OK,
        OK + b"content-length: 10\r\n\r\nhalf",
        OK + b"transfer-encoding: chunked\r\n\r\n5\r\nhel",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        OK + b"content-length: x\r\n\r\n",
        OK + b"x: " + b"y" * 70_000 + b"\r\n\r\n",
    ],
)
async def test_an_answer_that_is_cut_or_none_is_a_lost_connection(
    transport: LeanTransport, cut: bytes
) -> None:
    async with serving(answering(cut)) as (url, _):
        with pytest.raises(ConnectionLost):
            await ask(transport, url)


async def test_after_a_close_the_next_request_has_a_new_connection(
    transport: LeanTransport,
) -> None:
    async with serving(answering(whole(b"x", b"connection: close\r\n"))) as (url, made):
        await ask(transport, url)
        await ask(transport, url)

    assert len(made) == 2


async def test_bytes_that_nobody_asked_for_end_a_connection(transport: LeanTransport) -> None:
    async with serving(answering(whole(b"x") + whole(b"smuggled"), b"")) as (url, made):
        assert await ask(transport, url) == (200, b"x")

    async with serving(answering(whole(b"y"))) as (url, made):
        assert await ask(transport, url) == (200, b"y")
        assert len(made) == 1


async def test_nobody_who_listens_is_no_connection(transport: LeanTransport) -> None:
    async with serving(answering()) as (url, _):
        pass

    with pytest.raises(ConnectFailed):
        await ask(transport, url)


@pytest.mark.parametrize("url", ["ftp://x/v1", "http:///v1", "http://x/a b", "http://x/\r\ny: z"])
async def test_an_address_that_is_none_is_refused_before_anything_is_sent(
    transport: LeanTransport, url: str
) -> None:
    with pytest.raises(ConnectFailed):
        await ask(transport, url)


@pytest.mark.parametrize("value", ["a\r\nx: y", "a\nb", "a\rb"])
async def test_a_header_cannot_bring_another_one(transport: LeanTransport, value: str) -> None:
    with pytest.raises(ConnectFailed):
        transport.send(
            "http://127.0.0.1:1/",
            headers={"x-key": value},
            body=b"",
            first_byte_seconds=1,
            total_seconds=1,
        )


async def test_who_says_nothing_in_time_is_too_late(transport: LeanTransport) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(talk) as (url, _):
        with pytest.raises(TimedOut, match="no answer within"):
            await ask(transport, url, first_byte_seconds=0.05)


async def test_who_never_ends_is_too_late(transport: LeanTransport) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(OK + b"transfer-encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"1\r\nx\r\n")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with serving(talk) as (url, _):
        with pytest.raises(TimedOut, match="took too long"):
            await ask(transport, url, total_seconds=0.1)


async def test_a_redirect_is_an_answer_and_is_not_followed(transport: LeanTransport) -> None:
    moved = b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"
    async with serving(answering(moved)) as (url, _):
        assert await ask(transport, url) == (302, b"")


@pytest.mark.parametrize("name", ["gzip", "deflate"])
async def test_a_packed_answer_is_unpacked_although_none_was_asked_for(
    transport: LeanTransport, name: str
) -> None:
    plain = b'{"a": 1}' * 1000
    packed = gzip.compress(plain) if name == "gzip" else zlib.compress(plain)
    answer = whole(packed, b"Content-Encoding: " + name.encode() + b"\r\n")

    async with serving(answering(answer, answer)) as (url, made):
        assert await ask(transport, url) == (200, plain)
        assert await ask(transport, url) == (200, plain)

    assert len(made) == 1


async def test_a_packed_answer_that_unpacks_to_too_much_is_refused(
    transport: LeanTransport,
) -> None:
    bomb = gzip.compress(bytes(100 * 1024 * 1024))
    async with serving(answering(whole(bomb, b"content-encoding: gzip\r\n"))) as (url, _):
        with pytest.raises(UnusableAnswer):
            await ask(transport, url)


async def test_a_packing_that_we_do_not_know_is_refused(transport: LeanTransport) -> None:
    async with serving(answering(whole(b"?", b"content-encoding: br\r\n"))) as (url, _):
        with pytest.raises(UnusableAnswer):
            await ask(transport, url)


async def test_a_stream_that_was_heard_out_keeps_its_connection(transport: LeanTransport) -> None:
    """The reader leaves at the last event, before the bytes that say that it was the last."""
    start = OK + b"transfer-encoding: chunked\r\n\r\n6\r\n[DONE]\r\n"

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            await read_request(reader)
            writer.write(start)
            await writer.drain()
            await asyncio.sleep(0.02)
            writer.write(b"0\r\n\r\n")

    async with serving(talk) as (url, made):
        for _ in range(2):
            async with _opened(transport, url) as answer:
                assert await anext(answer.chunks) == b"[DONE]"
            await asyncio.sleep(0.06)

    assert len(made) == 1


async def test_a_stream_that_was_left_takes_its_connection_along(transport: LeanTransport) -> None:
    closed = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(OK + b"transfer-encoding: chunked\r\n\r\n1\r\nx\r\n")
        await writer.drain()
        try:
            await reader.read()
        finally:
            closed.set()

    async with serving(talk) as (url, _):
        with pytest.raises(RuntimeError):
            async with _opened(transport, url) as answer:
                await anext(answer.chunks)
                raise RuntimeError("the caller has left")
        await asyncio.wait_for(closed.wait(), 5)


async def test_a_cancelled_request_takes_its_connection_along(transport: LeanTransport) -> None:
    asked, closed = asyncio.Event(), asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        asked.set()
        try:
            await reader.read()
        finally:
            closed.set()

    async with serving(talk) as (url, _):
        call = asyncio.create_task(ask(transport, url))
        await asked.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.wait_for(closed.wait(), 5)
        assert transport.open == 0


async def test_a_reader_that_is_slow_holds_the_sender_back(transport: LeanTransport) -> None:
    piece, sent = b"x" * 65_536, 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await read_request(reader)
        writer.write(OK + b"content-length: %d\r\n\r\n" % (len(piece) * 1000))
        for _ in range(1000):
            writer.write(piece)
            await writer.drain()
            sent += 1

    async with serving(talk) as (url, _), _opened(transport, url) as answer:
        await asyncio.sleep(0.3)
        assert sent < 500, "the sender was stopped, long before all was sent"
        first = await anext(answer.chunks)
        assert len(first) < 20 * BUFFER_BYTES_MAX
        size = len(first)
        async for data in answer.chunks:
            size += len(data)

    assert (size, sent) == (len(piece) * 1000, 1000)


async def test_a_trusted_certificate_is_needed_and_its_name_is_checked(tmp_path: Path) -> None:
    certificate, key = a_certificate(tmp_path, "localhost")
    server_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server_side.load_cert_chain(certificate, key)
    trusting = ssl.create_default_context()
    trusting.load_verify_locations(certificate)
    trusted, untrusted = LeanTransport(trusting), LeanTransport()

    async with serving(answering(whole(b"one"), whole(b"two")), server_side) as (url, made):
        url = url.replace("http://127.0.0.1", "https://localhost")
        assert [await ask(trusted, url) for _ in range(2)] == [(200, b"one"), (200, b"two")]
        assert len(made) == 1
        for transport, address in (
            (untrusted, url),
            (trusted, url.replace("localhost", "127.0.0.1")),
        ):
            with pytest.raises(ConnectFailed):
                await ask(transport, address)

    await trusted.close()


def a_certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return paths


def _opened(transport: LeanTransport, url: str) -> Exchange:
    return transport.send(url, headers={}, body=b"", first_byte_seconds=5, total_seconds=20)
