"""The settings that a caller has put on the public door: `providers.drop_params = True`.

They are that module's plain variables, read at each call, so that a change counts at once.
"""

from __future__ import annotations

import sys
from typing import Any


def setting(name: str, default: Any) -> Any:
    """The door's variable, or the default where it is None or not there."""
    value = vars(sys.modules["providers"]).get(name)
    return default if value is None else value
