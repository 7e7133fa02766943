"""Deliveries to endpoints: signed as Standard Webhooks has it, tried again with back-off, logged.

Reference: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Any

import orjson
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import transaction
from django.db.models import F, Window
from django.db.models.functions import RowNumber
from django.utils import timezone, translation

from config import cipher
from config.row_security import across_workspaces
from workspaces import far_ahead
from workspaces.notices import outgoing
from workspaces.notices.models import Endpoint, EndpointDelivery, Event
from workspaces.sentences import Sentence
from workspaces.sentences import gettext as _

WAITS = tuple(
    timedelta(seconds=seconds) for seconds in (10, 60, 300, 1800, 7200, 21600, 43200, 86400)
)
AT_ONCE_TO_ONE = 4
# Longer than one attempt may take.
LEASE = timedelta(minutes=2)
SECRET_PREFIX = "whsec_"  # noqa: S105 - how the standard marks one
State = EndpointDelivery.State


def due(now: datetime | None = None) -> list[tuple[int, int]]:
    """The workspaces and ids of the deliveries to be tried now.

    So few of one endpoint that one which does not answer leaves workers for everything else.
    """
    is_due = far_ahead.due("due_at", "attempts", now or timezone.now(), WAITS, LEASE)
    with across_workspaces():
        place = Window(
            RowNumber(), partition_by=[F("workspace_id"), F("endpoint_id")], order_by="due_at"
        )
        found = (
            EndpointDelivery.objects.filter(
                is_due, due_at__isnull=False, workspace__delete_at__isnull=True
            )
            .annotate(place=place)
            .filter(place__lte=AT_ONCE_TO_ONE)
        )
        return list(found.order_by("due_at").values_list("workspace_id", "pk"))


def attempt(delivery_id: int) -> EndpointDelivery | None:
    """Tries one delivery of the workspace in scope; None when it is not due, or in other hands."""
    delivery = _taken_up(delivery_id)
    if delivery is None:
        return None
    status, problem = _sent(delivery)
    now = timezone.now()
    if 200 <= status < 300:
        ended: dict[str, Any] = {
            "state": State.DELIVERED,
            "due_at": None,
            "ended_at": now,
            "problem": "",
        }
    else:
        problem = problem or _("The endpoint answered %(status)s.") % {"status": str(status)}
        ended = {"problem": problem}
        if delivery.attempts <= len(WAITS) and delivery.endpoint.enabled:
            ended["due_at"] = now + WAITS[delivery.attempts - 1]
        else:
            ended |= {"state": State.FAILED, "due_at": None, "ended_at": now}
    ended["status"] = status
    for name, value in ended.items():
        setattr(delivery, name, value)
    delivery.save(update_fields=list(ended))
    return delivery


def _taken_up(delivery_id: int) -> EndpointDelivery | None:
    with transaction.atomic():
        delivery = (
            EndpointDelivery.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("endpoint", "event", "workspace")
            .filter(far_ahead.due("due_at", "attempts", timezone.now(), WAITS, LEASE))
            .filter(pk=delivery_id)
            .first()
        )
        if delivery is None:
            return None
        delivery.attempts += 1
        delivery.due_at = timezone.now() + LEASE
        delivery.save(update_fields=["attempts", "due_at"])
    return delivery


def _sent(delivery: EndpointDelivery) -> tuple[int, Sentence | str]:
    """The status, 0 with a problem when there was no answer."""
    endpoint = delivery.endpoint
    try:
        body, headers = request_of(delivery)
        return outgoing.post(cipher.decrypt(endpoint.url), body, headers), ""
    except outgoing.Unreachable as problem:
        return 0, problem.sentence
    except cipher.Unreadable:
        return 0, _(
            "What is kept of the endpoint can’t be read with this installation’s"
            " TOKEN_ENCRYPTION_KEYS. Have your operator put the earlier key back, or enter it anew."
        )
    except SoftTimeLimitExceeded:
        return 0, _("There was no answer in time.")


def request_of(delivery: EndpointDelivery) -> tuple[bytes, dict[str, str]]:
    """The body and the headers of an attempt that is made now."""
    headers = {"Content-Type": "application/json", "User-Agent": "Segue-Webhooks"}
    endpoint = delivery.endpoint
    if endpoint.form == Endpoint.Form.SLACK:
        return _slack_body(endpoint, delivery.event), headers
    body = orjson.dumps(
        {
            "type": delivery.event.kind,
            "timestamp": delivery.event.at.isoformat(),
            "workspace": delivery.workspace.slug,
            "data": delivery.event.data,
        }
    )
    # The same for every attempt and for a replay: by it a receiver knows what it has had.
    name = f"evt_{delivery.event_id}"
    stamp = str(int(timezone.now().timestamp()))
    signature = sign(cipher.decrypt(endpoint.secret), name, stamp, body)
    headers |= {"webhook-id": name, "webhook-timestamp": stamp, "webhook-signature": signature}
    return body, headers


def sign(secret: str, name: str, stamp: str, body: bytes) -> str:
    """HMAC-SHA256 of the id, the time and the body, by the secret that is shown as `whsec_…`."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = hmac.new(key, f"{name}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(signed).decode()}"


def _slack_body(endpoint: Endpoint, event: Event) -> bytes:
    """Slack's own form, in the endpoint's language. What people named is no markup there."""
    with translation.override(endpoint.language or settings.LANGUAGE_CODE):
        text = str(event.text)
    for mark, escaped in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(mark, escaped)
    if event.path:
        text = f"{text}\n<{settings.BASE_URL}{event.path}>"
    return orjson.dumps({"text": text})
