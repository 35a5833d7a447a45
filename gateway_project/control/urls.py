"""Every path of the management API, below `/api/`."""

from __future__ import annotations

from django.urls import path

from . import (
    audit,
    budgets,
    credentials,
    docs,
    keys,
    people,
    prices,
    reports,
    requests,
    routes,
    tenants,
    whoami,
)

TENANT = "tenants/<str:external_id>"

urlpatterns = [
    path("whoami", whoami.WhoAmI.as_view()),
    path("tenants", tenants.Tenants.as_view()),
    path(TENANT, tenants.OneTenant.as_view()),
    path(f"{TENANT}/budgets/<str:period>", budgets.TenantBudget.as_view()),
    path(f"{TENANT}/key-budgets/<str:period>", budgets.EachKeyBudget.as_view()),
    path("keys", keys.Keys.as_view()),
    path("keys/<int:id>", keys.OneKey.as_view()),
    path("keys/<int:id>/rotate", keys.RotateKey.as_view()),
    path("keys/<int:id>/revoke", keys.RevokeKey.as_view()),
    path("keys/<int:id>/budgets/<str:period>", budgets.KeyBudget.as_view()),
    path("budgets", budgets.Budgets.as_view()),
    path("budgets/<int:id>", budgets.OneBudget.as_view()),
    path("routes", routes.Routes.as_view()),
    path("routes/<path:name>", routes.OneRoute.as_view()),
    path("credentials", credentials.Credentials.as_view()),
    path("credentials/<str:name>", credentials.OneCredential.as_view()),
    path("credentials/<str:name>/test", credentials.TestCredential.as_view()),
    path("prices", prices.Prices.as_view()),
    path("prices/sync", prices.SyncPrices.as_view()),
    path("prices/<int:id>", prices.OnePrice.as_view()),
    path("prices/<int:id>/restore", prices.RestorePrice.as_view()),
    path("requests", requests.Requests.as_view()),
    path("requests/<str:call>", requests.OneRequest.as_view()),
    path("reports/spend", reports.SpendReport.as_view()),
    path("reports/focus", reports.FocusReport.as_view()),
    path("audit/entries", audit.AuditEntries.as_view()),
    path("audit/verify", audit.VerifyAudit.as_view()),
    path("members", people.Members.as_view()),
    path("members/<int:id>", people.OneMember.as_view()),
    path("tokens", people.Tokens.as_view()),
    path("tokens/<int:id>", people.OneToken.as_view()),
    path("schema/", docs.Document.as_view(), name="api_schema"),
    path("docs/", docs.Docs.as_view(), name="api_docs"),
]
