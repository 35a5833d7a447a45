"""The router: where a call goes, what it does when it fails, and how it explains itself."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest

from providers.errors import (
    BadRequest,
    ConnectFailed,
    ConnectionLost,
    ProviderError,
    StatusError,
    TimedOut,
    Unsupported,
    UnusableAnswer,
)
from providers.router import (
    Began,
    Capability,
    DeadlinePassed,
    Done,
    Failure,
    GiveUp,
    Kind,
    ModelUnknown,
    Needs,
    NoDeployment,
    NoneCapable,
    Success,
    Try,
    Wait,
    drive,
    drive_async,
    kind_of,
    needs_of,
    read_model_list,
)
from providers.router.decision import Verdict
from providers.types import ChatRequest

from .routers import World, deployments, entry, failing, fine, states

DOWN = StatusError("down", status=500)
LIMITED = StatusError("slow down", status=429, retry_after_seconds=30.0)
TOO_LONG = BadRequest("too long", status=400, code="context_length_exceeded")
REFUSED = BadRequest("no", status=400, code="content_policy_violation")
WRONG = BadRequest("temperature", status=400)


# Strategies


@pytest.mark.parametrize(
    ("figure", "values", "shares"),
    [
        ("weight", (7, 2, 1), (0.7, 0.2, 0.1)),
        ("rpm", (600, 300, 100), (0.6, 0.3, 0.1)),
        ("tpm", (1000, 1000, 2000), (0.25, 0.25, 0.5)),
        ("weight", (None, None, None), (1 / 3, 1 / 3, 1 / 3)),
        ("weight", (1, None, 3), (1 / 6, 2 / 6, 3 / 6)),
    ],
)
def test_a_shuffle_follows_the_weights(
    figure: str, values: tuple[int | None, ...], shares: tuple[float, ...]
) -> None:
    """Chi-square of 6,000 draws with two degrees of freedom: below 13.816 in 999 of 1,000 cases."""
    given = [{} if value is None else {figure: value} for value in values]
    world = World(
        read_model_list([entry("chat", id, **each) for id, each in zip("abc", given, strict=True)])
    )

    drawn = Counter(world.run().attempts[0].deployment for _ in range(6_000))

    expected = {id: share * 6_000 for id, share in zip("abc", shares, strict=True)}
    chi_square = sum((drawn[id] - n) ** 2 / n for id, n in expected.items())
    assert chi_square < 13.816


def test_a_weight_of_nothing_is_chosen_only_where_nothing_else_is_left() -> None:
    world = World(
        read_model_list([entry("chat", "a", weight=0), entry("chat", "b", weight=1)]),
        allowed_fails=0,
        cooldown_time=1000,
    )
    for _ in range(50):
        world.run()
    assert set(world.chosen()) == {"b"}

    world.answers["b"] = failing(DOWN)
    decision = world.run()

    assert [attempt.deployment for attempt in decision.attempts] == ["b", "a"]


def test_least_busy_takes_the_one_with_the_fewest_in_flight() -> None:
    world = World(deployments("a", "b", "c"), routing_strategy="least-busy")

    steps = [world.call().next() for _ in range(6)]

    drawn = Counter(step.deployment.id for step in steps if isinstance(step, Try))
    assert drawn == {"a": 2, "b": 2, "c": 2}


def test_latency_finds_the_fast_one_and_comes_back_to_the_slow_one_when_it_is_forgotten() -> None:
    world = World(
        deployments("slow", "fast"),
        routing_strategy="latency-based-routing",
        routing_strategy_args={"ttl": 60},
    )

    def slow(step: Try) -> Success:
        world.now += 9.0
        return Success()

    world.answers["slow"] = slow
    for _ in range(10):
        world.run()
    assert Counter(world.chosen()) == {"slow": 1, "fast": 9}

    world.now += 400.0
    world.run()
    world.run()

    assert Counter(world.chosen()[-2:]) == {"slow": 1, "fast": 1}


def test_latency_of_streams_is_the_time_to_the_first_token() -> None:
    world = World(deployments("a", "b"), routing_strategy="latency-based-routing")
    first = {"a": 0.2, "b": 2.0}
    whole = {"a": 60.0, "b": 3.0}
    for _ in range(2):
        call = world.call(needs=Needs(is_stream=True))
        step = call.next()
        assert isinstance(step, Try)
        world.now += first[step.deployment.id]
        call.next(Began())
        world.now += whole[step.deployment.id]
        call.next(Success(10, 5))

    streamed, plain = world.call(needs=Needs(is_stream=True)).next(), world.call().next()

    assert isinstance(streamed, Try) and streamed.deployment.id == "a"
    assert isinstance(plain, Try) and plain.deployment.id == "b"


def test_cost_takes_the_cheapest_for_this_request_and_never_an_unknown_price_first() -> None:
    costs = {
        "unknown": {},
        "in": {"input": 1e-6, "output": 9e-6},
        "out": {"input": 3e-6, "output": 4e-6},
    }
    world = World(
        read_model_list(
            [
                entry("chat", id, **{f"{side}_cost_per_token": each[side] for side in each})
                for id, each in costs.items()
            ]
        ),
        routing_strategy="cost-based-routing",
    )

    world.run(needs=Needs(input_tokens=10_000, output_tokens=10))
    world.run(needs=Needs(input_tokens=10, output_tokens=10_000))

    assert world.chosen() == ["in", "out"]


def test_usage_fills_the_one_with_the_most_room_and_refuses_over_its_limits() -> None:
    world = World(
        read_model_list([entry("chat", "a", rpm=3), entry("chat", "b", rpm=1)]),
        routing_strategy="usage-based-routing-v2",
    )

    decisions = [world.run() for _ in range(5)]

    assert Counter(world.chosen()) == {"a": 3, "b": 1}
    refused = decisions[4].picks[0]
    assert [each.reason for each in refused.considered] == [
        "rate: 3 of 3 requests a minute used, 1 needed",
        "rate: 1 of 1 requests a minute used, 1 needed",
    ]


def test_a_rate_refusal_says_when_there_is_room_again_and_then_there_is() -> None:
    world = World(deployments("a", rpm=1), enable_pre_call_checks=True, num_retries=0)
    world.run()
    world.now += 20.5

    step = world.call().next()

    assert isinstance(step, GiveUp) and isinstance(step.error, NoDeployment)
    assert step.error.status == 429
    assert step.error.retry_after_seconds == 38.5
    world.now += 38.4
    assert isinstance(world.call().next(), GiveUp)
    world.now += 0.1
    assert isinstance(world.call().next(), Try)


def test_tokens_count_as_expected_until_they_are_known() -> None:
    world = World(deployments("a", tpm=1000), enable_pre_call_checks=True)
    needs = Needs(input_tokens=100, output_tokens=500)
    call = world.call(needs=needs)
    call.next()
    assert isinstance(world.call(needs=needs).next(), GiveUp)

    call.next(Success(100, 20))

    assert [vitals.tokens for vitals in world.board.vitals()] == [120]
    assert isinstance(world.call(needs=needs).next(), Try)


# Order, tags, affinity, capabilities


def test_a_lower_order_comes_first_and_the_next_one_takes_over() -> None:
    world = World(
        read_model_list([entry("chat", "second", order=2), entry("chat", "first", order=1)]),
        allowed_fails=0,
    )
    world.run()
    world.answers["first"] = failing(DOWN)
    world.run()
    world.run()

    assert world.chosen() == ["first", "first", "second", "second"]


@pytest.mark.parametrize(
    ("tags", "settings", "chosen"),
    [
        ({"free"}, {}, {"free"}),
        ({"free", "vip"}, {}, {"free", "paid"}),
        ({"paid", "vip"}, {"tag_filtering_match_any": False}, {"paid"}),
        ({"other"}, {}, {"default"}),
        (set(), {}, {"default"}),
    ],
)
def test_tags_choose_and_what_matches_nothing_goes_to_the_default(
    tags: set[str], settings: dict[str, Any], chosen: set[str]
) -> None:
    world = World(
        read_model_list(
            [
                entry("chat", "free", tags=["free"]),
                entry("chat", "paid", tags=["paid", "vip"]),
                entry("chat", "default", tags=["default"]),
            ]
        ),
        enable_tag_filtering=True,
        **settings,
    )

    for _ in range(30):
        world.run(tags=frozenset(tags))

    assert set(world.chosen()) == chosen


def test_a_tag_that_nobody_has_is_refused_where_there_is_no_default() -> None:
    world = World(deployments("a", tags=["paid"]), enable_tag_filtering=True)

    step = world.call(tags=frozenset({"free"})).next()

    assert isinstance(step, GiveUp) and isinstance(step.error, NoneCapable)
    assert str(step.error).endswith("a (tags): its tags are paid.")


def test_a_session_keeps_its_deployment_and_only_the_sessions_of_a_lost_one_move() -> None:
    ids = ("a", "b", "c", "d")
    sessions = [f"session {number}" for number in range(400)]

    def homes(*present: str) -> dict[str, str]:
        world = World(deployments(*present), seed=len(present))
        return {session: world.run(session=session).attempts[0].deployment for session in sessions}

    before, again, after = homes(*ids), homes(*reversed(ids)), homes("a", "b", "d")

    assert before == again
    assert min(Counter(before.values()).values()) > 70
    assert {session for session in sessions if before[session] != after[session]} == {
        session for session in sessions if before[session] == "c"
    }


PICTURE = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}
SOUND = {"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}
TEXT = {"role": "user", "content": "Hi"}


@pytest.mark.parametrize(
    ("message", "options", "info", "lacks"),
    [
        (TEXT, {"tools": [{}]}, {"supports_function_calling": False}, "tools"),
        (TEXT, {"functions": [{}]}, {"supports_function_calling": False}, "tools"),
        (PICTURE, {}, {"supports_vision": False}, "vision"),
        (SOUND, {}, {"supports_audio_input": False}, "audio input"),
        (TEXT, {"modalities": ["text", "audio"]}, {"supports_audio_output": False}, "audio output"),
        (
            TEXT,
            {"response_format": {"type": "json_schema"}},
            {"supports_response_schema": False},
            "json schema",
        ),
        (TEXT, {"reasoning_effort": "low"}, {"supports_reasoning": False}, "reasoning"),
        (TEXT, {"thinking": {"type": "enabled"}}, {"supports_reasoning": False}, "reasoning"),
    ],
)
def test_a_deployment_that_cannot_do_it_is_skipped_with_the_reason(
    message: dict[str, Any], options: dict[str, Any], info: dict[str, Any], lacks: str
) -> None:
    world = World(
        read_model_list(
            [entry("chat", "plain", order=1, info=info), entry("chat", "able", order=2)]
        )
    )
    request = ChatRequest("chat", [message], options=options)

    decision = world.run(needs=needs_of(request))

    assert world.chosen() == ["able"]
    assert decision.picks[0].considered[0].reason == f"capability: cannot do {lacks}"


def test_what_a_wire_format_cannot_say_is_known_without_asking() -> None:
    model = {"model": "anthropic/claude-sonnet-4-5-20250929"}
    [claude] = read_model_list([{"model_name": "chat", "litellm_params": model}])
    world = World([claude])

    step = world.call(needs=needs_of(ChatRequest("chat", [TEXT], options={"n": 2}))).next()

    assert Capability.SEVERAL_ANSWERS in claude.lacks
    assert isinstance(step, GiveUp) and isinstance(step.error, NoneCapable)


@pytest.mark.parametrize(
    ("info", "reason"),
    [
        ({"context_window": 1000}, "length: 900 input + 200 output tokens, its window is 1000"),
        ({"max_input_tokens": 899}, "length: 900 input tokens, it takes 899"),
        ({"max_output_tokens": 199}, "length: 200 output tokens asked for, it gives 199"),
    ],
)
def test_a_request_that_does_not_fit_goes_where_it_does(info: dict[str, int], reason: str) -> None:
    world = World(
        read_model_list([entry("chat", "small", info=info), entry("long", "large")]),
        context_window_fallbacks=[{"chat": ["long"]}],
        fallbacks=[{"chat": ["chat"]}],
    )

    decision = world.run(needs=Needs(input_tokens=900, output_tokens=200))

    assert world.chosen() == ["large"]
    assert decision.picks[0].considered[0].reason == reason


# Retries


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (BadRequest("x", status=422), "bad_request"),
        (BadRequest("This model's maximum context length is 8", status=400), "context_window"),
        (TOO_LONG, "context_window"),
        (BadRequest("by our content filter", status=400), "content_policy"),
        (Unsupported("n"), "unsupported"),
        (StatusError("x", status=401), "authentication"),
        (StatusError("x", status=403), "authentication"),
        (StatusError("x", status=404), "not_found"),
        (StatusError("x", status=408), "timeout"),
        (StatusError("x", status=429), "rate_limit"),
        (StatusError("x", status=429, code="insufficient_quota"), "quota"),
        (StatusError("x", status=500), "server"),
        (StatusError("x", status=502), "bad_gateway"),
        (StatusError("x", status=529), "unavailable"),
        (TimedOut("x"), "timeout"),
        (ConnectFailed("x"), "connection"),
        (ConnectionLost("x"), "connection"),
        (UnusableAnswer("x"), "server"),
        (NoneCapable("x", code="context_length_exceeded"), "context_window"),
        (NoneCapable("x"), "unsupported"),
    ],
)
def test_every_error_is_of_one_kind(error: ProviderError, kind: str) -> None:
    assert kind_of(error) is Kind(kind)


def test_a_retry_goes_to_another_deployment_at_once_and_to_the_same_after_a_while() -> None:
    world = World(deployments("a", "b"), num_retries=3)
    world.answers = {"a": failing(DOWN), "b": failing(DOWN)}

    decision = world.run()

    assert len(world.sent) == 4
    assert set(world.chosen()[:2]) == {"a", "b"}
    assert len(world.slept) == 2
    assert all(0 <= slept <= 2.0 for slept in world.slept)
    assert decision.ending == "gave up: server"


@pytest.mark.parametrize("error", [WRONG, TOO_LONG, REFUSED])
def test_what_the_caller_did_wrong_is_neither_retried_nor_held_against_anybody(
    error: ProviderError,
) -> None:
    world = World(
        read_model_list([entry("chat", "a"), entry("chat", "b"), entry("other", "c")]),
        fallbacks=[{"chat": ["other"]}],
        allowed_fails=0,
    )
    world.answers = {"a": failing(error), "b": failing(error)}

    for _ in range(20):
        world.run()

    assert len(world.sent) == 20
    assert states(world.board) == {"a": "closed", "b": "closed", "c": "closed"}
    assert [vitals.failures for vitals in world.board.vitals()] == [0, 0, 0]


def test_a_retry_policy_says_it_for_a_kind_and_a_group() -> None:
    world = World(
        read_model_list([entry("chat", "a"), entry("other", "b")]),
        num_retries=0,
        retry_policy={"TimeoutErrorRetries": 1, "BadRequestErrorRetries": 2},
        model_group_retry_policy={"other": {"TimeoutErrorRetries": 3}},
    )
    world.answers = {"a": failing(TimedOut("late")), "b": failing(TimedOut("late"))}

    assert len(world.run().attempts) == 2
    assert len(world.run("other").attempts) == 4
    world.answers["a"] = failing(WRONG)
    assert len(world.run().attempts) == 3
    world.answers["a"] = failing(DOWN)
    assert len(world.run().attempts) == 1


def test_a_call_may_ask_for_its_own_number_of_retries() -> None:
    world = World(deployments("a"), num_retries=3)
    world.answers["a"] = failing(DOWN)

    assert len(world.run(retries=0).attempts) == 1


def test_a_rate_limit_is_waited_for_no_longer_and_no_shorter_than_it_says() -> None:
    world = World(deployments("a"))
    world.answers["a"] = lambda step: LIMITED if step.number == 1 else Success()

    decision = world.run()

    assert [attempt.outcome for attempt in decision.attempts] == ["rate_limit", "ok"]
    assert world.slept == [30.0]


def test_a_wait_that_would_pass_the_deadline_is_not_made() -> None:
    world = World(deployments("a"), deadline=20)
    world.answers["a"] = failing(LIMITED)

    decision = world.run()

    assert world.slept == []
    assert len(decision.attempts) == 1


def test_no_attempt_gets_more_time_than_the_call_has_left() -> None:
    world = World(deployments("a", "b"), timeout=15, deadline=20, num_retries=5)

    def late(step: Try) -> ProviderError:
        world.now += step.timeout_seconds - 1
        return TimedOut("late")

    world.answers = {"a": late, "b": late}
    decision = world.run()

    assert [step.timeout_seconds for step in world.sent] == [15.0, 5.0]
    assert decision.ending == "gave up: timeout"
    assert world.now == 1020.0


def test_a_call_without_time_is_not_begun() -> None:
    world = World(deployments("a"))

    step = world.call(deadline_seconds=0.0).next()

    assert isinstance(step, GiveUp) and isinstance(step.error, DeadlinePassed)
    assert step.error.status == 504


def test_a_deployment_may_rest_for_a_time_of_its_own() -> None:
    world = World(deployments("a", cooldown_time=20), num_retries=0, allowed_fails=0)
    world.answers["a"] = failing(DOWN)
    world.run()

    world.now += 19.9
    assert states(world.board) == {"a": "open"}
    world.now += 0.1
    assert states(world.board) == {"a": "half-open"}


def test_an_option_that_one_dialect_cannot_say_is_said_to_the_next_without_a_retry() -> None:
    world = World(deployments("a", "b", "c"), num_retries=0)
    world.answers = {id: failing(Unsupported("n > 1")) for id in "ab"}
    world.answers["c"] = fine

    decision = world.run()

    assert decision.ending == "answered by c"
    assert len(set(world.chosen())) == len(world.sent)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_deployment_with_a_bad_key_or_model_is_not_asked_twice(status: int) -> None:
    world = World(deployments("a"), num_retries=5)
    world.answers["a"] = failing(StatusError("no", status=status))

    assert len(world.run().attempts) == 1
    assert states(world.board) == {"a": "open"}


@pytest.mark.parametrize("others", [[], ["healthy"]])
def test_a_dead_provider_sees_little_more_than_one_attempt_per_call(others: list[str]) -> None:
    """1,000 calls, ten a second, five retries allowed each: up to 6,000 if unbounded."""
    names: dict[str, Any] = {"num_retries": 5}
    if others:
        names["fallbacks"] = [{"chat": ["other"]}]
    world = World(
        [*deployments("dead"), *deployments("healthy", group="other")][: 1 + len(others)], **names
    )
    world.answers["dead"] = failing(DOWN)
    dead = 0
    for _ in range(1_000):
        world.now += 0.1
        decision = world.run()
        dead += sum(attempt.deployment == "dead" for attempt in decision.attempts)

    assert len(world.sent) <= 1_200
    assert dead <= (1_200 if not others else 400)


def test_without_a_breaker_the_retry_budget_alone_bounds_the_attempts() -> None:
    world = World(deployments("a", "b"), num_retries=5, disable_cooldowns=True)
    world.answers = {"a": failing(DOWN), "b": failing(DOWN)}

    for _ in range(1_000):
        world.run()

    assert len(world.sent) == 1_200


# Health


def test_more_than_half_of_five_attempts_rest_a_deployment_and_a_probe_brings_it_back() -> None:
    world = World(deployments("a"), num_retries=0, cooldown_time=5)
    world.answers["a"] = failing(DOWN)
    for _ in range(4):
        world.run()
    assert states(world.board) == {"a": "closed"}

    world.run()
    assert states(world.board) == {"a": "open"}

    world.now += 5.0
    assert states(world.board) == {"a": "half-open"}
    world.answers["a"] = fine
    assert world.run().attempts[0].is_probe
    assert states(world.board) == {"a": "closed"}


def test_a_probe_that_fails_opens_again() -> None:
    world = World(deployments("a", "b"), allowed_fails=0, num_retries=0)
    world.answers = {"a": failing(DOWN), "b": failing(DOWN)}
    world.run()
    world.run()
    world.now += 5.0

    first = world.run().attempts[0]

    assert first.is_probe
    assert states(world.board)[first.deployment] == "open"


def test_allowed_fails_are_counted_per_minute_and_per_kind() -> None:
    world = World(
        deployments("a"),
        num_retries=0,
        allowed_fails=3,
        allowed_fails_policy={"RateLimitErrorAllowedFails": 1, "TimeoutErrorAllowedFails": 100},
    )
    world.answers["a"] = failing(TimedOut("late"))
    for _ in range(20):
        world.run()
    assert states(world.board) == {"a": "closed"}

    world.now += 60
    world.answers["a"] = failing(LIMITED)
    world.run()
    assert states(world.board) == {"a": "closed"}
    world.run()
    assert states(world.board) == {"a": "open"}


def test_the_later_recovery_time_wins() -> None:
    world = World(deployments("a", "b"), num_retries=0, cooldown_time=5)
    flights = [world.call() for _ in range(8)]
    steps = {id: [] for id in "ab"}  # type: dict[str, list[Any]]
    for call in flights:
        step = call.next()
        assert isinstance(step, Try)
        steps[step.deployment.id].append(call)
    first, second, *_ = steps["a"]

    first.next(Failure(LIMITED))
    second.next(Failure(StatusError("x", status=429, retry_after_seconds=2.0)))

    world.now += 29.9
    assert states(world.board)["a"] == "open"
    world.now += 0.1
    assert states(world.board)["a"] == "half-open"


def test_where_all_rest_a_call_is_told_when_to_come_back() -> None:
    world = World(deployments("a", "b"), num_retries=0)
    world.answers = {
        "a": failing(LIMITED),
        "b": failing(StatusError("x", status=429, retry_after_seconds=12.0)),
    }
    while "closed" in states(world.board).values():
        world.run()
    world.now += 2.0
    asked = len(world.sent)

    step = world.call().next()

    assert isinstance(step, GiveUp) and isinstance(step.error, NoDeployment)
    assert step.error.status == 429
    assert 0 < (step.error.retry_after_seconds or 0) <= 10.0
    assert len(world.sent) == asked


def test_a_group_with_one_deployment_is_tried_although_it_rests_and_can_recover_by_it() -> None:
    world = World(deployments("a"), num_retries=3, cooldown_time=5, allowed_fails=0)
    world.answers["a"] = failing(DOWN)
    world.run(retries=0)
    assert states(world.board) == {"a": "open"}

    decision = world.run()
    assert [attempt.is_forced for attempt in decision.attempts] == [True]
    assert world.slept == []

    world.answers["a"] = fine
    assert world.run().ending == "answered by a"
    assert states(world.board) == {"a": "closed"}


def test_cooldowns_can_be_disabled() -> None:
    world = World(deployments("a"), num_retries=0, disable_cooldowns=True)
    world.answers["a"] = failing(LIMITED)

    for _ in range(20):
        world.run()

    assert states(world.board) == {"a": "closed"}


def test_a_cancelled_probe_gives_its_place_back() -> None:
    world = World(deployments("a", "b"), num_retries=0, allowed_fails=0)
    world.answers = {"a": failing(DOWN), "b": failing(DOWN)}
    world.run()
    world.run()
    world.now += 5.0
    probes = [world.call(), world.call()]
    assert all(isinstance(call.next(), Try) for call in probes)
    assert isinstance(world.call().next(), GiveUp)

    probes[0].abandon()
    probes[0].abandon()

    step = world.call().next()
    assert isinstance(step, Try) and step.is_probe
    assert [vitals.in_flight for vitals in world.board.vitals()] == [1, 1]
    assert probes[0].decision.ending == "abandoned"


def test_a_probe_that_is_never_heard_of_again_loses_its_place() -> None:
    world = World(deployments("a", "b"), num_retries=0, allowed_fails=0, timeout=30)
    world.answers = {"a": failing(DOWN), "b": failing(DOWN)}
    world.run()
    world.run()
    world.now += 5.0
    lost = [world.call().next(), world.call().next()]
    assert all(isinstance(step, Try) for step in lost)
    world.now += 30.9
    assert isinstance(world.call().next(), GiveUp)

    world.now += 0.2

    assert isinstance(world.call().next(), Try)


def test_a_full_deployment_is_waited_for() -> None:
    world = World(deployments("a", max_parallel_requests=1))
    first, second = world.call(), world.call()
    first.next()

    step = second.next()
    assert isinstance(step, Wait) and 0.025 <= step.seconds <= 0.05
    first.next(Success())

    assert isinstance(second.next(), Try)


def test_a_full_deployment_is_not_waited_for_endlessly() -> None:
    world = World(deployments("a", max_parallel_requests=1))
    world.call().next()

    decision = world.run()

    assert len(world.slept) == 20
    assert sum(world.slept) < 20
    assert decision.ending == "gave up: rate_limit"


# Fallbacks


def test_a_group_that_fails_falls_back_with_retries_of_its_own() -> None:
    world = World(
        read_model_list([entry("chat", "a"), entry("mid", "b"), entry("last", "c")]),
        fallbacks=[{"chat": ["mid", "last"]}],
        num_retries=1,
    )
    world.answers = {"a": failing(DOWN), "b": failing(DOWN)}

    assert world.run().ending == "answered by c"
    assert world.chosen() == ["a", "a", "b", "b", "c"]


def test_default_fallbacks_serve_groups_without_their_own_and_unknown_names() -> None:
    world = World(
        read_model_list([entry("chat", "a"), entry("safe", "b")]),
        default_fallbacks=["safe"],
        num_retries=0,
    )
    world.answers["a"] = failing(DOWN)

    assert world.run().ending == "answered by b"
    assert world.run("nobody").ending == "answered by b"


def test_a_wildcard_serves_any_group() -> None:
    world = World(
        read_model_list([entry("chat", "a"), entry("safe", "b")]),
        fallbacks=[{"*": ["safe"]}],
        num_retries=0,
    )
    world.answers["a"] = failing(DOWN)

    assert world.run().ending == "answered by b"


def test_an_unknown_name_is_said_to_be_unknown() -> None:
    step = World(deployments("a")).call("nobody").next()

    assert isinstance(step, GiveUp) and isinstance(step.error, ModelUnknown)
    assert step.error.status == 404


@pytest.mark.parametrize(
    ("error", "chosen"),
    [
        (TOO_LONG, ["a", "long"]),
        (REFUSED, ["a", "free"]),
        (DOWN, ["a", "other"]),
        (WRONG, ["a"]),
    ],
)
def test_each_kind_of_failure_has_its_own_fallbacks(
    error: ProviderError, chosen: list[str]
) -> None:
    groups = ("long", "free", "other")
    world = World(
        [*deployments("a"), *read_model_list([entry(f"{id}s", id) for id in groups])],
        fallbacks=[{"chat": ["others"]}],
        context_window_fallbacks=[{"chat": ["longs"]}],
        content_policy_fallbacks=[{"chat": ["frees"]}],
        num_retries=0,
    )
    world.answers["a"] = failing(error)

    world.run()

    assert world.chosen() == chosen


def test_groups_that_fall_back_on_each_other_do_not_go_round() -> None:
    ids = "abcdefgh"
    world = World(
        read_model_list([entry(id, id) for id in ids]),
        fallbacks=[{id: list(ids)} for id in ids],
        num_retries=0,
    )
    world.answers = {id: failing(DOWN) for id in ids}

    world.run("a")

    assert world.chosen() == ["a", "b", "c", "d", "e", "f"]


def test_a_call_may_name_its_own_fallbacks_or_none() -> None:
    world = World(
        read_model_list([entry("chat", "a"), entry("one", "b"), entry("two", "c")]),
        fallbacks=[{"chat": ["one"]}],
        num_retries=0,
    )
    world.answers["a"] = failing(DOWN)

    world.run(fallbacks=("two",))
    world.run(fallbacks=())

    assert world.chosen() == ["a", "c", "a"]


def test_an_alias_is_its_group_and_a_deployment_can_be_called_by_its_id() -> None:
    world = World(
        deployments("a", "b"),
        model_group_alias={"gpt": {"model": "four", "hidden": True}, "four": "chat"},
    )

    assert world.run("gpt").picks[0].group == "chat"
    assert [each.deployment for each in world.run("b").picks[0].considered] == ["b"]


def test_a_resting_group_is_passed_by_where_a_fallback_is_well() -> None:
    world = World(
        read_model_list([entry("chat", "a"), entry("safe", "b")]),
        fallbacks=[{"chat": ["safe"]}],
        num_retries=0,
        allowed_fails=0,
    )
    world.answers["a"] = failing(DOWN)
    world.run()
    world.run()

    assert world.chosen() == ["a", "b", "b"]


def test_where_every_group_rests_the_lonely_one_of_the_first_is_tried() -> None:
    world = World(
        read_model_list([entry("chat", "a"), entry("safe", "b")]),
        fallbacks=[{"chat": ["safe"]}],
        num_retries=0,
        allowed_fails=0,
        cooldown_time=100,
    )
    world.answers = {"a": failing(DOWN), "b": failing(DOWN)}
    world.run()
    world.answers = {}

    decision = world.run()

    assert decision.ending == "answered by a"
    assert decision.attempts[0].is_forced and decision.attempts[0].group == "chat"


def test_the_last_resort_is_the_last_one_also_where_its_rest_is_over_by_then() -> None:
    world = World(
        read_model_list([entry("chat", "a"), entry("safe", "b")]),
        fallbacks=[{"chat": ["safe"]}],
        num_retries=0,
        allowed_fails=0,
        cooldown_time=1.5,
    )
    world.answers = {"a": failing(DOWN)}
    world.run()
    world.answers["b"] = failing(DOWN)

    decision = world.run()  # `a` rests as it begins, and no more when `b` has failed, 1 s later

    assert [attempt.deployment for attempt in decision.attempts] == ["b", "a"]
    assert [attempt.is_forced for attempt in decision.attempts] == [False, True]
    assert "free again, and the only one left" in str(decision.picks[-1].considered[0])
    assert decision.ending.startswith("gave up")


# Streams, drivers, the record


def test_a_stream_that_breaks_after_its_first_token_is_not_tried_elsewhere() -> None:
    world = World(deployments("a", "b"), num_retries=3)
    call = world.call()
    assert isinstance(call.next(), Try)
    assert isinstance(call.next(Began()), Done)

    step = call.next(Failure(ConnectionLost("cut")))

    assert isinstance(step, GiveUp)
    assert [attempt.outcome for attempt in call.decision.attempts] == ["connection"]
    assert sum(vitals.failures for vitals in world.board.vitals()) == 1


def test_a_stream_that_breaks_before_its_first_token_is() -> None:
    world = World(deployments("a", "b"))
    call = world.call()
    first = call.next()

    second = call.next(Failure(ConnectionLost("cut")))

    assert isinstance(first, Try) and isinstance(second, Try)
    assert first.deployment != second.deployment


async def test_the_two_drivers_do_the_same() -> None:
    async def send(step: Try) -> tuple[str, Success]:
        await asyncio.sleep(0)
        return there.send(step)

    async def sleep(seconds: float) -> None:
        there.sleep(seconds)

    worlds = [World(deployments("a", "b"), num_retries=4) for _ in range(2)]
    for world in worlds:
        for id in "ab":
            world.answers[id] = lambda step: DOWN if step.number < 4 else Success(1, 2, 3)
    here, there = worlds
    first, second = here.call(), there.call()

    assert drive(first, here.send, here.sleep) == await drive_async(second, send, sleep)
    assert first.decision == second.decision
    assert here.slept == there.slept != []


async def test_a_cancelled_call_gives_back_what_it_had_taken() -> None:
    async def hang(step: Try) -> tuple[str, Success]:
        await asyncio.Event().wait()
        return "", Success()

    world = World(deployments("a"))
    task = asyncio.create_task(drive_async(world.call(), hang))
    await asyncio.sleep(0)
    assert [vitals.in_flight for vitals in world.board.vitals()] == [1]

    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert [vitals.in_flight for vitals in world.board.vitals()] == [0]
    assert [vitals.failures for vitals in world.board.vitals()] == [0]


def test_calls_of_many_threads_leave_nothing_behind() -> None:
    world = World(deployments("a", "b", "c"), num_retries=3, cooldown_time=0)
    errors = {"a": DOWN, "b": WRONG}

    def send(step: Try) -> tuple[str, Success]:
        if step.deployment.id in errors and step.number % 2:
            raise errors[step.deployment.id]
        return "", Success(1, 1)

    def run(number: int) -> str:
        call = world.call()
        with suppress(ProviderError):
            drive(call, send, lambda seconds: None)
        return call.decision.ending

    with ThreadPoolExecutor(8) as threads:
        endings = list(threads.map(run, range(400)))

    assert len(endings) == 400 and "under way" not in endings
    assert [vitals.in_flight for vitals in world.board.vitals()] == [0, 0, 0]


def test_one_that_never_answers_in_time_does_not_look_like_one_that_nobody_has_tried() -> None:
    world = World(
        deployments("a", "b"),
        routing_strategy="latency-based-routing",
        disable_cooldowns=True,
        num_retries=0,
    )

    def late(step: Try) -> ProviderError:
        world.now += 30.0
        return TimedOut("late")

    world.answers["a"] = late
    for _ in range(6):
        world.run()

    assert Counter(world.chosen()) == {"a": 1, "b": 5}


def test_new_deployments_keep_the_health_of_those_that_stay() -> None:
    world = World(deployments("a", "b"), num_retries=0, allowed_fails=0)
    world.answers = {"a": failing(DOWN), "b": failing(DOWN)}
    world.run()
    world.run()
    under_way = world.call("a")
    world.now += 5.0
    assert isinstance(under_way.next(), Try)

    world.board.replace(deployments("b", "c"))

    assert states(world.board) == {"b": "half-open", "c": "closed"}
    assert isinstance(under_way.next(Success()), Done)


def test_a_decision_explains_every_candidate_and_every_attempt_in_order() -> None:
    world = World(
        read_model_list(
            [
                entry("chat", "blind", info={"supports_vision": False}),
                entry("chat", "late", order=2),
                entry("chat", "first", order=1),
            ]
        ),
        num_retries=1,
    )
    world.answers["first"] = failing(DOWN)

    decision = world.run(needs=needs_of(ChatRequest("chat", [PICTURE]), 100))

    first, second = decision.picks
    assert [each.verdict for each in first.considered] == [
        Verdict.SKIPPED,
        Verdict.PASSED_OVER,
        Verdict.CHOSEN,
    ]
    assert [each.reason for each in second.considered][:1] == ["capability: cannot do vision"]
    assert second.considered[2].reason == "already tried in this call"
    assert decision.table().splitlines()[0] == "chat: answered by late"
    assert [
        line.split("  ")[-1] for line in decision.table().splitlines() if "attempt" in line
    ] == [
        "server (HTTP 500) after 1.000 s",
        "ok after 1.000 s 10 + 5 tokens 100 nanos",
    ]


def test_a_decision_holds_no_secret_and_no_word_of_a_provider() -> None:
    world = World(deployments("a", "b", api_key="sk-secret-7"), num_retries=1)
    for id in "ab":
        world.answers[id] = failing(StatusError("Incorrect key sk-secret-7", status=401))

    decision = world.run()

    assert "secret" not in repr(decision) + decision.table() + repr(world.sent)


def test_memory_does_not_grow_with_calls_sessions_or_failures() -> None:
    world = World(deployments("a", "b", "c"), num_retries=2)
    world.answers["a"] = lambda step: StatusError("down", status=500)

    def kept_bytes(calls: int) -> int:
        for number in range(calls):
            world.run(session=f"session {number}")
        world.sent.clear()
        world.slept.clear()
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        before = kept_bytes(300)
        after = kept_bytes(700)
    finally:
        tracemalloc.stop()

    assert after - before < 10_000
