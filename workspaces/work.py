"""The scope in which workers do a workspace's tasks."""

from collections.abc import Iterator
from contextlib import contextmanager

from celery.exceptions import Ignore
from django_scopes import scope

from workspaces.models import Workspace


@contextmanager
def working_for(workspace_id: int, *, while_closing: bool = False) -> Iterator[Workspace]:
    """The workspace, in scope. A task for one that is gone, or is to be deleted, is let go of.

    `while_closing` is for what ends things rather than beginning them.
    """
    workspace = Workspace.objects.filter(pk=workspace_id).first()
    if workspace is None or (workspace.is_closing and not while_closing):
        raise Ignore
    with scope(workspace=workspace):
        yield workspace
