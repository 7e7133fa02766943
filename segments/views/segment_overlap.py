"""How segments overlap: a picture, exact numbers, and a segment of any part."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from segments import overlap, segment_services
from segments.models import Segment
from segments.overlap_picture import picture
from segments.preview import TooSlow
from segments.rule_tree import RuleError
from segments.selectors import to_choose_from
from segments.views.saved import follow_up
from workspaces.middleware import WorkspaceRequest
from workspaces.permissions import requires


@requires("segment.view")
def segment_overlap(request: WorkspaceRequest, slug: str) -> HttpResponse:
    chosen = _chosen(request.GET)
    context: dict[str, Any] = {
        "offered": to_choose_from(),
        "slots": [chosen[place] if place < len(chosen) else None for place in range(overlap.MOST)],
        "empty": [one for one in chosen if one.refreshed_at is None],
    }
    if len(chosen) > 1:
        try:
            found = overlap.overlap(chosen)
        except TooSlow:
            context["is_too_slow"] = True
        else:
            drawn = picture(found)
            context |= {
                "found": found,
                "picture": drawn,
                "circles": list(zip(overlap.LETTERS, drawn.circles, strict=False)) if drawn else [],
                "lettered": [
                    (letter, segment, found.size(place))
                    for place, (letter, segment) in enumerate(
                        zip(overlap.LETTERS, chosen, strict=False)
                    )
                ],
                "rows": [(part, overlap.name_for(chosen, part.number)) for part in found.parts],
            }
    return render(request, "segments/segments/overlap.html", context)


@require_POST
@requires("segment.change")
def make(request: WorkspaceRequest, slug: str) -> HttpResponse:
    """A segment of one part."""
    chosen, text = _chosen(request.POST), request.POST.get("part", "")
    number = int(text) if text.isdecimal() and len(text) < 3 else 0
    if len(chosen) < 2 or not 0 < number < 1 << len(chosen):
        messages.error(request, _("Choose the segments again: one of them is gone."))
        return redirect("segments:segment_overlap", slug)
    name = request.POST.get("name", "").strip() or overlap.name_for(chosen, number)
    try:
        made = segment_services.create_segment(
            request.workspace, name, overlap.rules(chosen, number), by=request.user
        )
    except (segment_services.Refused, RuleError) as problem:
        messages.error(request, str(problem))
        query = "&".join(f"segment={segment.pk}" for segment in chosen)
        answer = redirect("segments:segment_overlap", slug)
        answer["Location"] += f"?{query}"
        return answer
    follow_up(request, made)
    return redirect("segments:segment_detail", slug, made.pk)


def _offered() -> Any:
    """Drafts have no members."""
    found = Segment.objects.exclude(state=Segment.State.DRAFT)
    return found.select_related("workspace")


def _chosen(asked: QueryDict) -> list[Segment]:
    """Those asked for, each once, in the order asked for."""
    ids = [int(pk) for pk in asked.getlist("segment") if pk.isdecimal() and len(pk) < 19]
    known = _offered().in_bulk(ids[: 2 * overlap.MOST])
    return [known[pk] for pk in dict.fromkeys(ids) if pk in known][: overlap.MOST]
