"""The API's description: the OpenAPI document and the page to try it out, for whoever is let in."""

from __future__ import annotations

from typing import Any

from csp.constants import UNSAFE_INLINE
from csp.decorators import csp_update
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import method_decorator
from drf_spectacular.renderers import (
    OpenApiJsonRenderer,
    OpenApiJsonRenderer2,
    OpenApiYamlRenderer,
    OpenApiYamlRenderer2,
)
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request

from .base import BrowserAuthentication, TokenAuthentication


class Document(SpectacularAPIView):
    """JSON or, with `?format=yaml`, YAML."""

    renderer_classes = [  # noqa: RUF012  # as its parent has it
        OpenApiJsonRenderer2,
        OpenApiJsonRenderer,
        OpenApiYamlRenderer,
        OpenApiYamlRenderer2,
    ]
    authentication_classes = (TokenAuthentication, BrowserAuthentication)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.user is None:
            raise NotAuthenticated("An admin token is needed: Authorization: Bearer tga_...")


@method_decorator(csp_update({"style-src": [UNSAFE_INLINE]}), name="dispatch")
class Docs(SpectacularSwaggerSplitView):
    """Swagger's page, with its scripts from here; its styles are written by its scripts."""

    authentication_classes = ()  # below; its template wants the session's user
    url_name = "api_schema"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        answer: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return answer
