"""Routes, credentials and prices in the console: set by those who may, and secrets never shown."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from budgets.models import Tenant
from gateway_project import administration, probe
from gateway_project.models import Credential, Price, Route
from gateway_project.roles import Role
from tests import people, servers

SECRET = "sk-never-to-be-seen-again"
EVIL = "<script>alert(1)</script>"
ROUTE = {
    "name": "fast",
    "output_tokens_default": "100",
    "order_0": "2",
    "provider_0": "simulator",
    "model_0": "sim-echo",
    "order_1": "1",
    "provider_1": "simulator-anthropic",
    "model_1": "sim-fixed",
}
CREDENTIAL = {
    "name": "own",
    "provider": "simulator",
    "base_url": "http://127.0.0.1:9/v1",
    "secret": SECRET,
}


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A simulator's process; its address."""
    data: Path = tmp_path_factory.mktemp("simulator")
    command = [sys.executable, "-m", "providers.simulator", "--data", str(data)]
    process = subprocess.Popen(command, cwd=servers.ROOT)
    known = data / "simulator.json"
    servers.wait_until(known.exists, servers.START_SECONDS)
    yield json.loads(known.read_text())["url"]
    process.terminate()
    process.wait(30)


def made(base_url: str, secret: str = SECRET, provider: str = "simulator") -> Credential:
    return administration.set_credential(
        people.ACTOR, "own", provider, base_url=base_url, secret=secret
    )


def test_an_owner_makes_a_route_whose_targets_stand_in_the_order_given() -> None:
    alice = people.client("alice", Role.OWNER)

    answer = alice.post("/new/route/", ROUTE)

    assert answer.status_code == 302
    route = Route.objects.get(name="fast")
    assert [str(target) for target in route.targets.all()] == [
        "simulator-anthropic/sim-fixed",
        "simulator/sim-echo",
    ]
    assert route.output_tokens_default == 100


def test_a_target_without_a_price_is_warned_of() -> None:
    alice = people.client("alice", Role.OWNER)

    page = alice.post("/new/route/", ROUTE, follow=True).content.decode()

    assert "simulator/sim-echo has no price" in page
    assert "no price: refused" in page


def test_a_route_needs_whole_targets_and_credentials_of_their_provider() -> None:
    alice = people.client("alice", Role.OWNER)
    made("http://127.0.0.1:9/v1")
    half = {**ROUTE, "model_0": "", "credential_1": "own"}

    page = alice.post("/new/route/", half).content.decode()

    assert "needs both a provider and a model" in page
    assert "own is a credential of simulator" in page
    assert not Route.objects.exists()


def test_a_route_is_changed_and_archived() -> None:
    alice = people.client("alice", Role.OWNER)
    alice.post("/new/route/", ROUTE)
    route = Route.objects.get()

    form = alice.get(f"/routes/{route.id}/change/").content.decode()
    alice.post(f"/routes/{route.id}/change/", {**ROUTE, "provider_1": "", "model_1": ""})
    changed = [str(target) for target in route.targets.all()]
    alice.post(f"/routes/{route.id}/archive/")

    assert "sim-fixed" in form
    assert changed == ["simulator/sim-echo"]
    route.refresh_from_db()
    assert not route.is_active


def test_a_viewer_reads_routes_and_changes_none(acme: Tenant) -> None:
    bob = people.client("bob", Role.VIEWER, acme)
    route = administration.set_route(people.ACTOR, "fast", [("simulator", "sim-echo", None)])

    page = bob.get("/routes/").content.decode()

    assert "simulator/sim-echo" in page
    assert "/change/" not in page
    assert bob.post(f"/routes/{route.id}/archive/").status_code == 403
    assert bob.get("/new/route/").status_code == 403
    assert bob.get("/credentials/").status_code == 403


def test_what_a_target_is_called_is_escaped() -> None:
    alice = people.client("alice", Role.OWNER)
    administration.set_route(people.ACTOR, "evil", [("simulator", EVIL, None)])

    page = alice.get("/routes/").content.decode()

    assert EVIL not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_secret_goes_in_and_is_never_shown() -> None:
    alice = people.client("alice", Role.OWNER)

    answer = alice.post("/new/credential/", CREDENTIAL, follow=True)
    credential = Credential.objects.get(name="own")
    form = alice.get(f"/credentials/{credential.id}/change/")
    wrong = alice.post("/new/credential/", CREDENTIAL)

    assert credential.sealed_key
    assert SECRET not in answer.content.decode() + form.content.decode() + wrong.content.decode()
    assert "There is a credential of this name" in wrong.content.decode()


