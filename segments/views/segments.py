"""Segments: list, details, the builder."""

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from segments import builder, dependents, segment_services
from segments.forms import SegmentForm
from segments.membership import TooSlow, look
from segments.models import Attribute, Profile, Segment, SegmentMember
from segments.rule_sentence import sentence
from segments.rule_tree import RuleError
from segments.selectors import shown_profiles
from workspaces.middleware import WorkspaceRequest
from workspaces.permissions import requires

HISTORY = 20
SHOWN_MEMBERS = 10
SORTS = {
    "name": "name",
    "-members": "-member_count",
    "-refreshed": "-refreshed_at",
}


@requires("segment.view")
def segment_list(request: WorkspaceRequest, slug: str) -> HttpResponse:
    searched = request.GET.get("q", "").strip()
    sort = request.GET.get("sort", "name")
    found: QuerySet[Segment] = Segment.objects.order_by(SORTS.get(sort, "name"))
    if searched:
        found = found.filter(name__icontains=searched)
    labels, names = _words()
    rows = [
        {
            "segment": segment,
            "sentence": sentence(segment.rules, labels, names),
            "used_by": dependents.of(segment),
        }
        for segment in found.select_related("workspace")
    ]
    context = {
        "rows": rows,
        "searched": searched,
        "sort": sort,
        "any": bool(rows) or Segment.objects.exists(),
        "profiles": Profile.objects.count(),
    }
    return render(request, "segments/segments/list.html", context)


