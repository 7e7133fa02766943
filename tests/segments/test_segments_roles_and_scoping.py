"""Every page of sources, profiles and segments by every role, and none across workspaces.

That ids of another workspace lead nowhere is told of all pages at once, in tests/test_two_walls.py.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django_scopes import scope

from segments import drafts, erased, static_segments
from segments.models import (
    Attribute,
    AttributeChange,
    ErasedIdentity,
    Erasure,
    Import,
    Profile,
    Segment,
    SegmentMember,
    Source,
    SqlQuery,
    Upload,
)
from segments.urls import urlpatterns
from tests.segments.factories import (
    AttributeFactory,
    ImportFactory,
    ProfileFactory,
    RefusedRowFactory,
    SegmentFactory,
    SourceFactory,
    SqlQueryFactory,
    UploadFactory,
    group,
)
from tests.workspaces.factories import WorkspaceFactory, signed_in
from workspaces.models import Role, Workspace

pytestmark = pytest.mark.usefixtures("bare_refusals")

EVERYONE = Role.values
ADMINISTRATORS = [Role.ADMINISTRATOR]
EDITORS = [Role.ADMINISTRATOR, Role.CONTRIBUTOR]

# Name of the URL: what it is of, who may GET it, who may POST to it.
PAGES: dict[str, tuple[str, list[str], list[str]]] = {
    "source_list": ("", EVERYONE, EVERYONE),
    "source_add": ("", EDITORS, EDITORS),
    "source_detail": ("source", EVERYONE, EVERYONE),
    "source_upload": ("source", EDITORS, EDITORS),
    "source_remove": ("source", [], EDITORS),
    "source_mode": ("source", [], EDITORS),
    "source_add_database": ("", EDITORS, EDITORS),
    "source_connection": ("sql_source", EDITORS, EDITORS),
    "source_query": ("sql_source", EDITORS, EDITORS),
    "source_query_preview": ("sql_source", [], EDITORS),
    "source_load": ("sql_source", [], EDITORS),
    "source_schedule": ("sql_source", EDITORS, EDITORS),
    "upload": ("upload", EDITORS, EDITORS),
    "upload_content": ("upload", [], []),
    "upload_progress": ("upload", EDITORS, EDITORS),
    "upload_cancel": ("upload", [], EDITORS),
    "home_imports": ("", EVERYONE, EVERYONE),
    "import_detail": ("import", EVERYONE, EVERYONE),
    "import_columns": ("draft", EDITORS, EDITORS),
    "import_read_again": ("draft", [], EDITORS),
    "import_progress": ("import", EVERYONE, EVERYONE),
    "import_again": ("import", [], EDITORS),
    "import_refused_csv": ("import", EVERYONE, EVERYONE),
    "attribute_list": ("", EVERYONE, EVERYONE),
    "attribute_detail": ("attribute", EVERYONE, EVERYONE),
    "attribute_rename": ("attribute", [], EDITORS),
    "attribute_type": ("attribute", EDITORS, EDITORS),
    "attribute_preview": ("attribute", EDITORS, EDITORS),
    "attribute_remove": ("attribute", [], EDITORS),
    "attribute_change": ("change", EVERYONE, EVERYONE),
    "attribute_change_progress": ("change", EVERYONE, EVERYONE),
    "profile_list": ("", EVERYONE, EVERYONE),
    "profile_detail": ("profile", EVERYONE, EVERYONE),
    "profile_erase": ("profile", ADMINISTRATORS, ADMINISTRATORS),
    "erasure_list": ("", ADMINISTRATORS, ADMINISTRATORS),
    "erase_address": ("", ADMINISTRATORS, ADMINISTRATORS),
    "erasure_lift": ("erasure", [], ADMINISTRATORS),
    "suppression_list": ("", EVERYONE, EVERYONE),
    "suppression_add": ("", EDITORS, EDITORS),
    "suppression_remove": ("", [], EDITORS),
    "suppression_csv": ("", EVERYONE, EVERYONE),
    "segment_list": ("", EVERYONE, EVERYONE),
    "segment_start": ("", EDITORS, EDITORS),
    "segment_several": ("", [], EDITORS),
    "segment_tags": ("", EVERYONE, EVERYONE),
    "segment_tag_rename": ("", [], EDITORS),
    "segment_tag_delete": ("", [], EDITORS),
    "segment_quick": ("", EDITORS, EDITORS),
    "segment_overlap": ("", EVERYONE, EVERYONE),
    "segment_overlap_make": ("", [], EDITORS),
    "segment_add": ("", EDITORS, EDITORS),
    "segment_rules": ("", [], EDITORS),
    "segment_preview": ("", [], EDITORS),
    "segment_values": ("", EDITORS, EDITORS),
    "static_add": ("", EDITORS, EDITORS),
    "static_edit": ("static", EDITORS, EDITORS),
    "static_entries": ("static", EVERYONE, EVERYONE),
    "static_missing": ("static", EDITORS, EDITORS),
    "static_remove_missing": ("static", [], EDITORS),
    "segment_detail": ("segment", EVERYONE, EVERYONE),
    "segment_rule_counts": ("segment", EVERYONE, EVERYONE),
    "segment_csv": ("segment", EDITORS, EDITORS),
    "segment_parquet": ("segment", EDITORS, EDITORS),
    "segment_edit": ("segment", EDITORS, EDITORS),
    "segment_status": ("segment", EVERYONE, EVERYONE),
    "segment_refresh": ("segment", [], EDITORS),
    "segment_activate": ("segment", [], EDITORS),
    "segment_deactivate": ("segment", [], EDITORS),
    "segment_tag": ("segment", [], EDITORS),
    "segment_history_csv": ("segment", EVERYONE, EVERYONE),
    "segment_changes": ("segment", EVERYONE, EVERYONE),
    "segment_changes_csv": ("segment", EDITORS, EDITORS),
    "segment_rename": ("segment", [], EDITORS),
    "segment_duplicate": ("segment", [], EDITORS),
    "segment_delete": ("segment", [], EDITORS),
}
OBJECTS = {name: of for name, (of, _get, _post) in PAGES.items() if of}


def make_world(workspace: Workspace) -> dict[str, Any]:
    """One of each thing that a URL may name."""
    source = SourceFactory(workspace=workspace)
    attribute = AttributeFactory(workspace=workspace, source=source)
    change = AttributeChange.objects.create(
        workspace=workspace,
        attribute=attribute,
        name="City",
        type="number",
        state="failed",
        reason="uses",
    )
    profile = ProfileFactory(workspace=workspace, key="k1", attributes={"city": "Paris"})
    load = ImportFactory(source=source, state="failed", reason="Broken")
    RefusedRowFactory(source_import=load)
    segment = SegmentFactory(workspace=workspace)
    SegmentMember.objects.create(workspace=workspace, segment=segment, profile_id=profile.pk)
    static, _changed = static_segments.create(
        workspace, name="Listed", description="", listed_by="", rows=[["k1"], ["k2"]], by=None
    )
    draft = drafts.take_file(source, "c.csv", [b"id,city\n1,Paris\n2,Rome\n"])
    erasure = Erasure.objects.create(workspace=workspace)
    erased.add(workspace.pk, erasure.pk, "gone", [])
    return {
        "source": source,
        "sql_source": SqlQueryFactory(source__workspace=workspace).source,
        "import": load,
        "draft": draft,
        "attribute": attribute,
        "change": change,
        "profile": profile,
        "segment": segment,
        "static": static,
        "erasure": erasure,
        "upload": UploadFactory(workspace=workspace),
    }


def url(name: str, workspace: Workspace, world: dict[str, Any]) -> str:
    arguments = [world[OBJECTS[name]].pk] if name in OBJECTS else []
    return reverse(f"segments:{name}", args=[workspace.slug, *arguments])


def request(client: Client, method: str, name: str, at: str) -> int:
    asked = {"attribute": "city"} if name == "segment_values" and method == "get" else {}
    if name == "segment_values" and method == "post":
        at += "?attribute=city"
    return int(getattr(client, method)(at, asked).status_code)


def test_every_url_is_in_the_table() -> None:
    assert {pattern.name for pattern in urlpatterns} == PAGES.keys()


@pytest.fixture
def world(workspace: Workspace) -> dict[str, Any]:
    return make_world(workspace)


def test_each_role_opens_what_it_may(workspace: Workspace, world: dict[str, Any]) -> None:
    before = state_of(workspace)
    for role in EVERYONE:
        client = signed_in(workspace, role)
        for name, (_, may_get, _) in PAGES.items():
            expected = 200 if role in may_get else 403 if may_get else 405
            found = request(client, "get", name, url(name, workspace, world))
            assert found == expected, (name, role)
    assert state_of(workspace) == before


@pytest.mark.parametrize("role", EVERYONE)
def test_each_role_changes_what_it_may(
    workspace: Workspace, world: dict[str, Any], role: str
) -> None:
    client = signed_in(workspace, role)
    before = state_of(workspace)
    for name, (_, _, may_post) in PAGES.items():
        if role not in may_post:
            status = request(client, "post", name, url(name, workspace, world))
            assert status == (403 if may_post else 405), name
    assert state_of(workspace) == before
    for name, (_, _, may_post) in PAGES.items():
        if role in may_post:
            with undone():
                status = request(client, "post", name, url(name, workspace, world))
            assert status in (200, 302, 422), name


@contextmanager
def undone() -> Iterator[None]:
    """What the block does to the database is not done for what follows."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def test_another_workspaces_pages_do_not_exist(workspace: Workspace) -> None:
    other = WorkspaceFactory()
    client = signed_in(workspace)
    with scope(workspace=other):
        theirs = make_world(other)
    for name in PAGES:
        at = url(name, other, theirs)
        assert request(client, "get", name, at) == 404, name
        assert request(client, "post", name, at) == 404, name


