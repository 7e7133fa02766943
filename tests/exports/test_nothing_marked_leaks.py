"""The whole journey with marked values: none turns up where no personal data or secret belongs."""

import base64
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.cache import cache
from django.core.serializers import serialize
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from structlog.stdlib import ProcessorFormatter

from config.celery import app
from exports import previews
from exports.configuration import configuration_of
from exports.models import Run
from exports.notices import RUN_FINISHED
from exports.runs import start_run
from segments.models import Import, RefusedRow
from tests.exports.engine_world import World
from tests.exports.pages import words
from tests.segments.files import import_bytes
from tests.workspaces.factories import UserFactory, signed_in
from tests.workspaces.receiver import Receiver
from workspaces.models import AuditEntry, Event, Notice, RefreshStep, Trouble
from workspaces.notices import endpoints

# People, by what they are called and where they are written to; one is refused on each way.
PEOPLE = [
    {
        "email": f"marked{n}.quillfeather@example.com",
        "first": f"Zephyrine{n}",
        "last": "Quillfeather",
    }
    for n in range(3)
]
BROKEN = "quillfeather-broken-address"
REFUSED_VALUE = "quillfeather-points"
MARKS = ["quillfeather", "zephyrine"]
QUEUES = ("default", "data", "runs")


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.WEBHOOKS_ALLOW_PRIVATE = True
    started = Receiver()
    yield started
    started.stop()


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All that a deployment's log would hold."""
    # Its Django sets the logs up anew.
    app.loader.import_default_modules()
    root, kept = logging.getLogger(), io.StringIO()
    (formed,) = (one for one in root.handlers if isinstance(one.formatter, ProcessorFormatter))
    handler = logging.StreamHandler(kept)
    handler.setFormatter(formed.formatter)
    for one in formed.filters:
        handler.addFilter(one)
    root.addHandler(handler)
    yield kept
    root.removeHandler(handler)


class Broker:
    """What lies in the queues, done one after the other, each message kept to be searched."""

    def __init__(self, server: redis.Redis, committing: Any) -> None:
        self.server, self.committing = server, committing
        self.messages: list[str] = []

    def drain(self) -> None:
        while raw := next(filter(None, (self.server.lpop(queue) for queue in QUEUES)), None):
            message = json.loads(raw)
            arguments = base64.b64decode(message["body"]).decode()
            self.messages += [raw.decode(), arguments]
            task = app.tasks[message["headers"]["task"]]
            with self.committing(execute=True):
                task(*json.loads(arguments)[0])


def everything_in(server: redis.Redis) -> str:
    """Every key and every value, of whatever kind."""
    found = []
    for key in server.scan_iter():
        kind = server.type(key).decode()
        read: dict[str, Any] = {
            "string": server.get,
            "hash": server.hgetall,
            "set": server.smembers,
            "list": lambda key: server.lrange(key, 0, -1),
            "zset": lambda key: server.zrange(key, 0, -1, withscores=True),
        }
        found.append(f"{key!r}: {read[kind](key)!r}")
    return "\n".join(found)


