"""The OpenAPI document is true: whatever is sent, the answer is one that the document promises."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import schemathesis
from django.contrib.auth.models import User
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from schemathesis.checks import not_a_server_error
from schemathesis.generation.case import Case
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from budgets.models import Tenant
from gateway_project import administration
from gateway_project.models import LoggedCall, Membership
from gateway_project.roles import Role
from tests import people
from tests.control.rest import document

TRUE = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
STRICT = [*TRUE, negative_data_rejection, unsupported_method]
ENOUGH = hypothesis.settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(hypothesis.HealthCheck),
)

QUICK = schemathesis.Config.from_dict({"phases": {"coverage": {"enabled": False}}})

api = schemathesis.openapi.from_dict(document())
rows = schemathesis.openapi.from_dict(document(), config=QUICK)
api.app = rows.app = get_wsgi_application()


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """Requests come to the handler itself, which would close the test's connection after each."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def known(acme: Tenant) -> dict[str, Any]:
    """One of everything, by the names of the parts of paths."""
    key, _ = administration.create_key(people.ACTOR, acme, "first")
    administration.set_budget(people.ACTOR, acme, "day", 10**9)
    administration.set_credential(
        people.ACTOR, "known", "simulator", base_url="http://127.0.0.1:9/v1", secret="s3cret"
    )
    administration.set_route(people.ACTOR, "known", [("simulator", "sim-echo", None)])
    administration.override_price(people.ACTOR, "simulator", "x", {"input_mtok": "1"}, None)
    ann = User.objects.create(username="ann")
    Membership.objects.create(user=ann, tenant=acme, role=Role.VIEWER)
    LoggedCall.objects.create(
        call="known", tenant_id=acme.id, key_id=key.id, model="m", tags="a=b", status=200,
        is_stream=False, opened_us=1, milliseconds=1, count=1,
    )  # fmt: skip
    return {"external_id": "acme", "id": key.id, "name": "known", "call": "known", "period": "day"}


@pytest.fixture
def token() -> people.Script:
    return people.script()


@api.parametrize()
@ENOUGH
def test_generated_requests_get_the_answers_of_the_document(
    case: Case[Any], token: people.Script
) -> None:
    case.call_and_validate(headers=token.headers, checks=STRICT)


@rows.include(path_regex=r"\{").parametrize()
@ENOUGH
def test_generated_requests_about_what_is_there_get_the_answers_of_the_document(
    case: Case[Any], token: people.Script, known: dict[str, Any]
) -> None:
    case.path_parameters = {name: known[name] for name in case.path_parameters}

    case.call_and_validate(headers=token.headers, checks=TRUE)
