"""Attributes: the list, one at a time, its type changed after a preview, its removal."""

from typing import Any

from django.contrib import messages
from django.db.models import F, Q, QuerySet, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Lower
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from config.kept_queries import KeptQuery, one_or_404
from segments import attribute_changes, attribute_uses, attributes
from segments.attribute_facts import Facts, facts
from segments.conversion import read_typed, type_choices, typed
from segments.models import Attribute, AttributeChange, AttributeType
from workspaces import keyset, spreadsheet
from workspaces.columns import Columns
from workspaces.middleware import WorkspaceRequest
from workspaces.permissions import requires

PAGE = 25
ORDERS: dict[str, tuple[Combinable, ...]] = {
    "name": (Lower("label"),),
    "type": (F("type"), Lower("label")),
    "source": (Coalesce("source__name", Value("")), Lower("label")),
}
COLUMNS = {
    "type": gettext_lazy("Type"),
    "source": gettext_lazy("Source"),
    "filled": gettext_lazy("Filled"),
    "values": gettext_lazy("Values"),
    "used_by": gettext_lazy("Used by"),
}
SHOWN_IN_LIST, SHOWN_ON_PAGE = 3, 10
USES_SHOWN = 20


@requires("attribute.view")
def attribute_list(request: WorkspaceRequest, slug: str) -> HttpResponse:
    searched = request.GET.get("q", "").replace("\0", "").strip()
    found = _attributes()
    if searched:
        found = found.filter(Q(label__icontains=searched) | Q(name__icontains=searched))
    page = keyset.page_of(found, ORDERS, request.GET, size=PAGE)
    known = facts(request.workspace, page.rows, SHOWN_IN_LIST)
    uses = attribute_uses.of_all(request.workspace)
    context = {
        "rows": [
            {
                "attribute": one,
                "fact": known.by_name[one.name],
                "used_by": uses.get(one.name, []),
            }
            for one in page.rows
        ],
        "facts": known,
        "file": _file(page.rows, known),
        "searched": searched,
        "columns": Columns(request.GET, COLUMNS),
        "total": Attribute.objects.count(),
        **keyset.context_of(page, request.GET),
    }
    return render(request, "segments/attributes/list.html", context)


def _file(shown: list[Attribute], known: Facts) -> str:
    """The shares of those shown, as a file in an address; percent."""
    header = [_("Name"), _("Type"), _("Source"), _("Filled")]
    rows = (
        (
            one.label,
            one.get_type_display(),
            one.source.name if one.source else "",
            round(100 * known.by_name[one.name].filled / (known.looked_at or 1), 2),
        )
        for one in shown
    )
    return spreadsheet.in_address(header, rows)


def _attributes() -> QuerySet[Attribute]:
    return Attribute.objects.select_related("source", "workspace")


@KeptQuery
def _last_change(attribute: Any) -> QuerySet[AttributeChange]:
    return AttributeChange.objects.filter(attribute=attribute).order_by("-created_at")[:1]


@requires("attribute.view")
def detail(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    attribute = one_or_404(Attribute, "source", "workspace", pk=pk)
    known = facts(request.workspace, [attribute], SHOWN_ON_PAGE)
    last = _last_change.first(attribute=attribute.pk)
    uses = attribute_uses.of(attribute)
    context = {
        "attribute": attribute,
        "facts": known,
        "fact": known.by_name[attribute.name],
        "used_by": uses,
        "shown_uses": uses if request.GET.get("uses") == "all" else uses[:USES_SHOWN],
        "change": last,
        "failure": attribute_changes.explanation(last) if last else "",
    }
    return render(request, "segments/attributes/detail.html", context)


@require_POST
@requires("attribute.change")
def rename(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    attribute = one_or_404(Attribute, "source", "workspace", pk=pk)
    try:
        attributes.rename(attribute, request.POST.get("label", ""), by=request.user)
    except attributes.Refused as refusal:
        messages.error(request, str(refusal))
    return redirect("segments:attribute_detail", slug, pk)


@requires("attribute.change")
def change_type(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    """The page where another type is tried and chosen."""
    attribute = one_or_404(Attribute, "source", "workspace", pk=pk)
    chosen = typed(attribute.type, attribute.format)
    error = ""
    if request.method == "POST":
        chosen = request.POST.get("type", "")
        read = read_typed(chosen)
        try:
            if read is None:
                raise attributes.Refused(_("Choose a type."))
            empties = "empties" in request.POST
            change = attributes.request_change(attribute, *read, empties=empties, by=request.user)
        except attributes.Refused as refusal:
            error = str(refusal)
        else:
            if change is None:
                messages.success(request, _("Saved. It holds from the next import on."))
                return redirect("segments:attribute_detail", slug, pk)
            return redirect("segments:attribute_change", slug, change.pk)
    context = {"attribute": attribute, "types": type_choices(), "chosen": chosen, "error": error}
    status = 422 if error else 200
    return render(request, "segments/attributes/type.html", context, status=status)


@requires("attribute.change")
def preview(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    """What would become of the values under the type chosen."""
    attribute = one_or_404(Attribute, "source", "workspace", pk=pk)
    read = read_typed(request.GET.get("type", ""))
    context: dict[str, Any] = {"attribute": attribute, "chosen": read}
    if read and read[0] != attribute.type:
        kind, form = read
        context["type_label"] = AttributeType(kind).label
        foreseen = attribute_changes.foresee(attribute, kind, form)
        context |= {
            "problems": foreseen.problems,
            "outcome": foreseen.outcome,
            "is_part": foreseen.outcome is not None and foreseen.is_part,
            "is_too_slow": foreseen.outcome is None,
        }
    elif read:
        context["is_form_only"] = typed(*read) != typed(attribute.type, attribute.format)
    return render(request, "segments/attributes/_preview.html", context)


@require_POST
@requires("attribute.change")
def remove(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    attribute = one_or_404(Attribute, "source", "workspace", pk=pk)
    try:
        change = attributes.request_removal(attribute, by=request.user)
    except attributes.Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("segments:attribute_detail", slug, pk)
    return redirect("segments:attribute_change", slug, change.pk)


def _changes() -> QuerySet[AttributeChange]:
    return AttributeChange.objects.select_related("attribute__workspace")


def _about(pk: int) -> dict[str, Any]:
    found = get_object_or_404(_changes(), pk=pk)
    return {"change": found, "failure": attribute_changes.explanation(found)}


@requires("attribute.view")
def change(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    return render(request, "segments/attributes/change.html", _about(pk))


@requires("attribute.view")
def change_progress(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    return render(request, "segments/attributes/_progress.html", _about(pk))
