"""What no well-behaved client sends: refused in JSON of the one shape, and not billed."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.servers import Running

DOOR = "/v1/chat/completions"
HELLO: dict[str, Any] = {"model": "sim-echo", "messages": [{"role": "user", "content": "Hi"}]}


@pytest.fixture(scope="module")
def key(running: Running) -> str:
    return running.key("--tenant", "edge", "--rpm", "0")


@pytest.fixture(scope="module")
def client(running: Running, key: str) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    with httpx.Client(base_url=running.url, headers=headers, timeout=30) as made:
        yield made


def raw(running: Running, data: bytes) -> bytes:
    """What comes back for these very bytes, until the server closes or falls silent."""
    with socket.create_connection(("127.0.0.1", running.port), timeout=5) as connection:
        connection.sendall(data)
        answer = b""
        try:
            while piece := connection.recv(65536):
                answer += piece
        except TimeoutError:
            pass
        return answer


def assert_refused(answer: httpx.Response, status: int, code: str | None = None) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.headers["x-request-id"]
    error: dict[str, Any] = answer.json()["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert len(error["message"]) <= 500
    if code is not None:
        assert error["code"] == code
    return error


FRAMING = {
    "length and chunks": "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET",
    "two lengths": "Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
    "signed length": "Content-Length: +4\r\n\r\nabcd",
    "negative length": "Content-Length: -1\r\n\r\n",
    "hex length": "Content-Length: 0x4\r\n\r\nabcd",
    "false chunks": "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "bad chunk size": "Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
    "endless chunk size": "Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n\r\n",
    "space before colon": "X-Tenant : a\r\n\r\n",
    "NUL in a header": "X-Tenant: a\x00b\r\n\r\n",
}


@pytest.mark.parametrize("headers", FRAMING.values(), ids=FRAMING.keys())
def test_a_request_with_false_framing_is_refused_and_the_connection_closed(
    running: Running, headers: str
) -> None:
    answer = raw(running, f"POST {DOOR} HTTP/1.1\r\nHost: a\r\n{headers}".encode("latin-1"))

    assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 501"))
    assert answer.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("data", [b"\x16\x03\x01\x02\x00\x01", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"])
def test_another_protocol_gets_no_answer_but_a_refusal(running: Running, data: bytes) -> None:
    answer = raw(running, data + b"\r\n\r\n")

    assert b" 200 " not in answer


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT", "get", "X" * 1000])
def test_a_strange_method_is_refused(running: Running, method: str) -> None:
    target = "a:1" if method == "CONNECT" else DOOR
    answer = raw(running, f"{method} {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode())

    assert answer.startswith(b"HTTP/1.1 4")


BODIES: dict[str, tuple[bytes, int, str | None]] = {
    "nothing": (b"", 400, "invalid_json"),
    "null": (b"null", 400, None),
    "a list": (b"[]", 400, None),
    "a text": (b'"x"', 400, None),
    "a number": (b"1", 400, None),
    "half": (b'{"model": "sim-echo"', 400, "invalid_json"),
    "not a number": (b'{"model": "sim-echo", "temperature": NaN}', 400, "invalid_json"),
    "infinite": (b'{"model": "sim-echo", "temperature": Infinity}', 400, "invalid_json"),
    "UTF-16": (json.dumps(HELLO).encode("utf-16"), 400, "invalid_json"),
    "a byte order mark": (b"\xef\xbb\xbf" + json.dumps(HELLO).encode(), 400, "invalid_json"),
    "not UTF-8": (b'{"model": "\xff"}', 400, "invalid_json"),
    "5,000 digits": (b'{"model": "m", "seed": ' + b"9" * 5000 + b"}", 400, None),
    "nested 65 deep": (b'{"a":' * 65 + b"1" + b"}" * 65, 400, "json_too_deep"),
    "nested 100,000 deep": (b"[" * 100_000 + b"]" * 100_000, 400, "json_too_deep"),
    "too many messages": (
        json.dumps({**HELLO, "messages": HELLO["messages"] * 100_001}).encode(),
        400,
        None,
    ),
    "33 MB": (b'{"model": "' + b"x" * (33 << 20) + b'"}', 413, "request_too_large"),
}


@pytest.mark.parametrize("door", [DOOR, "/api/chat", "/api/chat/stream"])
@pytest.mark.parametrize(("body", "status", "code"), BODIES.values(), ids=BODIES.keys())
def test_a_body_that_is_no_request_is_refused(
    client: httpx.Client, door: str, body: bytes, status: int, code: str | None
) -> None:
    assert_refused(client.post(door, content=body), status, code)


def test_a_body_without_length_is_cut_off_at_the_limit(client: httpx.Client) -> None:
    pieces = (b"x" * (1 << 20) for _ in range(40))

    assert_refused(client.post(DOOR, content=pieces), 413, "request_too_large")


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "multipart/form-data", "application/json; charset=utf-16"]
)
def test_only_json_is_read(client: httpx.Client, kind: str) -> None:
    answer = client.post(DOOR, content=json.dumps(HELLO), headers={"content-type": kind})

    assert_refused(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "model",
    [
        "../../admin",
        "..%2f",
        "a?x=1",
        "a#b",
        "http://evil/",
        "\\\\evil",
        "gpt\r\nX: y",
        "🙂",
        "x" * 10_000,
        "nul\x00",
        "gpt\u200b-4o",
        "openai/../../admin",
    ],
    ids=ascii,
)
def test_a_strange_model_does_not_exist(running: Running, client: httpx.Client, model: str) -> None:
    before = len(running.journal())

    assert_refused(client.post(DOOR, json={**HELLO, "model": model}), 404, "model_not_found")
    assert len(running.journal()) == before


@pytest.mark.parametrize("name", ["Model", "MODEL", "model "])
def test_a_name_in_another_case_is_not_the_model(client: httpx.Client, name: str) -> None:
    body = {name: "sim-echo", "messages": HELLO["messages"]}

    assert assert_refused(client.post(DOOR, json=body), 400)["param"] == "model"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://0x7f.1/",
        "http://2130706433/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/",
        "http://[fec0::1]/",
        "http://100.64.0.1/",
        "http://169.254.169.254/latest",
        "http://localhost./",
        "http://a.127.0.0.1.nip.io/",
        "http://intranet/",
        "file:///etc/passwd",
        "http://user@example.com/",
        "",
    ],
)
def test_an_image_inside_a_private_network_is_refused(client: httpx.Client, url: str) -> None:
    parts = [{"type": "image_url", "image_url": {"url": url}}]
    body = {**HELLO, "messages": [{"role": "user", "content": parts}]}

    assert_refused(client.post(DOOR, json=body), 400, "url_not_allowed")


@pytest.mark.parametrize("url", ["https://example.com/a.png", "data:image/png;base64,AA=="])
def test_an_image_on_the_public_network_is_passed_on(client: httpx.Client, url: str) -> None:
    parts = [{"type": "text", "text": "Look"}, {"type": "image_url", "image_url": {"url": url}}]
    body = {**HELLO, "messages": [{"role": "user", "content": parts}]}

    assert client.post(DOOR, json=body).status_code == 200


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer x",
        "Basic dXNlcjpwYXNz",
        "Bearer  two",
        "Bearer tg_" + "a" * 38,
        "Bearer " + "x" * 10_000,
        "Bearer ké",
    ],
    ids=lambda text: ascii(text)[:20],
)
@pytest.mark.parametrize("door", [DOOR, "/api/chat", "/api/chat/stream", "/v1/models"])
def test_a_bad_key_is_refused_before_the_body_is_looked_at(
    running: Running, door: str, authorization: str
) -> None:
    method = "GET" if door == "/v1/models" else "POST"
    headers = {b"authorization": authorization.encode("latin-1")}
    body = b"not json" if method == "POST" else None
    answer = httpx.request(method, running.url + door, headers=headers, content=body)

    assert_refused(answer, 401, "invalid_api_key")


def test_a_key_in_the_address_is_not_a_key(running: Running, key: str) -> None:
    answer = httpx.post(f"{running.url}{DOOR}?api_key={key}", json=HELLO)

    assert_refused(answer, 401, "invalid_api_key")


def test_two_credentials_are_refused(running: Running, key: str) -> None:
    headers = [("authorization", f"Bearer {key}"), ("authorization", "Bearer other")]

    assert_refused(
        httpx.post(running.url + DOOR, headers=headers, json=HELLO), 400, "duplicate_credentials"
    )


@pytest.mark.parametrize(
    "path", ["/v1", "/v1/chat/completions/", "//v1/models", "/V1/models", "/nothing?<x>"]
)
def test_an_unknown_path_is_json_too(client: httpx.Client, path: str) -> None:
    assert_refused(client.get(path), 404)


@pytest.mark.parametrize("door", [DOOR, "/api/chat", "/api/chat/stream"])
def test_a_door_for_posts_refuses_a_get(client: httpx.Client, door: str) -> None:
    assert_refused(client.get(door), 405)


def test_headers_that_are_too_large_are_refused(running: Running, client: httpx.Client) -> None:
    answer = raw(
        running, b"GET /v1/models HTTP/1.1\r\nHost: a\r\nX: " + b"x" * (1 << 20) + b"\r\n\r\n"
    )

    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")
    assert client.get("/v1/models").status_code == 200


def test_a_request_id_is_kept_if_it_is_one_and_made_if_not(client: httpx.Client) -> None:
    good = client.get("/healthz", headers={"x-request-id": "abc-123"})
    bad = client.get("/healthz", headers={"x-request-id": "a b\tc"})

    assert good.headers["x-request-id"] == "abc-123"
    assert bad.headers["x-request-id"] not in {"a b\tc", ""}


def test_a_browser_of_any_origin_may_ask_by_default(client: httpx.Client) -> None:
    asks = {"origin": "https://app.example", "access-control-request-method": "POST"}

    answer = client.options(DOOR, headers=asks)

    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-headers"] == "authorization, *"
    assert "access-control-allow-credentials" not in answer.headers


def test_nothing_strange_has_left_a_hold_or_a_difference(running: Running) -> None:
    assert running.rows("SELECT count(*) FROM budgets_hold") == [(0,)]
    assert "0 differences" in running.manage("ledger", "check")


def test_no_key_and_no_traceback_is_in_the_log(running: Running, key: str) -> None:
    log = (running.data / "gateway.log").read_text()

    assert key not in log
    assert "Traceback" not in log
    for line in log.splitlines():
        json.loads(line)
