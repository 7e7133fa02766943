"""Events reach endpoints: signed, tried again, logged, and never a private address."""

import base64
import hashlib
import hmac
import json
import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse_lazy
from django.utils import timezone

from config import cipher
from tests.workspaces.factories import UserFactory, WorkspaceFactory, signed_in
from tests.workspaces.receiver import Receiver
from workspaces.models import (
    AuditEntry,
    Endpoint,
    EndpointDelivery,
    Event,
    Role,
    Workspace,
)
from workspaces.notices import endpoints, outgoing, telling, topics, webhooks
from workspaces.sentences import gettext as _


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.WEBHOOKS_ALLOW_PRIVATE = True
    started = Receiver()
    yield started
    started.stop()


@pytest.fixture(autouse=True)
def some_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topics, "_kinds", {})
    topics.add_event(topics.EventKind("tap.dripped", "A tap dripped"))
    topics.add_event(topics.EventKind("tap.mended", "A tap was mended"))


def made(workspace: Workspace, url: str, **changes: Any) -> tuple[Endpoint, str]:
    values = {"name": "Shop", "form": "json", "events": ["tap.dripped"]} | changes
    return endpoints.create(workspace, url=url, by=UserFactory(), **values)


def drip(workspace: Workspace) -> Event | None:
    text = _("“%(tap)s” drips.") % {"tap": "<Kitchen & bath>"}
    return telling.happened(workspace, "tap.dripped", {"tap": 7}, text=text, path="/w/x/")


def attempted(workspace: Workspace) -> EndpointDelivery:
    ((_workspace_id, pk),) = webhooks.due()
    delivery = webhooks.attempt(pk)
    assert delivery is not None
    return delivery


def test_an_event_arrives_signed_as_the_standard_has_it(workspace: Any, receiver: Receiver) -> None:
    _endpoint, secret = made(workspace, receiver.url)
    event = drip(workspace)
    assert event is not None
    delivery = attempted(workspace)
    assert (delivery.state, delivery.status, webhooks.due()) == ("succeeded", 200, [])
    ((headers, body),) = receiver.came
    assert json.loads(body) == {
        "type": "tap.dripped",
        "timestamp": event.at.isoformat(),
        "workspace": workspace.slug,
        "data": {"tap": 7},
    }
    name, stamp = headers["webhook-id"], headers["webhook-timestamp"]
    assert name == f"evt_{event.pk}"
    assert abs(int(stamp) - timezone.now().timestamp()) < 60
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = hmac.new(key, f"{name}.{stamp}.{body.decode()}".encode(), hashlib.sha256).digest()
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(signed).decode()}"


def test_an_endpoint_has_only_the_events_it_asks_for_while_it_is_on(
    workspace: Any, receiver: Receiver
) -> None:
    endpoint, _secret = made(workspace, receiver.url, events=["tap.mended"])
    assert drip(workspace) is None
    endpoints.change(
        endpoint, name="Shop", url="", events=["tap.dripped"], enabled=False, by=UserFactory()
    )
    assert drip(workspace) is None
    elsewhere = WorkspaceFactory()
    # Nor is the path made then, which would load every page's code into a worker.
    unmade = reverse_lazy("no:such_page")
    assert telling.happened(elsewhere, "tap.dripped", {}, path=unmade) is None


def test_what_fails_is_tried_again_less_and_less_often_and_then_given_up(
    workspace: Any, receiver: Receiver
) -> None:
    made(workspace, receiver.url)
    drip(workspace)
    receiver.status = 302
    delivery = attempted(workspace)
    assert delivery.state == "waiting"
    assert "302" in str(delivery.problem)
    assert webhooks.due() == []
    waits = []
    while delivery.state == "waiting":
        waits.append(delivery.due_at - timezone.now())
        EndpointDelivery.objects.update(due_at=timezone.now())
        delivery = attempted(workspace)
    assert len(waits) == len(webhooks.WAITS)
    assert waits == sorted(waits)
    assert delivery.state == "failed"
    assert len(receiver.came) == len(webhooks.WAITS) + 1
    assert len({headers["webhook-id"] for headers, _body in receiver.came}) == 1
    receiver.status = 204
    endpoints.send_again(delivery, by=UserFactory())
    assert attempted(workspace).state == "succeeded"
    assert AuditEntry.objects.filter(action="endpoint.sent_again").exists()


def test_a_delivery_that_a_worker_has_taken_up_is_nobody_elses(
    workspace: Any, receiver: Receiver
) -> None:
    made(workspace, receiver.url)
    drip(workspace)
    ((_workspace_id, pk),) = webhooks.due()
    assert webhooks._taken_up(pk) is not None
    assert webhooks.attempt(pk) is None
    # The worker died: after its lease it is due again.
    assert webhooks.due(timezone.now() + webhooks.LEASE + timedelta(seconds=1))


def test_an_endpoint_that_does_not_answer_leaves_workers_for_others(
    workspace: Any, receiver: Receiver
) -> None:
    made(workspace, receiver.url)
    for _number in range(webhooks.AT_ONCE_TO_ONE + 3):
        drip(workspace)
    other, _secret = made(workspace, receiver.url, name="Other", events=["tap.mended"])
    endpoints.try_out(other, by=UserFactory())
    found = EndpointDelivery.objects.filter(pk__in=[pk for _workspace, pk in webhooks.due()])
    assert found.filter(endpoint=other).count() == 1
    assert found.exclude(endpoint=other).count() == webhooks.AT_ONCE_TO_ONE


