"""Routes and credentials by REST: where calls go, and a secret that never comes back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from budgets.models import Tenant
from gateway_project import vault
from gateway_project.models import Credential
from tests.control.chain import told
from tests.control.rest import api, error, read

SECRET = "sk-never-to-be-seen-again"
PLACE = {"provider": "simulator", "base_url": "http://127.0.0.1:9/v1"}
ROUTE = {"targets": [{"provider": "simulator", "model": "sim-echo"}]}


@pytest.fixture
def provider() -> Iterator[str]:
    """A provider that takes one secret."""

    class Models(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_known = self.headers["authorization"] == f"Bearer {SECRET}"
            is_known = is_known and self.path == "/v1/models"
            self.send_response(200 if is_known else 401)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Models)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_secret_goes_in_and_never_comes_out() -> None:
    root = api()

    made = root.put("credentials/main", {**PLACE, "secret": SECRET})

    assert made.status_code == 201
    assert read(made) == {"name": "main", **PLACE, "has_secret": True}
    said = [root.get("credentials/main"), root.get("credentials"), root.get("whoami"), made]
    assert SECRET not in "".join(answer.content.decode() for answer in said)
    assert SECRET not in str(told())
    sealed = bytes(Credential.objects.get(name="main").sealed_key)
    assert SECRET.encode() not in sealed
    assert vault.unseal(sealed) == SECRET


def test_a_new_address_does_not_inherit_the_secret() -> None:
    root = api()
    root.put("credentials/main", {**PLACE, "secret": SECRET})

    moved = root.put("credentials/main", {**PLACE, "base_url": "http://evil.example/v1"})
    same = root.put("credentials/main", PLACE)

    assert error(moved) == (400, "secret")
    assert (same.status_code, read(same)["has_secret"]) == (200, True)
    assert error(root.put("credentials/other", PLACE)) == (400, "secret")


@pytest.mark.parametrize(
    "address",
    [
        "ftp://host/v1",
        "http://user:password@host/v1",
        "http://user@host/v1",
        "https://host/v1?key=1",
        "https://host/v1#part",
        "https://host/v1?",
        "http://",
        "http://host:port/v1",
        "http://host:99999/v1",
        "http://[::1/v1",
        "http://ho st/v1",
        "http://host\\@other/v1",
        "http://höst/v1",
        "file:///etc/passwd",
        7,
    ],
)
def test_an_address_in_which_something_hides_is_refused(address: object) -> None:
    answer = api().put("credentials/main", {**PLACE, "base_url": address, "secret": SECRET})

    assert error(answer) == (400, "base_url")


def test_a_credential_in_use_stays_and_an_unused_one_is_wiped() -> None:
    root = api()
    root.put("credentials/main", {**PLACE, "secret": SECRET})
    root.put("routes/fast", {"targets": [{**ROUTE["targets"][0], "credential": "main"}]})

    in_use = root.delete("credentials/main")
    root.delete("routes/fast")
    root.put("routes/fast", ROUTE)
    unused = root.delete("credentials/main")

    assert error(in_use) == (409, None)
    assert unused.status_code == 204
    assert error(root.get("credentials/main")) == (404, None)
    assert bytes(Credential.objects.get(name="main").sealed_key) == b""
    assert told()[-1]["action"] == "credential.archive"


def test_a_credential_can_be_tried(provider: str) -> None:
    root = api()
    root.put("credentials/good", {**PLACE, "base_url": provider, "secret": SECRET})
    root.put("credentials/bad", {**PLACE, "base_url": provider, "secret": "sk-wrong-one"})
    root.put("credentials/deaf", {**PLACE, "secret": SECRET})

    good, bad, deaf = (read(root.post(f"credentials/{n}/test")) for n in ("good", "bad", "deaf"))

    assert (good["ok"], good["status"]) == (True, 200)
    assert (bad["ok"], bad["status"]) == (False, 401)
    assert (deaf["ok"], deaf["status"]) == (False, None)
    assert "sk-" not in str([good, bad, deaf])


def test_a_route_is_put_twice_and_is_the_same() -> None:
    root = api()
    wanted = {**ROUTE, "output_tokens_default": 100}

    first, second = root.put("routes/team/fast", wanted), root.put("routes/team/fast", wanted)

    assert (first.status_code, second.status_code) == (201, 200)
    assert read(first) == read(second) == read(root.get("routes/team/fast"))
    assert read(first)["targets"] == [
        {"provider": "simulator", "model": "sim-echo", "credential": None}
    ]


def test_a_changed_route_is_told_with_before_and_after() -> None:
    root = api()
    root.put("routes/fast", ROUTE)

    root.put("routes/fast", {"targets": [{"provider": "simulator", "model": "sim-fixed"}]})

    entry = told()[-1]
    assert entry["before_targets"] == ["simulator/sim-echo"]
    assert entry["after_targets"] == ["simulator/sim-fixed"]


@pytest.mark.parametrize(
    ("targets", "param"),
    [
        ([], "targets"),
        ([{"provider": "nobody", "model": "m"}], "targets.0.provider"),
        ([{"provider": "simulator"}], "targets.0.model"),
        ([{"provider": "simulator", "model": 5}], "targets.0.model"),
        ([{"provider": "simulator", "model": "m", "secret": "x"}], "targets.0.secret"),
        ([{"provider": "simulator", "model": "m", "credential": "x"}], "targets.0.credential"),
        ([{"provider": "simulator", "model": "m"}] * 11, "targets"),
        ("simulator/m", "targets"),
    ],
)
def test_targets_that_lead_nowhere_are_refused_by_name(targets: object, param: str) -> None:
    assert error(api().put("routes/fast", {"targets": targets})) == (400, param)


def test_a_key_of_one_provider_is_not_sent_in_the_name_of_another() -> None:
    root = api()
    root.put("credentials/main", {**PLACE, "secret": SECRET})
    target = {"provider": "simulator-anthropic", "model": "m", "credential": "main"}

    answer = root.put("routes/fast", {"targets": [target]})

    assert error(answer) == (400, "targets.0.credential")


def test_the_installation_belongs_to_no_tenant(acme: Tenant) -> None:
    member = api(acme)
    api().put("routes/fast", ROUTE)

    answers = [
        member.put("routes/fast", ROUTE),
        member.delete("routes/fast"),
        member.get("credentials"),
        member.put("credentials/main", {**PLACE, "secret": SECRET}),
        member.post("prices/sync"),
    ]

    assert [error(answer) for answer in answers] == [(403, None)] * 5
    assert [row["name"] for row in read(member.get("routes"))["results"]] == ["fast"]
