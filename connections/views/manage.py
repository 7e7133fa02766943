"""The connections there are: list, details, changes, consent, removal."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from connections import consent_text, dependents, selectors, services
from connections.forms import ConnectionForm
from connections.models import Connection
from workspaces.middleware import WorkspaceRequest
from workspaces.permissions import requires


@requires("connection.view")
def connection_list(request: WorkspaceRequest, slug: str) -> HttpResponse:
    rows = [
        {"connection": connection, "used_by": dependents.of(connection)}
        for connection in selectors.all_connections()
    ]
    return render(request, "connections/list.html", {"rows": rows})


@requires("connection.view")
def detail(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    found = selectors.all_connections().select_related("authorised_by", "workspace")
    connection = get_object_or_404(found, pk=pk)
    context = {
        "connection": connection,
        "consent": selectors.standing_consent(connection),
        "consent_text": consent_text.TEXT,
        "used_by": dependents.of(connection),
    }
    return render(request, "connections/detail.html", context)


@requires("connection.change")
def edit(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    connection = get_object_or_404(Connection, pk=pk)
    form = ConnectionForm(request.POST or None, instance=connection)
    if form.is_valid():
        services.change_connection(
            get_object_or_404(Connection, pk=pk),
            name=form.cleaned_data["name"],
            sharing=form.cleaned_data["sharing"],
            by=request.user,
        )
        messages.success(request, _("The connection has been changed."))
        return redirect("connections:detail", slug, pk)
    context = {"form": form, "connection": connection, "used_by": dependents.of(connection)}
    return render(request, "connections/edit.html", context)


@require_POST
@requires("connection.change")
def consent(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    connection = get_object_or_404(Connection, pk=pk)
    if request.POST.get("answer") == "agree":
        services.give_consent(connection, by=request.user)
        messages.success(request, _("Your consent is recorded."))
    else:
        services.withdraw_consent(connection, by=request.user)
        messages.success(request, _("Consent is withdrawn: nothing more is sent."))
    return redirect("connections:detail", slug, pk)


@requires("connection.change")
def remove(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    """Guided: each export is detached or removed, then the connection goes."""
    connection = get_object_or_404(Connection, pk=pk)
    used_by = dependents.of(connection)
    if request.method == "POST":
        chosen = {one.key: request.POST.get(f"dependent-{one.key}") for one in used_by}
        if not set(chosen.values()) <= {"detach", "remove"}:
            messages.error(request, _("Choose for each export whether to detach or remove it."))
            return redirect("connections:remove", slug, pk)
        try:
            with transaction.atomic():
                for one in used_by:
                    getattr(one, str(chosen[one.key]))(request.user)
                services.remove_connection(connection, by=request.user)
        except services.Refused as refusal:
            messages.error(request, str(refusal))
            return redirect("connections:remove", slug, pk)
        messages.success(
            request, _("The connection “%(name)s” is removed.") % {"name": connection.name}
        )
        return redirect("connections:list", slug)
    context = {"connection": connection, "used_by": used_by}
    return render(request, "connections/remove.html", context)
