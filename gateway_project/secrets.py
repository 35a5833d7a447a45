"""The installation's own secrets: made at first start, kept in a file that only its owner reads."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Secrets:
    """Hex text of 32 random bytes each; losing `sealing_key` loses every stored credential."""

    django_secret: str
    key_pepper: str
    sealing_key: str
    audit_origin: str


def load(folder: Path) -> Secrets:
    """Read `secrets.json` from the data folder; the first process to come makes it."""
    path = folder / "secrets.json"
    folder.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        _make(path)
    return Secrets(**json.loads(path.read_text()))


def _make(path: Path) -> None:
    made = Secrets(
        django_secret=secrets.token_hex(32),
        key_pepper=secrets.token_hex(32),
        sealing_key=secrets.token_hex(32),
        audit_origin=f"tollgate/{secrets.token_hex(8)}",
    )
    draft = path.with_suffix(f".{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(asdict(made), file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)  # fails where another process was first: its secrets count
    except FileExistsError:
        pass
    finally:
        draft.unlink()
