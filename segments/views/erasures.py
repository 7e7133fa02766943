"""Erasing a person: what would happen, the word for it, and how far each erasure is."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from config.kept_queries import one_or_404
from segments import address_erasures, erasure_parts, erasures
from segments.forms import EraseAddressForm, EraseForm
from segments.models import Erasure, Profile
from workspaces.middleware import WorkspaceRequest
from workspaces.paging import page_by_id
from workspaces.permissions import requires
from workspaces.proof import proven


@requires("profile.erase")
@proven
def erase(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    profile = one_or_404(Profile, "workspace", pk=pk)
    foreseen = erasures.foresee(profile)
    form = EraseForm(request.POST or None, profile=profile, addresses=foreseen.addresses)
    if request.method == "POST" and form.is_valid():
        try:
            erasures.erase(
                profile,
                by=request.user,
                addresses=form.cleaned_data["addresses"],
                delete_at_provider=form.cleaned_data["delete_at_provider"],
            )
        except erasures.Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("The person is erased. What is left to do goes on here."))
            return redirect("segments:erasure_list", slug)
    context = {"profile": profile, "foreseen": foreseen, "form": form}
    return render(request, "segments/erasures/erase.html", context)


@requires("profile.erase")
@proven
def erase_address(request: WorkspaceRequest, slug: str) -> HttpResponse:
    """Asks for an address; then says what is known of it, and takes the word for erasing it."""
    typed = request.GET.get("address", "").strip()
    context: dict[str, Any] = {"typed": typed}
    if not typed:
        return render(request, "segments/erasures/address.html", context)
    try:
        foreseen = address_erasures.foresee(request.workspace, typed)
    except erasures.Refused as refusal:
        context["error"] = str(refusal)
        return render(request, "segments/erasures/address.html", context)
    form = EraseAddressForm(request.POST or None, address=foreseen.address)
    if form.is_valid():
        try:
            address_erasures.erase(
                request.workspace,
                foreseen.address,
                by=request.user,
                delete_at_provider=form.cleaned_data["delete_at_provider"],
            )
        except erasures.Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("The address is erased. What is left to do goes on here."))
            return redirect("segments:erasure_list", slug)
    context |= {"foreseen": foreseen, "form": form}
    return render(request, "segments/erasures/address.html", context)


@requires("profile.erase")
def erasure_list(request: WorkspaceRequest, slug: str) -> HttpResponse:
    found = Erasure.objects.select_related("asked_by").order_by("-pk")
    page, newer, older = page_by_id(found, request.GET.get("before"), request.GET.get("after"))
    told = [part.tell(page) for part in erasure_parts.every()]
    rows = [(one, [panels[one.pk] for panels in told if one.pk in panels]) for one in page]
    context = {
        "rows": rows,
        "previous_url": f"?after={newer}" if newer else "",
        "next_url": f"?before={older}" if older else "",
        "is_busy": any(one.finished_at is None for one, _panels in rows),
    }
    template = "_list" if request.headers.get("HX-Request") else "list"
    return render(request, f"segments/erasures/{template}.html", context)


@require_POST
@requires("profile.erase")
def erasure_lift(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    erasures.lift(one_or_404(Erasure, pk=pk), by=request.user)
    messages.success(request, _("A source may bring this person back from now on."))
    return redirect("segments:erasure_list", slug)
