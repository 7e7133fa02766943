"""Endpoints that events are sent to: Administrators only."""

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from config.kept_queries import one_or_404
from workspaces.forms import EndpointChangeForm, EndpointForm
from workspaces.middleware import WorkspaceRequest
from workspaces.models import Endpoint, EndpointDelivery
from workspaces.notices import endpoints, outgoing
from workspaces.paging import page_by_id
from workspaces.permissions import requires


def _endpoint(pk: int) -> Endpoint:
    found: Endpoint = one_or_404(Endpoint, "workspace", "created_by", pk=pk)
    return found


@requires("endpoint.change")
def endpoint_add(request: WorkspaceRequest, slug: str) -> HttpResponse:
    form = EndpointForm(request.POST or None)
    if form.is_valid():
        try:
            endpoint, secret = endpoints.create(
                request.workspace, **form.cleaned_data, by=request.user
            )
        except endpoints.Refused as refusal:
            form.add_error("name", str(refusal))
        except outgoing.Unreachable as problem:
            form.add_error("url", str(problem))
        else:
            if secret:
                return _secret_once(request, endpoint, secret)
            messages.success(request, _("The endpoint has been added. Try it out."))
            return redirect("workspaces:endpoint", slug, endpoint.pk)
    return render(request, "workspaces/endpoint_form.html", {"form": form})


@require_safe
@requires("endpoint.view")
def endpoint(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    found = _endpoint(pk)
    log = EndpointDelivery.objects.filter(endpoint=found).select_related("event", "replayed_by")
    state = request.GET.get("state", "")
    kept = {"state": state} if state in EndpointDelivery.State.values else {}
    log = log.filter(**kept)
    page, newer, older = page_by_id(
        log.order_by("-pk"), request.GET.get("before"), request.GET.get("after")
    )
    context = {
        "endpoint": found,
        "deliveries": page,
        "waits": any(one.state == EndpointDelivery.State.WAITING for one in page),
        "newer": newer and f"?{urlencode({**kept, 'after': newer})}#deliveries",
        "older": older and f"?{urlencode({**kept, 'before': older})}#deliveries",
        "state": state,
        "states": EndpointDelivery.State.choices,
    }
    partly = bool(request.htmx)  # type: ignore[attr-defined]
    name = "workspaces/_deliveries.html" if partly else "workspaces/endpoint.html"
    return render(request, name, context)


@requires("endpoint.change")
def endpoint_edit(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    found = _endpoint(pk)
    form = EndpointChangeForm(request.POST or None, endpoint=found)
    if form.is_valid():
        try:
            endpoints.change(found, **form.cleaned_data, by=request.user)
        except endpoints.Refused as refusal:
            form.add_error("name", str(refusal))
        except outgoing.Unreachable as problem:
            form.add_error("url", str(problem))
        else:
            messages.success(request, _("The endpoint has been saved."))
            return redirect("workspaces:endpoint", slug, pk)
    return render(request, "workspaces/endpoint_form.html", {"form": form, "endpoint": found})


@require_POST
@requires("endpoint.change")
def endpoint_secret(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    found = _endpoint(pk)
    return _secret_once(request, found, endpoints.renew_secret(found, by=request.user))


@require_POST
@requires("endpoint.change")
def endpoint_try(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    endpoints.try_out(_endpoint(pk), by=request.user)
    messages.info(request, _("A trial is on its way: its line below says what comes of it."))
    return redirect("workspaces:endpoint", slug, pk)


@require_POST
@requires("endpoint.change")
def endpoint_remove(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    found = _endpoint(pk)
    endpoints.remove(found, by=request.user)
    messages.success(request, _("“%(name)s” has been removed.") % {"name": found.name})
    return redirect("workspaces:notice_settings", slug)


@require_POST
@requires("endpoint.change")
def delivery_again(request: WorkspaceRequest, slug: str, pk: int, delivery: int) -> HttpResponse:
    found = get_object_or_404(
        EndpointDelivery.objects.select_related("endpoint", "event", "workspace"),
        endpoint_id=pk,
        pk=delivery,
    )
    endpoints.send_again(found, by=request.user)
    messages.info(request, _("The event is on its way again."))
    return redirect("workspaces:endpoint", slug, pk)


def _secret_once(request: WorkspaceRequest, endpoint: Endpoint, secret: str) -> HttpResponse:
    """The answer shows the secret: there is no second chance to see it."""
    context = {"endpoint": endpoint, "secret": secret}
    response = render(request, "workspaces/endpoint_secret.html", context)
    response["Cache-Control"] = "no-store"
    return response
