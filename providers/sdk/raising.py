"""An error of `errors.py` as the exception that a caller sees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from ..errors import ProviderError
from . import failures

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


def exception_for(
    error: ProviderError,
    model: str | None = None,
    provider: str | None = None,
    headers: Mapping[str, str] = NO_HEADERS,
) -> Exception:
    """The room of exceptions is entered only here, and only when something has failed."""
    from .. import exceptions  # it imports openai where that is installed, which is dear

    kind = getattr(exceptions, failures.name_of(error))
    status = failures.status_of(error)
    made: Exception = kind(
        f"{kind.__name__}: {error.message}",
        model=model,
        llm_provider=provider,
        response=exceptions.ErrorResponse(status, dict(headers)) if status else None,
        headers=dict(headers),
        status_code=status,
        code=error.code,
        param=error.param,
    )
    made.__cause__ = error
    return made


@contextmanager
def named_errors() -> Iterator[None]:
    """Around a public function that asks no provider; also as its decorator."""
    try:
        yield
    except ProviderError as error:
        raise exception_for(error) from error
