"""Every operation of the API by every role, with every scope but its own, and across workspaces."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django_scopes import scope

from api.document import document, operations
from api.models import Scope
from connections.constant_contact import transport
from tests.api.client import Program, program
from tests.api.world import make_world
from tests.workspaces.factories import WorkspaceFactory
from workspaces.models import Role, Workspace

EVERYONE = set(Role.values)
EDITORS = {Role.ADMINISTRATOR, Role.CONTRIBUTOR}
ADMINISTRATORS = {Role.ADMINISTRATOR}
RULES = {"match": "all", "rules": [{"attribute": "city", "operator": "is", "value": "Paris"}]}
FILE = b"id,town\n1,Paris\n"
LIST_ID = "11111111-2222-3333-4444-555555555555"

# What an operation is called: who may, and what is sent. Bytes are a file.
OPERATIONS: dict[str, tuple[set[str], Any]] = {
    "show_token": (EVERYONE, None),
    "list_workspaces": (EVERYONE, None),
    "get_workspace": (EVERYONE, None),
    "change_workspace": (ADMINISTRATORS, {"name": "Renamed", "runs_days": None}),
    "get_domains": (ADMINISTRATORS, None),
    "set_domains": (ADMINISTRATORS, {"domains": []}),
    "ask_for_archive": (ADMINISTRATORS, None),
    "list_archives": (ADMINISTRATORS, None),
    "get_archive": (ADMINISTRATORS, None),
    "download_archive": (ADMINISTRATORS, None),
    "ask_for_deletion": (ADMINISTRATORS, {"name": "Not its name"}),
    "take_deletion_back": (ADMINISTRATORS, None),
    "list_workspace_members": (ADMINISTRATORS, None),
    "get_workspace_member": (ADMINISTRATORS, None),
    "change_role": (ADMINISTRATORS, {"role": "viewer"}),
    "remove_member": (ADMINISTRATORS, None),
    "list_invitations": (ADMINISTRATORS, None),
    "invite_member": (ADMINISTRATORS, {"email": "grace@example.com", "role": "viewer"}),
    "resend_invitation": (ADMINISTRATORS, None),
    "revoke_invitation": (ADMINISTRATORS, None),
    "get_schedule": (EVERYONE, None),
    "set_schedule": (
        ADMINISTRATORS,
        {"enabled": True, "days": [1], "times": ["06:00"], "time_zone": "UTC"},
    ),
    "list_sources": (EVERYONE, None),
    "get_source": (EVERYONE, None),
    "create_source": (EDITORS, FILE),
    "load_file": (EDITORS, FILE),
    "load_database": (EDITORS, None),
    "create_database_source": (EDITORS, {"name": "Shop", "kind": "postgresql"}),
    "get_database": (EDITORS, None),
    "change_database": (EDITORS, {"kind": "postgresql"}),
    "list_tables": (EDITORS, None),
    "preview_query": (EDITORS, {"statement": "SELECT 1 AS id"}),
    "change_query": (EDITORS, {"statement": "SELECT 1 AS id"}),
    "schedule_database": (EDITORS, {"schedule": "off"}),
    "change_source": (EDITORS, {"mode": "replace"}),
    "remove_source": (EDITORS, None),
    "list_loads": (EVERYONE, None),
    "get_load": (EVERYONE, None),
    "start_load": (EDITORS, {"key": "id"}),
    "change_reading": (EDITORS, {"separator": ";"}),
    "load_again": (EDITORS, None),
    "discard_load": (EDITORS, None),
    "stream_refused": (EVERYONE, None),
    "list_attributes": (EVERYONE, None),
    "get_attribute": (EVERYONE, None),
    "rename_attribute": (EDITORS, {"label": "Town"}),
    "change_attribute_type": (EDITORS, {"type": "list"}),
    "get_attribute_facts": (EVERYONE, None),
    "suggest_values": (EDITORS, None),
    "preview_attribute_type": (EDITORS, {"type": "list", "sample": True}),
    "remove_attribute": (EDITORS, None),
    "get_attribute_change": (EVERYONE, None),
    "list_profiles": (EVERYONE, None),
    "get_profile": (EVERYONE, None),
    "list_profile_exports": (EVERYONE, None),
    "erase_profile": (ADMINISTRATORS, {}),
    "foresee_erasure": (ADMINISTRATORS, None),
    "erase_address": (ADMINISTRATORS, {"address": "old@example.com"}),
    "list_erasures": (ADMINISTRATORS, None),
    "get_erasure": (ADMINISTRATORS, None),
    "foresee_address_erasure": (ADMINISTRATORS, {"address": "ada@example.com"}),
    "settle_erasure_by_hand": (ADMINISTRATORS, None),
    "lift_erasure": (ADMINISTRATORS, None),
    "list_suppressions": (EVERYONE, None),
    "stream_suppressions": (EVERYONE, None),
    "add_suppressions": (EDITORS, {"addresses": ["eve@example.com"]}),
    "add_suppression_file": (EDITORS, b"eve@example.com\n"),
    "remove_suppressions": (EDITORS, {"addresses": ["no@example.com"]}),
    "list_segments": (EVERYONE, None),
    "create_segment": (EDITORS, {"name": "New", "rules": RULES}),
    "preview_rules": (EDITORS, {"rules": RULES}),
    "get_segment": (EVERYONE, None),
    "change_segment": (EDITORS, {"description": "Those of Paris"}),
    "delete_segment": (EDITORS, None),
    "refresh_segment": (EDITORS, None),
    "duplicate_segment": (EDITORS, None),
    "change_several_segments": (EDITORS, {"segments": ["{segment_id}"], "action": "refresh"}),
    "list_changes": (EVERYONE, None),
    "stream_changes": (EDITORS, None),
    "list_history": (EVERYONE, None),
    "count_segment_rules": (EVERYONE, None),
    "compare_segments": (EVERYONE, None),
    "list_tags": (EVERYONE, None),
    "rename_tag": (EDITORS, {"tag": "vip", "becomes": "best"}),
    "delete_tag": (EDITORS, {"tag": "vip"}),
    "list_members": (EDITORS, None),
    "stream_members": (EDITORS, None),
    "download_members": (EDITORS, None),
    "get_entries": (EVERYONE, None),
    "stream_missing": (EDITORS, None),
    "remove_missing_entries": (EDITORS, None),
    "create_static_segment": (EDITORS, {"name": "Guests", "entries": ["k1"]}),
    "change_entries": (EDITORS, {"how": "add", "entries": ["k2"]}),
    "change_entries_by_file": (EDITORS, b"k2\n"),
    "list_connections": (EVERYONE, None),
    "get_connection": (EVERYONE, None),
    "list_lists": (EDITORS, None),
    "list_custom_fields": (EDITORS, None),
    "create_connection": (ADMINISTRATORS, {"name": "Another"}),
    "change_connection": (ADMINISTRATORS, {"name": "Renamed"}),
    "check_connection": (ADMINISTRATORS, None),
    "become_export_user": (ADMINISTRATORS, None),
    "withdraw_consent": (ADMINISTRATORS, None),
    "list_dependents": (ADMINISTRATORS, None),
    "remove_connection": (ADMINISTRATORS, None),
    "get_budget": (EVERYONE, None),
    "list_destinations": (EVERYONE, None),
    "get_destination": (EVERYONE, None),
    "create_destination": (
        EDITORS,
        {
            "name": "Other",
            "connection": 1,
            "contact_list": {"id": LIST_ID},
            "matching": {"email": "email"},
            "segments": [1],
        },
    ),
    "change_destination": (EDITORS, {"name": "Renamed"}),
    "schedule_destination": (EDITORS, {"schedule": "off"}),
    "duplicate_destination": (EDITORS, {"name": "Copy"}),
    "preview_new_destination": (
        EDITORS,
        {
            "connection": "{connection_id}",
            "matching": {"email": "email"},
            "segments": ["{segment_id}"],
            "sample": True,
        },
    ),
    "preview_destination": (EVERYONE, {"sample": True}),
    "get_destination_preview": (EVERYONE, None),
    "run_all_destinations": (EDITORS, None),
    "schedule_destinations": (EDITORS, {"destinations": ["{destination_id}"], "handling": "off"}),
    "detach_destination": (EDITORS, None),
    "remove_destination": (EDITORS, None),
    "list_taken_off": (EVERYONE, None),
    "put_back": (EDITORS, {"addresses": ["off@example.com"]}),
    "start_run": (EDITORS, {"dry_run": True}),
    "list_runs": (EVERYONE, None),
    "get_run": (EVERYONE, None),
    "get_account": (EVERYONE, None),
    "approve_run": (EDITORS, None),
    "cancel_run": (EDITORS, None),
    "retry_run": (EDITORS, None),
    "find_in_run": (EVERYONE, None),
    "list_rejections": (EVERYONE, None),
    "stream_rejections": (EVERYONE, None),
    "list_refreshes": (EVERYONE, None),
    "get_refresh": (EVERYONE, None),
    "start_refresh": (EDITORS, None),
    "retry_refresh": (EDITORS, {}),
    "list_notices": (EVERYONE, None),
    "read_notices": (EVERYONE, {}),
    "list_notice_choices": (EVERYONE, None),
    "choose_notices": (
        EVERYONE,
        {"choices": [{"topic": "failed", "in_app": True, "by_email": False}]},
    ),
    "list_endpoints": (ADMINISTRATORS, None),
    "create_endpoint": (
        ADMINISTRATORS,
        {"name": "Lake", "url": "https://lake.example.com/", "events": ["run.finished"]},
    ),
    "get_endpoint": (ADMINISTRATORS, None),
    "change_endpoint": (ADMINISTRATORS, {"enabled": False}),
    "remove_endpoint": (ADMINISTRATORS, None),
    "renew_secret": (ADMINISTRATORS, None),
    "try_endpoint": (ADMINISTRATORS, None),
    "list_deliveries": (ADMINISTRATORS, None),
    "get_delivery": (ADMINISTRATORS, None),
    "send_again": (ADMINISTRATORS, None),
    "list_audit": (ADMINISTRATORS, None),
    "stream_audit": (ADMINISTRATORS, None),
}
OBJECTS = {
    "start_load": "draft",
    "change_reading": "draft",
    "discard_load": "draft",
    "load_database": "database",
    "get_database": "database",
    "change_database": "database",
    "change_query": "database",
    "schedule_database": "database",
    "change_entries": "static",
    "change_entries_by_file": "static",
    "list_tables": "database",
    "preview_query": "database",
    "get_entries": "static",
    "stream_missing": "static",
    "remove_missing_entries": "static",
}
QUERIES = {
    "create_source": "?name=Shop&key=id",
    "find_in_run": "?profile=k1",
    "compare_segments": "?segment={segment_id}&segment={static}",
}
# What the state of the world, or a provider that nobody can reach, refuses.
REFUSED = {
    "load_database": 409,
    "create_database_source": 422,
    "change_database": 422,
    "change_query": 409,
    "remove_attribute": 409,
    "change_attribute_type": 409,
    "delete_segment": 409,
    "list_lists": 502,
    "check_connection": 502,
    "become_export_user": 409,
    "remove_connection": 409,
    "create_destination": 422,
    "approve_run": 409,
    "cancel_run": 409,
    "ask_for_deletion": 422,
    "list_tables": 409,
    "preview_query": 409,
    "load_again": 409,
    "list_custom_fields": 502,
    "duplicate_destination": 422,
    "get_destination_preview": 404,
    # A service is nobody who could be told.
    "list_notices": 409,
    "read_notices": 409,
    "list_notice_choices": 409,
    "choose_notices": 409,
}


@pytest.fixture(autouse=True)
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Constant Contact is not there, and is asked more than once."""
    monkeypatch.setattr(transport, "_wait_before_reading_again", lambda state: 0.0)


