"""Where calls go: public model names, their targets, and the providers' credentials."""

from __future__ import annotations

from collections.abc import Sequence

from .. import vault
from ..books import change
from ..models import Credential, Route, Target
from .drafts import SYSTEM, Value, append, draft


class SecretNeeded(ValueError):
    """An address or provider that is new must come with its own secret."""


class InUse(ValueError):
    """Active routes still go through it."""


def set_credential(
    actor: str, name: str, provider: str, *, base_url: str, secret: str | None
) -> Credential:
    """Where a route's calls go and with which key; `secret` None keeps the key that there is.

    A new address never inherits the old key: raises SecretNeeded.
    """
    with change() as version:
        known = Credential.objects.select_for_update().filter(name=name).first()
        place = (provider, base_url)
        if secret is None and (known is None or (known.provider, known.base_url) != place):
            raise SecretNeeded("A new provider or address needs its own secret.")
        before = _credential_fields(known)
        credential = known or Credential(name=name)
        credential.provider, credential.base_url = place
        if secret is not None:
            credential.sealed_key = vault.seal(secret) if secret else b""
        credential.is_active, credential.version = True, version
        credential.save()
        after = {**_credential_fields(credential), "secret_changed": secret is not None}
        _record(actor, "credential.set", f"credential:{name}", before, after)
    return credential


def archive_credential(actor: str, credential: Credential) -> None:
    """Its key is wiped; raises InUse while a route goes through it."""
    with change() as version:
        routes = Route.objects.filter(is_active=True, targets__credential=credential)
        names = sorted(set(routes.values_list("name", flat=True)[:5]))
        if names:
            raise InUse(f"The credential is used by {', '.join(names)}.")
        Credential.objects.filter(id=credential.id).update(
            is_active=False, sealed_key=b"", version=version
        )
        before = _credential_fields(credential)
        _record(actor, "credential.archive", f"credential:{credential.name}", before, {})


def set_route(
    actor: str,
    name: str,
    targets: Sequence[tuple[str, str, Credential | None]],
    output_tokens_default: int | None = None,
) -> Route:
    """A public model name and its targets (provider, model, credential), in the order to try."""
    with change() as version:
        route = Route.objects.select_for_update().filter(name=name).first() or Route(name=name)
        before = _route_fields(route) if route.pk and route.is_active else {}
        route.is_active, route.version = True, version
        if output_tokens_default is not None:
            route.output_tokens_default = output_tokens_default
        route.save()
        route.targets.all().delete()
        Target.objects.bulk_create(
            Target(route=route, position=at, provider=provider, model=model, credential=credential)
            for at, (provider, model, credential) in enumerate(targets)
        )
        after = _route_fields(route)
        if after != before:
            _record(actor, "route.set", f"route:{name}", before, after)
    return route


def archive_route(actor: str, route: Route) -> None:
    """The name is unknown to callers from now on."""
    with change() as version:
        Route.objects.filter(id=route.id).update(is_active=False, version=version)
        _record(actor, "route.archive", f"route:{route.name}", _route_fields(route), {})


def _record(
    actor: str, action: str, object: str, before: dict[str, Value], after: dict[str, Value]
) -> None:
    append(draft(SYSTEM, actor, action, object, before, after))


def _credential_fields(credential: Credential | None) -> dict[str, Value]:
    if credential is None or not credential.is_active:
        return {}
    return {"provider": credential.provider, "base_url": credential.base_url}


def _route_fields(route: Route) -> dict[str, Value]:
    targets = route.targets.select_related("credential").order_by("position")
    return {
        "targets": [
            f"{target}@{target.credential}" if target.credential else str(target)
            for target in targets
        ],
        "output_tokens_default": route.output_tokens_default,
    }
