"""What is shown once: an answer that no cache and no history keeps."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.utils.cache import add_never_cache_headers

from .frame import Page


def show(page: Page, template: str, **context: Any) -> HttpResponse:
    answer = page.render(template, **context)
    add_never_cache_headers(answer)
    return answer
