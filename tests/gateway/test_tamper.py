"""A database owner who changes one byte of what was written is found out, and where."""

from __future__ import annotations

from tests.servers import Running


def test_a_changed_byte_of_the_chain_is_found_and_named(house: Running) -> None:
    house.key("--tenant", "tampered")
    [(tenant,)] = house.rows("SELECT id FROM budgets_tenant WHERE external_id = 'tampered'")
    is_postgres = "DATABASE_URL" in house.environment
    if is_postgres:
        off = "ALTER TABLE audit_entry DISABLE TRIGGER audit_entry_change"
        change = "overlay(body PLACING '\\x45'::bytea FROM length(body) - 2)"
    else:
        off = "DROP TRIGGER audit_entry_update"
        change = "CAST(substr(body, 1, length(body) - 3) || 'E' || substr(body, -2) AS BLOB)"
    where = f"WHERE tenant = {tenant} AND seq = 1"
    house.change(off, f"UPDATE audit_entry SET body = {change} {where}")

    said = house.manage("audit", "verify", status=1)

    assert f"tenant {tenant}, entry 1:" in said


def test_a_changed_posting_is_found_by_its_entry_in_the_chain(house: Running) -> None:
    key = house.key("--tenant", "cheaper", "--rpm", "0")
    _call(house, key)
    [(tenant, seq)] = house.rows(
        "SELECT tenant_id, seq FROM budgets_posting p JOIN budgets_tenant t "
        "ON t.id = p.tenant_id WHERE t.external_id = 'cheaper'"
    )
    is_postgres = "DATABASE_URL" in house.environment
    off = (
        "ALTER TABLE budgets_posting DISABLE TRIGGER budgets_posting_change"
        if is_postgres
        else "DROP TRIGGER budgets_posting_update"
    )
    house.change(off, f"UPDATE budgets_posting SET debit_nanos = 1 WHERE tenant_id = {tenant}")

    said = house.manage("audit", "verify", "--tenant", str(tenant), status=1)

    assert f"tenant {tenant}, entry {seq}: the posting of attempt" in said


def _call(house: Running, key: str) -> None:
    import httpx

    body = {"model": "sim-fixed", "messages": [{"role": "user", "content": "Hello"}]}
    headers = {"authorization": f"Bearer {key}"}
    answer = httpx.post(f"{house.url}/v1/chat/completions", headers=headers, json=body, timeout=30)
    assert answer.status_code == 200
