"""Logging in and out, passwords and the second factor, as a person goes through them."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core import mail
from django.core.cache import cache
from django.test import Client

from budgets.models import Tenant
from gateway_project.roles import Role
from tests import people

LOGIN = "/account/login/"
PASSWORD = "alice-and-a-long-word"
NEW_PASSWORD = "another-long-word-of-mine"


@pytest.fixture(autouse=True)
def _fresh_limits() -> Iterator[None]:
    """What failed attempts leave behind is kept for minutes, so every test starts without."""
    cache.clear()
    yield
    cache.clear()


def log_in(password: str = PASSWORD) -> Client:
    browser = Client()
    browser.post(LOGIN, {"login": "alice", "password": password})
    return browser


def code_now(secret: str) -> str:
    code: str = format_hotp_value(hotp_value(secret, int(time.time()) // 30))
    return code


def confirm(browser: Client) -> None:
    """Say once more who it is, as every change of the second factor asks for."""
    browser.post("/account/reauthenticate/", {"password": PASSWORD})


def enrol(browser: Client) -> str:
    """Turn the second factor on; returns its secret."""
    confirm(browser)
    page = browser.get("/account/2fa/totp/activate/").content.decode()
    found = re.search(r'id="secret" value="([A-Z2-7]+)"', page)
    assert found is not None
    browser.post("/account/2fa/totp/activate/", {"code": code_now(found[1])})
    return found[1]


def test_a_person_logs_in_and_out() -> None:
    people.user("alice", Role.OWNER)
    browser = Client()

    page = browser.get(f"{LOGIN}?next=/tenants/").content.decode()
    answer = browser.post(LOGIN, {"login": "alice", "password": PASSWORD, "next": "/tenants/"})

    assert 'name="login"' in page
    assert answer["location"] == "/tenants/"
    assert browser.get("/tenants/").status_code == 200
    assert browser.post("/account/logout/")["location"] == LOGIN
    assert browser.get("/tenants/").status_code == 302


def test_a_wrong_password_says_so_and_not_which_part_is_wrong() -> None:
    people.user("alice", Role.OWNER)

    wrong = Client().post(LOGIN, {"login": "alice", "password": "no"}).content.decode()
    unknown = Client().post(LOGIN, {"login": "nobody", "password": "no"}).content.decode()

    text = "The username and/or password you specified are not correct."
    assert text in wrong
    assert text in unknown


def test_after_several_failures_a_login_takes_a_break() -> None:
    people.user("alice", Role.OWNER)
    browser = Client()

    answers = [browser.post(LOGIN, {"login": "alice", "password": "no"}) for _ in range(6)]
    right = browser.post(LOGIN, {"login": "alice", "password": PASSWORD})

    assert {answer.status_code for answer in answers} == {200}
    assert "Too many failed login attempts" in right.content.decode()


def test_a_flood_of_logins_is_told_to_come_back_later() -> None:
    browser = Client()

    answers = [browser.post(LOGIN, {"login": f"n{at}", "password": "no"}) for at in range(31)]

    assert answers[-1].status_code == 429
    assert "Try again in a few minutes" in answers[-1].content.decode()


def test_the_second_factor_guards_the_next_login() -> None:
    people.user("alice", Role.OWNER)
    secret = enrol(log_in())
    browser = Client()

    asked = browser.post(LOGIN, {"login": "alice", "password": PASSWORD})
    page = browser.get(asked["location"]).content.decode()
    wrong = browser.post("/account/2fa/authenticate/", {"code": "000000"})
    closed = browser.get("/tenants/")
    cache.clear()
    right = browser.post("/account/2fa/authenticate/", {"code": code_now(secret)})

    assert asked["location"].startswith("/account/2fa/authenticate/")
    assert "authenticator app" in page
    assert "Incorrect code" in wrong.content.decode()
    assert closed.status_code == 302
    assert right["location"] == "/"
    assert browser.get("/tenants/").status_code == 200


def test_the_set_up_shows_a_picture_and_the_secret_and_refuses_a_wrong_code() -> None:
    people.user("alice", Role.OWNER)
    browser = log_in()
    confirm(browser)

    page = browser.get("/account/2fa/totp/activate/").content.decode()
    wrong = browser.post("/account/2fa/totp/activate/", {"code": "000000"})

    assert 'src="data:image/svg+xml;base64,' in page
    assert "Incorrect code" in wrong.content.decode()
    assert not Authenticator.objects.exists()


def test_the_secret_of_a_second_factor_is_not_in_the_database() -> None:
    people.user("alice", Role.OWNER)

    secret = enrol(log_in())

    assert secret not in str(Authenticator.objects.values_list("data", flat=True))


def test_a_recovery_code_opens_the_account_once() -> None:
    people.user("alice", Role.OWNER)
    first = log_in()
    enrol(first)
    page = first.get("/account/2fa/recovery-codes/").content.decode()
    codes = re.findall(r"<li><code>([^<]+)</code>", page)

    browser, again = log_in(), log_in()
    opened = browser.post("/account/2fa/authenticate/", {"code": codes[0]})
    refused = again.post("/account/2fa/authenticate/", {"code": codes[0]})

    assert len(codes) == 10
    assert opened["location"] == "/"
    assert "Incorrect code" in refused.content.decode()
    assert "9 recovery codes are left" in browser.get("/account/").content.decode()
    assert first.get("/account/2fa/recovery-codes/download/").status_code == 200


def test_new_recovery_codes_end_the_old_ones() -> None:
    people.user("alice", Role.OWNER)
    browser = log_in()
    enrol(browser)
    before = browser.get("/account/2fa/recovery-codes/download/").content

    asked = browser.get("/account/2fa/recovery-codes/generate/").content.decode()
    browser.post("/account/2fa/recovery-codes/generate/")

    assert "The 10 unused ones end at once" in asked
    assert browser.get("/account/2fa/recovery-codes/download/").content != before


def test_the_second_factor_is_turned_off_again() -> None:
    people.user("alice", Role.OWNER)
    browser = log_in()
    enrol(browser)

    asked = browser.get("/account/2fa/totp/deactivate/").content.decode()
    browser.post("/account/2fa/totp/deactivate/")

    assert "your password alone opens your account" in asked
    assert browser.get("/account/2fa/").status_code == 200
    assert not Authenticator.objects.exists()


def test_whoever_changes_the_second_factor_says_once_more_who_it_is() -> None:
    people.user("alice", Role.OWNER)
    browser = log_in()

    asked = browser.get("/account/2fa/totp/activate/")
    page = browser.get(asked["location"]).content.decode()
    browser.post("/account/reauthenticate/", {"password": PASSWORD})

    assert asked["location"].startswith("/account/reauthenticate/")
    assert "Is it you?" in page
    assert browser.get("/account/2fa/totp/activate/").status_code == 200


def test_with_a_second_factor_its_code_confirms_too() -> None:
    people.user("alice", Role.OWNER)
    browser = log_in()
    secret = enrol(browser)
    cache.clear()

    page = browser.get("/account/2fa/reauthenticate/").content.decode()
    answer = browser.post("/account/2fa/reauthenticate/", {"code": code_now(secret)})

    assert "Is it you?" in page
    assert answer.status_code == 302


def test_a_changed_password_ends_the_other_sessions() -> None:
    people.user("alice", Role.OWNER)
    here, elsewhere = log_in(), log_in()
    form = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}

    page = here.get("/account/password/").content.decode()
    here.post("/account/password/", form)

    assert "Every other session of yours ends" in page
    assert here.get("/tenants/").status_code == 200
    assert elsewhere.get("/tenants/").status_code == 302
    assert log_in(NEW_PASSWORD).get("/tenants/").status_code == 200
    assert mail.outbox == []


def test_a_weak_password_is_refused_with_the_reason() -> None:
    people.user("alice", Role.OWNER)

    answer = log_in().post(
        "/account/password/",
        {"oldpassword": PASSWORD, "password1": "short", "password2": "short"},
    )

    assert "too short" in answer.content.decode()


def test_a_closed_account_is_told_so() -> None:
    alice = people.user("alice", Role.OWNER)
    alice.is_active = False
    alice.save(update_fields=["is_active"])
    browser = Client()

    answer = browser.post(LOGIN, {"login": "alice", "password": PASSWORD}, follow=True)

    assert answer.status_code == 200
    assert browser.get("/tenants/").status_code == 302
    assert "This account is closed" in browser.get("/account/inactive/").content.decode()


def test_an_account_says_which_roles_it_has_where(acme: Tenant) -> None:
    page = people.client("bob", Role.VIEWER, acme).get("/account/").content.decode()

    assert "viewer" in page
    assert "Acme" in page
    assert "/account/2fa/totp/activate/" in page


def test_an_account_without_any_role_is_told_what_is_missing() -> None:
    page = people.client("bob").get("/account/").content.decode()

    assert "an owner has to give you one" in page
