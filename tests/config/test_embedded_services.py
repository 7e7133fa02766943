"""Processes share the services, and what keeps them alive does not outlive their users."""

import fcntl
import multiprocessing
import signal
import subprocess
import sys
import threading
from pathlib import Path

from config.embedded import EmbeddedServices, database_url
from tests.conftest import ROOT

# Uses them, and tells whether it had to start them, until its input ends.
USER = """
import sys
from pathlib import Path
import psycopg2
from config.embedded import EmbeddedServices
data, url = sys.argv[1:]
with EmbeddedServices(Path(data), durable=False).using() as started:
    psycopg2.connect(url).close()
    print(started, flush=True)
    sys.stdin.read()
    psycopg2.connect(url).close()
"""


def test_who_comes_at_once_shares_them_and_the_last_stops_them(tmp_path: Path) -> None:
    url = database_url(tmp_path).replace("postgres://", "postgresql://")
    command = [sys.executable, "-c", USER, str(tmp_path), url]
    users = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    assert sorted(user.stdout.readline() for user in users if user.stdout) == [
        b"False\n",
        b"True\n",
    ]
    first, last = users
    first.communicate()
    assert (tmp_path / "postgres" / "postmaster.pid").exists()
    last.communicate()
    assert [user.returncode for user in users] == [0, 0]
    assert not (tmp_path / "postgres" / "postmaster.pid").exists()


def test_what_is_being_stopped_is_not_started_again(tmp_path: Path) -> None:
    services = EmbeddedServices(tmp_path, durable=False)
    stopped = threading.Event()

    def watch() -> None:
        while not stopped.is_set():
            services.revive()

    with services.using():
        watching = threading.Thread(target=watch)
        watching.start()
    stopped.set()
    watching.join()
    assert not (tmp_path / "postgres" / "postmaster.pid").exists()
    assert not (tmp_path / "run" / "redis.sock").exists()
    assert services.revive() is False


def test_a_process_forked_while_it_is_decided_holds_up_nobody(tmp_path: Path) -> None:
    services = EmbeddedServices(tmp_path)
    child = multiprocessing.get_context("fork").Process(target=signal.pause)
    with services._deciding():
        child.start()
    try:
        with (tmp_path / "decide.lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        child.kill()
        child.join()
