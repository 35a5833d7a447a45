"""The benchmark's simulator and driver agree on what was sent; no time is measured here."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from benchmarks import beside, load, plot, prompts, simulator, tables, wire
from benchmarks.results import Contender


@pytest.fixture
async def address() -> AsyncIterator[str]:
    server = await asyncio.get_running_loop().create_server(simulator.Connection, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()


async def drive(url: str, model: str, *, stream: bool, speak: str = "openai") -> load.Tally:
    body = prompts.body(model, "1k", stream=stream, wire=speak)
    return await load.drive(url, "none", body, callers=3, seconds=0.2, is_stream=stream)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("path", "speak"), [("/v1/chat/completions", "openai"), ("/v1/messages", "anthropic")]
)
async def test_every_answer_of_the_simulator_is_whole_for_the_driver(
    address: str, path: str, speak: str, stream: bool
) -> None:
    tally = await drive(address + path, "mock", stream=stream, speak=speak)

    assert tally.answers > 3
    assert tally.errors == 0
    assert len(tally.latencies) == tally.answers
    assert len(tally.first_chunks) == (tally.answers if stream else 0)


async def test_a_paced_stream_has_all_its_chunks_and_its_end(address: str) -> None:
    url = f"{address}/v1/chat/completions"

    tally = await drive(url, "mock-d1-t5", stream=True)

    assert (tally.answers > 0, tally.errors) == (True, 0)


async def test_a_stream_that_breaks_off_is_no_answer(address: str) -> None:
    url = f"{address}/v1/chat/completions"

    tally = await drive(url, "mock-cut20", stream=True)

    assert tally.answers == 0
    assert tally.broken == tally.errors > 0
    assert tally.sample.startswith("HTTP/1.1 200 OK")


async def test_a_stream_without_its_own_end_is_told(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "ENDS", (b"[NEVER]",))

    tally = await drive(f"{address}/v1/chat/completions", "mock", stream=True)

    assert tally.answers == 0
    assert tally.unended == tally.errors > 0


async def test_an_error_status_is_counted_as_refused(address: str) -> None:
    tally = await drive(f"{address}/v1/chat/completions", "mock-e503", stream=False)

    assert tally.answers == 0
    assert tally.statuses == {"503": tally.refused}


async def test_the_driver_ends_where_nothing_listens() -> None:
    tally = await drive("http://127.0.0.1:9/v1/chat/completions", "mock", stream=False)

    assert (tally.answers, tally.broken > 0) == (0, True)


@pytest.mark.parametrize("size", ["1k", "10k", "400k"])
async def test_a_prompt_of_any_size_arrives(address: str, size: prompts.Size) -> None:
    body = prompts.body("mock", size)

    async with httpx.AsyncClient() as client:
        answer = await client.post(f"{address}/v1/chat/completions", content=body)

    content = answer.json()["choices"][0]["message"]["content"]
    assert content == wire.ANSWER
    said = json.loads(body)["messages"]
    assert sum(len(message["content"]) for message in said) == prompts.SIZES[size]


async def test_usage_ends_a_stream_only_where_it_was_asked_for(address: str) -> None:
    url = f"{address}/v1/chat/completions"
    asked = json.loads(prompts.body("mock", "1k", stream=True))
    unasked = {name: value for name, value in asked.items() if name != "stream_options"}

    async with httpx.AsyncClient() as client:
        with_usage = (await client.post(url, json=asked)).text
        without = (await client.post(url, json=unasked)).text

    assert with_usage.count(wire.MARK) == without.count(wire.MARK) == wire.CHUNKS
    assert f'"completion_tokens":{wire.OUTPUT_TOKENS}' in with_usage
    assert "completion_tokens" not in without


def test_a_models_name_says_what_it_does() -> None:
    assert simulator.behaviour("claude-mock-d20-t60") == simulator.Behaviour(0.02, 0.06, 200, 50)
    assert simulator.behaviour("mock-e503-cut7") == simulator.Behaviour(0.0, 0.0, 503, 7)


def test_percentiles_are_measured_values() -> None:
    found = load.percentiles([n / 1e6 for n in range(1, 101)])

    assert found == {"p50": 51.0, "p90": 91.0, "p99": 100.0, "max": 100.0}
    assert load.percentiles([]) is None


def test_a_table_is_written_between_its_markers_and_nowhere_else() -> None:
    page = f"# Before\n\n{tables.BEGIN}\nold\n{tables.END}\n\nAfter\n"

    once = tables.placed(page, r"new \1 | figures")

    assert once == f"# Before\n\n{tables.BEGIN}\n\nnew \\1 | figures\n\n{tables.END}\n\nAfter\n"
    assert tables.placed(once, "old") == tables.placed(page, "old")
    with pytest.raises(ValueError, match="no place"):
        tables.placed("# A page", "new")


def test_a_gateway_that_was_not_measured_is_named_with_the_reason() -> None:
    text = tables.side_by_side([Contender("nginx", "nothing", missing="it is not here")])

    assert text.endswith("nginx: it is not here")
    assert "| nginx |" not in text


def test_bars_are_in_the_order_of_what_they_show() -> None:
    row = {"scenario": "json-1k", "callers": 64}
    few = Contender("tollgate-sqlite", "all", rows=[row | {"cpu_us": 200.0}])
    many = Contender("other", "none", rows=[row | {"cpu_us": 9_000.0}])

    picture = plot.svg([few, many])

    assert 0 < plot.length(200, 9_000) < plot.length(9_000, 9_000) == 1
    assert picture.count("<rect") == 2
    assert (">200<" in picture, ">9,000<" in picture) == (True, True)


def test_a_ratio_is_of_runs_of_the_same_round() -> None:
    row = {"scenario": "json-1k c64", "ours": [500.0, 1000.0], "peer": [10e3, 20e3], "ratio": 20.0}

    text = beside.table(["ours 1", "peer 2"], [row])

    expected = "| json-1k c64 | 750 (500 to 1,000) | 15,000 (10,000 to 20,000) | 20.0 |"
    assert text.splitlines()[-1] == expected
