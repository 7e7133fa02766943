"""A person's own account, where allauth's pages are not enough."""

import requests
from allauth.socialaccount.providers.openid_connect import views as openid_connect
from allauth.usersessions.views import ListUserSessionsView
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from workspaces.redirects import leave
from workspaces.sessions import EndSessionsForm


class SessionsView(ListUserSessionsView):
    form_class = EndSessionsForm


sessions = SessionsView.as_view()


def to_issuer(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """To the sign-in page of an OpenID Connect issuer."""
    try:
        return leave(request, openid_connect.login(request, provider_id))
    except (requests.RequestException, KeyError, ValueError):
        messages.error(
            request,
            _("That way to sign in does not answer now. Try again later, or use another one."),
        )
        return redirect("account_login")
