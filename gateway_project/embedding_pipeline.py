"""The story of an embeddings call: admitted, held and settled as `pipeline.py` tells it.

Only the dispatch is its own. There is no output, so the hold is for the input alone, and no model
stands in for another unless a route says so: their vectors do not compare.
"""

from __future__ import annotations

from dataclasses import replace

from providers.embeddings import EmbeddingRequest, EmbeddingResponse, client
from providers.errors import ProviderError
from providers.flow import Bus

from . import billing, pipeline
from .facts import Attempt, InputTokens, Meter
from .gateway import Gateway


async def complete(request: EmbeddingRequest, bus: Bus) -> EmbeddingResponse:
    """The vectors, booked before they are given; the usage that they tell is what was charged."""
    async with pipeline.settled(bus):
        response = await dispatch(request, bus)
    usage, _ = billing.charged(bus[Meter].current, bus[InputTokens])
    return replace(response, usage=usage)


async def dispatch(request: EmbeddingRequest, bus: Bus) -> EmbeddingResponse:
    """Ask the targets in order until one answers."""
    while True:
        attempt = bus[Meter].current
        try:
            response = await _asked(request, bus, attempt)
        except ProviderError as error:
            await pipeline.advance(request, bus, error)
            continue
        attempt.usage = response.usage
        return response


async def _asked(request: EmbeddingRequest, bus: Bus, attempt: Attempt) -> EmbeddingResponse:
    target, gateway = attempt.candidate.target, bus[Gateway]
    built = client.build(request, target)
    attempt.dropped = tuple(built.dropped)
    return await client.embed(request, built, target, gateway.transport, gateway.limits, attempt.id)
