"""As many pages are made at once as there are processors: the others wait for their turn."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from config import turns


@pytest.fixture
def one_processor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    monkeypatch.setattr(turns, "_opened", threading.local())
    turns.begin(str(tmp_path))
    yield
    turns.end()
    assert not any(tmp_path.iterdir())


class Pages:
    """Takes a tenth of a second for each; tells how many it made at once."""

    def __init__(self) -> None:
        self.at_once = self.most = self.made = 0
        self.lock = threading.Lock()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with self.lock:
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        time.sleep(0.05)
        with self.lock:
            self.at_once -= 1
            self.made += 1
        return HttpResponse()


def asked_at_once(answer: Callable[[HttpRequest], HttpResponse], method: str = "get") -> None:
    request = getattr(RequestFactory(), method)("/")
    threads = [threading.Thread(target=answer, args=[request]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.usefixtures("one_processor")
def test_one_processor_makes_one_page_after_the_other() -> None:
    pages = Pages()
    asked_at_once(turns.TurnsMiddleware(pages))
    assert (pages.most, pages.made) == (1, 4)


@pytest.mark.usefixtures("one_processor")
def test_what_sends_something_waits_for_nobody() -> None:
    pages = Pages()
    asked_at_once(turns.TurnsMiddleware(pages), "post")
    assert pages.most > 1


def test_nobody_waits_where_no_server_has_begun_it() -> None:
    pages = Pages()
    asked_at_once(turns.TurnsMiddleware(pages))
    assert pages.most > 1


@pytest.mark.usefixtures("one_processor")
def test_a_page_that_waits_for_something_else_holds_the_others_up_for_a_moment_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(turns, "MOST_SECONDS", 0.02)
    pages = Pages()
    asked_at_once(turns.TurnsMiddleware(pages))
    assert (pages.most > 1, pages.made) == (True, 4)


@pytest.mark.usefixtures("one_processor")
def test_the_turn_of_a_process_that_is_killed_is_free_again() -> None:
    (slot,) = turns._slots
    held = "import fcntl, sys, time; f = open(sys.argv[1]); fcntl.flock(f, 2); print(1, flush=True)"
    command = [sys.executable, "-c", f"{held}; time.sleep(60)", str(slot)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        assert turns._free() is None
        holder.kill()
    assert turns._free() is not None
