"""Where a caller's calls of one model go: the same each time, until the snapshot changes."""

from __future__ import annotations

from .facts import Plan, Principal, Request

PLANS_MAX = 10_000

_Key = tuple[int, str, str | None, type[Request]]


class Plans:
    """Remembers plans; the directory makes a new principal with every change that it reads."""

    def __init__(self) -> None:
        self._known: dict[_Key, tuple[Principal, Plan]] = {}

    def find(self, principal: Principal, request: Request) -> Plan | None:
        """The plan that was made for this very principal."""
        known = self._known.get(_key(principal, request))
        return known[1] if known is not None and known[0] is principal else None

    def keep(self, principal: Principal, request: Request, plan: Plan) -> None:
        if len(self._known) >= PLANS_MAX:
            self._known.clear()
        self._known[_key(principal, request)] = (principal, plan)


def _key(principal: Principal, request: Request) -> _Key:
    return principal.key_id, request.model, request.provider, type(request)
