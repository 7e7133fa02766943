from collections.abc import Iterator

import pytest
from django_scopes import scope

from tests.workspaces.factories import WorkspaceFactory
from workspaces.models import Workspace


@pytest.fixture
def workspace(db: None) -> Iterator[Workspace]:
    workspace = WorkspaceFactory()
    with scope(workspace=workspace):
        yield workspace
