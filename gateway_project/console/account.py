"""Your own account: password, second factor, roles."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from .. import access
from ..models import Membership


@login_required
def account(request: HttpRequest) -> HttpResponse:
    """What every person has, whatever their role: so no permission is asked."""
    user_id = int(request.user.pk or 0)
    own = Membership.objects.filter(user_id=user_id).select_related("tenant")
    rows = Authenticator.objects.filter(user_id=user_id)
    factors = {row.type: row.wrap() for row in rows}
    codes = factors.get(Authenticator.Type.RECOVERY_CODES)
    shown = {
        "actor": access.of_user(request.user),
        "memberships": own.order_by("tenant__name"),
        "has_second_factor": Authenticator.Type.TOTP in factors,
        "codes_left": len(codes.get_unused_codes()) if codes is not None else None,
    }
    return render(request, "console/account.html", shown)
