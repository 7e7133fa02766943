"""How far an import is, noted while it goes on and shown on pages."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from segments import metering
from segments.models import Import
from segments.progress import progress_of
from tests.conftest import wait_until
from tests.exports.pages import words
from tests.segments.factories import ImportFactory, SourceFactory, SqlQueryFactory
from tests.segments.files import import_bytes
from workspaces.estimates import Pace, rounded

ROWS = b"id,name\n" + b"".join(b"%d,Ann\n" % number for number in range(500))


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, int]]:
    """What an import's row says at the end of each stage: its name, how many of how many."""
    found = []
    at = metering.Meter.at

    @contextmanager
    def noting(meter: metering.Meter, *arguments: Any, **options: Any) -> Iterator[None]:
        with at(meter, *arguments, **options):
            yield
            meter.note()
            found.append(Import.objects.values_list("stage", "done", "whole").get(pk=meter.load_id))

    monkeypatch.setattr(metering.Meter, "at", noting)
    return found


def test_each_stage_counts_the_rows_it_is_through_with(
    workspace: Any, noted: list[tuple[str, int, int]]
) -> None:
    load = import_bytes(workspace, ROWS)
    (reading, guessed_done, guessed), *rest = noted
    assert reading == "reading"
    assert guessed_done <= guessed
    assert guessed == pytest.approx(500, rel=0.02)
    assert [(stage, whole) for stage, _done, whole in rest] == [("sorting", 500), ("adding", 500)]
    assert rest[-1] == ("adding", 500, 500)
    noted.clear()
    import_bytes(workspace, ROWS.replace(b"7,Ann", b"7,Bea"), source=load.source)
    assert noted[2:] == [("storing", 500, 500), ("comparing", 0, 0), ("writing", 0, 50)]
    load.refresh_from_db()
    assert (load.state, load.stage) == ("succeeded", "")


@pytest.mark.django_db(transaction=True)
def test_others_see_how_far_it_is_while_it_is_in_a_transaction(
    workspace: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metering, "SECONDS", 0.01)
    load = ImportFactory(source=SourceFactory(workspace=workspace), state="running")
    row = Import.objects.filter(pk=load.pk)
    rows = iter([4, 7, 2])
    with metering.metered(load) as meter, transaction.atomic():
        with meter.at("adding", lambda: next(rows, 2), whole=9):
            wait_until(lambda: row.get().done == 7, 5, "the note")
        row.update(state="succeeded", stage="")
    load.refresh_from_db()
    assert (load.state, load.stage, load.done) == ("succeeded", "", 7)


def running(workspace: Any, stage: str, **values: Any) -> Import:
    now = timezone.now()
    values = {"stage_at": now - timedelta(seconds=719), "heartbeat_at": now, **values}
    source = values.pop("source", None) or SourceFactory(workspace=workspace)
    return ImportFactory(source=source, state="running", stage=stage, **values)


def test_the_page_shows_stage_rows_rate_and_time_left(client: Client, workspace: Any) -> None:
    load = running(workspace, "reading", done=50_345, whole=100_690, started_at=timezone.now())
    for name in ("import_detail", "import_progress"):
        page = client.get(reverse(f"segments:{name}", args=[workspace.slug, load.pk]))
        said = words(page)
        assert (
            "Reading the file 50,000 of about 100,000 rows · about 12 min left of this step" in said
        )
        assert "Rate 70 rows/s" in said
        assert "Refused" not in said
        assert 'value="50345" max="100690"' in page.content.decode()
    line = "Reading the file · 50,000 of about 100,000 rows · about 12 min left of this step"
    for name, ids in (("source_list", []), ("source_detail", [load.source_id])):
        assert line in words(client.get(reverse(f"segments:{name}", args=[workspace.slug, *ids])))
    assert "50,000 of about" in words(client.get(reverse("workspaces:home", args=[workspace.slug])))


def test_no_stage_says_more_than_is_known(workspace: Any) -> None:
    def said(load: Import, *, is_query: bool = False) -> str:
        return progress_of(load, is_query=is_query).line

    assert said(running(workspace, "comparing")) == "Comparing with the profiles that are there"
    assert said(running(workspace, "writing", whole=1)).endswith(" · 1 profile")
    last = running(workspace, "adding", done=50, whole=100)
    assert said(last) == "Storing the profiles · 50 of 100 rows · about 12 min left"
    query = SqlQueryFactory(source=last.source)
    more = running(workspace, "fetching", source=query.source, done=120, whole=100)
    assert said(more, is_query=True) == "Reading from the database · 120 rows"
    assert said(running(workspace, "reading", done=0)) == "Reading the file"
    assert "worker" in said(ImportFactory(source=last.source, state="queued"))


def test_time_left_counts_down_and_is_not_told_once_it_has_long_passed() -> None:
    def left(since: float, **changes: Any) -> float | None:
        moved = timezone.now() - timedelta(seconds=since)
        values = {"done": 50, "whole": 100, "began_at": moved - timedelta(seconds=60)}
        found = Pace(**{**values, "moved_at": moved, **changes}).time_left
        return found.total_seconds() if found else None

    assert [left(0.5), left(10.5), left(21.5), left(59), left(70)] == [60, 50, 40, 5, 5]
    assert left(300) is None
    assert left(0, done=0) is None
    assert left(0, whole=0) is None
    assert left(0, began_at=timezone.now() - timedelta(seconds=1)) is None
    seconds = [rounded(timedelta(seconds=one)).total_seconds() for one in (-3, 61, 700, 3_700)]
    assert seconds == [5, 75, 720, 3_900]
