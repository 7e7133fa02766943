"""The demo workspace: filled once, completed when it was stopped half-way, never beside others."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django_scopes import scope

from connections.models import Connection
from exports.models import Run
from segments.models import Profile, Segment
from tests.exports.engine_world import account
from tests.workspaces.factories import WorkspaceFactory
from workspaces.models import Membership, Workspace

pytestmark = pytest.mark.django_db(transaction=True)


def demo() -> str:
    said = StringIO()
    call_command("demo", stdout=said)
    return said.getvalue()


def check() -> None:
    workspace = Workspace.objects.get(slug="adventure-works")
    with scope(workspace=workspace):
        assert sorted(Membership.objects.values_list("role", flat=True)) == [
            "administrator",
            "contributor",
            "viewer",
        ]
        assert Profile.objects.count() == 2053
        assert Segment.objects.count() == 4
        assert Connection.objects.get().state == "active"
        assert account(Run.objects.get()) == {"added": 1904, "duplicate": 44, "invalid": 105}


def test_it_is_filled_once_and_tells_the_sign_ins_each_time(sandbox: Any) -> None:
    first, second = demo(), demo()
    check()
    for said in (first, second):
        assert "ada@example.com" in said
        assert "a demo harbour" in said
    assert "read 2,059" in first
    assert "read" not in second


@pytest.mark.parametrize("step", ["refresh_segment", "_connection", "_export", "start_run"])
def test_what_was_stopped_half_way_is_completed(
    sandbox: Any, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    from exports.management.commands import demo as command

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(command, step, stop)
        with pytest.raises(KeyboardInterrupt):
            demo()
    demo()
    check()


def test_it_stays_out_of_a_database_that_others_use(sandbox: Any) -> None:
    WorkspaceFactory()
    with pytest.raises(CommandError, match="holds other workspaces"):
        demo()
