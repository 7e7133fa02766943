"""The page where a segment's rules are made: it shows whom they find as they are edited."""

from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_POST

from config.kept_queries import one_or_404
from segments import builder, segment_services, segment_templates
from segments.forms import SegmentForm
from segments.models import Attribute, Segment
from segments.operators import DAYS
from segments.preview import SAMPLE, TooSlow, asking, glance, look
from segments.rule_sentence import plain_value, sentence
from segments.rule_tree import RuleError
from segments.selectors import attributes, shown_profiles, words
from segments.suggestions import spread, suggest
from segments.views.saved import follow_up
from workspaces import unsaved
from workspaces.middleware import WorkspaceRequest
from workspaces.models import Workspace
from workspaces.permissions import requires
from workspaces.seen import since

SUGGESTIONS_SECONDS = 300


@requires("segment.change")
def start(request: WorkspaceRequest, slug: str) -> HttpResponse:
    """The ways to make a segment: by rules, from a list, from a template."""
    context = {
        "has_attributes": Attribute.objects.exists(),
        "templates": segment_templates.fitting(request.workspace),
    }
    return render(request, "segments/segments/start.html", context)


@requires("segment.change")
def add(request: WorkspaceRequest, slug: str) -> HttpResponse:
    return _edit(request, Segment(workspace=request.workspace))


