"""A workspace with people in a segment and a connection to the sandbox."""

from datetime import timedelta
from typing import Any

import pytest

from connections.constant_contact import transport
from exports.engine import drive, read_back, remove, send
from tests.exports.engine_world import World


@pytest.fixture(autouse=True)
def no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider's stand-in has done what it is asked for at once."""
    monkeypatch.setattr(send, "backoff", lambda attempts: 0.02)
    monkeypatch.setattr(transport, "_wait_before_reading_again", lambda state: 0.02)
    monkeypatch.setattr(drive, "BUSY", timedelta(milliseconds=20))
    for module in (drive, read_back, remove):
        monkeypatch.setattr(module, "poll_delay", lambda polls: 0.02)


@pytest.fixture
def shop(workspace: Any, sandbox: Any) -> World:
    """Its export "Newsletter" has sent nothing yet."""
    return World(workspace, sandbox)
