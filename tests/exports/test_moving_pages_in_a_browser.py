"""Pages that were opened before something began, and those that are used while it goes on."""

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, expect

from exports.models import Batch, Run
from segments.models import Import, Segment, SegmentRefresh
from tests.config.running import free_port
from tests.conftest import ROOT, process_environment, wait_until
from tests.exports.factories import BatchFactory, DestinationFactory, RunFactory
from tests.screens import faults_of
from tests.segments.factories import ImportFactory, SegmentFactory, SourceFactory
from tests.workspaces.factories import signed_in
from workspaces.models import Refresh, RefreshStep

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(scope="module")
def served(django_db_setup: None) -> Iterator[str]:
    """By gunicorn, as in production: only there are pages told what begins.

    Once for all: before it answers it has made every page ready, which takes seconds.
    """
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "config.wsgi", "--config=python:config.serving"]
    options = ["--workers=1", f"--bind=127.0.0.1:{port}", "--log-level=error"]
    url = f"http://127.0.0.1:{port}"
    environment = process_environment(BASE_URL=url, DEBUG="true")
    with subprocess.Popen([*command, *options], cwd=ROOT, env=environment) as process:
        try:
            wait_until(lambda: answers(process, port), what="gunicorn's start")
            yield url
        finally:
            process.terminate()


def answers(process: subprocess.Popen[bytes], port: int) -> bool:
    assert process.poll() is None, "gunicorn ended at once"
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def tab(workspace: Any, served: str, browser: Any) -> Iterator[Page]:
    """A tab of an Administrator; fails when anything in it broke, or the focus was lost."""
    client: Client = signed_in(workspace)
    base = f"{served}/w/{workspace.slug}/"
    context = browser.new_context(base_url=base, locale="en-GB")
    session = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": served}])
    tab = context.new_page()
    faults = faults_of(tab)
    yield tab
    assert faults == []


def opened(tab: Page, path: str) -> None:
    """A page that is followed by now."""
    with tab.expect_response(lambda answer: answer.url.endswith("/going-on/")):
        tab.goto(path)


def a_run_begins(workspace: Any) -> Run:
    destination = DestinationFactory(workspace=workspace, name="Weekly letter")
    run = RunFactory(destination=destination, state="sending", started_at=timezone.now())
    BatchFactory(run=run, number=1, state="sent", contacts=40_000)
    BatchFactory(run=run, number=2, state="planned", contacts=40_000)
    return run


def test_home_begins_to_move_by_itself_when_something_starts(workspace: Any, tab: Page) -> None:
    """And goes on moving: what began is followed then."""
    source = SourceFactory(workspace=workspace, name="Web shop")
    opened(tab, ".")
    expect(tab.locator("#recent-runs")).not_to_contain_text("Weekly letter")
    run = a_run_begins(workspace)
    runs, imports = tab.locator("#recent-runs"), tab.locator("#recent-imports")
    expect(runs).to_contain_text("40,000 of 80,000 sent")
    load = ImportFactory(source=source, state="running", stage="reading", stage_at=timezone.now())
    expect(imports).to_contain_text("Reading the file")
    refresh = Refresh.objects.create(workspace=workspace, trigger="member", state="running")
    step: Any = {"workspace": workspace, "refresh": refresh, "kind": "source", "object_id": 1}
    RefreshStep.objects.create(**step, position=1, name="Web shop")
    expect(tab.locator("#home-refreshes")).to_contain_text("0 of 1 steps")
    Batch.objects.filter(run=run).update(state="sent", sent_at=timezone.now())
    expect(runs).to_contain_text("80,000 of 80,000 sent")
    ended: Any = {"state": "succeeded", "read": 270, "finished_at": timezone.now()}
    Import.objects.filter(pk=load.pk).update(**ended)
    expect(imports).to_contain_text("270 rows")