@requires("segment.view")
def detail(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    segment = get_object_or_404(Segment.objects.select_related("workspace"), pk=pk)
    return render(request, "segments/segments/detail.html", _about(segment))


@requires("segment.view")
def status(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    """The part of the page that lives while the segment refreshes."""
    segment = get_object_or_404(Segment.objects.select_related("workspace"), pk=pk)
    return render(request, "segments/segments/_live.html", _about(segment))


def _about(segment: Segment) -> dict[str, Any]:
    labels, names = _words()
    ids = SegmentMember.objects.filter(segment=segment).values_list("profile_id", flat=True)
    members = Profile.objects.filter(pk__in=list(ids[:SHOWN_MEMBERS])).order_by("key")
    history = list(segment.refreshes.order_by("-at")[:HISTORY])
    return {
        "segment": segment,
        "sentence": sentence(segment.rules, labels, names),
        "used_by": dependents.of(segment),
        "history": history,
        "most": max((one.count for one in history), default=0),
        "is_busy": segment.refresh_state in ("queued", "running"),
        "profiles": Profile.objects.count(),
        **shown_profiles(members),
    }


@requires("segment.change")
def add(request: WorkspaceRequest, slug: str) -> HttpResponse:
    return _edit(request, Segment(workspace=request.workspace))


@requires("segment.change")
def edit(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    return _edit(request, get_object_or_404(Segment, pk=pk))


def _edit(request: WorkspaceRequest, segment: Segment) -> HttpResponse:
    if request.method != "POST":
        root = builder.from_tree(segment.rules) if segment.pk else builder.new_tree()
        return _builder_page(request, segment, SegmentForm(instance=segment), root)
    root = builder.from_post(request.POST)
    form = SegmentForm(request.POST, instance=segment)
    if "action" in request.POST:
        return _builder_page(request, segment, SegmentForm(initial=request.POST.dict()), root)
    builder.complete(root, _attributes())
    tree = builder.to_tree(root)
    if form.is_valid():
        try:
            saved = _save(request, segment, form, tree)
        except RuleError as nonsense:
            builder.show_error(root, nonsense.path, str(nonsense))
        except segment_services.Refused as refusal:
            form.add_error("name", str(refusal))
        else:
            segment_services.request_refresh(saved)
            messages.success(
                request,
                _("The segment “%(name)s” is saved and being refreshed.") % {"name": saved.name},
            )
            return redirect("segments:segment_detail", request.workspace.slug, saved.pk)
    return _builder_page(request, segment, form, root)


def _save(
    request: WorkspaceRequest, segment: Segment, form: SegmentForm, tree: dict[str, Any]
) -> Segment:
    name, description = form.cleaned_data["name"], form.cleaned_data["description"]
    if segment.pk is None:
        return segment_services.create_segment(
            request.workspace, name, _stored(tree), by=request.user, description=description
        )
    kept = Segment.objects.select_related("workspace").get(pk=segment.pk)
    segment_services.change_segment(
        kept, name=name, rules=_stored(tree), description=description, by=request.user
    )
    return kept


def _stored(tree: dict[str, Any]) -> dict[str, Any]:
    try:
        return builder.normalised(tree)
    except ValueError:
        return tree


@require_POST
@requires("segment.change")
def rules(request: WorkspaceRequest, slug: str) -> HttpResponse:
    """The builder again, after an action or a change of attribute, and who its rules find."""
    root = builder.from_post(request.POST)
    context = {**_offer(root, _editing(request)), **_found(request, root)}
    return render(request, "segments/segments/_rules_and_look.html", context)


@require_POST
@requires("segment.change")
def preview(request: WorkspaceRequest, slug: str) -> HttpResponse:
    """Who the rules find, as they are being edited."""
    root = builder.from_post(request.POST)
    builder.complete(root, _attributes())
    return render(request, "segments/segments/_look.html", _found(request, root))


def _editing(request: HttpRequest) -> Segment | None:
    text = request.POST.get("editing", "")
    return Segment.objects.filter(pk=int(text)).first() if text.isdigit() else None


def _found(request: WorkspaceRequest, root: builder.FormNode) -> dict[str, Any]:
    tree = builder.to_tree(root)
    labels, names = _words()
    context: dict[str, Any] = {"sentence": sentence(tree, labels, names)}
    try:
        found = look(request.workspace, tree)
    except RuleError as nonsense:
        return {**context, "problem": str(nonsense)}
    except TooSlow:
        return {
            **context,
            "problem": _(
                "This takes too long to count here. Save, and it is counted by a refresh."
            ),
        }
    return {**context, "look": found, **shown_profiles(found.sample)}


def _builder_page(
    request: WorkspaceRequest, segment: Segment, form: SegmentForm, root: builder.FormNode
) -> HttpResponse:
    context = {
        "form": form,
        "segment": segment,
        **_offer(root, segment),
        **_found(request, root),
    }
    return render(request, "segments/segments/edit.html", context)


def _offer(root: builder.FormNode, segment: Segment | None) -> dict[str, Any]:
    builder.complete(root, _attributes())
    return {"root": root, **builder.choices(segment)}


def _attributes() -> dict[str, Attribute]:
    return {attribute.name: attribute for attribute in Attribute.objects.all()}


def _words() -> tuple[dict[str, str], dict[int, str]]:
    return (
        dict(Attribute.objects.values_list("name", "label")),
        dict(Segment.objects.values_list("pk", "name")),
    )


@require_POST
@requires("segment.change")
def refresh(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    segment = get_object_or_404(Segment, pk=pk)
    segment_services.request_refresh(segment)
    return redirect("segments:segment_detail", slug, pk)


@require_POST
@requires("segment.change")
def duplicate(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    segment = get_object_or_404(Segment.objects.select_related("workspace"), pk=pk)
    try:
        copy = segment_services.duplicate_segment(segment, by=request.user)
    except RuleError as nonsense:
        messages.error(request, str(nonsense))
        return redirect("segments:segment_edit", slug, pk)
    segment_services.request_refresh(copy)
    return redirect("segments:segment_edit", slug, copy.pk)


@require_POST
@requires("segment.change")
def delete(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    segment = get_object_or_404(Segment.objects.select_related("workspace"), pk=pk)
    try:
        segment_services.delete_segment(segment, by=request.user)
    except segment_services.Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("segments:segment_detail", slug, pk)
    messages.success(request, _("The segment “%(name)s” is deleted.") % {"name": segment.name})
    return redirect("segments:segment_list", slug)
