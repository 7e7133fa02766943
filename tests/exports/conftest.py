"""A workspace with people in a segment and a connection to the sandbox."""

from typing import Any

import pytest

from tests.exports.engine_world import World


@pytest.fixture
def shop(workspace: Any, sandbox: Any) -> World:
    """Its export "Newsletter" has sent nothing yet."""
    return World(workspace, sandbox)
