"""What tests of workspaces share."""

from typing import Any

import pytest

from workspaces import refreshes


@pytest.fixture
def stages(monkeypatch: pytest.MonkeyPatch) -> Any:
    """An empty register of stages: `stages["segments"] = fn` adds one after the others."""
    register: dict[int, Any] = {}
    monkeypatch.setattr(refreshes, "_stages", register)

    class Stages:
        def __setitem__(self, name: str, stage: Any) -> None:
            refreshes.add_stage(len(register), name, stage)

    return Stages()
