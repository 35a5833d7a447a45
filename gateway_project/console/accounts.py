"""Logging in and out: allauth's, with sign-up closed, and every login in the system's chain."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse

from .. import vault
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


class SecondFactors(DefaultMFAAdapter):
    """Who reads the database alone cannot make anybody's codes: their secrets are sealed."""

    def encrypt(self, text: str) -> str:
        return vault.seal(text).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return vault.unseal(encrypted_text.encode())
