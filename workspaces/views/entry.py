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
    user = cast(User, request.user)
    last_used = selectors.membership_in(request.session.get("workspace", ""), user)
    if last_used is not None:
        return redirect(last_used.workspace)
    first = selectors.workspaces_of(user, most=1)
    return redirect(first[0] if first else "workspaces:create")


@login_required
def mine(request: HttpRequest) -> HttpResponse:
    """All the workspaces of whoever has more than their switcher shows."""
    q = request.GET.get("q", "").strip()
    found = [
        one for one in selectors.workspaces_of(request.user) if q.casefold() in one.name.casefold()
    ]
    return render(request, "workspaces/mine.html", {"found": found, "q": q})


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