def test_an_empty_secret_keeps_the_key_unless_the_address_is_new() -> None:
    alice = people.client("alice", Role.OWNER)
    credential = made("http://127.0.0.1:9/v1")
    before = bytes(credential.sealed_key)
    same = {**CREDENTIAL, "secret": ""}
    path = f"/credentials/{credential.id}/change/"

    kept = alice.post(path, same)
    moved = alice.post(path, {**same, "base_url": "http://127.0.0.1:10/v1"})

    credential.refresh_from_db()
    assert kept.status_code == 302
    assert "needs its own secret" in moved.content.decode()
    assert bytes(credential.sealed_key) == before
    assert credential.base_url == "http://127.0.0.1:9/v1"


def test_an_address_in_which_something_hides_is_refused() -> None:
    alice = people.client("alice", Role.OWNER)

    page = alice.post("/new/credential/", {**CREDENTIAL, "base_url": "https://a@evil.example"})

    assert "without a user" in page.content.decode()
    assert not Credential.objects.exists()


def test_a_credential_in_use_is_not_archived() -> None:
    alice = people.client("alice", Role.OWNER)
    credential = made("http://127.0.0.1:9/v1")
    administration.set_route(people.ACTOR, "fast", [("simulator", "sim-echo", credential)])

    page = alice.post(f"/credentials/{credential.id}/archive/").content.decode()

    assert "is used by fast" in page
    assert Credential.objects.get().is_active


@pytest.mark.parametrize(("provider", "path"), [("simulator", "/v1"), ("simulator-anthropic", "")])
def test_a_credential_that_works_says_so(simulator: str, provider: str, path: str) -> None:
    alice = people.client("alice", Role.OWNER)
    credential = made(f"{simulator}{path}", provider=provider)

    answer = alice.post(
        f"/credentials/{credential.id}/test/", headers={"hx-request": "true"}
    ).content.decode()

    assert "The provider lists 1 model." in answer
    assert SECRET not in answer


def test_a_credential_that_fails_says_why_without_its_key(simulator: str) -> None:
    nobody = probe.test(made("http://127.0.0.1:9/v1"))
    elsewhere = probe.test(made(f"{simulator}/nothing/here"))

    assert (nobody.ok, nobody.status) == (False, None)
    assert nobody.message == "The provider was not reached: ConnectError."
    assert (elsewhere.ok, elsewhere.status) == (False, 404)
    assert elsewhere.message == "The provider answered with status 404: Not found."


def test_prices_are_overridden_with_tiers_and_restored() -> None:
    alice = people.client("alice", Role.OWNER)
    administration.sync_prices(people.ACTOR)
    listed = Price.objects.get(provider="simulator", model="sim-echo", valid_to=None)

    alice.post(
        f"/prices/{listed.id}/override/", {"input_mtok": "3; 200,000: 6", "output_mtok": "$9.5"}
    )
    own = Price.objects.get(provider="simulator", model="sim-echo", valid_to=None)
    shown = alice.get(f"/prices/{own.id}/").content.decode()
    form = alice.get(f"/prices/{own.id}/override/").content.decode()
    alice.post(f"/prices/{own.id}/restore/")

    assert own.rates == {
        "input_mtok": {"base": "3", "tiers": [[200000, "6"]]},
        "output_mtok": "9.5",
    }
    assert "$3, $6 above 200,000 input tokens" in shown
    assert 'value="3; 200000: 6"' in form
    back = Price.objects.get(provider="simulator", model="sim-echo", valid_to=None)
    assert back.rates == listed.rates


@pytest.mark.parametrize("text", ["-1", "1e3", "NaN", "1; x: 2", "1; 0: 2", "free"])
def test_a_rate_that_is_no_price_is_refused(text: str) -> None:
    alice = people.client("alice", Role.OWNER)
    new = {"provider": "simulator", "model": "m", "input_mtok": text}

    answer = alice.post("/new/price/", new)

    assert "field-error" in answer.content.decode()
    assert not Price.objects.exists()


def test_the_installed_list_is_taken_over_with_a_count() -> None:
    alice = people.client("alice", Role.OWNER)

    first = alice.post("/prices/sync/", follow=True).content.decode()
    again = alice.post("/prices/sync/", follow=True).content.decode()

    assert "prices added, 0 closed" in first
    assert "nothing was new" in again


def test_prices_are_found_by_provider_and_words() -> None:
    bob = people.client("bob", Role.VIEWER)
    administration.sync_prices(people.ACTOR)

    page = bob.get("/prices/?provider=simulator&q=FIXED").content.decode()

    assert "1 prices in force" in page
    assert "sim-fixed" in page
    assert "/prices/sync/" not in page
    assert bob.post("/prices/sync/").status_code == 403
