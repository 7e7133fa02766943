"""The pages, as the design names them."""

from django.urls import include, path

from config import health, told_metrics
from workspaces.admin import site as operator_pages
from workspaces.views import account, entry, operations

urlpatterns = [
    path("", entry.home, name="home"),
    path("accounts/oidc/<str:provider_id>/login/", account.to_issuer, name="openid_connect_login"),
    path("accounts/email/", account.email, name="account_email"),
    path("accounts/password/set/", account.set_password, name="account_set_password"),
    path("accounts/", include("allauth.account.urls")),
    path("accounts/", include("allauth.socialaccount.providers.openid_connect.urls")),
    path("accounts/security/", include("allauth.mfa.urls")),
    path("accounts/security/accounts/", include("allauth.socialaccount.urls")),
    path("accounts/security/sessions/", account.sessions, name="usersessions_list"),
    path("language/", include("django.conf.urls.i18n")),
    path("operator/system/", operations.system, name="operator_system"),
    path("operator/", operator_pages.urls),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", told_metrics.metrics, name="metrics"),
    path("", include("workspaces.urls")),
    path("w/<slug:slug>/data/", include("segments.urls")),
    path("w/<slug:slug>/data/exports/", include("exports.urls")),
    path("w/<slug:slug>/admin/connections/", include("connections.urls")),
    path("w/<slug:slug>/admin/tokens/", include("api.page_urls")),
    path("api/v1/", include("api.urls")),
    path("connections/constant-contact/", include("connections.callback_urls")),
]

handler500 = "config.unavailable.answer"
