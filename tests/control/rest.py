"""The management API as a script calls it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from budgets.models import Tenant
from tests import people


@dataclass
class Api:
    """A program with a token; `get("keys", tenant="acme")`, `post("keys", {...})`."""

    script: people.Script
    client: Client = field(default_factory=Client)

    def get(self, path: str, **query: Any) -> Any:
        answer: Any = self.client.get(f"/api/{path}", query, headers=self.script.headers)
        return answer

    def send(self, method: str, path: str, body: Any = None) -> Any:
        answer: Any = self.client.generic(
            method,
            f"/api/{path}",
            b"" if body is None else _bytes(body),
            content_type="application/json",
            headers=self.script.headers,
        )
        return answer

    def post(self, path: str, body: Any = None) -> Any:
        return self.send("POST", path, body)

    def put(self, path: str, body: Any = None) -> Any:
        return self.send("PUT", path, body)

    def patch(self, path: str, body: Any = None) -> Any:
        return self.send("PATCH", path, body)

    def delete(self, path: str) -> Any:
        return self.send("DELETE", path)


def document() -> dict[str, Any]:
    """The OpenAPI document as it is served."""
    made = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return dict(made)


def api(of: Tenant | None = None, *scopes: str) -> Api:
    """Everything in all tenants, unless something else is asked for."""
    return Api(people.script(of, *scopes))


def error(answer: Any) -> tuple[int, str | None]:
    """(status, the parameter that it names) of an answer in the one shape of errors."""
    document = read(answer)
    assert set(document) == {"error"}
    assert set(document["error"]) == {"message", "type", "param", "code"}
    return answer.status_code, document["error"]["param"]


def read(answer: Any) -> Any:
    return json.loads(answer.content)


def _bytes(body: Any) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body).encode()
