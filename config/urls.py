"""The pages, as the design names them."""

from django.contrib import admin
from django.urls import include, path

from config import health, told_metrics
from workspaces.views import entry, operations

urlpatterns = [
    path("", entry.home, name="home"),
    path("accounts/", include("allauth.account.urls")),
    path("language/", include("django.conf.urls.i18n")),
    path("operator/system/", operations.system, name="operator_system"),
    path("operator/", admin.site.urls),
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
