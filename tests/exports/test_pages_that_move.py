"""Parts of pages that are shown anew as they move: to whom, when, and at what cost."""

import json
import re
import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from threading import Thread
from typing import Any
from unittest.mock import Mock
from uuid import uuid4

import pytest
from django.contrib.sessions.models import Session
from django.core.cache.backends.redis import RedisCacheClient
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from redis.exceptions import RedisError

from connections.models import ConnectionShare
from exports.models import Batch, Run
from segments.models import AttributeChange, Import, Segment
from tests.exports.factories import BatchFactory, DestinationFactory, RunFactory
from tests.exports.pages import administrator, contributor, url, viewer
from tests.segments.factories import ImportFactory, SegmentFactory, SourceFactory
from tests.workspaces.factories import WorkspaceFactory
from workspaces.live import keeper, looking, pulse, streams
from workspaces.models import Membership, Refresh, RefreshStep, Role, Workspace


class Page:
    """What a browser gets that follows a part: the answer's head, then its lines."""

    def __init__(self, served: "Served", path: str, client: Client, **headers: str) -> None:
        self.here, there = socket.socketpair()
        self.here.setblocking(False)
        cookies = "; ".join(f"{name}={one.value}" for name, one in client.cookies.items())
        environ = RequestFactory().get(path, headers={"Cookie": cookies, **headers}).environ
        environ |= {"HTTP_ACCEPT": streams.LINES, "gunicorn.socket": there}
        self.status = ""

        def start_response(status: str, headers: Any) -> None:
            self.status = status

        self.answer = b"".join(served.streams(environ, start_response))
        there.close()
        self.text = b""
        self.head = ""
        if not self.answer:
            self.head, _, rest = self._received().partition(b"\r\n\r\n")
            self.text = rest

    def _received(self) -> bytes:
        found = b""
        try:
            while block := self.here.recv(65536):
                found += block
        except BlockingIOError:
            return found
        self.has_ended = True
        return found

    has_ended = False

    def lines(self) -> list[str]:
        """The parts that have come since it was last asked."""
        return ["".join(line.values()) for line in self.whole_lines()]

    def whole_lines(self) -> list[dict[str, Any]]:
        *lines, self.text = (self.text + self._received()).split(b"\n")
        found = [json.loads(line) for line in lines if line]
        return [line.get("pieces", line) for line in found]


