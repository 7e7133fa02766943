"""A plan takes seconds, though PostgreSQL has not yet counted the tables that were just written."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from config.database_roles import as_owner
from segments.models import SegmentMember
from tests.exports.engine_world import World, account

MANY = 15_000
TABLES = ("exports_delivery", "segments_profile", "segments_segmentmember")


def for_each_table(statement: str) -> None:
    with as_owner(connection), connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(statement.format(table))


@pytest.fixture
def uncounted(transactional_db: None) -> Iterator[None]:
    for_each_table("ALTER TABLE {} SET (autovacuum_enabled = off)")
    for_each_table("DELETE FROM pg_statistic WHERE starelid = '{}'::regclass")
    yield
    for_each_table("ALTER TABLE {} RESET (autovacuum_enabled)")


@pytest.mark.django_db(transaction=True)
def test_a_run_right_after_a_first_run_costs_no_more_for_it(
    uncounted: None, workspace: Any, sandbox: Any
) -> None:
    world = World(workspace, sandbox)
    world.add_many(MANY)
    assert account(world.run()) == {"added": MANY}
    began = time.monotonic()
    assert account(world.run()) == {"unchanged": MANY}
    assert time.monotonic() - began < 10


@pytest.mark.django_db(transaction=True)
def test_taking_many_off_a_list_that_another_export_holds_too_costs_no_more_for_it(
    uncounted: None, workspace: Any, sandbox: Any
) -> None:
    world = World(workspace, sandbox)
    world.add_many(MANY)
    exports = [world.destination, world.another_destination()]
    for export in exports:
        export.removal_share = 100
        export.save(update_fields=["removal_share"])
        assert account(world.run(of=export)) == {"added": MANY}
    members = SegmentMember.objects.order_by("profile_id")
    leaving = list(members.values_list("profile_id", flat=True)[: MANY // 2])
    SegmentMember.objects.filter(profile_id__in=leaving).delete()
    world.segment.member_count = MANY - MANY // 2
    world.segment.save(update_fields=["member_count"])
    began = time.monotonic()
    assert [world.run(of=export).removed for export in exports] == [0, MANY // 2]
    assert time.monotonic() - began < 20
    assert len(world.on_list()) == MANY - MANY // 2