def state_of(workspace: Workspace) -> tuple[Any, ...]:
    """Whatever a request could have changed."""
    return (
        list(Source.objects.order_by("pk").values_list("pk", "name", "key_column")),
        list(Upload.objects.order_by("pk").values_list("pk", "state", "received")),
        list(Import.objects.order_by("pk").values_list("pk", "state")),
        list(SqlQuery.objects.order_by("pk").values_list("pk", "host", "statement", "schedule")),
        list(
            Segment.objects.order_by("pk").values_list(
                "pk", "name", "rules", "refresh_state", "state", "tags"
            )
        ),
        list(Segment.objects.order_by("pk").values_list("pk", "entry_count")),
        list(Attribute.objects.order_by("pk").values_list("pk", "label", "type")),
        list(AttributeChange.objects.order_by("pk").values_list("pk", "state")),
        SegmentMember.objects.count(),
        Profile.objects.count(),
        ErasedIdentity.objects.count(),
        all(Path(one.file_path).exists() for one in Import.objects.filter(state="draft")),
        workspace.pk,
    )


def test_rules_cannot_speak_of_another_workspaces_segments_or_attributes(
    workspace: Workspace,
) -> None:
    other = WorkspaceFactory()
    with scope(workspace=other):
        theirs = make_world(other)["segment"]
        AttributeFactory(workspace=other, name="secret")
    make_world(workspace)
    client = signed_in(workspace)
    entered = {"node": ["0", "0-0"], "match-0": "all", "name": "Spying"}
    membership = {"subject-0-0": "segment", "operator-0-0": "member", "value-0-0": theirs.pk}
    at = reverse("segments:segment_preview", args=[workspace.slug])
    found = client.post(at, entered | membership).content.decode()
    assert "That segment is no longer there." in found
    assert theirs.name not in found
    secret = {"subject-0-0": "a:secret", "operator-0-0": "is_not_empty"}
    assert "There is no attribute" in client.post(at, entered | secret).content.decode()
    values = reverse("segments:segment_values", args=[workspace.slug])
    assert client.get(values, {"attribute": "secret"}).status_code == 404


def test_lists_and_searches_show_the_workspaces_own(workspace: Workspace) -> None:
    other = WorkspaceFactory()
    with scope(workspace=other):
        SourceFactory(workspace=other, name="Their source")
        AttributeFactory(workspace=other, name="Their size")
        SegmentFactory(workspace=other, name="Their segment", rules=group())
        ProfileFactory(workspace=other, key="their-key", attributes={"mail": "a@example.com"})
    client = signed_in(workspace, Role.VIEWER)
    for name in ("source_list", "attribute_list", "segment_list", "profile_list"):
        at = reverse(f"segments:{name}", args=[workspace.slug])
        for asked in ({}, {"q": "their"}, {"q": "a@example.com"}):
            assert "Their s" not in client.get(at, asked).content.decode()
            assert "their-key" not in client.get(at, asked).content.decode()
