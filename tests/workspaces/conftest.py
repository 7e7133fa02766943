"""What tests of workspaces share."""

from collections.abc import Callable
from typing import Any

import pytest

from workspaces import refreshes
from workspaces.models import Refresh, RefreshStep
from workspaces.refreshes import Kind, Planned


class Kinds:
    """An empty register of kinds, to which `add` gives one after the others."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seen: list[str] = []
        self.skipped: list[str] = []
        monkeypatch.setattr(refreshes, "_kinds", {})

    def add(
        self,
        name: str,
        steps: dict[int, set[refreshes.Thing]],
        does: Callable[[RefreshStep], dict[str, object] | None] = lambda step: None,
    ) -> None:
        """Steps called by kind and id, with what they need; each notes that it was carried out."""

        def plan(refresh: Refresh) -> list[Planned]:
            return [Planned(pk, f"{name} {pk}", frozenset(needs)) for pk, needs in steps.items()]

        def carry_out(step: RefreshStep) -> dict[str, Any]:
            self.seen.append(step.name)
            return does(step) or {}

        refreshes.add_kind(
            len(refreshes.kinds()),
            Kind(
                name,
                name.title(),
                plan,
                carry_out,
                skip=lambda step: self.skipped.append(step.name),
            ),
        )


@pytest.fixture
def kinds(monkeypatch: pytest.MonkeyPatch) -> Kinds:
    return Kinds(monkeypatch)
