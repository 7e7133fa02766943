"""What goes on in the workspace, for pages whose parts begin to move when it does."""

from django.http import HttpResponse
from django.shortcuts import render

from workspaces.live import figures, pulse, streams
from workspaces.middleware import WorkspaceRequest
from workspaces.permissions import requires


@requires("workspace.view")
def going_on(request: WorkspaceRequest, slug: str) -> HttpResponse:
    things = pulse.of([request.workspace.pk])[request.workspace.pk].things
    response = render(request, "workspaces/_going_on.html", {"things": things})
    response[streams.FOR_EVERY_ROLE] = "yes"
    response[streams.FIGURES] = figures.THINGS
    return response
