"""Every page of the console."""

from __future__ import annotations

from allauth.account import views as account
from django.urls import include, path

from . import (
    account as own,
)
from . import (
    audit,
    budgets,
    credentials,
    keys,
    overview,
    people,
    playground,
    prices,
    reports,
    requests,
    routes,
    tenants,
)

TENANT = "tenants/<str:external_id>"

urlpatterns = [
    path("tenants/", tenants.Tenants.as_view(), name="tenants"),
    path("new/tenant/", tenants.CreateTenant.as_view(), name="create_tenant"),
    path(f"{TENANT}/", tenants.OneTenant.as_view(), name="tenant"),
    path(f"{TENANT}/change/", tenants.ChangeTenant.as_view(), name="change_tenant"),
    path("", overview.Overview.as_view(), name="overview"),
    path("requests/", requests.Requests.as_view(), name="requests"),
    path("requests/<str:call>/", requests.OneRequest.as_view(), name="request"),
    path("playground/", playground.Playground.as_view(), name="playground"),
    path("keys/", keys.Keys.as_view(), name="keys"),
    path("new/key/", keys.CreateKey.as_view(), name="create_key"),
    path("keys/<int:id>/change/", keys.ChangeKey.as_view(), name="change_key"),
    path("keys/<int:id>/rotate/", keys.RotateKey.as_view(), name="rotate_key"),
    path("keys/<int:id>/revoke/", keys.RevokeKey.as_view(), name="revoke_key"),
    path("budgets/", budgets.Budgets.as_view(), name="budgets"),
    path("new/budget/", budgets.SetBudget.as_view(), name="set_budget"),
    path("budgets/<int:id>/archive/", budgets.ArchiveBudget.as_view(), name="archive_budget"),
    path("people/", people.People.as_view(), name="people"),
    path("new/member/", people.SetMember.as_view(), name="set_member"),
    path("people/<int:id>/unset/", people.UnsetMember.as_view(), name="unset_member"),
    path("people/<int:id>/password/", people.ResetPassword.as_view(), name="reset_password"),
    path("new/token/", people.CreateToken.as_view(), name="create_token"),
    path("tokens/<int:id>/revoke/", people.RevokeToken.as_view(), name="revoke_token"),
    path("routes/", routes.Routes.as_view(), name="routes"),
    path("new/route/", routes.SetRoute.as_view(), name="set_route"),
    path("routes/<int:id>/change/", routes.ChangeRoute.as_view(), name="change_route"),
    path("routes/<int:id>/archive/", routes.ArchiveRoute.as_view(), name="archive_route"),
    path("credentials/", credentials.Credentials.as_view(), name="credentials"),
    path("new/credential/", credentials.SetCredential.as_view(), name="set_credential"),
    path(
        "credentials/<int:id>/change/",
        credentials.ChangeCredential.as_view(),
        name="change_credential",
    ),
    path(
        "credentials/<int:id>/archive/",
        credentials.ArchiveCredential.as_view(),
        name="archive_credential",
    ),
    path(
        "credentials/<int:id>/test/", credentials.TestCredential.as_view(), name="test_credential"
    ),
    path("prices/", prices.Prices.as_view(), name="prices"),
    path("prices/<int:id>/", prices.OnePrice.as_view(), name="price"),
    path("new/price/", prices.SetPrice.as_view(), name="set_price"),
    path("prices/<int:id>/override/", prices.OverridePrice.as_view(), name="override_price"),
    path("prices/<int:id>/restore/", prices.RestorePrice.as_view(), name="restore_price"),
    path("prices/sync/", prices.SyncPrices.as_view(), name="sync_prices"),
    path("reports/", reports.Reports.as_view(), name="reports"),
    path("reports/spend.<str:kind>", reports.SpendFile.as_view(), name="spend_file"),
    path("reports/focus.csv", reports.FocusFile.as_view(), name="focus_file"),
    path("audit/", audit.Audit.as_view(), name="audit"),
    path("audit/<int:tenant>/<int:seq>/", audit.OneEntry.as_view(), name="audit_entry"),
    path("audit/verify/", audit.Verify.as_view(), name="verify_audit"),
    path("account/", own.account, name="account"),
    path("account/login/", account.login, name="account_login"),
    path("account/logout/", account.logout, name="account_logout"),
    path("account/inactive/", account.account_inactive, name="account_inactive"),
    path("account/reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("account/password/", account.password_change, name="account_change_password"),
    path("account/2fa/", include("allauth.mfa.urls")),
]