def told() -> Iterator[tuple[str, str, str, list[str]]]:
    for path, method, operation in operations(document()):
        yield operation["operationId"], method, path, operation["x-scopes"]


def call(caller: Program, world: dict[str, Any], name: str, method: str, path: str) -> Any:
    """Calls the operation and takes back what it did."""
    here = path.removeprefix("/api/v1").replace("{form}", "csv") + QUERIES.get(name, "")
    here = here.replace("{slug}", getattr(world.get("workspace"), "slug", "elsewhere"))
    for parameter, thing in world.items():
        if parameter == OBJECTS.get(name):
            here = here.replace("{source_id}", str(thing.pk)).replace("{load_id}", str(thing.pk))
            here = here.replace("{segment_id}", str(thing.pk))
    for parameter, thing in world.items():
        here = here.replace(f"{{{parameter}}}", str(thing.pk))
    here = here.replace("{preview}", "0" * 32)
    body = _filled(OPERATIONS[name][1], world)
    with transaction.atomic():
        if isinstance(body, bytes):
            answer = caller.upload(here, body)
        elif method == "get":
            answer = caller.get(here)
        else:
            answer = caller.send(method, here, body)
        if answer.streaming:
            answer.whole = b"".join(answer.streaming_content).decode(errors="replace")
        transaction.set_rollback(True)
    return answer


