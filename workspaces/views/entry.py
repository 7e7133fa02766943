"""The way in: the last workspace used, or a first one to make."""

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from workspaces import selectors, services
from workspaces.forms import ProfileForm, WorkspaceForm
from workspaces.models import User


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
