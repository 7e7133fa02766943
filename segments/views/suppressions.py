"""The suppression list: looked through, added to, taken from, downloaded."""

from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from segments import suppressions
from segments.encodings import UnreadableFile
from segments.forms import SuppressionForm
from segments.models import Suppression
from workspaces import audit, keyset
from workspaces.columns import Columns
from workspaces.middleware import WorkspaceRequest
from workspaces.permissions import requires
from workspaces.spreadsheet import csv_lines
from workspaces.written import number

COLUMNS = {
    "reason": gettext_lazy("Reason"),
    "origin": gettext_lazy("Origin"),
    "added": gettext_lazy("Added"),
    "by": gettext_lazy("Added by"),
}


@requires("suppression.view")
def suppression_list(request: WorkspaceRequest, slug: str) -> HttpResponse:
    total = Suppression.objects.count()
    page = suppressions.page_of(request.GET, count=total)
    search, origin = request.GET.get("search", "").strip(), request.GET.get("origin", "")
    context = {
        "suppressions": page.rows,
        "total": total,
        "search": search,
        "origin": origin,
        "origins": Suppression.Origin.choices,
        "is_searched": bool(search or origin),
        "orders": keyset.orders_of(suppressions.ORDERS, total),
        "columns": Columns(request.GET, COLUMNS),
        **keyset.context_of(page, request.GET),
    }
    return render(request, "segments/suppressions/list.html", context)


@requires("suppression.change")
def add(request: WorkspaceRequest, slug: str) -> HttpResponse:
    posted = request.method == "POST"
    form = SuppressionForm(request.POST if posted else None, request.FILES if posted else None)
    if form.is_valid():
        file, text = form.cleaned_data["file"], form.cleaned_data["addresses"]
        how = {"reason": form.cleaned_data["reason"], "by": request.user}
        try:
            if file:
                added = suppressions.add_file(request.workspace, file.chunks(), **how)
            else:
                added = suppressions.add_text(request.workspace, text, **how)
        except UnreadableFile as problem:
            form.add_error("file", str(problem))
        else:
            if added.found:
                _tell(request, added)
                return redirect("segments:suppression_list", slug)
            form.add_error(
                "addresses", _("There is no e-mail address in this. Put one on each line.")
            )
    return render(request, "segments/suppressions/add.html", {"form": form})


@require_POST
@requires("suppression.change")
def remove(request: WorkspaceRequest, slug: str) -> HttpResponse:
    count = suppressions.remove(request.workspace, request.POST.getlist("address"), by=request.user)
    if count:
        messages.success(
            request,
            ngettext(
                "%(count)s address may be sent again.",
                "%(count)s addresses may be sent again.",
                count,
            )
            % {"count": number(count)},
        )
    else:
        messages.warning(request, _("No address was selected, so the list is as it was."))
    return redirect("segments:suppression_list", slug)


@requires("suppression.view")
def download(request: WorkspaceRequest, slug: str) -> StreamingHttpResponse:
    audit.record(
        request.workspace, "suppression.downloaded", actor=request.user, target=request.workspace
    )
    rows = (
        (
            one.address,
            one.reason,
            one.get_origin_display(),
            str(one.added_by or ""),
            one.added_at.isoformat(timespec="seconds"),
        )
        for one in Suppression.objects.select_related("added_by")
        .order_by("address")
        .iterator(chunk_size=2_000)
    )
    header = [_("E-mail address"), _("Reason"), _("Origin"), _("Added by"), _("Added at")]
    response = StreamingHttpResponse(
        csv_lines(request.workspace, header, rows), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = 'attachment; filename="suppressions.csv"'
    return response


def _tell(request: WorkspaceRequest, added: suppressions.Added) -> None:
    said = ngettext(
        "%(count)s address is suppressed.", "%(count)s addresses are suppressed.", added.added
    ) % {"count": number(added.added)}
    if added.known:
        said += " " + ngettext(
            "%(count)s was on the list already.", "%(count)s were on the list already.", added.known
        ) % {"count": number(added.known)}
    messages.success(request, said)
    if added.refused:
        lines = ", ".join(f"{number} (“{text}”)" for number, text in added.first_refused)
        messages.warning(
            request,
            ngettext(
                "%(count)s line has no e-mail address and was left out: line %(lines)s.",
                "%(count)s lines have no e-mail address and were left out, first: lines %(lines)s.",
                added.refused,
            )
            % {"count": number(added.refused), "lines": lines},
        )
