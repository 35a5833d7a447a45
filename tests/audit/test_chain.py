"""The hash chain: canonical bytes as RFC 8785 says, and no change that goes unseen."""

from __future__ import annotations

from dataclasses import replace

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from audit import chain
from audit.chain import Checker, Draft, Entry, Head, NotCanonical

NOW = 1_700_000_000_000_000
ASCII = st.text(st.characters(codec="ascii"), min_size=1, max_size=20)
TEXT = st.text(max_size=50)
SCALARS = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT
DETAILS = st.dictionaries(
    ASCII.filter(lambda name: name not in chain.FIXED), SCALARS | st.lists(SCALARS, max_size=5)
)


def a_chain(count: int = 5, tenant: int = 7) -> list[Entry]:
    head, first = chain.genesis(tenant, "tollgate/test", bytes(32), NOW)
    drafts = [
        Draft(tenant, "key:1", "llm.attempt", f"attempt:{at}", "ok", {"cost_nanos": str(at)})
        for at in range(count)
    ]
    return [first, *chain.extend(head, drafts, NOW)[1]]


def check(entries: list[Entry], tenant: int = 7) -> chain.Bad | None:
    return Checker(tenant).feed((entry.seq, entry.hash, entry.body) for entry in entries)


@given(DETAILS)
def test_bytes_are_those_of_rfc_8785(details: dict[str, object]) -> None:
    assert chain.canonical(details) == rfc8785.dumps(details)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "value", [1.5, 2**53, -(2**53), {"a": 1}, [[1]], b"bytes", "\ud800"], ids=repr
)
def test_what_has_no_canonical_bytes_is_refused(value: object) -> None:
    with pytest.raises(NotCanonical):
        chain.canonical({"value": value})


def test_details_cannot_overwrite_what_an_entry_says_of_itself() -> None:
    with pytest.raises(NotCanonical):
        chain.extend(Head(7, 0, bytes(32), NOW), [Draft(7, "a", "b", "c", "ok", {"seq": 9})], NOW)


def test_a_draft_cannot_enter_another_tenants_chain() -> None:
    with pytest.raises(ValueError, match="tenant 8"):
        chain.extend(Head(7, 0, bytes(32), NOW), [Draft(8, "a", "b", "c", "ok", {})], NOW)


def test_a_chain_that_nobody_touched_is_intact() -> None:
    assert check(a_chain(50)) is None


def test_two_installations_never_share_a_chain() -> None:
    first = chain.genesis(7, "tollgate/one", bytes(32), NOW)[0]
    second = chain.genesis(7, "tollgate/one", bytes(31) + b"\x01", NOW)[0]

    assert first.hash != second.hash


@given(st.data())
def test_any_changed_byte_is_found_at_its_entry(data: st.DataObject) -> None:
    entries = a_chain()
    at = data.draw(st.integers(0, len(entries) - 1))
    entry = entries[at]
    position = data.draw(st.integers(0, len(entry.body) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != entry.body[position]))
    body = entry.body[:position] + bytes([byte]) + entry.body[position + 1 :]
    entries[at] = replace(entry, body=body)

    bad = check(entries)

    assert bad is not None
    assert bad.seq == at


def test_a_changed_body_with_its_hash_made_to_fit_is_found_at_the_next_entry() -> None:
    entries = a_chain()
    body = entries[2].body.replace(b'"cost_nanos":"1"', b'"cost_nanos":"0"')
    entries[2] = replace(entries[2], body=body, hash=chain.chain_hash(entries[1].hash, body))

    bad = check(entries)

    assert bad is not None
    assert bad.seq == 3


def test_a_missing_entry_is_named() -> None:
    entries = a_chain()
    del entries[3]

    bad = check(entries)

    assert bad is not None
    assert (bad.seq, bad.reason) == (3, "entry 3 is missing")


def test_a_missing_beginning_is_named() -> None:
    bad = check(a_chain()[1:])

    assert bad is not None
    assert bad.seq == 0


def test_swapped_entries_are_found() -> None:
    entries = a_chain()
    entries[2], entries[3] = entries[3], entries[2]

    assert check(entries) is not None


def test_a_whole_chain_of_another_tenant_is_found_at_its_first_entry() -> None:
    bad = check(a_chain(tenant=8), tenant=7)

    assert bad is not None
    assert bad.seq == 0


def test_times_never_go_back_even_if_the_clock_does() -> None:
    head, first = chain.genesis(7, "tollgate/test", bytes(32), NOW)
    draft = Draft(7, "a", "b", "c", "ok", {})

    later, entries = chain.extend(head, [draft], NOW - 1_000_000)

    assert later.ts_us == NOW
    assert check([first, *entries]) is None


@given(st.integers(0, 4_000_000_000_000_000), st.integers(0, 4_000_000_000_000_000))
def test_times_as_text_sort_as_the_times_do(one: int, other: int) -> None:
    assert (chain.timestamp(one) < chain.timestamp(other)) == (one < other)
