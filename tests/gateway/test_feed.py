"""The live feed: rings for those who are logged in, on pages of our own, and tells nothing."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.servers import Running

HELLO = {"model": "sim-echo", "messages": [{"role": "user", "content": "Hi"}]}


def listen(house: Running, cookie: str, **headers: str) -> connect:
    named = {"Origin": house.url, "Cookie": cookie, **headers}
    kept = {name: value for name, value in named.items() if value}
    return connect(f"{house.url.replace('http', 'ws')}/ws/live", additional_headers=kept)


async def spend(house: Running, key: str) -> None:
    async with httpx.AsyncClient() as client:
        headers = {"authorization": f"Bearer {key}"}
        url = f"{house.url}/v1/chat/completions"
        assert (await client.post(url, headers=headers, json=HELLO)).status_code == 200


async def ring(socket: ClientConnection, seconds: float = 5) -> str | bytes:
    return await asyncio.wait_for(socket.recv(), seconds)


async def test_a_call_rings_at_every_page_and_says_nothing_else(house: Running) -> None:
    key = house.key("--tenant", "heard")
    cookie = house.session("alice-heard")

    async with listen(house, cookie) as first, listen(house, cookie) as second:
        await asyncio.sleep(1.5)  # the first look is what later ones are held against
        await spend(house, key)

        assert await ring(first) == '{"event": "changed"}'
        assert await ring(second) == '{"event": "changed"}'


@pytest.mark.parametrize("origin", ["", "null", "https://evil.example", "http://127.0.0.1"])
async def test_a_page_of_another_origin_is_refused(house: Running, origin: str) -> None:
    cookie = house.session("alice-origin")

    with pytest.raises(InvalidStatus) as refused:
        async with listen(house, cookie, Origin=origin):
            pass

    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("cookie", ["", "tollgate_session=made-up"])
async def test_who_is_not_logged_in_is_refused(house: Running, cookie: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with listen(house, cookie):
            pass

    assert refused.value.response.status_code == 403


async def test_another_path_is_refused(house: Running) -> None:
    cookie = house.session("alice-path")

    with pytest.raises(InvalidStatus) as refused:
        headers = {"Origin": house.url, "Cookie": cookie}
        where = f"{house.url.replace('http', 'ws')}/ws/other"
        async with connect(where, additional_headers=headers):
            pass

    assert refused.value.response.status_code == 403


async def test_a_page_that_talks_is_closed(house: Running) -> None:
    cookie = house.session("alice-talks")

    async with listen(house, cookie) as socket:
        await socket.send("hello")

        with pytest.raises(ConnectionClosed) as closed:
            await ring(socket)

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008


async def test_who_loses_the_last_role_hears_nothing_more(house: Running) -> None:
    key = house.key("--tenant", "silenced")
    cookie = house.session("carol", "viewer", "silenced")

    async with listen(house, cookie) as socket:
        await asyncio.sleep(1.5)
        house.change(
            "DELETE FROM gateway_membership WHERE user_id = (SELECT id FROM auth_user "
            "WHERE username = 'carol')"
        )
        await spend(house, key)

        with pytest.raises(ConnectionClosed):
            await ring(socket)
