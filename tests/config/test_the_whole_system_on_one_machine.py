"""`manage.py up`: it starts, says where it is, survives what dies, stops, and starts again."""

import json
import os
import re
import signal
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
import requests
from django.core.management import CommandError

from config import parts
from config.management.commands import up
from tests.config.running import free_port, manage, running, until

PARTS = ("web", "worker", "runs", "beat", "sandbox")
# `up` has checked the code: a command that does so again takes twice as long.
UNCHECKED = "--skip-checks"


def postmaster(data: Path) -> int:
    return int((data / "postgres" / "postmaster.pid").read_text().split()[0])


def signed_in(url: str) -> requests.Session:
    session = requests.Session()
    page = session.get(f"{url}/accounts/login/", timeout=30)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    assert token is not None
    who = {"login": "ada@example.com", "password": "a demo harbour"}
    entered = who | {"csrfmiddlewaretoken": token[1]}
    session.post(page.url, data=entered, headers={"Referer": page.url}, timeout=30)
    return session


def assert_what_moves_is_shown_as_it_moves(url: str, run_it: Callable[[], object]) -> None:
    """The home page's runs, through the real server: a first line, and one once a run moves."""
    part = f"{url}/w/adventure-works/data/exports/recent-runs/"
    accepts = {"Accept": "application/x-segue-lines"}
    with signed_in(url).get(part, headers=accepts, stream=True, timeout=60) as answer:
        assert answer.headers["Content-Type"] == "application/x-segue-lines"
        shown = (json.loads(line)["html"] for line in answer.iter_lines(chunk_size=1) if line)
        before = set(re.findall(r"/runs/(\d+)/", next(shown)))
        run_it()
        assert any(set(re.findall(r"/runs/(\d+)/", html)) - before for html in shown)


def has_beaten(url: str, since: float) -> bool:
    """Whether scheduler and worker were seen working together, by the metrics: they cost little."""
    told = requests.get(f"{url}/metrics", timeout=30).text
    age = re.search(r"^segue_heartbeat_age_seconds (\S+)$", told, re.MULTILINE)
    return age is not None and float(age[1]) < time.monotonic() - since


def test_it_runs_the_demo_survives_what_dies_and_keeps_its_data(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data, "--demo") as system:
        system.wait_for_line("Segue is ready")
        said = system.lines()
        assert f"web       http://localhost:{system.port}/" in said
        assert f"sandbox   http://localhost:{system.sandbox_port}/" in said
        for person in ("ada@example.com", "carles@example.com", "vera@example.com"):
            assert person in said
        assert system.is_ready()

        before = {part: system.pid_of(part) for part in PARTS}
        for pid in before.values():
            os.kill(pid, signal.SIGKILL)
        killed = time.monotonic()
        until(lambda: all(system.pid_of(p) != before[p] for p in PARTS), 60, system.lines)
        until(system.is_ready, 60, system.lines)

        os.kill(postmaster(data), signal.SIGKILL)
        until(lambda: "it runs again" in system.lines(), 60, system.lines)
        until(system.is_ready, 60, system.lines)

        def run_it() -> None:
            newsletter = ("adventure-works", "Monthly newsletter")
            account = manage(data, "run_export", *newsletter, "--json", UNCHECKED)
            assert account.returncode == 0, account.stderr
            assert json.loads(account.stdout)["state"] in ("queued", "planning", "succeeded")

        assert_what_moves_is_shown_as_it_moves(system.url, run_it)

        until(lambda: has_beaten(system.url, killed), 90, system.lines)
        until(lambda: json.loads(manage(data, "doctor", "--json").stdout)["ok"], 90, system.lines)
        family = system.family()
        assert system.stop() == 0
        assert psutil.wait_procs(family, 20)[1] == []
        assert not (data / "postgres" / "postmaster.pid").exists()

    with running(data, "--demo") as system:
        system.wait_for_line("Segue is ready")
        assert "read 2,059" not in system.lines()
        assert requests.get(f"{system.url}/healthz", timeout=10).text == "ok"
        family = system.family()
        os.kill(system.process.pid, signal.SIGKILL)
        assert psutil.wait_procs(family, 30)[1] == [], "parts outlive what supervises them"
    # The services are left; the next commands that need them share them, and the last stops them.
    with ThreadPoolExecutor() as several:
        outcomes = list(
            several.map(lambda _: manage(data, "migrate", "--check", UNCHECKED), range(2))
        )
    assert [outcome.returncode for outcome in outcomes] == [0, 0], outcomes
    assert not (data / "postgres" / "postmaster.pid").exists()


def test_a_taken_port_is_named_with_what_to_do(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        ports = (f"--sandbox-port={port}", f"--port={free_port()}")
        refused = manage(tmp_path / "data", "up", *ports, UNCHECKED)
        with pytest.raises(CommandError, match=rf"Port {port} is taken.* --port {port + 1}"):
            up._ensure_free(parts.Part("web", (), port=port))
    assert refused.returncode == 1
    assert f"Port {port} is taken" in refused.stderr
    assert f"--sandbox-port {port + 1}" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (tmp_path / "data" / "postgres").exists()


def test_a_database_that_cannot_start_is_named_with_its_log(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "postgres").mkdir(parents=True)
    (data / "postgres" / "PG_VERSION").write_text("9.6\n")
    refused = manage(data, "migrate", "--check")
    assert refused.returncode != 0
    assert "PostgreSQL did not start" in refused.stderr
    assert str(data) in refused.stderr
    assert "Traceback" not in refused.stderr
