"""The request log, the audit and the playground as pages: whose rows, and nothing as HTML."""

from __future__ import annotations

import pytest

from audit.models import Entry
from budgets.models import ApiKey, Tenant
from gateway_project import administration
from gateway_project.console import arithmetic
from gateway_project.models import LoggedCall, Price
from gateway_project.roles import Role
from providers.types import Usage
from tests import people

EVIL = "<script>alert(1)</script>"


@pytest.fixture
def key(acme: Tenant) -> ApiKey:
    return administration.create_key(people.ACTOR, acme, "a key")[0]


def logged(key: ApiKey, call: str, *, opened_us: int = 1, **known: object) -> LoggedCall:
    return LoggedCall.objects.create(
        call=call,
        tenant_id=key.tenant_id,
        key_id=key.id,
        opened_us=opened_us,
        milliseconds=1,
        is_stream=False,
        **{"model": "sim-echo", "status": 200, "count": 1, **known},
    )


def test_the_log_shows_the_newest_first_and_leads_to_older_ones(key: ApiKey) -> None:
    alice = people.client("alice", Role.OWNER)
    for number in range(51):
        logged(key, f"call-{number:02}", opened_us=number)

    first = alice.get("/requests/").content.decode()
    older = alice.get("/requests/?older=1_" + str(LoggedCall.objects.get(opened_us=1).id))

    assert "/requests/call-50/" in first
    assert "/requests/call-00/" not in first
    assert "older=1_" in first
    assert "/requests/call-00/" in older.content.decode()
    assert "/requests/call-01/" not in older.content.decode()


def test_the_log_is_narrowed_by_a_key_as_it_begins(key: ApiKey, acme: Tenant) -> None:
    alice = people.client("alice", Role.OWNER)
    other = administration.create_key(people.ACTOR, acme, "another")[0]
    logged(key, "mine")
    logged(other, "others")

    page = alice.get("/requests/", {"key": f"{key.prefix}…"}).content.decode()
    by_id = alice.get("/requests/", {"key": key.id}).content.decode()

    assert "/requests/mine/" in page
    assert "/requests/others/" not in page
    assert "/requests/others/" not in by_id


def test_a_filter_that_means_nothing_is_named(key: ApiKey) -> None:
    alice = people.client("alice", Role.OWNER)
    logged(key, "mine")

    page = alice.get("/requests/?status=nine").content.decode()

    assert "status must read like 200 or 4xx." in page
    assert "/requests/mine/" not in page


def test_counted_refusals_are_told_in_full_with_the_limits_as_they_stand(key: ApiKey) -> None:
    alice = people.client("alice", Role.OWNER)
    administration.set_budget(people.ACTOR, key.tenant, "day", 1_000_000_000)
    logged(key, "refused", status=429, code="insufficient_quota", message="Too dear.", count=7)

    table = alice.get("/requests/").content.decode()
    page = alice.get("/requests/refused/").content.decode()

    assert "×7" in table
    assert "Too dear." in page
    assert "How these limits stand now" in page
    assert "limit <span" in page


def test_what_callers_write_is_text_in_the_log_and_in_the_command(key: ApiKey) -> None:
    alice = people.client("alice", Role.OWNER)
    logged(key, "evil", model=f"'; rm -rf ~ {EVIL}", end_user=EVIL, message=EVIL, code="x")

    table = alice.get("/requests/").content.decode()
    page = alice.get("/requests/evil/").content.decode()

    assert EVIL not in table + page
    assert "&#x27;&quot;&#x27;&quot;&#x27;; rm -rf ~" in page


def test_somebody_elses_request_does_not_exist(key: ApiKey, globex: Tenant) -> None:
    charlie = people.client("charlie", Role.OWNER, globex)
    logged(key, "mine")

    table = charlie.get("/requests/?tenant=acme").content.decode()

    assert "/requests/mine/" not in table
    assert "acme" not in charlie.get("/requests/").content.decode()
    assert charlie.get("/requests/mine/").status_code == 404


def test_a_viewer_has_no_request_log(acme: Tenant) -> None:
    bob = people.client("bob", Role.VIEWER, acme)

    assert bob.get("/requests/").status_code == 403
    assert bob.get("/audit/").status_code == 403
    assert bob.post("/audit/verify/").status_code == 403


def test_the_arithmetic_is_exact_and_rounds_up_once() -> None:
    rates = {"input_mtok": {"base": "0.15", "tiers": [[200, "0.3"]]}, "output_mtok": "0.6"}
    price = Price(id=1, provider="simulator", model="m", rates={**rates, "request": "0.01"})
    usage = Usage(input_tokens=201, cache_read_tokens=100, output_tokens=7)

    written = arithmetic.written_out(usage, price)

    assert written is not None
    assert [(line.words, line.tokens, line.rate, line.amount) for line in written.lines] == [
        ("Input", 101, "0.30", "0.0000303"),
        ("Cached input", 100, "0.30", "0.00003"),
        ("Output", 7, "0.60", "0.0000042"),
        ("Request", None, "0.01", "0.01"),
    ]
    assert written.exact == "0.0100645"
    assert written.charged_nanos == 10_064_500


def test_an_auditor_of_a_tenant_reads_its_chain_and_no_other(acme: Tenant, globex: Tenant) -> None:
    anna = people.client("anna", Role.AUDITOR, acme)

    page = anna.get("/audit/").content.decode()

    assert "tenant.create" in page
    assert "globex" not in page
    assert "The installation" not in page
    assert anna.get("/audit/?tenant=globex").status_code == 404
    assert anna.get("/audit/?tenant=_system").status_code == 404
    assert anna.get(f"/audit/{globex.id}/0/").status_code == 404
    assert anna.get("/audit/0/0/").status_code == 403


def test_an_entry_shows_what_was_changed_and_its_own_bytes(acme: Tenant) -> None:
    alice = people.client("alice", Role.OWNER)
    administration.update_tenant(people.ACTOR, acme, name=f"New {EVIL}")
    entry = Entry.objects.filter(tenant=acme.id).order_by("-seq")[0]

    page = alice.get(f"/audit/{acme.id}/{entry.seq}/").content.decode()

    assert "<del>Acme</del>" in page
    assert "<ins>New &lt;script&gt;" in page
    assert EVIL not in page
    assert bytes(entry.hash).hex() in page
    assert "&quot;action&quot;:&quot;tenant.update&quot;" in page


def test_entries_are_found_by_action_actor_and_words(acme: Tenant) -> None:
    alice = people.client("alice", Role.OWNER)
    administration.create_key("user:ann", acme, "a telling name")

    found = alice.get("/audit/?tenant=acme&action=key.&actor=ann&q=TELLING").content.decode()
    nothing = alice.get("/audit/?tenant=acme&action=key.&q=other").content.decode()

    assert "key.create" in found
    assert "tenant.create" not in found
    assert "No entry of this chain fits." in nothing


def test_the_playground_offers_routes_and_keeps_no_key(acme: Tenant) -> None:
    bob = people.client("bob", Role.VIEWER, acme)
    administration.set_route(people.ACTOR, EVIL, [("simulator", "sim-echo", None)])

    page = bob.get("/playground/").content.decode()

    assert EVIL not in page
    assert "&lt;script&gt;" in page
    assert 'type="password" id="api-key" autocomplete="off"' in page
    assert "name=" not in page.partition('id="playground"')[2]