def test_lists_begin_to_move_by_themselves_when_something_starts(workspace: Any, tab: Page) -> None:
    DestinationFactory(workspace=workspace, name="Monthly newsletter")
    source = SourceFactory(workspace=workspace, name="Web shop")
    segment = SegmentFactory(workspace=workspace, name="Lapsed")
    begins: dict[str, tuple[Callable[[], Any], str]] = {
        "exports": (lambda: a_run_begins(workspace), "Sending"),
        "sources": (lambda: ImportFactory(source=source, state="running"), "Running"),
        "segments": (lambda: _refreshes(segment), "Refreshing"),
    }
    for path, (begin, said) in begins.items():
        opened(tab, f"data/{path}/")
        rows = tab.locator("main table")
        expect(rows).not_to_contain_text(said)
        begin()
        expect(rows).to_contain_text(said)


def _refreshes(segment: Segment) -> None:
    Segment.objects.filter(pk=segment.pk).update(refresh_state="running")


def test_what_is_open_in_a_card_that_moves_stays_open(workspace: Any, tab: Page) -> None:
    source = SourceFactory(workspace=workspace, name="Web shop")
    ImportFactory(source=source, state="succeeded", read=7)
    load = ImportFactory(source=source, state="running", stage="reading", stage_at=timezone.now())
    witness = tab.context.new_page()
    for one in (witness, tab):
        one.goto(f"data/sources/{source.pk}/")
    card = tab.locator("#imports")
    seen = 0

    def moves() -> str:
        """What the card then says, and says in another tab already."""
        nonlocal seen
        seen += 1_000
        beat = timezone.now() + timedelta(seconds=seen / 1_000)
        Import.objects.filter(pk=load.pk).update(done=seen, whole=90_000, heartbeat_at=beat)
        said = f"{seen:,} of about 90,000"
        expect(witness.locator("#imports")).to_contain_text(said)
        tab.wait_for_timeout(300)
        return said

    expect(card).to_contain_text(moves())
    card.get_by_role("button", name="Columns").click()
    menu = tab.locator("#imports-columns")
    expect(menu).to_be_visible()
    said = moves()
    expect(menu).to_be_visible()
    expect(menu.get_by_role("checkbox").first).to_be_focused()
    tab.keyboard.press("Escape")
    expect(card).to_contain_text(said)
    choice = card.get_by_role("combobox", name="State")
    choice.click()
    said = moves()
    assert choice.evaluate("choice => choice.matches(':open')")
    tab.keyboard.press("Escape")
    expect(card).to_contain_text(said)
    expect(choice).to_be_focused()
    row = card.locator(".row-link").last
    row.focus()
    expect(card).to_contain_text(moves())
    expect(row).to_be_focused()


def test_figures_that_were_opened_stay_open_while_a_segment_is_refreshed(
    workspace: Any, tab: Page
) -> None:
    segment = SegmentFactory(workspace=workspace, name="Lapsed", refresh_state="queued")
    now = timezone.now()
    SegmentRefresh.objects.create(workspace=workspace, segment=segment, at=now, count=4)
    tab.goto(f"data/segments/{segment.pk}/")
    figures = tab.locator(".history-table")
    figures.get_by_text("The figures").click()
    expect(figures.get_by_role("table")).to_be_visible()
    _refreshes(segment)
    expect(tab.locator("#segment")).to_contain_text("Refreshing")
    expect(figures.get_by_role("table")).to_be_visible()
    expect(figures.locator("summary")).to_be_focused()


def test_a_question_in_a_part_that_moves_stays_asked(workspace: Any, tab: Page) -> None:
    destination = DestinationFactory(workspace=workspace, name="Weekly letter")
    waits: Any = {"state": "awaiting_approval", "removal": {"held": 900, "sample": []}}
    run = RunFactory(destination=destination, started_at=timezone.now(), to_remove=800, **waits)
    witness = tab.context.new_page()
    for one in (witness, tab):
        one.goto(f"data/exports/runs/{run.pk}/")
    tab.get_by_role("button", name="Refuse", exact=True).click()
    question = tab.get_by_role("dialog", name="Refuse this run?")
    expect(question).to_be_visible()
    Run.objects.filter(pk=run.pk).update(to_remove=700, requests=7)
    expect(witness.locator("#run")).to_contain_text("700 of the 900 people")
    tab.wait_for_timeout(300)
    expect(question).to_be_visible()
    question.get_by_role("button", name="Close").click()
    expect(tab.locator("#run")).to_contain_text("700 of the 900 people")
