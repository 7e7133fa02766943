"""A person's own account, where allauth's pages are not enough."""

import requests
from allauth.account import views as allauth_pages
from allauth.account.adapter import get_adapter
from allauth.socialaccount.models import SocialAccount
from allauth.socialaccount.providers.openid_connect import views as openid_connect
from allauth.usersessions.views import ListUserSessionsView
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from workspaces.proof import proven
from workspaces.redirects import leave
from workspaces.sessions import EndSessionsForm


class SessionsView(ListUserSessionsView):
    form_class = EndSessionsForm


sessions = SessionsView.as_view()


def _changes_no_address(request: HttpRequest) -> bool:
    return request.method != "POST" or "action_send" in request.POST


def _has_no_proof(request: HttpRequest) -> bool:
    """Whoever signs in by nothing yet has to begin somewhere."""
    methods = get_adapter().get_reauthentication_methods(request.user)
    return not methods and not SocialAccount.objects.filter(user=request.user).exists()


# Whoever has another address, or the first password, of an account has all of it.
email = login_required(proven(allauth_pages.email, unless=_changes_no_address))
set_password = login_required(proven(allauth_pages.password_set, unless=_has_no_proof))


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
