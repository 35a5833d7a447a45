"""Through which groups a call may go: aliases and fallbacks, no group twice, bounded moves."""

from __future__ import annotations

from collections.abc import Mapping

from .failures import Kind
from .settings import FallbackRules

ANY = "*"


def resolved(name: str, aliases: Mapping[str, str]) -> str:
    """The group behind an alias, of an alias too; a ring of aliases ends where it began."""
    seen = set()
    while name in aliases and name not in seen:
        seen.add(name)
        name = aliases[name]
    return name


class Route:
    """The group of now, those that wait, and those that have been.

    A failure puts the fallbacks of the group that failed in front of what waits. A request that is
    wrong goes nowhere; one that is too long or against a policy goes only where those fallbacks
    say, or where it was on its way to already.
    """

    def __init__(
        self, first: str, rules: FallbackRules, override: tuple[str, ...] | None = None
    ) -> None:
        self.group = resolved(first, rules.aliases)
        self._rules = rules
        self._override = override
        self._waiting: list[str] = []
        self._seen = {self.group}
        self._moves = 0

    def has_more(self, kind: Kind) -> bool:
        return self._moves < self._rules.moves_max and bool(self._ahead(kind))

    def after(self, kind: Kind) -> str | None:
        """Move to the next group and name it; None where the call ends."""
        if not self.has_more(kind):
            return None
        self.group, *self._waiting = self._ahead(kind)
        self._seen.add(self.group)
        self._moves += 1
        return self.group

    def _ahead(self, kind: Kind) -> list[str]:
        if kind is Kind.BAD_REQUEST or self._override == ():
            return []
        found = [resolved(name, self._rules.aliases) for name in self._fallbacks(kind)]
        unseen = [name for name in [*found, *self._waiting] if name not in self._seen]
        return list(dict.fromkeys(unseen))

    def _fallbacks(self, kind: Kind) -> tuple[str, ...]:
        rules = self._rules
        if kind is Kind.CONTEXT_WINDOW:
            return _named(rules.context_window, self.group) or ()
        if kind is Kind.CONTENT_POLICY:
            return _named(rules.content_policy, self.group) or ()
        if self._override is not None:
            return self._override
        return _named(rules.general, self.group) or rules.default


def _named(table: Mapping[str, tuple[str, ...]], group: str) -> tuple[str, ...] | None:
    return table.get(group, table.get(ANY))
