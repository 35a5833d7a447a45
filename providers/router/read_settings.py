"""LiteLLM's names for a Router's settings, read into `Settings`; an unknown name is an error.

| name | default | means |
|---|---|---|
| routing_strategy | simple-shuffle | see `strategies.py` |
| routing_strategy_args | | ttl (seconds of latency remembered), lowest_latency_buffer |
| num_retries, retry_policy, model_group_retry_policy | 2 | retries, by kind of failure, by group |
| retry_after | 0 | the least wait before a retry, seconds |
| allowed_fails, allowed_fails_policy | more than half of 5 | failures a minute before a rest |
| cooldown_time, disable_cooldowns | 5 s | how long a rest is |
| timeout, stream_timeout | 600 s | of one attempt |
| deadline | 600 s | of a whole call; ours |
| fallbacks, default_fallbacks, max_fallbacks | 5 moves | [{"a": ["b", "c"]}], ["d"] |
| context_window_fallbacks, content_policy_fallbacks | | as fallbacks, for those failures alone |
| model_group_alias | | {"name": "group"} or {"name": {"model": "group"}} |
| enable_pre_call_checks | false | rpm and tpm are limits, whatever the strategy |
| enable_tag_filtering, tag_filtering_match_any | false, true | |
| default_max_parallel_requests | | for deployments that set none |

Names of groups in fallbacks and aliases are checked against the deployments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from . import fields
from .errors import ConfigError
from .failures import POLICY_NAMES, Kind
from .settings import RETRIES_MAX, FallbackRules, HealthRules, RetryRules, Settings
from .strategies import Strategy

WHERE = "Router"
NAMES = frozenset(
    {
        "routing_strategy", "routing_strategy_args", "num_retries", "retry_policy",
        "model_group_retry_policy", "retry_after", "allowed_fails", "allowed_fails_policy",
        "cooldown_time", "disable_cooldowns", "timeout", "stream_timeout", "deadline", "fallbacks",
        "default_fallbacks", "max_fallbacks", "context_window_fallbacks",
        "content_policy_fallbacks", "model_group_alias", "enable_pre_call_checks",
        "enable_tag_filtering", "tag_filtering_match_any", "default_max_parallel_requests",
    }
)  # fmt: skip
STRATEGY_ARGUMENTS = frozenset({"ttl", "lowest_latency_buffer"})
FALLBACKS_MAX = 100

Document = Mapping[str, Any]
Table = Mapping[str, tuple[str, ...]]


def read_settings(document: Document, knows: Callable[[str], bool]) -> Settings:
    """`knows` says whether a name is a group or a deployment's id; raises ConfigError."""
    _only(WHERE, document, NAMES)
    arguments = _mapping(document, "routing_strategy_args")
    _only(f"{WHERE}.routing_strategy_args", arguments, STRATEGY_ARGUMENTS)
    plain = Settings()
    return Settings(
        strategy=_strategy(document),
        latency_slack=fields.number(WHERE, arguments, "lowest_latency_buffer") or 0.0,
        enforces_rates=bool(fields.flag(WHERE, document, "enable_pre_call_checks")),
        filters_tags=bool(fields.flag(WHERE, document, "enable_tag_filtering")),
        matches_any_tag=fields.flag(WHERE, document, "tag_filtering_match_any") is not False,
        parallel_max=fields.whole(WHERE, document, "default_max_parallel_requests", least=1),
        timeout_seconds=fields.seconds(WHERE, document, "timeout") or plain.timeout_seconds,
        stream_timeout_seconds=fields.seconds(WHERE, document, "stream_timeout"),
        deadline_seconds=fields.seconds(WHERE, document, "deadline") or plain.deadline_seconds,
        health=_health(document, fields.seconds(WHERE, arguments, "ttl")),
        retry=_retry(document, knows),
        fallback=_fallback(document, knows),
    )


def _strategy(document: Document) -> Strategy:
    name = document.get("routing_strategy") or Strategy.SIMPLE_SHUFFLE
    try:
        return Strategy(name)
    except ValueError as error:
        known = ", ".join(Strategy)
        raise ConfigError(f"{WHERE}.routing_strategy: {name!r} is not one of {known}") from error


def _health(document: Document, memory_seconds: float | None) -> HealthRules:
    plain = HealthRules()
    cooldown = fields.number(WHERE, document, "cooldown_time")
    return HealthRules(
        allowed_fails=fields.whole(WHERE, document, "allowed_fails"),
        allowed_fails_of=policy(document.get("allowed_fails_policy"), "AllowedFails"),
        cooldown_seconds=plain.cooldown_seconds if cooldown is None else cooldown,
        is_disabled=bool(fields.flag(WHERE, document, "disable_cooldowns")),
        latency_memory_seconds=memory_seconds or plain.latency_memory_seconds,
    )


