"""While rules are edited only the newest look of a page goes on, whichever comes in first."""

import threading
import time
from typing import Any

import psycopg2
import pytest
from django.db import connection
from psycopg2.errors import QueryCanceled

from config.database_roles import as_owner
from segments import preview
from tests.conftest import wait_until
from tests.segments.factories import group, rule
from workspaces.models import Workspace

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "0123456789abcdef"


def looking(asked: str) -> tuple[threading.Thread, list[str]]:
    """Another process's look, in a session of its own; grows by how it ended."""
    ended: list[str] = []
    connection.ensure_connection()
    session = psycopg2.connect(**connection.connection.info.dsn_parameters)

    def run() -> None:
        try:
            with session.cursor() as cursor:
                cursor.execute("SELECT set_config('application_name', %s, false)", [asked])
                cursor.execute("SELECT pg_sleep(3)")
                ended.append("by itself")
        except QueryCanceled:
            ended.append("by another")
        finally:
            session.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread, ended


def is_active(asked: str) -> bool:
    with as_owner(connection), connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"
            " AND state = 'active' AND query LIKE '%%pg_sleep%%'",
            [asked],
        )
        return bool(cursor.fetchone()[0])


def test_an_older_look_is_ended_and_a_newer_one_is_not(workspace: Workspace, shop: Any) -> None:
    older = preview.asking(PAGE)
    time.sleep(0.01)
    this = preview.asking(PAGE)
    time.sleep(0.01)
    newer = preview.asking(PAGE)
    names = [f"segue look {asked}" for asked in (older, newer)]
    looks = [looking(name) for name in names]
    for name in names:
        wait_until(lambda name=name: is_active(name), what="the other look")
    preview.look(shop, group(rule("city", "is", "Paris")), this)
    for thread, _ended in looks:
        thread.join()
    assert [ended for _thread, ended in looks] == [["by another"], ["by itself"]]


def test_what_is_no_page_is_not_named() -> None:
    assert preview.asking("'; DROP TABLE") == ""
