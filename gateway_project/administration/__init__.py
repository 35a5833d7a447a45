"""What admins do: each function is one change, audited with before and after in its transaction.

Commands, REST and console call these; nothing else writes tenants, keys, budgets, routes, prices
or people. `actor` is who did it, as the audit names it: `user:ann`, `token:tga_1a2b3c`.
"""

from __future__ import annotations

from .budgets import archive_budget, set_budget
from .drafts import SYSTEM, open_system_log
from .keys import create_key, revoke_key, rotate_key, update_key
from .people import (
    create_token,
    forget_second_factor,
    revoke_token,
    set_member,
    set_password,
    unset_member,
)
from .prices import override_price, restore_price, sync_prices
from .routing import archive_credential, archive_route, set_credential, set_route
from .tenants import create_tenant, update_tenant

__all__ = [
    "SYSTEM",
    "archive_budget",
    "archive_credential",
    "archive_route",
    "create_key",
    "create_tenant",
    "create_token",
    "forget_second_factor",
    "open_system_log",
    "override_price",
    "restore_price",
    "revoke_key",
    "revoke_token",
    "rotate_key",
    "set_budget",
    "set_credential",
    "set_member",
    "set_password",
    "set_route",
    "sync_prices",
    "unset_member",
    "update_key",
    "update_tenant",
]
