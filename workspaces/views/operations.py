"""The operators' page of queues, workers and what stands still."""

from django.contrib.admin.views.decorators import staff_member_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from workspaces import operations


@require_safe
@staff_member_required
def system(request: HttpRequest) -> HttpResponse:
    return render(request, "workspaces/system.html", {"system": operations.look()})
