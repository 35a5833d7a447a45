"""The door of embeddings, `/v1/embeddings`, in front of every provider that has them."""

from __future__ import annotations

from providers import embeddings
from providers.errors import BadRequest, ProviderError

from . import calls
from .consumers import Door
from .errors import of_bad_request, of_provider


class Embeddings(Door):
    """Texts or tokens into vectors, as numbers or as base64. Nothing is streamed."""

    async def _answer(self, body: bytes) -> None:
        try:
            request = embeddings.parse_request(self.document(body))
        except BadRequest as error:
            raise of_bad_request(error) from error
        response, receipt = await calls.embed(request, self.bearer, self.tags)
        try:
            document = embeddings.write_response(response, request.encoding)
        except ProviderError as error:
            raise of_provider(error, receipt.provider) from error
        await self.send_json(document, receipt.headers())
