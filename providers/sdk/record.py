"""An object that is also a dict: `r.usage`, `r["usage"]`, `r.get("usage")`, `{**r}`."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, ValuesView
from typing import TYPE_CHECKING, Any

import orjson

Json = dict[str, Any]


class Record:
    """Fields live in the instance; names with an underscore are beside the data, not in it.

    A field that was not sent reads as the class's default, if it has one, and is not a key.
    """

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)

    def __getattr__(self, name: str) -> Any:
        """Only for what is not there; it tells type checkers that answers may hold more."""
        raise AttributeError(f"{type(self).__name__} has no {name!r}")

    if TYPE_CHECKING:

        def __setattr__(self, name: str, value: Any) -> None:
            """Any field may be added."""

    def __getitem__(self, name: str) -> Any:
        if name.startswith("_") or not hasattr(self, name):
            raise KeyError(name)
        value = getattr(self, name)
        if callable(value):
            raise KeyError(name)
        return value

    def __setitem__(self, name: str, value: Any) -> None:
        setattr(self, name, value)

    def __delitem__(self, name: str) -> None:
        delattr(self, name)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self._data()

    def __iter__(self) -> Iterator[str]:
        return iter(self._data())

    def __len__(self) -> int:
        return len(self._data())

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._data() == other._data()

    __hash__ = None  # type: ignore[assignment]  # it can change, like a dict

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in self._data().items())
        return f"{type(self).__name__}({fields})"

    def _data(self) -> Json:
        return {name: value for name, value in self.__dict__.items() if name[0] != "_"}

    def get(self, name: str, default: Any = None) -> Any:
        try:
            return self[name]
        except KeyError:
            return default

    def keys(self) -> KeysView[str]:
        return self._data().keys()

    def values(self) -> ValuesView[Any]:
        return self._data().values()

    def items(self) -> ItemsView[str, Any]:
        return self._data().items()

    def model_dump(self, *, exclude_none: bool = False, **ignored: Any) -> Json:
        """Plain dicts and lists all the way down; other options of pydantic's are ignored."""
        return {
            name: _plain(value, exclude_none)
            for name, value in self._data().items()
            if not (exclude_none and value is None)
        }

    def dict(self, **options: Any) -> Json:
        return self.model_dump(**options)

    def to_dict(self, **options: Any) -> Json:
        return self.model_dump(**options)

    def json(self, **options: Any) -> Json:
        """A dict, as LiteLLM has it; the text is `model_dump_json`."""
        return self.model_dump(**options)

    def model_dump_json(self, *, indent: int | None = None, **options: Any) -> str:
        style = orjson.OPT_INDENT_2 if indent else None
        return orjson.dumps(self.model_dump(**options), option=style).decode()


def record(value: Any) -> Any:
    """Foreign JSON with its objects as records."""
    if isinstance(value, dict):
        return Record(**{str(name): record(each) for name, each in value.items()})
    return [record(each) for each in value] if isinstance(value, list) else value


def plain(value: Any) -> Any:
    """Records, and other libraries' objects with a `model_dump`, as plain JSON."""
    return _plain(value, exclude_none=True) if not isinstance(value, str) else value


def _plain(value: Any, exclude_none: bool) -> Any:
    if isinstance(value, Record):
        return value.model_dump(exclude_none=exclude_none)
    if isinstance(value, dict):
        return {name: _plain(each, exclude_none) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each, exclude_none) for each in value]
    dump = getattr(value, "model_dump", None)
    if dump is not None and not isinstance(value, type):
        return dump(exclude_none=True)
    return value
