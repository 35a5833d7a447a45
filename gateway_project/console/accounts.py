"""Logging in and out: allauth's, with sign-up closed, and every login in the system's chain."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse

from ..administration.drafts import SYSTEM, draft
from ..books import change


class Accounts(DefaultAccountAdapter):
    """People are made by members:write, never by themselves."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        name = f"user:{user.get_username()}"
        with change(draft(SYSTEM, name, "session.login", name)):
            response: HttpResponse = super().post_login(request, user, **kwargs)
        return response