def _filled(body: Any, world: dict[str, Any]) -> Any:
    """The body with the ids of the world’s things where it names them."""
    if isinstance(body, dict):
        return {name: _filled(one, world) for name, one in body.items()}
    if isinstance(body, list):
        return [_filled(one, world) for one in body]
    named = isinstance(body, str) and body[1:-1] in world
    return world[body[1:-1]].pk if named else body


def test_the_document_and_this_table_name_the_same_operations() -> None:
    assert {name for name, *_rest in told()} == set(OPERATIONS)


@pytest.mark.parametrize("role", Role.values)
def test_the_role_decides(workspace: Workspace, role: str) -> None:
    world = make_world(workspace) | {"workspace": workspace}
    caller = program(workspace, role)
    for name, method, path, _scopes in told():
        allowed = role in OPERATIONS[name][0]
        answer = call(caller, world, name, method, path)
        expected = REFUSED.get(name, range(200, 300)) if allowed else 403
        if name == "get_connection" and role == Role.VIEWER:
            # What they may not use is not there for them.
            expected = 404
        fits = answer.status_code in ([expected] if isinstance(expected, int) else expected)
        assert fits, f"{role} {name}: {answer.status_code} {answer.content[:300]}"


def test_without_its_scope_a_token_does_nothing(workspace: Workspace) -> None:
    world = make_world(workspace) | {"workspace": workspace}
    callers: dict[tuple[str, ...], Program] = {}
    for name, method, path, scopes in told():
        others = tuple(one for one in Scope.values if one not in scopes)
        if not others:
            continue
        if others not in callers:
            callers[others] = program(workspace, scopes=others)
        answer = call(callers[others], world, name, method, path)
        assert answer.json()["code"] == "missing_scope", f"{name} by {others}"


def test_another_workspaces_things_are_not_there(workspace: Workspace) -> None:
    other = WorkspaceFactory()
    with scope(workspace=other):
        world = make_world(other)
    caller = program(workspace)
    for name, method, path, _scopes in told():
        if "{" in path.replace("{form}", ""):
            answer = call(caller, world, name, method, path)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), name


def test_lists_hold_nothing_of_another_workspace(workspace: Workspace) -> None:
    other = WorkspaceFactory()
    with scope(workspace=other):
        world = make_world(other)
    caller = program(workspace)
    for name, method, path, _scopes in told():
        if method != "get" or "{" in path.replace("{form}", ""):
            continue
        answer = call(caller, world, name, method, path)
        text = answer.whole if answer.streaming else answer.content.decode()
        for told_of in ("ada@", "no@", "off@", "Parisians", "Paris", "Listed", other.slug):
            assert told_of not in text, f"{name} tells {told_of}"
