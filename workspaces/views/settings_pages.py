"""The settings of a workspace: what it is called, and how long it keeps what."""

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from workspaces import services
from workspaces.forms import RetentionForm, WorkspaceForm
from workspaces.middleware import WorkspaceRequest
from workspaces.permissions import requires


@requires("workspace.change")
def change(request: WorkspaceRequest, slug: str) -> HttpResponse:
    form = WorkspaceForm(request.POST or None, instance=request.workspace)
    if form.is_valid():
        return _saved(request, form)
    return _page(request, form=form)


@require_POST
@requires("workspace.change")
def retention(request: WorkspaceRequest, slug: str) -> HttpResponse:
    form = RetentionForm(request.POST, instance=request.workspace)
    if form.is_valid():
        return _saved(request, form)
    return _page(request, retention_form=form)


def _saved(request: WorkspaceRequest, form: forms.ModelForm) -> HttpResponse:
    services.save_settings(form, by=request.user)
    messages.success(request, _("The workspace has been saved."))
    return redirect("workspaces:settings", request.workspace.slug)


def _page(request: WorkspaceRequest, **forms_at_hand: forms.ModelForm) -> HttpResponse:
    context = {
        "form": WorkspaceForm(instance=request.workspace),
        "retention_form": RetentionForm(instance=request.workspace),
        **forms_at_hand,
    }
    return render(request, "workspaces/settings.html", context)
