"""A workspace's home."""

from django.http import HttpResponse
from django.shortcuts import render

from workspaces import home as parts
from workspaces.middleware import WorkspaceRequest


def home(request: WorkspaceRequest, slug: str) -> HttpResponse:
    steps = parts.steps(request)
    context = {
        "notices": parts.notices(request),
        "stats": parts.stats(request),
        "cards": parts.cards(request),
        "steps": steps,
        "steps_done": sum(step.done for step in steps),
        "next_step": next((step for step in steps if not step.done), None),
    }
    return render(request, "workspaces/home.html", context)
