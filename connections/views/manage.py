"""The connections there are: list, details, changes, consent, removal."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from config.kept_queries import one_or_404
from connections import consent_text, dependents, health, selectors, services, tokens, words
from connections.access import todays_budget
from connections.authorisation import check as ask_account
from connections.forms import ConnectionForm, ConsentForm
from connections.models import Connection
from connections.provider.errors import ProviderError
from connections.views.sign_in_forms import leads_to_sign_in
from workspaces import keyset
from workspaces.middleware import WorkspaceRequest
from workspaces.permissions import requires
from workspaces.proof import proven


@requires("connection.view")
def connection_list(request: WorkspaceRequest, slug: str) -> HttpResponse:
    page = selectors.connections(request.GET)
    connections = page.rows
    used_by = dependents.of_each(connections)
    rows = [
        {
            "connection": connection,
            "health": health.of(connection),
            "used_by": used_by[connection.pk],
        }
        for connection in connections
    ]
    context = {
        "rows": rows,
        **keyset.context_of(page, request.GET),
        "budget": todays_budget() if rows else None,
    }
    return render(request, "connections/list.html", context)


@requires("connection.view")
@leads_to_sign_in
def detail(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    connection = selectors.known_connection.or_404(pk=pk)
    consent = selectors.standing_consent(connection)
    context: dict[str, Any] = {
        "connection": connection,
        "consent": consent,
        "shared_with": selectors.shared_by_name(connection),
        "form": ConsentForm(),
    }
    if connection.state == Connection.State.DRAFT:
        return render(request, "connections/setup.html", context)
    context |= {
        "health": health.of(connection),
        "unused_until": tokens.unused_until(connection),
        "withdrawn": selectors.withdrawn_consents(connection),
        "consent_text": consent_text.text(),
        "used_by": dependents.of(connection),
    }
    return render(request, "connections/detail.html", context)


@require_POST
@requires("connection.change")
def check(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    """Asks Constant Contact whether the connection works."""
    connection = one_or_404(Connection, pk=pk)
    try:
        account = ask_account(connection)
    except ProviderError as error:
        messages.error(
            request, _("It does not work now. %(problem)s") % {"problem": words.error_text(error)}
        )
    else:
        messages.success(
            request,
            _("It works: Constant Contact answered for the account %(account)s.")
            % {"account": account.name},
        )
    return redirect("connections:detail", slug, pk)


@requires("connection.change")
@proven
def edit(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    connection = one_or_404(Connection, pk=pk)
    form = ConnectionForm(request.POST or None, instance=connection)
    stopping: list[dependents.Dependent] = []
    if form.is_valid():
        try:
            services.change_connection(
                connection,
                name=form.cleaned_data["name"],
                sharing=form.cleaned_data["sharing"],
                shared_with=form.cleaned_data["shared_with"],
                by=request.user,
                stop_exports="stop_exports" in request.POST,
            )
        except services.StopsExports as stops:
            stopping = stops.stopping
        except services.Refused as refusal:
            form.add_error("name", str(refusal))
        else:
            messages.success(request, _("The connection has been changed."))
            return redirect("connections:detail", slug, pk)
    context = {
        "form": form,
        "connection": one_or_404(Connection, pk=pk),
        "used_by": dependents.of(connection),
        "stopping": stopping,
    }
    return render(request, "connections/edit.html", context)


def _is_withdrawal(request: HttpRequest) -> bool:
    return request.POST.get("answer") == "withdraw"


@requires("connection.change")
@proven(unless=_is_withdrawal)
@require_POST
def consent(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    connection = one_or_404(Connection, pk=pk)
    if _is_withdrawal(request):
        services.withdraw_consent(connection, by=request.user)
        messages.success(request, _("Consent is withdrawn: nothing more is sent."))
        return redirect("connections:detail", slug, pk)
    form = ConsentForm(request.POST)
    if form.is_valid():
        services.give_consent(connection, by=request.user)
        messages.success(request, _("Your consent is recorded."))
    else:
        messages.error(request, str(form.errors["agree"][0]))
    return redirect("connections:detail", slug, pk)


@requires("connection.remove")
def remove(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    """Guided: each export is detached or removed, then the connection goes."""
    connection = one_or_404(Connection, pk=pk)
    used_by = dependents.of(connection)
    if request.method == "POST":
        choices = {one.key: request.POST.get(f"dependent-{one.key}", "") for one in used_by}
        try:
            services.remove_connection(connection, by=request.user, choices=choices)
        except services.Refused as refusal:
            messages.error(request, str(refusal))
            return redirect("connections:remove", slug, pk)
        messages.success(
            request, _("The connection “%(name)s” is removed.") % {"name": connection.name}
        )
        return redirect("connections:list", slug)
    context = {"connection": connection, "used_by": used_by}
    return render(request, "connections/remove.html", context)
