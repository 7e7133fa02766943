"""Adding a connection: details and consent, sign-in at Constant Contact, the export user."""

import requests
from allauth.account.internal.flows.reauthentication import raise_if_reauthentication_required
from authlib.integrations.base_client.errors import OAuthError
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST
from django_scopes import scope, scopes_disabled

from connections import consent_text, oauth, services
from connections.authorisation import AuthorisationFailed, complete
from connections.forms import AddConnectionForm
from connections.models import Connection
from workspaces.middleware import WorkspaceRequest
from workspaces.models import Membership
from workspaces.permissions import require, requires


@requires("connection.change")
def add(request: WorkspaceRequest, slug: str) -> HttpResponse:
    form = AddConnectionForm(request.POST or None)
    if form.is_valid():
        connection = services.create_connection(
            request.workspace,
            name=form.cleaned_data["name"],
            sharing=form.cleaned_data["sharing"],
            by=request.user,
        )
        return redirect(oauth.begin(request.session, connection))
    context = {"form": form, "consent_text": consent_text.TEXT}
    return render(request, "connections/add.html", context)


@require_POST
@requires("connection.change")
def authorise(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    connection = get_object_or_404(Connection, pk=pk)
    return redirect(oauth.begin(request.session, connection))


@require_POST
@requires("connection.change")
def export_user(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    connection = get_object_or_404(Connection, pk=pk)
    raise_if_reauthentication_required(request)
    try:
        services.become_export_user(connection, by=request.user)
    except services.Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(
            request, _("You vouch for the exports of “%(name)s” now.") % {"name": connection.name}
        )
    return redirect("connections:detail", slug, pk)


@never_cache
@require_GET
@login_required
def callback(request: HttpRequest) -> HttpResponse:
    """Where Constant Contact sends the browser back to, with a code or a refusal."""
    sign_in = oauth.take(request.session, request.GET.get("state", ""))
    if sign_in is None:
        return render(request, "connections/callback_ended.html", status=400)
    with scopes_disabled():
        membership = get_object_or_404(
            Membership.objects.select_related("workspace"),
            workspace__slug=sign_in.workspace_slug,
            user=request.user,
        )
    with scope(workspace=membership.workspace):
        require(membership, "connection.change")
        connection = get_object_or_404(Connection, pk=sign_in.connection_id)
        try:
            complete(connection, sign_in, request.GET, by=request.user)
        except (AuthorisationFailed, services.Refused) as problem:
            messages.error(request, str(problem))
        except (OAuthError, requests.RequestException):
            messages.error(
                request,
                _("Constant Contact did not complete the sign-in. Nothing is lost: try again."),
            )
        else:
            messages.success(request, _("You are connected to Constant Contact."))
    return redirect("connections:detail", sign_in.workspace_slug, connection.pk)
