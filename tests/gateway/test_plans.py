"""A plan is made once per caller, model and snapshot."""

from __future__ import annotations

from dataclasses import replace

from gateway_project.facts import Plan, Principal
from gateway_project.plans import PLANS_MAX, Plans
from providers.embeddings import EmbeddingRequest
from providers.types import ChatRequest

ALICE = Principal(
    tenant_id=1,
    tenant="acme",
    zone="UTC",
    zone_before="UTC",
    zone_changed_us=0,
    key_id=7,
    key_prefix="tg_1",
    allowed_models=(),
    rate=None,
    limits=(),
    directory_version=3,
)
CHAT = ChatRequest("gpt-4o", [])
PLAN = Plan("gpt-4o", (), 4_096, 128_000)


def test_the_plan_of_a_caller_and_a_model_is_found_again() -> None:
    plans = Plans()
    assert plans.find(ALICE, CHAT) is None
    plans.keep(ALICE, CHAT, PLAN)
    assert plans.find(ALICE, replace(CHAT, messages=[{"role": "user"}])) is PLAN


def test_another_caller_model_provider_or_kind_has_a_plan_of_its_own() -> None:
    plans = Plans()
    plans.keep(ALICE, CHAT, PLAN)
    assert plans.find(replace(ALICE, key_id=8), CHAT) is None
    assert plans.find(ALICE, replace(CHAT, model="gpt-4o-mini")) is None
    assert plans.find(ALICE, replace(CHAT, provider="azure")) is None
    assert plans.find(ALICE, EmbeddingRequest("gpt-4o", ["text"])) is None


def test_a_changed_snapshot_makes_a_new_caller_and_so_a_new_plan() -> None:
    plans = Plans()
    plans.keep(ALICE, CHAT, PLAN)
    assert plans.find(replace(ALICE), CHAT) is None, "equal, but of another snapshot"


def test_models_that_nobody_counts_do_not_fill_the_memory() -> None:
    plans = Plans()
    for number in range(PLANS_MAX + 10):
        plans.keep(ALICE, replace(CHAT, model=f"gpt-{number}"), PLAN)
    assert len(plans._known) <= PLANS_MAX
