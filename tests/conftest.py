"""What every test may use: a workspace in scope, the sandbox, a real Celery worker."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis
from django.conf import settings as django_settings
from django.db import connection
from django.http import HttpResponse
from django.test import TransactionTestCase, override_settings
from django.utils import translation
from django_scopes import scope

from config.database_roles import as_owner, in_role_for_work
from tests.empty_tables import empty_tables
from tests.workspaces.factories import WorkspaceFactory
from workspaces.models import Installation

TransactionTestCase._fixture_teardown = empty_tables  # type: ignore[method-assign]

# They wait, or go on, for a minute: begun first, they go on beside all the others. The longest is
# the first.
LONGEST = (
    "test_it_runs_the_demo_survives",
    "test_every_page_for_everyone",
    "test_runs_against_a_model",
    "test_the_main_job",
)
FAILED = pytest.StashKey[bool]()
ROOT = Path(__file__).resolve().parent.parent
# Settings that a test may have changed, and that its other processes go by.
OF_A_TEST = ["BASE_URL", "UPLOAD_DIR"]
OF_A_TEST += [f"CONSTANT_CONTACT_{name}" for name in ("AUTH_URL", "API_URL")]
OF_A_TEST += [f"CONSTANT_CONTACT_RATE_PER_{time}" for time in ("SECOND", "DAY")]


@pytest.fixture(scope="session", autouse=True)
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    plain_files = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    with override_settings(
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        STATIC_ROOT=tmp_path_factory.mktemp("static"),
        STORAGES=django_settings.STORAGES | {"staticfiles": plain_files},
    ):
        yield


@pytest.fixture(scope="session")
def own_redis() -> redis.Redis:
    return redis.Redis.from_url(django_settings.REDIS_URL)


@pytest.fixture(scope="session")
def own_uploads(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One after the other: directories that are there once somebody uploads something."""
    directory = tmp_path_factory.mktemp("uploads")
    return (directory / str(number) for number in count())


@pytest.fixture(autouse=True)
def private(own_redis: redis.Redis, own_uploads: Iterator[Path]) -> Iterator[None]:
    """One for all that every test has of its own: each fixture takes its time, 3,000 times."""
    # A request leaves its language to its thread, and so to the next test.
    translation.activate("en")
    django_settings.UPLOAD_DIR = next(own_uploads)
    yield
    own_redis.flushdb()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None,
) -> Iterator[None]:
    """The database is made, and taken away, by its owner."""
    connection.settings_dict["TEST"]["TEMPLATE"] = os.environ.get("SEGUE_TEST_TEMPLATE")
    with as_owner(connection):
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Tests work with it in the role of web and workers, and those alone that say so."""
    with ExitStack() as for_work:
        with django_db_blocker.unblock():
            for_work.enter_context(in_role_for_work(connection))
            # Made of a template it is a copy, as one restored from a backup is.
            Installation.objects.all().delete()
        yield
        with django_db_blocker.unblock():
            for_work.close()


@pytest.fixture
def workspace(db: None) -> Iterator[Any]:
    """A workspace, in scope for the whole test."""
    workspace = WorkspaceFactory()
    with scope(workspace=workspace):
        yield workspace


@pytest.fixture
def bare_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    """404 and 403 without the page that says so: most of the time of whoever asks hundreds."""

    def bare(_request: Any, _resolver: Any, status: int, _exception: Any) -> HttpResponse:
        return HttpResponse(status=status)

    monkeypatch.setattr("django.core.handlers.exception.get_exception_response", bare)


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[Any]:
    from sandbox.process import SandboxProcess

    with SandboxProcess(
        rate_per_second=10_000,
        rate_per_day=1_000_000,
        token_rate=10_000,
        redirect_uri=["http://testserver/*", "http://localhost:*", "http://127.0.0.1:*"],
    ) as started:
        yield started


@pytest.fixture
def sandbox(sandbox_process: Any, settings: Any) -> Any:
    """The stand-in for Constant Contact, as new, and the settings that point to it."""
    sandbox_process.control("reset")
    settings.CONSTANT_CONTACT_AUTH_URL = sandbox_process.auth_url
    settings.CONSTANT_CONTACT_API_URL = sandbox_process.api_url
    settings.CONSTANT_CONTACT_CLIENT_ID = sandbox_process.client_id
    settings.CONSTANT_CONTACT_CLIENT_SECRET = sandbox_process.client_secret
    settings.CONSTANT_CONTACT_RATE_PER_SECOND = 10_000
    settings.CONSTANT_CONTACT_RATE_PER_DAY = 1_000_000
    return sandbox_process


def process_environment(**more: str) -> dict[str, str]:
    """The environment of another process that works on this test's database and settings."""
    name = connection.settings_dict["NAME"]
    base = os.environ["DATABASE_URL"].rsplit("/", 1)[0]
    return os.environ | {
        "DATABASE_URL": f"{base}/{name}",
        "REDIS_URL": django_settings.REDIS_URL,
        **{name: str(getattr(django_settings, name)) for name in OF_A_TEST},
        **more,
    }


