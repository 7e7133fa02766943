"""A member's notices, and how they want to be told."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from workspaces import services
from workspaces.forms import RejectedShareForm
from workspaces.middleware import WorkspaceRequest
from workspaces.models import Endpoint
from workspaces.notices import inbox
from workspaces.paging import page_by_id
from workspaces.permissions import may, requires


@require_safe
@requires("notice.view")
def notice_list(request: WorkspaceRequest, slug: str) -> HttpResponse:
    found = inbox.notices_of(request.membership)
    page, newer, older = page_by_id(found, request.GET.get("before"), request.GET.get("after"))
    context = {
        "notices": page,
        "any_unread": any(notice.read_at is None for notice in page),
        "newer": newer and f"?{urlencode({'after': newer})}",
        "older": older and f"?{urlencode({'before': older})}",
    }
    return render(request, "workspaces/notices.html", context)


@require_safe
@requires("notice.view")
def notice_open(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    """To the page that the notice is about, with the notice read."""
    own = inbox.notices_of(request.membership)
    notice = get_object_or_404(own, pk=pk)
    inbox.read(own.filter(pk=pk))
    return redirect(notice.path)


@require_POST
@requires("notice.view")
def notices_read(request: WorkspaceRequest, slug: str) -> HttpResponse:
    inbox.read(inbox.notices_of(request.membership))
    return redirect("workspaces:notices", slug)


@requires("notice.view")
def notice_settings(request: WorkspaceRequest, slug: str) -> HttpResponse:
    """Each member's own choices; for Administrators also the share and the endpoints."""
    member = request.membership
    ways = inbox.ways_of(member)
    if request.method == "POST":
        chosen = {
            way.topic.name: (
                f"{way.topic.name}-app" in request.POST,
                f"{way.topic.name}-email" in request.POST,
            )
            for way in ways
        }
        inbox.choose(member, chosen, by=request.user)
        messages.success(request, _("You are told as you have chosen."))
        return redirect("workspaces:notice_settings", slug)
    context: dict[str, Any] = {"ways": ways}
    if may(member, "endpoint.view"):
        context |= {
            "share_form": RejectedShareForm(instance=request.workspace),
            "endpoints": Endpoint.objects.order_by("name"),
        }
    return render(request, "workspaces/notice_settings.html", context)


@require_POST
@requires("endpoint.change")
def rejected_share(request: WorkspaceRequest, slug: str) -> HttpResponse:
    form = RejectedShareForm(request.POST, instance=request.workspace)
    if form.is_valid():
        services.save_rejected_share(
            request.workspace, form.cleaned_data["rejected_share"], by=request.user
        )
        messages.success(request, _("The share has been changed."))
    else:
        messages.error(request, _("The share has to be a whole number from 0 to 100."))
    return redirect("workspaces:notice_settings", slug)
