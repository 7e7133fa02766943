"""The argument of commands that names a workspace."""

from django.core.management.base import CommandParser

from config.commands import NOT_THERE, fail
from workspaces.models import Workspace


def add_workspace(parser: CommandParser) -> None:
    parser.add_argument("workspace", help="the workspace's address, as in /w/ADDRESS/")


def workspace_of(slug: str) -> Workspace:
    found = Workspace.objects.filter(slug=slug).first()
    if found is None:
        fail(f"There is no workspace called {slug!r}.", NOT_THERE)
    return found
