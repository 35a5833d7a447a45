"""Your own account: password, second factor, roles."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from .. import access


@login_required
def account(request: HttpRequest) -> HttpResponse:
    """What every person has, whatever their role: so no permission is asked."""
    return render(request, "console/account.html", {"actor": access.of_user(request.user)})
