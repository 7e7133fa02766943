"""Quick segments: choose an attribute, tick its values, give a name."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render

from segments import quick, segment_services
from segments.models import Attribute
from segments.preview import TooSlow
from segments.rule_tree import RuleError
from segments.views.saved import follow_up
from workspaces.middleware import WorkspaceRequest
from workspaces.permissions import requires


@requires("segment.change")
def quick_segment(request: WorkspaceRequest, slug: str) -> HttpResponse:
    entered = request.POST if request.method == "POST" else request.GET
    attributes = list(Attribute.objects.all())
    attribute = next((one for one in attributes if one.name == entered.get("attribute")), None)
    ticked = quick.Ticked(entered.getlist("value"), "empty" in entered)
    context: dict[str, Any] = {
        "attributes": attributes,
        "attribute": attribute,
        "ticked": ticked,
        "name": entered.get("name", ""),
    }
    status = 200
    if request.method == "POST" and attribute is not None:
        try:
            return _make(request, attribute, ticked)
        except (segment_services.Refused, RuleError) as problem:
            context["problem"] = str(problem)
            status = 422
    if attribute is not None:
        try:
            context["found"] = quick.choices(request.workspace, attribute)
        except TooSlow:
            context["is_too_slow"] = True
    return render(request, "segments/segments/quick.html", context, status=status)


def _make(request: WorkspaceRequest, attribute: Attribute, ticked: quick.Ticked) -> HttpResponse:
    rules = quick.rules(attribute, ticked)
    name = request.POST.get("name", "").strip() or quick.name_for(attribute, ticked)
    made = segment_services.create_segment(request.workspace, name, rules, by=request.user)
    follow_up(request, made)
    return redirect("segments:segment_detail", request.workspace.slug, made.pk)
