"""Who was taken off the list at Constant Contact, and putting them back."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from exports import taken_off
from exports.views.objects import destination_of
from workspaces import keyset
from workspaces.middleware import WorkspaceRequest
from workspaces.written import number


@require_http_methods(["GET", "HEAD", "POST"])
def destination_taken_off(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    if request.method == "POST":
        return _put_back(request, slug, pk)
    destination = destination_of(request, pk)
    total = taken_off.taken_off(destination).count()
    page = taken_off.page_of(destination, request.GET, count=total)
    search, reason = request.GET.get("search", "").strip(), request.GET.get("reason", "")
    context = {
        "destination": destination,
        "people": page.rows,
        "total": total,
        "search": search,
        "reason": reason,
        "reasons": [(one.value, one.label) for one in taken_off.REASONS],
        "is_searched": bool(search or reason),
        "orders": keyset.orders_of(taken_off.ORDERS, total),
        **keyset.context_of(page, request.GET),
    }
    return render(request, "exports/taken_off.html", context)


def _put_back(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    destination = destination_of(request, pk, "destination.put_back")
    addresses = None if "all" in request.POST else request.POST.getlist("address")
    count = taken_off.put_back(destination, addresses, by=request.user)
    if count:
        messages.success(
            request,
            ngettext(
                "%(count)s person is put back by the next run, if in its segments then.",
                "%(count)s people are put back by the next run, if in its segments then.",
                count,
            )
            % {"count": number(count)},
        )
    else:
        messages.warning(request, _("Nobody was selected, so nobody is put back."))
    return redirect("exports:destination_taken_off", slug, pk)