class Served:
    """The application, and how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.django = WSGIHandler()
        self.streams = streams.Streams(self._ask)
        self.look = self.streams.looker.look

    @property
    def pages(self) -> list[Any]:
        return self.streams.looker.streams

    def _ask(self, environ: Any, start_response: Any) -> Any:
        self.asked += 1
        return self.django(environ, start_response)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """Without the thread that looks every second: the tests look, on their own connection."""
    monkeypatch.setattr(looking.Looker, "_go_on", lambda looker: None)
    monkeypatch.setattr(looking, "ANYWAY_SECONDS", 10**9)
    name = f"\0segue-{uuid4()}"
    monkeypatch.setattr(keeper, "name", lambda: name)
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    served = Served()
    yield served
    served.streams.keeper.stop()
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def run(workspace: Any) -> Run:
    now = timezone.now()
    run = RunFactory(
        destination=DestinationFactory(workspace=workspace),
        state=Run.State.SENDING,
        planned_at=now - timedelta(hours=1),
        started_at=now - timedelta(hours=2),
        finished_at=None,
        added=80_000,
        in_segments=80_000,
    )
    for number in (1, 2):
        BatchFactory(run=run, number=number, state="planned", contacts=40_000)
    return run


def progress(run: Run) -> str:
    return url("run_progress", run.workspace, run.pk) + "?seen=sending"


def slug(run: Run) -> str:
    return str(run.workspace.slug)


def sends(run: Run, number: int) -> None:
    batch = Batch.objects.filter(run=run, number=number)
    batch.update(state="sent", sent_at=timezone.now(), attempts=1)


def test_what_moves_is_written_to_the_page_and_nothing_else(served: Served, run: Run) -> None:
    page = Page(served, progress(run), viewer(run.workspace))
    assert b"HTTP/1.1 200 OK" in page.head
    assert b"Content-Length" not in page.head
    (first,) = page.lines()
    assert "0 of 80,000 sent" in first
    served.look()
    page.lines()
    asked = served.asked
    served.look()
    Run.objects.filter(pk=run.pk).update(heartbeat_at=timezone.now())
    served.look()
    assert (page.lines(), served.asked) == ([], asked)
    sends(run, 1)
    served.look()
    (moved,) = page.lines()
    assert "40,000 of 80,000 sent" in moved
    assert 'id="not-sent"' not in moved
    Run.objects.filter(pk=run.pk).update(state="confirming", sent_at=timezone.now())
    served.look()
    (moved,) = page.lines()
    assert 'id="not-sent"' in moved
    BatchFactory(run=run, number=3, state="planned", contacts=40_000)
    served.look()
    (moved,) = page.lines()
    assert 'id="not-sent"' not in moved, "what a new state brings is brought once"


def test_counts_that_move_are_drawn_without_making_the_part_anew(
    served: Served, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers = [viewer(run.workspace), administrator(run.workspace), contributor(run.workspace)]
    pages = [Page(served, progress(run), client) for client in readers]
    catalan = Page(served, progress(run), readers[0], accept_language="ca")
    sends(run, 1)
    served.look()
    for page in (*pages, catalan):
        page.lines()
    served.asked = 0
    sends(run, 2)
    Run.objects.filter(pk=run.pk).update(requests=1_007)
    served.look()
    assert served.asked == 0
    moved = [page.whole_lines() for page in pages]
    assert moved[0] == moved[1] == moved[2]
    ((pieces,), (in_catalan,)) = moved[0], catalan.whole_lines()
    assert set(pieces) == {"run-requests", "run-rate", "run-going", "batch-2"}
    assert "80,000 of 80,000 sent" in pieces["run-going"]
    assert in_catalan["run-requests"] == "1.007"
    Run.objects.filter(pk=run.pk).update(rejected=3)
    served.look()
    assert served.asked == 2, "what no piece shows needs the part"
    assert 'id="run"' in pages[2].lines()[-1]
    served.asked = 0
    monkeypatch.setattr(looking, "ANYWAY_SECONDS", -1)
    monkeypatch.setattr(looking, "ANYWAY_SECONDS_FOR_EACH", -1)
    served.look()
    assert served.asked == 2, "and so does what is due by the clock"
    # Last: a client that asks closes connections from then on.
    whole = readers[0].get(progress(run)).content.decode()
    for name in ("run-requests", "batch-2"):
        there = f'id="{name}">{pieces[name]}</'
        assert re.sub(r">\s+<", "><", there) in re.sub(r">\s+<", "><", whole), "as on the page"


def test_several_things_that_move_are_followed_at_once_on_the_home_page(
    served: Served, run: Run
) -> None:
    source = SourceFactory(workspace=run.workspace)
    now = timezone.now()
    load = ImportFactory(
        source=source, state="running", stage="adding", stage_at=now - timedelta(seconds=359.5)
    )
    other = RunFactory(destination=DestinationFactory(workspace=run.workspace), state="planning")
    reader = viewer(run.workspace)
    paths = (url("home_runs", run.workspace), reverse("segments:home_imports", args=[slug(run)]))
    refresh = Refresh.objects.create(workspace=run.workspace, trigger="member", state="running")
    kept: Any = {"workspace": run.workspace, "refresh": refresh, "kind": "source", "object_id": 1}
    steps = [RefreshStep.objects.create(**kept, position=place, name="Shop") for place in (1, 2)]
    refreshes = Page(served, reverse("workspaces:home_refreshes", args=[slug(run)]), reader)
    runs, imports = (Page(served, path, reader) for path in paths)
    served.look()
    assert "0 of 2 steps" in refreshes.lines()[-1]
    assert f'id="run-{other.pk}"' in runs.lines()[-1]
    assert "Storing the profiles" in imports.lines()[-1]
    served.asked = 0
    sends(run, 1)
    Import.objects.filter(pk=load.pk).update(done=90, whole=270, heartbeat_at=now)
    RefreshStep.objects.filter(pk=steps[0].pk).update(state="succeeded", finished_at=now)
    served.look()
    ((moved,), (read,)) = runs.whole_lines(), imports.whole_lines()
    assert "1 of 2 steps" in refreshes.whole_lines()[0]["refresh-going"]
    assert set(moved) == {f"run-{run.pk}"}
    assert "40,000 of 80,000 sent" in moved[f"run-{run.pk}"]
    assert "90 of 270 rows · about 12 min left" in read[f"import-{load.pk}"]
    assert served.asked == 0
    Import.objects.filter(pk=load.pk).update(state="succeeded", finished_at=now, read=270)
    served.look()
    assert "270 rows" in imports.lines()[-1]
    assert runs.lines() == []


def test_a_page_where_nothing_goes_on_is_told_what_begins(served: Served, workspace: Any) -> None:
    """In a line, without asking for anything else than whether something moves."""
    page = Page(served, reverse("workspaces:going_on", args=[workspace.slug]), viewer(workspace))
    served.look()
    page.lines()
    asked = served.asked
    run = RunFactory(destination=DestinationFactory(workspace=workspace), state="queued")
    served.look()
    assert page.whole_lines() == [{"things": f"import-. refresh-. run-{run.pk} run-{run.pk}."}]
    Run.objects.filter(pk=run.pk).update(state="sending")
    served.look()
    assert page.lines() == []
    Run.objects.filter(pk=run.pk).update(state="succeeded")
    load = ImportFactory(source=SourceFactory(workspace=workspace))
    served.look()
    (told,) = page.whole_lines()
    assert told["things"].split() == [f"import-{load.pk}.", "refresh-.", f"run-{run.pk}."]
    assert served.asked == asked


def test_an_imports_page_follows_its_rows_and_then_its_end(served: Served, run: Run) -> None:
    load = ImportFactory(
        source=SourceFactory(workspace=run.workspace),
        state="running",
        stage="reading",
        stage_at=timezone.now() - timedelta(seconds=10),
    )
    path = reverse("segments:import_progress", args=[slug(run), load.pk])
    page = Page(served, path + "?seen=running-reading", viewer(run.workspace))
    served.look()
    assert 'id="import-announcement"' not in page.lines()[-1]
    row = Import.objects.filter(pk=load.pk)
    moved_at = load.stage_at + timedelta(seconds=10)  # type: ignore[attr-defined]
    row.update(done=2_000, whole=6_000, heartbeat_at=moved_at)
    served.look()
    (pieces,) = page.whole_lines()
    assert pieces["import-rate"].strip() == "200 rows/s"
    assert 'value="2000" max="6000"' in pieces["import-going"]
    row.update(state="succeeded", stage="", read=6_000, added=6_000)
    served.look()
    (ended,) = page.lines()
    assert 'id="import-announcement"' in ended
    assert "data-moves" not in ended


def test_looking_takes_less_than_a_hundredth_of_a_core_however_many_look() -> None:
    assert looking.pause_after(0.2, 0.002) == pytest.approx(0.8)
    assert looking.pause_after(2, 0.002) == pytest.approx(0.36)
    assert looking.pause_after(0.03, 0.02) == pytest.approx(3.6)
    assert looking.pause_after(3, 3) == 20, "and nobody waits longer than that"


def test_a_look_that_takes_long_is_made_up_for_by_those_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else what moves just after a part was made anew would be shown seconds later."""
    worked = [0.004] * 40 + [0.05] + [0.004] * 40
    pauses: list[float] = []
    clock = Mock(looks=0, monotonic=lambda: 0.0, thread_time=lambda: sum(worked[: clock.looks]))
    clock.sleep = pauses.append
    monkeypatch.setattr(looking, "time", clock)
    monkeypatch.setattr(looking, "connection", Mock())
    looker = looking.Looker(Mock())
    looker.streams = [Mock()]

    def look() -> None:
        clock.looks += 1
        if clock.looks == len(worked):
            looker.streams.clear()

    monkeypatch.setattr(looker, "look", look)
    looker._go_on()
    assert pauses[39] == pytest.approx(180 * 0.004 * 1.5, rel=0.05)
    assert max(pauses) < 2.5, "where the look itself is paid for by 13 seconds"
    extra = sum(one - pauses[39] for one in pauses[40:])
    assert extra == pytest.approx(180 * 1.5 * (0.05 - 0.004), rel=0.05)