class Nursery:
    """Where workers come from: the first one takes seconds of a processor, the others none.

    It ends when its input does, so with this process.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def worker(self, name: str, *options: str) -> psutil.Process:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.worker_nursery"],
                cwd=ROOT,
                env=process_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        arguments = ["-Q", "default,data,runs", "--concurrency=2", "--loglevel=WARNING"]
        arguments += ["-n", name, "--without-gossip", "--without-mingle", *options]
        changed = {name: getattr(django_settings, name) for name in OF_A_TEST}
        order = {"arguments": arguments, "settings": changed}
        print(json.dumps(order, default=str), file=self._process.stdin, flush=True)
        return psutil.Process(int(self._process.stdout.readline()))


NURSERY = Nursery()


@contextmanager
def celery_worker(*options: str) -> Iterator[psutil.Process]:
    """A real worker process on this test's database and broker, ready to work."""
    from config.celery import app

    name = f"worker-{time.monotonic_ns()}@test"
    process = NURSERY.worker(name, *options)
    try:
        deadline = time.monotonic() + 60
        while not app.control.inspect([name], timeout=0.5).ping():
            assert process.is_running(), "the worker ended at once"
            assert time.monotonic() < deadline, "the worker did not start"
        yield process
    finally:
        # The whole family at once: nothing a test still wants to know is in its hands.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture
def worker(transactional_db: None) -> Iterator[psutil.Process]:
    """A real Celery worker; it sees what the test has committed."""
    with celery_worker() as process:
        yield process


def wait_until(condition: Any, seconds: float = 30, what: str = "it") -> Any:
    """The condition's value as soon as it is true; fails when it is not in time."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        time.sleep(0.1)


def chromium_program() -> str | None:
    """The one without windows where it is there: it does the same for a third of the work."""
    return shutil.which("chromium-headless-shell") or shutil.which("chromium")


def begun_with_the_longest(items: list[pytest.Item], testers: int) -> list[pytest.Item]:
    """In as many parts as there are testers, which begin with one each: every one has its share."""

    def place(item: pytest.Item) -> int:
        return next((at for at, long in enumerate(LONGEST) if long in item.nodeid), len(LONGEST))

    ordered = sorted(items, key=place)
    count = sum(place(item) < len(LONGEST) for item in items)
    longest, others = ordered[:count], ordered[count:]
    parts: list[pytest.Item] = []
    for tester in range(testers):
        share = longest[tester::testers]
        rest = max(0, (len(items) - len(parts)) // (testers - tester) - len(share))
        parts += [*share, *others[:rest]]
        del others[:rest]
    return parts + others


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items[:] = begun_with_the_longest(items, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))
    # Without a browser its tests are left out, saying so; REQUIRE_BROWSER makes that a fault.
    if chromium_program() or os.environ.get("REQUIRE_BROWSER"):
        return
    left_out = pytest.mark.skip(reason="there is no chromium: install it to run browser tests")
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(left_out)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Debian's Chromium, driven by Playwright: started once, for it takes seconds."""
    from playwright.sync_api import expect, sync_playwright

    # Milliseconds: other tests run on the same cores.
    expect.set_options(timeout=20_000)

    quiet = ("background-networking", "component-update", "sync", "gpu", "quic")
    # Playwright runs an event loop in this thread, which Django takes for asynchronous code.
    with pytest.MonkeyPatch.context() as environment, sync_playwright() as playwright:
        environment.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(
            executable_path=chromium_program(),
            args=["--no-sandbox", *(f"--disable-{name}" for name in quiet)],
        )
        yield browser
        browser.close()


@pytest.fixture
def browser(chromium: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A browser without anything open; what a test opens in it is closed behind it."""
    from tests.screens import Chromium, take_picture

    browser = Chromium(chromium)
    yield browser
    for number, tab in enumerate(browser.pages() if request.node.stash.get(FAILED, False) else ()):
        with suppress(Exception):
            take_picture(tab, f"{request.node.nodeid.removeprefix('tests/')}{number or ''}")
    browser.close_all()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report: Any = yield
    if report.failed:
        item.stash[FAILED] = True
    else:
        # What was printed meanwhile need not be told to whoever gathers the reports.
        report.sections = []
    return report


def pytest_terminal_summary(terminalreporter: Any) -> None:
    from tests.screens import PICTURES

    if PICTURES.exists():
        terminalreporter.write_line(f"Pictures of what browsers showed: {PICTURES}")