@requires("segment.change")
def edit(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    segment = one_or_404(Segment, "workspace", pk=pk)
    if segment.is_static:
        return redirect("segments:static_edit", slug, pk)
    return _edit(request, segment)


def _edit(request: WorkspaceRequest, segment: Segment) -> HttpResponse:
    if request.method != "POST":
        return _opened(request, segment)
    who = request.workspace.pk, request.user
    page = request.POST.get("page", "")
    if "keep" in request.POST:
        unsaved.keep(*who, page, request.POST)
        return HttpResponse(status=204)
    root = builder.from_post(request.POST)
    if "action" in request.POST:
        return _page(request, segment, SegmentForm(initial=request.POST.dict()), root)
    builder.complete(root, _attributes())
    form = SegmentForm(request.POST, instance=Segment(pk=segment.pk))
    if form.is_valid():
        try:
            saved = _save(request, segment, form, root)
        except RuleError as nonsense:
            builder.show_error(root, nonsense.path, str(nonsense))
        except segment_services.ChangedMeanwhile as changed:
            form.add_error(None, str(changed))
            return _page(request, segment, form, root, seen=changed.at.isoformat(), status=409)
        except segment_services.Refused as refusal:
            form.add_error("name", str(refusal))
        else:
            unsaved.forget(*who, page)
            follow_up(request, saved)
            return redirect("segments:segment_detail", request.workspace.slug, saved.pk)
    return _page(request, segment, form, root, status=422)


def _opened(request: WorkspaceRequest, segment: Segment) -> HttpResponse:
    """With what the member had entered there and not saved, else with what there is."""
    entered = unsaved.kept(request.workspace.pk, request.user, request.GET.get("page", ""))
    if entered is not None and entered.get("editing") == str(segment.pk or ""):
        root, seen = builder.from_post(entered), entered.get("seen", "")
        return _page(request, segment, SegmentForm(initial=entered.dict()), root, seen=seen)
    if segment.pk:
        root = builder.from_tree(segment.rules)
        return _page(request, segment, SegmentForm(instance=segment), root)
    template = segment_templates.find(request.workspace, request.GET.get("template", ""))
    root = builder.from_tree(template.rules()) if template else builder.new_tree()
    title = template.title if template else ""
    return _page(request, segment, SegmentForm(initial={"name": title}), root)


def _save(
    request: WorkspaceRequest, segment: Segment, form: SegmentForm, root: builder.FormNode
) -> Segment:
    name, description = form.cleaned_data["name"], form.cleaned_data["description"]
    tree, is_draft = builder.to_tree(root), "draft" in request.POST
    if segment.pk is None:
        return segment_services.create_segment(
            request.workspace,
            name,
            tree,
            by=request.user,
            description=description,
            is_draft=is_draft,
        )
    segment_services.change_segment(
        segment,
        name=name,
        rules=tree,
        description=description,
        by=request.user,
        is_draft=is_draft,
        seen=since(request.POST.get("seen", "")),
    )
    return segment


def _page(
    request: WorkspaceRequest,
    segment: Segment,
    form: SegmentForm,
    root: builder.FormNode,
    *,
    seen: str = "",
    status: int = 200,
) -> HttpResponse:
    """`seen` is when the segment was last changed, as far as the person knows."""
    builder.complete(root, _attributes())
    opened_at = segment.updated_at.isoformat() if segment.pk else ""
    context = {
        "seen": seen or request.POST.get("seen", opened_at),
        "form": form,
        "segment": segment,
        "page": unsaved.token_in(request.POST.get("page", request.GET.get("page", ""))),
        "root": root,
        "sentence": sentence(builder.to_tree(root), *words()),
        **builder.choices(segment),
    }
    return render(request, "segments/segments/edit.html", context, status=status)


@require_POST
@requires("segment.change")
def rules(request: WorkspaceRequest, slug: str) -> HttpResponse:
    """The rules again, after an action or a change of attribute; then they are counted anew."""
    root = builder.from_post(request.POST)
    builder.complete(root, _attributes())
    text = request.POST.get("editing", "")
    segment = Segment.objects.filter(pk=text).first() if text.isdecimal() else None
    context = {"root": root, **builder.choices(segment)}
    answer = render(request, "segments/segments/_rules.html", context)
    answer["HX-Trigger-After-Settle"] = "rules-changed"
    return answer


@require_POST
@requires("segment.change")
def preview(request: WorkspaceRequest, slug: str) -> HttpResponse:
    """Whom the rules find, as they are being edited."""
    page, is_exact = asking(request.POST.get("page", "")), "exact" in request.POST
    root = builder.from_post(request.POST)
    builder.complete(root, _attributes())
    tree = builder.to_tree(root)
    labels, names = words()
    context: dict[str, Any] = {"sentence": sentence(tree, labels, names)}
    try:
        try:
            found = (look if is_exact else glance)(request.workspace, tree, page)
        except TooSlow:
            if not is_exact:
                raise
            found = glance(request.workspace, tree, page)
    except RuleError as nonsense:
        node = builder.node_at(root, nonsense.path)
        said = sentence(builder.to_tree(node), labels, names)
        context |= {"problem": str(nonsense), "wrong": node, "wrong_said": said}
    except TooSlow:
        context["is_too_slow"] = True
    else:
        context |= {"look": found, "has_sample": len(found.sample) == SAMPLE, "is_all": is_exact}
        # Ten shown with the estimate stay when the exact count follows.
        context["keeps_sample"] = is_exact and request.POST.get("has_sample") == "yes"
        context |= shown_profiles(found.sample)
    context["many"] = [node for node in builder.walk(root) if node.needs == "many"]
    return render(request, "segments/segments/_look.html", context)


@requires("segment.change")
def values(request: WorkspaceRequest, slug: str) -> HttpResponse:
    """The attribute's values: to choose one from while typing it, as buttons for a list, or how
    numbers and days lie.
    """
    attribute = get_object_or_404(Attribute, name=request.GET.get("attribute", ""))
    if "spread" in request.GET:
        context: dict[str, Any] = {"spread": _said_spread(request.workspace, attribute)}
        return _cached(render(request, "segments/segments/_spread.html", context))
    target = request.GET.get("to", "")
    typed = request.GET.get("q", request.GET.get(target, ""))
    context = {
        "suggested": suggest(request.workspace, attribute.name, typed),
        "target": target,
        "typed": typed.strip(),
        "is_list": "q" in request.GET,
    }
    return _cached(render(request, "segments/segments/_values.html", context))


def _cached(answer: HttpResponse) -> HttpResponse:
    patch_cache_control(answer, private=True, max_age=SUGGESTIONS_SECONDS)
    return answer


def _said_spread(workspace: Workspace, attribute: Attribute) -> dict[str, Any] | None:
    found = spread(workspace, attribute)
    if found is None:
        return None
    ends = {"least": found.least, "middle": found.middle, "greatest": found.greatest}
    return {
        **{name: plain_value(_written(one, attribute)) for name, one in ends.items()},
        "looked_at": found.looked_at,
        "of": found.of,
        "is_all": found.looked_at >= found.of,
    }


def _written(value: Any, attribute: Attribute) -> str:
    """A day, or a number without zeros at its end that say nothing."""
    return str(value)[:10] if attribute.type in DAYS else f"{Decimal(value).normalize():f}"


def _attributes() -> dict[str, Attribute]:
    return {attribute.name: attribute for attribute in attributes()}