def _retry(document: Document, knows: Callable[[str], bool]) -> RetryRules:
    retries = _at_most(fields.whole(WHERE, document, "num_retries"), "num_retries")
    of_group = _mapping(document, "model_group_retry_policy")
    for group in of_group:
        if not knows(group):
            raise ConfigError(f"{WHERE}.model_group_retry_policy: {group!r} is no group")
    return RetryRules(
        retries=RetryRules().retries if retries is None else retries,
        retries_of=policy(document.get("retry_policy"), "Retries"),
        of_group={group: policy(each, "Retries") for group, each in of_group.items()},
        wait_seconds_min=fields.number(WHERE, document, "retry_after") or 0.0,
    )


def policy(given: Any, ending: str) -> dict[Kind, int]:
    """A retry or allowed-fails policy: a dict, or an object with LiteLLM's attributes."""
    document = given if isinstance(given, Mapping) else dict(vars(given)) if given else {}
    kinds: dict[Kind, int] = {}
    names = {f"{name}{ending}": of for name, of in POLICY_NAMES.items()}
    _only(f"{WHERE} policy", document, frozenset(names))
    for name, of in names.items():
        count = _at_most(fields.whole(WHERE, document, name), name, ending == "Retries")
        if count is not None:
            kinds.update(dict.fromkeys(of, count))
    return kinds


def _at_most(count: int | None, name: str, is_bounded: bool = True) -> int | None:
    if is_bounded and count is not None and count > RETRIES_MAX:
        raise ConfigError(f"{WHERE}.{name}: {count} retries, at most {RETRIES_MAX} are made")
    return count


def _fallback(document: Document, knows: Callable[[str], bool]) -> FallbackRules:
    aliases = _aliases(document, knows)

    def checked(name: str) -> Table:
        return _table(document, name, lambda group: group in aliases or knows(group))

    default = {"default_fallbacks": [{"*": document.get("default_fallbacks") or []}]}
    moves = fields.whole(WHERE, document, "max_fallbacks")
    if moves is not None and moves > FALLBACKS_MAX:
        raise ConfigError(f"{WHERE}.max_fallbacks: {moves} moves, at most {FALLBACKS_MAX} are made")
    known = _table(default, "default_fallbacks", lambda name: name in aliases or knows(name))
    return FallbackRules(
        general=checked("fallbacks"),
        default=known["*"],
        context_window=checked("context_window_fallbacks"),
        content_policy=checked("content_policy_fallbacks"),
        aliases=aliases,
        moves_max=FallbackRules().moves_max if moves is None else moves,
    )


def _table(document: Document, name: str, knows: Callable[[str], bool]) -> Table:
    """[{"a": ["b"]}, {"*": ["c"]}] as one table; every name must be known."""
    entries = document.get(name) or []
    if not _is_list(entries) or not all(isinstance(entry, Mapping) for entry in entries):
        raise ConfigError(f'{WHERE}.{name} must be a list like [{{"a": ["b", "c"]}}]')
    table: dict[str, tuple[str, ...]] = {}
    for entry in entries:
        for group, targets in entry.items():
            if not _is_list(targets) or not all(isinstance(each, str) for each in targets):
                raise ConfigError(f"{WHERE}.{name}: {group!r} needs a list of groups")
            if len(targets) > FALLBACKS_MAX:
                raise ConfigError(f"{WHERE}.{name}: {group!r} has more than {FALLBACKS_MAX}")
            for each in [group, *targets]:
                if each != "*" and not knows(each):
                    raise ConfigError(f"{WHERE}.{name}: {each!r} is no group of the model list")
            table[group] = tuple(targets)
    return table


def _aliases(document: Document, knows: Callable[[str], bool]) -> dict[str, str]:
    aliases: dict[str, str] = {}
    for name, target in _mapping(document, "model_group_alias").items():
        group = target.get("model") if isinstance(target, Mapping) else target
        if not isinstance(group, str):
            raise ConfigError(f"{WHERE}.model_group_alias: {name!r} needs the name of a group")
        aliases[name] = group
    for name in aliases:
        target, steps = aliases[name], 0
        while target in aliases and steps <= len(aliases):
            target, steps = aliases[target], steps + 1
        if target in aliases:
            raise ConfigError(f"{WHERE}.model_group_alias: {name!r} leads back to itself")
        if not knows(target):
            raise ConfigError(f"{WHERE}.model_group_alias: {target!r} is no group")
    return aliases


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _mapping(document: Document, name: str) -> Document:
    return fields.mapping(WHERE, {name: document.get(name) or {}}, name)


def _only(where: str, document: Document, known: frozenset[str]) -> None:
    for name in document:
        if name not in known:
            close = get_close_matches(str(name), known, n=1)
            hint = f"; is it {close[0]!r}?" if close else ""
            raise ConfigError(f"{where}: {name!r} is not known{hint}")
