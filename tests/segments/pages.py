"""Addresses of the pages of sources, attributes, profiles and segments."""

from django.urls import reverse

from workspaces.models import Workspace


def url(name: str, workspace: Workspace, *arguments: object) -> str:
    return reverse(f"segments:{name}", args=[workspace.slug, *arguments])
