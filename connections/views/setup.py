"""Adding a connection: details and consent, sign-in at Constant Contact, the export user."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST
from django_scopes import scope

from config.kept_queries import one_or_404
from config.row_security import across_workspaces
from connections import consent_text, oauth, oauth_client, other_account, services
from connections.authorisation import AuthorisationFailed, WrongAccount, complete
from connections.forms import AddConnectionForm
from connections.models import Connection
from connections.views.sign_in_forms import leads_to_sign_in
from workspaces import two_step
from workspaces.middleware import WorkspaceRequest, to_two_step
from workspaces.models import Membership
from workspaces.permissions import require, requires
from workspaces.proof import proven


@requires("connection.add")
@proven
@leads_to_sign_in
def add(request: WorkspaceRequest, slug: str) -> HttpResponse:
    form = AddConnectionForm(request.POST or None, by=request.user)
    if oauth_client.is_configured() and form.is_valid():
        try:
            connection = services.create_connection(
                request.workspace,
                name=form.cleaned_data["name"],
                sharing=form.cleaned_data["sharing"],
                shared_with=form.cleaned_data["shared_with"],
                by=request.user,
            )
        except services.Refused as refusal:
            form.add_error("name", str(refusal))
        else:
            return redirect(oauth.begin(request.session, connection))
    context = {
        "form": form,
        "consent_text": consent_text.text(),
        "is_configured": oauth_client.is_configured(),
    }
    return render(request, "connections/add.html", context)


@requires("connection.change")
@proven
@require_POST
def authorise(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    connection = one_or_404(Connection, "workspace", pk=pk)
    if not oauth_client.is_configured():
        messages.error(
            request,
            _("This installation has no client ID of Constant Contact. Ask your operator."),
        )
        return redirect("connections:detail", slug, pk)
    return redirect(oauth.begin(request.session, connection))


@never_cache
@require_GET
@login_required
def callback(request: HttpRequest) -> HttpResponse:
    """Where Constant Contact sends the browser back to, with a code or a refusal."""
    sign_in = oauth.take(request.session, request.GET.get("state", ""))
    if sign_in is None:
        return render(request, "connections/callback_ended.html", status=400)
    with across_workspaces():
        membership = get_object_or_404(
            Membership.objects.select_related("workspace", "user"),
            workspace__slug=sign_in.workspace_slug,
            user=request.user,
        )
    if two_step.is_missing(membership.workspace, membership.user):
        return to_two_step(request)
    with scope(workspace=membership.workspace):
        require(membership, "connection.change")
        connection = get_object_or_404(Connection, pk=sign_in.connection_id)
        try:
            complete(connection, sign_in, request.GET.dict(), by=membership.user)
        except WrongAccount as wrong:
            other_account.set_aside(request.session, connection, wrong.answer, wrong.account)
            return redirect("connections:other_account", sign_in.workspace_slug, connection.pk)
        except (AuthorisationFailed, services.Refused) as problem:
            messages.error(request, str(problem))
        else:
            connection.refresh_from_db()
            messages.success(
                request,
                _("You are connected to Constant Contact, account %(account)s.")
                % _account(connection),
            )
    return redirect("connections:detail", sign_in.workspace_slug, connection.pk)


@never_cache
@requires("connection.change")
def use_other_account(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    """Asks whether the other account that the person signed in to is meant."""
    connection = one_or_404(Connection, pk=pk)
    other = other_account.waiting(request.session, connection)
    if other is None:
        messages.info(request, _("Nothing has changed: sign in again to use another account."))
        return redirect("connections:detail", slug, pk)
    if request.method != "POST":
        context = {"connection": connection, "other": other.account}
        return render(request, "connections/other_account.html", context)
    other_account.forget(request.session)
    if request.POST.get("answer") != "use":
        messages.info(
            request, _("This connection is for %(account)s as before.") % _account(connection)
        )
        return redirect("connections:detail", slug, pk)
    try:
        services.keep_authorisation(
            connection, other.answer, other.account, by=request.user, another_is_meant=True
        )
    except services.Refused as refusal:
        messages.error(request, str(refusal))
    else:
        connection.refresh_from_db()
        messages.success(
            request, _("This connection is for %(account)s now.") % _account(connection)
        )
    return redirect("connections:detail", slug, pk)


@never_cache
@requires("connection.change")
@proven
def export_user(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    """Add me as export user: after the person has proved once more who they are."""
    connection = one_or_404(Connection, "export_user", pk=pk)
    if request.method != "POST":
        return render(request, "connections/export_user.html", {"connection": connection})
    try:
        services.become_export_user(connection, by=request.user)
    except services.Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(
            request, _("Saved. You vouch for the exports over “%(name)s”.") % {"name": connection}
        )
    return redirect("connections:detail", slug, connection.pk)


def _account(connection: Connection) -> dict[str, str]:
    return {"account": connection.account_name}
