"""Pages about the API, under /w/SLUG/admin/tokens/."""

from django.urls import path

from api.views import reference, tokens

app_name = "api_pages"

urlpatterns = [
    path("", tokens.token_list, name="token_list"),
    path("reference/", reference.reference, name="reference"),
    path("add/", tokens.add, name="token_add"),
    path("add/service/", tokens.add_service, name="token_add_service"),
    path("<int:pk>/revoke/", tokens.revoke, name="token_revoke"),
]