def test_one_process_of_gunicorns_looks_for_all_and_another_when_it_is_gone(
    served: Served, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Page(served, progress(run), viewer(run.workspace))
    other = Served()
    handed = Page(other, progress(run), administrator(run.workspace))
    sends(run, 1)
    served.look()
    assert (len(served.pages), len(other.pages)) == (2, 0)
    assert first.lines()[-1] == handed.lines()[-1]
    with monkeypatch.context() as patched:
        patched.setattr(looking, "MOST", 2)
        refused = Page(other, progress(run), viewer(run.workspace))
        assert b"40,000 of 80,000 sent" in refused.answer, "as where nothing is taken over"
    with monkeypatch.context() as patched:
        patched.setattr(keeper, "_is_ours", lambda there: False)
        Page(other, progress(run), viewer(run.workspace))
        assert (len(served.pages), len(other.pages)) == (2, 1), "no stranger is given a page"
    served.streams.keeper.stop()
    Page(other, progress(run), viewer(run.workspace))
    assert len(other.pages) == 2
    third = Served()
    Page(third, progress(run), viewer(run.workspace))
    assert (len(other.pages), len(third.pages)) == (3, 0)
    other.streams.keeper.stop()
    with socket.socket(socket.AF_UNIX) as dying:
        dying.bind(keeper.name())
        dying.listen()
        Thread(target=lambda: dying.accept()[0].close()).start()
        lost = Page(third, progress(run), viewer(run.workspace))
    assert lost.lines() == []
    assert lost.has_ended, "it asks again, and finds the next"


def test_what_moves_is_shown_while_redis_is_gone(
    served: Served, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Page(served, progress(run), viewer(run.workspace))
    page.lines()
    monkeypatch.setattr(RedisCacheClient, "get_client", Mock(side_effect=RedisError))
    sends(run, 1)
    served.look()
    assert "40,000 of 80,000 sent" in page.lines()[-1]


def test_a_change_is_made_into_a_page_once_for_all_who_see_the_same(
    served: Served, run: Run
) -> None:
    viewers = [Page(served, progress(run), viewer(run.workspace)) for _ in range(3)]
    catalan = Page(served, progress(run), viewer(run.workspace), accept_language="ca")
    admin = Page(served, progress(run), administrator(run.workspace))
    everyone = [*viewers, catalan, admin]
    served.look()
    for page in everyone:
        page.lines()
    sends(run, 1)
    Run.objects.filter(pk=run.pk).update(rejected=3)
    served.asked = 0
    served.look()
    assert served.asked == 2
    said = [page.lines()[-1] for page in everyone]
    assert said[0] == said[1] == said[2] == said[4]
    assert "40,000 of 80,000 sent" in said[0]
    assert "40.000" in said[3]


def test_forms_in_a_part_have_the_token_of_each_page(served: Served, run: Run) -> None:
    admins = [administrator(run.workspace) for _ in range(3)]
    for letter, client in zip("ab<", admins, strict=True):
        client.cookies["csrftoken"] = letter * 32
    pages = [Page(served, progress(run), client) for client in admins]
    for page in pages:
        page.lines()
    Run.objects.filter(pk=run.pk).update(
        state="awaiting_approval", removal={"held": 9, "sample": []}
    )
    served.asked = 0
    served.look()
    assert served.asked == 1
    for letter, page in zip("ab", pages, strict=False):
        assert f'csrfmiddlewaretoken" value="{letter * 32}"' in page.lines()[-1]
    assert pages[2].lines() == []
    assert pages[2].has_ended, "it asks again, and is told by Django"


def test_a_contributor_is_not_shown_what_another_may(served: Served, run: Run) -> None:
    connection = run.destination.connection
    connection.sharing = "named"
    connection.save()
    clients: list[Any] = [contributor(run.workspace), contributor(run.workspace)]
    ConnectionShare.objects.create(
        workspace=run.workspace, connection=connection, membership=clients[0].member
    )
    for letter, client in zip("ab", clients, strict=True):
        client.cookies["csrftoken"] = letter * 32
    named, other = (Page(served, progress(run), client) for client in clients)
    Run.objects.filter(pk=run.pk).update(
        state="awaiting_approval", removal={"held": 9, "sample": []}
    )
    served.look()
    assert "If that is a mistake, refuse it" in named.lines()[-1]
    assert "If that is a mistake, refuse it" not in other.lines()[-1]


@pytest.mark.parametrize(
    "happens",
    [
        lambda member: Membership.objects.filter(pk=member.pk).delete(),
        lambda member: Membership.objects.filter(pk=member.pk).update(role=Role.VIEWER),
        lambda member: Session.objects.all().delete(),
        lambda member: type(member.user).objects.filter(pk=member.user_id).update(password="new"),
        lambda member: type(member.user).objects.filter(pk=member.user_id).update(is_active=False),
        lambda member: Workspace.objects.update(two_step_demanded=True),
        lambda member: Workspace.objects.update(delete_at=timezone.now() + timedelta(days=8)),
    ],
    ids=[
        "removed",
        "in another role",
        "signed out",
        "with another password",
        "no longer active",
        "without the second step now demanded",
        "in a workspace that closes",
    ],
)
def test_who_may_no_longer_see_it_gets_nothing_new(
    served: Served, run: Run, happens: Callable[[Any], Any]
) -> None:
    client: Any = contributor(run.workspace)
    page = Page(served, progress(run), client)
    page.lines()
    happens(client.member)
    sends(run, 1)
    served.look()
    assert page.lines() == []
    assert page.has_ended
    assert served.pages == []


def test_strangers_get_what_they_always_get(served: Served, run: Run) -> None:
    assert Page(served, progress(run), Client()).status == "302 Found"
    assert Page(served, progress(run), viewer(WorkspaceFactory())).status == "404 Not Found"


def test_a_page_that_is_closed_or_reads_nothing_is_let_go_of(
    served: Served, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Page(served, progress(run), viewer(run.workspace))
    page.here.close()
    served.look()
    assert served.pages == []
    slow = Page(served, progress(run), viewer(run.workspace))
    for number in range(1, 60):
        Run.objects.filter(pk=run.pk).update(rejected=number)
        served.look()
    assert served.pages[0].there.unsent
    lines = slow.lines()
    served.look()
    lines += slow.lines()
    assert "59" in lines[-1], "once there is room, the newest is shown"
    monkeypatch.setattr(looking, "ENDS_SECONDS", 0)
    served.look()
    assert slow.lines() == []
    assert slow.has_ended


def test_nobody_holds_connections_without_end(
    served: Served, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "MOST_OF_A_SESSION", 2)
    client = viewer(run.workspace)
    pages = [Page(served, progress(run), client) for _ in range(3)]
    assert [bool(page.head) for page in pages] == [True, True, False]
    assert b"0 of 80,000 sent" in pages[2].answer


def pulse_of(workspace: Any) -> pulse.Pulse:
    return pulse.of([workspace.pk])[workspace.pk]


def test_whatever_takes_time_has_a_pulse_and_a_heartbeat_is_none(workspace: Any, run: Run) -> None:
    source = SourceFactory(workspace=workspace)
    load = ImportFactory(source=source, state="running")
    segment = SegmentFactory(workspace=workspace)
    refresh = Refresh.objects.create(workspace=workspace, trigger="member", state="running")
    step = RefreshStep.objects.create(
        workspace=workspace, refresh=refresh, position=1, kind="source", object_id=1, name="Shop"
    )
    seen = [pulse_of(workspace)]

    def beats(rows: Any, **changes: Any) -> bool:
        rows.update(**changes)
        seen.append(pulse_of(workspace))
        return seen[-1] != seen[-2]

    assert beats(Import.objects.filter(pk=load.pk), read=7)
    assert beats(Segment.objects.filter(pk=segment.pk), refresh_state="running")
    assert beats(RefreshStep.objects.filter(pk=step.pk), state="running")
    assert beats(Batch.objects.filter(run=run), attempts=2)
    assert seen[-1].things.split()[:2] == [f"import-{load.pk}", f"import-{load.pk}."]
    assert f" run-{run.pk} " in seen[-1].things
    assert beats(Run.objects.filter(pk=run.pk), state="succeeded")
    assert f" run-{run.pk} " not in seen[-1].things
    assert not beats(Import.objects.filter(pk=load.pk), heartbeat_at=timezone.now())
    assert not beats(AttributeChange.objects.all(), state="queued")
    assert pulse_of(WorkspaceFactory()) not in seen