def test_slack_has_its_own_form_with_nothing_of_ours_as_markup(
    workspace: Any, receiver: Receiver, settings: Any
) -> None:
    endpoint, secret = made(workspace, receiver.url, form="slack")
    assert secret == ""
    drip(workspace)
    assert attempted(workspace).state == "succeeded"
    ((headers, body),) = receiver.came
    assert "webhook-signature" not in headers
    assert json.loads(body)["text"] == (
        f"“&lt;Kitchen &amp; bath&gt;” drips.\n<{settings.BASE_URL}/w/x/>"
    )
    assert receiver.url not in str(endpoint.__dict__)
    assert cipher.decrypt(endpoint.url) == receiver.url


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/hook",
        "https://localhost:8443/",
        "https://[::1]/",
        "https://169.254.169.254/latest/",
        "https://2130706433/",
    ],
)
def test_nothing_is_sent_to_a_private_address(workspace: Any, url: str) -> None:
    made(workspace, url)
    drip(workspace)
    delivery = attempted(workspace)
    assert delivery.status == 0
    assert "private network" in str(delivery.problem) or "no host" in str(delivery.problem)


def test_a_name_that_changes_its_address_is_sent_to_where_it_was_checked(
    workspace: Any, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name is nobody's but here, for one answer: who asked again would find no host."""
    answers = iter(["127.0.0.1"])
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, *asked: Any, **more: Any) -> Any:
        return real(next(answers) if host == "changing.invalid" else host, *asked, **more)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    port = receiver.server.server_port
    assert outgoing.post(f"http://changing.invalid:{port}/", b"{}", {}) == 200
    ((headers, _body),) = receiver.came
    assert headers["Host"] == f"changing.invalid:{port}"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://example.com/", "https://"),
        ("ftp://example.com/", "https://"),
        ("https://", "not an address"),
        ("https://name:word@example.com/", "not an address"),
        ("https://example.com:99999/", "not an address"),
        ("https://exa mple.com/", "not an address"),
        ("https://example.com/\r\nX: y", "not an address"),
    ],
)
def test_an_address_that_is_none_is_refused_with_what_was_typed_kept(
    workspace: Any, url: str, said: str
) -> None:
    client = signed_in(workspace)
    entered = {"name": "Shop", "form": "json", "url": url, "events": ["tap.dripped"]}
    page = client.post(f"/w/{workspace.slug}/admin/notices/endpoints/add/", entered)
    assert said in page.content.decode()
    assert 'value="Shop"' in page.content.decode()
    assert not Endpoint.objects.exists()


def test_the_pages_make_show_try_change_and_remove_an_endpoint(
    workspace: Any, receiver: Receiver
) -> None:
    client = signed_in(workspace)
    base = f"/w/{workspace.slug}/admin/notices/"
    entered = {"name": "Shop", "form": "json", "url": receiver.url, "events": ["tap.dripped"]}
    answer = client.post(f"{base}endpoints/add/", entered)
    endpoint = Endpoint.objects.get()
    assert cipher.decrypt(endpoint.secret) in answer.content.decode()
    assert answer["Cache-Control"] == "no-store"
    again = client.post(f"{base}endpoints/add/", entered)
    assert "endpoint of that name" in again.content.decode()
    here = f"{base}endpoints/{endpoint.pk}/"
    client.post(f"{here}try/")
    assert attempted(workspace).event.kind == "endpoint.test"
    shown = client.get(here).content.decode()
    assert cipher.decrypt(endpoint.secret) not in shown
    assert receiver.url not in shown
    assert "A trial" in shown
    assert "A trial" in client.get(here, {"state": "succeeded"}).content.decode()
    assert "Nothing found" in client.get(here, {"state": "failed"}).content.decode()
    before = cipher.decrypt(endpoint.secret)
    client.post(f"{here}secret/")
    endpoint.refresh_from_db()
    assert cipher.decrypt(endpoint.secret) != before
    changed = {"name": "Warehouse", "url": "", "events": ["tap.mended"]}
    client.post(f"{here}edit/", changed)
    endpoint.refresh_from_db()
    assert (endpoint.name, endpoint.enabled) == ("Warehouse", False)
    assert endpoint.events == ["tap.mended"]
    assert cipher.decrypt(endpoint.url) == receiver.url
    client.post(f"{here}deliveries/{EndpointDelivery.objects.get().pk}/again/")
    client.post(f"{here}remove/")
    assert not EndpointDelivery.objects.exists()
    kept = AuditEntry.objects.filter(action__startswith="endpoint.")
    assert set(kept.values_list("action", flat=True)) == {
        "endpoint.created",
        "endpoint.secret_renewed",
        "endpoint.changed",
        "endpoint.sent_again",
        "endpoint.removed",
    }


@pytest.mark.parametrize("role", [Role.CONTRIBUTOR, Role.VIEWER])
def test_endpoints_are_the_administrators(workspace: Any, receiver: Receiver, role: str) -> None:
    endpoint, _secret = made(workspace, receiver.url)
    client = signed_in(workspace, role)
    here = f"/w/{workspace.slug}/admin/notices/endpoints/{endpoint.pk}/"
    assert client.get(here).status_code == 403
    for what in ("edit/", "secret/", "try/", "remove/"):
        assert client.post(f"{here}{what}").status_code == 403
    elsewhere = signed_in(WorkspaceFactory())
    there = elsewhere.member.workspace.slug
    for what in ("", "edit/"):
        url = f"/w/{there}/admin/notices/endpoints/{endpoint.pk}/{what}"
        assert elsewhere.get(url).status_code == 404


def test_old_events_go_with_their_deliveries(workspace: Any, receiver: Receiver) -> None:
    made(workspace, receiver.url)
    drip(workspace)
    endpoints.forget_old()
    assert Event.objects.exists()
    Event.objects.update(at=timezone.now() - endpoints.KEPT - timedelta(days=1))
    endpoints.forget_old()
    assert not Event.objects.exists()