def test_nothing_marked_is_in_logs_tasks_redis_error_pages_notices_or_the_audit_log(
    workspace: Any,
    sandbox: Any,
    own_redis: redis.Redis,
    receiver: Receiver,
    log: io.StringIO,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    broker = Broker(own_redis, django_capture_on_commit_callbacks)
    client = signed_in(workspace)
    with django_capture_on_commit_callbacks(execute=True):
        world = World(workspace, sandbox)
        _endpoint, signing_secret = endpoints.create(
            workspace,
            name="Shop",
            form="json",
            url=f"{receiver.url}&key=quillfeather-webhook",
            events=[RUN_FINISHED],
            by=UserFactory(),
        )
        bring_in(workspace)
        world.add(*PEOPLE, {"email": BROKEN, "first": "Zephyrine", "last": "Quillfeather"})
    grant = tokens_of(world)
    with django_capture_on_commit_callbacks(execute=True):
        run = start_run(world.destination, trigger=Run.Trigger.MEMBER)
        token = previews.ask(
            configuration_of(world.destination), previews.of_member(client.member.user)
        )
    see_the_run_through(run, broker)
    assert (run.sent, run.invalid) == (3, 1)
    assert receiver.came, "the endpoint was told"
    assert cache.get(f"w:{workspace.pk}:preview:{token}")
    pages = error_pages(client, workspace, run, monkeypatch)

    marks = [*MARKS, *grant, signing_secret, signing_secret.removeprefix("whsec_")]
    kept = [AuditEntry, Event, Notice, Trouble, Run, RefreshStep]
    places = {
        "logs": log.getvalue(),
        "messages": "\n".join(broker.messages),
        "Redis": everything_in(own_redis),
        "error pages": "\n".join(words(page) for page in pages),
        "webhook": repr([body for _headers, body in receiver.came]),
        "e-mail": "\n".join(f"{one.subject}\n{one.body}" for one in mail.outbox),
        "sessions": repr([one.get_decoded() for one in Session.objects.all()]),
        "audit log, notices, events, runs": "\n".join(
            serialize("json", model.objects.all()) for model in kept
        ),
    }
    assert [name for name in ("logs", "messages", "Redis", "webhook") if not places[name]] == []
    for place, text in places.items():
        found = [mark for mark in marks if mark.lower() in text.lower()]
        assert found == [], place


def bring_in(workspace: Any) -> None:
    """A file with a row that can't be read, which is kept to be looked at."""
    rows = [f"{n},{one['email']},{one['first']},{n}" for n, one in enumerate(PEOPLE)]
    content = "\n".join(
        ["id,mail,call,points", *rows, f"9,x@example.com,Zephyrine,{REFUSED_VALUE}"]
    )
    load = import_bytes(workspace, content.encode(), types={"points": "number"}, skip_refused=True)
    assert load.state == Import.State.SUCCEEDED
    assert RefusedRow.objects.get().value == REFUSED_VALUE


def tokens_of(world: World) -> list[str]:
    from connections import tokens

    world.connection.refresh_from_db()
    connection = world.connection
    return [tokens.decrypt(connection.access_token), tokens.decrypt(connection.refresh_token)]


def see_the_run_through(run: Run, broker: Broker) -> None:
    from exports.tasks import drive_run

    for _turn in range(50):
        broker.drain()
        run.refresh_from_db()
        if not run.is_active:
            break
        with broker.committing(execute=True):
            Run.objects.filter(pk=run.pk).update(waiting_until=timezone.now())
            drive_run(run.workspace_id, run.pk)
    broker.drain()
    assert not run.is_active


def error_pages(
    client: Client, workspace: Any, run: Run, monkeypatch: pytest.MonkeyPatch
) -> list[HttpResponse]:
    """A page that is not there, one that is refused, and one that breaks with a person at hand."""
    from exports.views import runs

    def broken(run: Run, wanted: str) -> None:
        person = wanted
        assert person
        raise ZeroDivisionError

    monkeypatch.setattr(runs.fates, "find", broken)
    client.raise_request_exception = False
    find = reverse("exports:run_find", args=[workspace.slug, run.pk])
    missing = reverse("exports:run_detail", args=[workspace.slug, 10**6])
    invitation = reverse("workspaces:invitation", args=[workspace.slug, "quillfeather-invited"])
    pages = [
        client.get(find, {"profile": PEOPLE[0]["email"]}),
        client.get(missing, {"search": PEOPLE[0]["email"]}),
        client.post(missing, {"search": PEOPLE[0]["email"]}),
        client.get(f"{invitation}more/"),
        client.get(invitation),
    ]
    assert [page.status_code for page in pages][:4] == [500, 404, 405, 404]
    return pages
