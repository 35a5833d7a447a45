"""LiteLLM's names, read into the router's: what is understood, and what is told to be wrong."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from providers.router import (
    Capability,
    ConfigError,
    Kind,
    Strategy,
    knows,
    read_model_list,
    read_settings,
)

from .routers import deployments

MODEL = {"model": "openai/gpt-4o"}


def one(params: dict[str, Any], info: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"model_name": "chat", "litellm_params": {**MODEL, **params}, "model_info": info or {}}


def settings(**names: Any) -> Any:
    return read_settings(names, knows(deployments("a")))


def test_a_deployment_has_all_that_its_entry_says() -> None:
    params = {
        "api_key": "sk-1",
        "api_base": "https://eu.example/v1",
        "temperature": 0.2,
        "rpm": 600,
        "tpm": 1e5,
        "weight": 2.5,
        "order": 0,
        "tags": ["eu"],
        "max_parallel_requests": 8,
        "timeout": 30,
        "stream_timeout": 5.5,
        "cooldown_time": 20,
        "input_cost_per_token": 2.5e-6,
    }
    info = {
        "id": "eu-1",
        "max_input_tokens": 128000,
        "max_output_tokens": 16384,
        "context_window": 144384,
        "supports_vision": True,
        "supports_audio_input": False,
        "output_cost_per_token": "0.00001",
        "owner": "team seven",
    }

    [found] = read_model_list([one(params, info)])

    assert (found.id, found.group, found.label) == ("eu-1", "chat", "openai/gpt-4o")
    assert found.params == {
        "api_key": "sk-1",
        "api_base": "https://eu.example/v1",
        "temperature": 0.2,
    }
    assert (found.rpm, found.tpm, found.weight, found.order) == (600, 100_000, 2.5, 0)
    assert (found.parallel_max, found.tags) == (8, frozenset({"eu"}))
    assert (found.timeout_seconds, found.stream_timeout_seconds) == (30.0, 5.5)
    assert found.cooldown_seconds == 20.0
    assert (found.input_tokens_max, found.output_tokens_max) == (128_000, 16_384)
    assert found.context_window == 144_384
    assert found.lacks == {Capability.AUDIO_INPUT}
    assert (found.input_pico_per_token, found.output_pico_per_token) == (2_500_000, 10_000_000)
    assert found.cost_nanos(1_000, 100) == 3_500_000
    assert found.info["owner"] == "team seven"
    assert "sk-1" not in repr(found)


def test_deployments_without_an_id_are_called_by_their_place_in_the_group() -> None:
    entries = [one({}), {**one({}), "model_name": "other"}, one({"api_key": "sk-2"})]

    assert [each.id for each in read_model_list(entries)] == ["chat:1", "other:1", "chat:2"]


@pytest.mark.parametrize(
    ("model", "label"),
    [
        ("gpt-4o", "openai/gpt-4o"),
        ("claude-sonnet-4-5-20250929", "anthropic/claude-sonnet-4-5-20250929"),
        ("anthropic/claude-x", "anthropic/claude-x"),
        ("openai/meta-llama/Llama-3", "openai/meta-llama/Llama-3"),
    ],
)
def test_a_model_names_its_provider_or_lets_it_be_known_by_its_name(model: str, label: str) -> None:
    assert [each.label for each in read_model_list([one({"model": model})])] == [label]


def test_defaults_are_beneath_and_limits_may_stand_outside() -> None:
    [found] = read_model_list(
        [{**one({"timeout": 5}), "rpm": 3}], defaults={"timeout": 9, "seed": 1}
    )

    assert (found.timeout_seconds, found.rpm, found.params) == (5.0, 3, {"seed": 1})


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (7, "model_list[0] must be an object with model_name and litellm_params"),
        ({"litellm_params": MODEL}, "model_list[0].model_name: 'None' is not a name"),
        ({"model_name": "chat"}, "model_list[0].litellm_params: 'None' is not an object"),
        ({**one({}), "modelinfo": {}}, "'modelinfo' is not known; is it 'model_info'?"),
        ({**one({}), "model_name": "gpt-*"}, "'gpt-*' is a pattern; name the models one by one"),
        ({**one({"rpm": 5}), "rpm": 6}, "model_list[0]: rpm is 6 and, inside, 5"),
        (one({"rmp": 5}), "litellm_params: 'rmp' is not known; is it 'rpm'?"),
        (one({"max_retries": 2}), "set its num_retries or retry_policy"),
        (one({"model": "bedrock/gpt"}), "'bedrock' is not a provider; known are anthropic, "),
        (one({"custom_llm_provider": "x"}), "'x' is not a provider"),
        (one({"model": ""}), "litellm_params.model: '' is not a name"),
        (one({"rpm": 0}), "rpm: '0' is not a whole number of at least 1"),
        (one({"rpm": 1.5}), "rpm: '1.5' is not a whole number of at least 1"),
        (one({"tpm": "many"}), "tpm: 'many' is not a number"),
        (one({"weight": -1}), "weight: '-1' is not a number of at least 0"),
        (one({"weight": float("nan")}), "weight: 'nan' is not a number of at least 0"),
        (one({"weight": True}), "weight: 'True' is not a number"),
        (one({"timeout": 0}), "timeout: '0' is not a number of seconds above 0"),
        (one({"tags": "eu"}), "tags: 'eu' is not a list of names"),
        (one({"input_cost_per_token": "free"}), "'free' is not a price in dollars per token"),
        (one({"input_cost_per_token": -1}), "'-1' is not a price in dollars per token"),
        (one({}, {"supports_vision": "no"}), "supports_vision: 'no' is not true or false"),
        (one({}, {"max_input_token": 5}), "'max_input_token' is not known; is it 'max_input_tok"),
        (one({}, {"max_input_tokens": 0}), "'0' is not a whole number of at least 1"),
    ],
)
def test_a_wrong_entry_is_named_with_what_is_wrong(entry: Any, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_model_list([entry])

    assert message in str(caught.value)
    assert str(caught.value).startswith("model_list[0]")


def test_an_id_may_not_be_there_twice() -> None:
    with pytest.raises(ConfigError, match=r"model_list\[1\]: the id 'x' is there twice"):
        read_model_list([one({}, {"id": "x"}), one({}, {"id": "x"})])


def test_a_model_list_is_a_list() -> None:
    with pytest.raises(ConfigError, match="must be a list"):
        read_model_list("gpt-4o")  # type: ignore[arg-type]


def test_no_settings_are_the_defaults() -> None:
    found = settings()

    assert found.strategy is Strategy.SIMPLE_SHUFFLE
    assert (found.retry.retries, found.fallback.moves_max) == (2, 5)
    assert (found.health.cooldown_seconds, found.health.allowed_fails) == (5.0, None)
    assert (found.timeout_seconds, found.deadline_seconds) == (600.0, 600.0)


def test_a_policy_is_a_dict_or_an_object_with_the_same_names() -> None:
    names = {
        "TimeoutErrorRetries": 3,
        "InternalServerErrorRetries": 0,
        "RateLimitErrorRetries": None,
    }
    expected = {Kind.TIMEOUT: 3, Kind.SERVER: 0, Kind.CONNECTION: 0}

    assert settings(retry_policy=names).retry.retries_of == expected
    assert settings(retry_policy=SimpleNamespace(**names)).retry.retries_of == expected
    fails = settings(allowed_fails_policy={"RateLimitErrorAllowedFails": 1000})
    assert fails.health.allowed_fails_of == {Kind.RATE_LIMIT: 1000}


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"num_retry": 1}, "Router: 'num_retry' is not known; is it 'num_retries'?"),
        ({"redis_host": "x"}, "'redis_host' is not known"),
        ({"routing_strategy": "fastest"}, "'fastest' is not one of simple-shuffle, least-busy, "),
        ({"routing_strategy_args": {"tlt": 1}}, "'tlt' is not known; is it 'ttl'?"),
        ({"num_retries": 1000}, "num_retries: 1000 retries, at most 100 are made"),
        ({"num_retries": -1}, "num_retries: '-1' is not a number of at least 0"),
        ({"retry_policy": {"TimeoutRetries": 1}}, "is it 'TimeoutErrorRetries'?"),
        ({"fallbacks": [{"chat": ["nobody"]}]}, "fallbacks: 'nobody' is no group"),
        ({"fallbacks": [{"nobody": ["chat"]}]}, "fallbacks: 'nobody' is no group"),
        ({"fallbacks": {"chat": ["chat"]}}, 'fallbacks must be a list like [{"a": ["b", "c"]}]'),
        ({"fallbacks": [{"chat": "chat"}]}, "'chat' needs a list of groups"),
        ({"max_fallbacks": 101}, "max_fallbacks: 101 moves, at most 100 are made"),
        ({"model_group_retry_policy": {"nobody": {}}}, "'nobody' is no group"),
        ({"default_fallbacks": ["nobody"]}, "default_fallbacks: 'nobody' is no group"),
        ({"model_group_alias": {"x": "y", "y": "x"}}, "'x' leads back to itself"),
        ({"model_group_alias": {"x": "nobody"}}, "'nobody' is no group"),
        ({"model_group_alias": {"x": {}}}, "'x' needs the name of a group"),
        ({"enable_tag_filtering": "yes"}, "enable_tag_filtering: 'yes' is not true or false"),
        ({"timeout": 0}, "timeout: '0' is not a number of seconds above 0"),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_wrong(names: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings(**names)

    assert message in str(caught.value)
