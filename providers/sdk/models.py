"""What is known of a model: prices and context from the installed list, and what was registered.

`model_cost` and `model_list` read the list when they are first looked into, not before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, overload

from ..catalog import PROVIDERS
from ..errors import BadRequest
from ..price_source import PriceRow
from ..pricing import PriceUnknown
from . import abilities, door, prices
from .addresses import find_provider
from .raising import named_errors

ABILITIES = {
    name: getattr(abilities, name) for name in vars(abilities) if name.startswith("supports_")
}
provider_list: Sequence[str] = tuple(PROVIDERS)


@named_errors()
def get_llm_provider(
    model: str, custom_llm_provider: str | None = None
) -> tuple[str, str, str | None, str | None]:
    """(its own name of the model, provider, None, address): never a key."""
    row, upstream = find_provider(model, custom_llm_provider)
    base = door.setting("api_base", None)
    return upstream, row.name, None, base or row.base_url or None


@named_errors()
def get_model_info(model: str, custom_llm_provider: str | None = None) -> dict[str, Any]:
    """LiteLLM's fields; None where the list does not say. Raises PriceUnknown for no such model."""
    row, upstream = find_provider(model, custom_llm_provider)
    listed = prices.find_row(row.name, upstream)
    told = prices.registered.get((row.name, upstream))
    if listed is None and told is None:
        raise PriceUnknown(f"This model isn't mapped yet: {row.name}/{upstream}.")
    info = {**_of_row(row.name, upstream, listed), **(told or {})}
    info |= {name: can(upstream, row.name) for name, can in ABILITIES.items()}
    info["supported_openai_params"] = abilities.get_supported_openai_params(upstream, row.name)
    return info


def get_max_tokens(model: str) -> int:
    """The most tokens of an answer where that is known, else the context, as LiteLLM has it.

    Raises PriceUnknown where neither is known.
    """
    info = get_model_info(model)
    found = info.get("max_output_tokens") or info.get("max_tokens") or info.get("max_input_tokens")
    if found is None:
        raise PriceUnknown(f"nobody says how many tokens {model} takes")
    return int(found)


@named_errors()
def register_model(model_cost: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """Say prices and limits of models in LiteLLM's fields; they win over the installed list.

    {"my-model": {"litellm_provider": "openai", "input_cost_per_token": 2e-06, ...}}. An address
    instead of a dict is refused: nothing is fetched behind a caller's back.
    """
    if not isinstance(model_cost, Mapping):
        raise BadRequest("register_model takes a dict of models.", param="model_cost")
    for model, fields in model_cost.items():
        row, upstream = find_provider(model, fields.get("litellm_provider"))
        known = {**prices.registered.get((row.name, upstream), {}), **fields}
        try:
            prices.registered_price(row.name, upstream, known)
        except (ValueError, ArithmeticError) as error:
            raise BadRequest(f"{model}: {error}", param="model_cost") from error
        prices.registered[row.name, upstream] = known
    return ModelCost()


def _of_row(provider: str, model: str, row: PriceRow | None) -> dict[str, Any]:
    info: dict[str, Any] = {
        "key": row.model if row else model,
        "litellm_provider": provider,
        "mode": "chat" if row is None or "output_mtok" in row.rates else None,
        "max_tokens": row.context_window if row else None,
        "max_input_tokens": row.context_window if row else None,
        "max_output_tokens": None,
    }
    for field, rate in prices.RATE_FIELDS.items():
        value = row.rates.get(rate) if row else None
        base = value["base"] if isinstance(value, Mapping) else value
        info[field] = None if base is None else float(base) / prices.TOKENS_PER_RATE
    return info


class ModelCost(Mapping[str, dict[str, Any]]):
    """By `provider/model`, and by the model alone where it was or is the default's."""

    def __getitem__(self, name: str) -> dict[str, Any]:
        provider, slash, model = name.partition("/")
        if not slash or provider not in {key for key, _ in self._keys()}:
            provider, model = self._provider_of(name), name
        row = next((each for each in self._rows(provider) if each.model == model), None)
        told = prices.registered.get((provider, model))
        if row is None and told is None:
            raise KeyError(name)
        return {**_of_row(provider, model, row), **(told or {})}

    def __iter__(self) -> Iterator[str]:
        return (f"{provider}/{model}" for provider, model in self._keys())

    def __len__(self) -> int:
        return len(self._keys())

    def _keys(self) -> dict[tuple[str, str], None]:
        """In order, each once."""
        listed = (
            (provider, row.model)
            for provider, rows in prices.rows_of(prices.today()).items()
            for row in rows
        )
        return dict.fromkeys([*prices.registered, *listed])

    def _rows(self, provider: str) -> Sequence[PriceRow]:
        return prices.rows_of(prices.today()).get(provider, [])

    def _provider_of(self, name: str) -> str:
        try:
            row, _ = find_provider(name)
        except BadRequest:
            return ""
        return row.name


class ModelList(Sequence[str]):
    """The names of `model_cost`."""

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...

    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        return list(model_cost)[index]

    def __len__(self) -> int:
        return len(model_cost)


model_cost = ModelCost()
model_list = ModelList()
