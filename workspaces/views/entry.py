"""The way in: the last workspace used, or a first one to make."""

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from workspaces import audit, selectors, services
from workspaces.forms import ProfileForm, SettingsForm, WorkspaceForm
from workspaces.middleware import WorkspaceRequest
from workspaces.models import User
from workspaces.permissions import requires


@login_required
def home(request: HttpRequest) -> HttpResponse:
    mine = selectors.workspaces_of(request.user)
    if not mine:
        return redirect("workspaces:create")
    last_used = request.session.get("workspace")
    return redirect(next((one for one in mine if one.slug == last_used), mine[0]))


@login_required
def create(request: HttpRequest) -> HttpResponse:
    form = WorkspaceForm(request.POST or None)
    if form.is_valid():
        workspace = services.create_workspace(
            form.cleaned_data["name"],
            time_zone=form.cleaned_data["time_zone"],
            administrator=cast(User, request.user),
        )
        return redirect(workspace)
    return render(request, "workspaces/create.html", {"form": form})


@login_required
def profile(request: HttpRequest) -> HttpResponse:
    """What others see of a person: their name."""
    form = ProfileForm(request.POST or None, instance=request.user)
    if form.is_valid():
        form.save()
        messages.success(request, _("Your name has been saved."))
        return redirect("workspaces:profile")
    return render(request, "workspaces/profile.html", {"form": form})


@requires("workspace.change")
def change(request: WorkspaceRequest, slug: str) -> HttpResponse:
    form = SettingsForm(request.POST or None, instance=request.workspace)
    if form.is_valid():
        form.save()
        audit.record(
            request.workspace,
            "workspace.changed",
            actor=request.user,
            target=request.workspace,
            changes=audit.changes(form),
        )
        messages.success(request, _("The workspace has been saved."))
        return redirect("workspaces:settings", slug)
    return render(request, "workspaces/settings.html", {"form": form})
