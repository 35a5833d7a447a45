"""What recorded answers cost: our figures against the price list's own calculation.

`python -m tests.costs FOLDER` reads every vcr cassette below FOLDER. Our dialects read the usage
of each answer and our pricing charges it; the list's package reads and charges the same document
by itself. Ours must be its exact decimal, rounded up once to whole nano-dollars, at the time of
the answer and today, and the price must be found by the model's name alone.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import ROUND_CEILING, Decimal
from functools import cache
from pathlib import Path
from typing import Any

from genai_prices import data
from genai_prices.types import ModelInfo, Provider
from genai_prices.types import Usage as Theirs

from providers.client import DIALECTS
from providers.errors import ProviderError
from providers.price_source import RENAMED, PriceRow, matches, read_prices
from providers.pricing import Price, PriceUnknown, cost
from providers.sse import SseSplitter
from providers.types import Usage
from tests.recordings import Exchange, Skipped, cassette, exchanges

FLAVORS = {
    "openai_chat": ("chat", "default"),
    "openai_responses": ("responses",),
    "anthropic_messages": ("anthropic", "default"),
}


@dataclass
class Count:
    compared: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    failed: dict[str, list[str]] = field(default_factory=dict)


def compare(folder: Path, now: datetime) -> Count:
    """Every recorded answer below `folder` that has usage and a price."""
    count = Count()
    for path in sorted(folder.rglob("*.yaml")):
        for exchange in exchanges(path, cassette(path)):
            try:
                provider = _provider(exchange)
                reason = _compare(exchange, provider, now)
            except Skipped as skipped:
                count.skipped[str(skipped)] += 1
                continue
            count.compared[provider.id] += 1
            if reason is not None:
                count.failed.setdefault(provider.id, []).append(f"{exchange.where}: {reason}")
    return count


def _provider(exchange: Exchange) -> Provider:
    if exchange.status != 200 or not exchange.body:
        raise Skipped("not an answer")
    for provider in data.providers:
        if provider.api_pattern and _starts(provider.api_pattern, exchange.uri):
            return provider
    raise Skipped("the list does not know the provider")


@cache
def _starts(pattern: str, uri: str) -> bool:
    return re.match(pattern, uri) is not None


def _compare(exchange: Exchange, provider: Provider, now: datetime) -> str | None:
    document = _final_document(exchange)
    name, theirs = _their_usage(document, provider, exchange.dialect)
    owner, model = _their_model(name, provider)
    try:
        ours = _our_usage(exchange)
    except ProviderError as error:
        raise Skipped("the answer is an error") from error
    if ours is None:
        return "we read no usage"
    created = document.get("created")
    asked_at = datetime.fromtimestamp(created, UTC) if isinstance(created, int) else now
    for at in (asked_at, now):
        exact = _their_cost(model, theirs, document, at)
        row = _our_row(owner, name, at.date())
        if row.model != model.id:
            return f"{name}: we find the price of {row.model}, the list that of {model.id}"
        charged = _our_cost(row, ours, at)
        if charged is None:
            raise Skipped("the list has no rate for the model")
        expected = int((exact * 10**9).to_integral_value(ROUND_CEILING))
        if charged != expected:
            return f"{name} on {at}: ours {charged}, theirs {exact} dollars, {ours}"
    return None


def _our_usage(exchange: Exchange) -> Usage | None:
    dialect = DIALECTS[exchange.dialect]
    if not exchange.is_stream:
        response: Usage | None = dialect.read_response(json.loads(exchange.body)).usage
        return response
    splitter, reader, usage = SseSplitter(), dialect.StreamReader(), None
    for event in [*splitter.feed(exchange.body), *splitter.close()]:
        for chunk in reader.feed(event):
            usage = chunk.usage or usage
    return usage


def _our_row(provider: Provider, name: str, day: date) -> PriceRow:
    """As the gateway finds it: the model of that name, else the first whose rule covers it."""
    rows = _rows(day)[RENAMED.get(provider.id, provider.id)]
    exact = [row for row in rows if row.model == name]
    return (exact or [row for row in rows if matches(row.match, name)])[0]


@cache
def _rows(day: date) -> dict[str, list[PriceRow]]:
    found: dict[str, list[PriceRow]] = {}
    for row in read_prices(day):
        found.setdefault(row.provider, []).append(row)
    return found


def _our_cost(row: PriceRow, usage: Usage, at: datetime) -> int | None:
    try:
        return cost(usage, Price.from_row(1, row.provider, row.model, row.rates, None, None), at)
    except PriceUnknown:
        return None


def _final_document(exchange: Exchange) -> Mapping[str, Any]:
    """A whole answer, or what a stream's events say about model, usage and tier."""
    if not exchange.is_stream:
        document: Mapping[str, Any] = json.loads(exchange.body)
        return document
    found: dict[str, Any] = {"usage": {}}
    for event in _documents(exchange.body):
        message = event.get("message") or event.get("response") or event
        for name in ("model", "created", "service_tier"):
            found[name] = message.get(name) or found.get(name)
        usage = message.get("usage") or {}
        found["usage"] |= {k: v for k, v in usage.items() if v is not None}
    return {name: value for name, value in found.items() if value}


def _documents(body: bytes) -> Iterator[dict[str, Any]]:
    for line in body.decode().replace("\r\n", "\n").split("\n"):
        if line.startswith("data:") and "[DONE]" not in line:
            yield json.loads(line[5:])


def _their_usage(
    document: Mapping[str, Any], provider: Provider, dialect: str
) -> tuple[str, Theirs]:
    if not document.get("usage"):
        raise Skipped("the answer has no usage")
    for flavor in FLAVORS.get(dialect, ()):
        if any(each.api_flavor == flavor for each in provider.extractors or ()):
            name, usage = provider.extract_usage(document, api_flavor=flavor)
            return name or str(document["model"]), usage
    raise Skipped("the list cannot read this provider's answers")


def _their_model(name: str, provider: Provider) -> tuple[Provider, ModelInfo]:
    """With the provider whose model it is: some sell other providers' models at their prices."""
    model = provider.find_model(name, all_providers=data.providers)
    if model is None:
        raise Skipped("the list does not know the model")
    [owner] = [each for each in data.providers if any(m is model for m in each.models)]
    return owner, model


def _their_cost(
    model: ModelInfo, usage: Theirs, document: Mapping[str, Any], at: datetime
) -> Decimal:
    said = document["usage"]
    tier, speed = document.get("service_tier") or said.get("service_tier"), said.get("speed")
    context = {"service_tier": str(tier or ""), "speed": str(speed or "")}
    return model.get_prices(at, context).calc_price(usage)["total_price"]


def main(folder: str) -> int:
    count = compare(Path(folder), datetime.now(UTC))
    print(f"compared {count.compared.total()}: {dict(count.compared)}")
    print(f"skipped {count.skipped.total()}: {dict(count.skipped)}")
    print(f"failed {sum(map(len, count.failed.values()))}")
    for provider, lines in count.failed.items():
        for line in lines:
            print(f"  {provider}: {line}")
    return 1 if count.failed or not count.compared else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
