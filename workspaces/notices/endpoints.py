"""What can be done with endpoints: make, change and remove them, try them out, send again."""

import base64
import secrets
from collections.abc import Iterable
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone, translation

from config import cipher
from workspaces import audit
from workspaces.models import User, Workspace
from workspaces.notices import outgoing, topics
from workspaces.notices.models import Endpoint, EndpointDelivery, Event
from workspaces.notices.telling import send_soon
from workspaces.notices.webhooks import SECRET_PREFIX
from workspaces.sentences import Explained, Sentence
from workspaces.sentences import gettext as _

KEY_BYTES = 32
KEPT = timedelta(days=90)


class Refused(Explained):
    """Why it is not kept as it is; the message is for people."""


def create(
    workspace: Workspace,
    *,
    name: str,
    form: str,
    url: str,
    events: Iterable[str],
    by: User | None,
) -> tuple[Endpoint, str]:
    """The endpoint, and the secret that signs what it is sent: it is not shown again.

    Raises `Refused`, and `outgoing.Unreachable` for an address that is none.
    """
    host = outgoing.target(url).host
    secret = "" if form == Endpoint.Form.SLACK else _new_secret()
    try:
        with transaction.atomic():
            endpoint = Endpoint.objects.create(
                workspace=workspace,
                name=name,
                form=form,
                url=cipher.encrypt(url.strip()),
                host=host,
                secret=cipher.encrypt(secret) if secret else None,
                events=sorted(events),
                language=translation.get_language() or "",
                created_by=by,
            )
            audit.record(
                workspace,
                "endpoint.created",
                actor=by,
                target=endpoint,
                host=host,
                form=str(endpoint.form),
                events=endpoint.events,
            )
    except IntegrityError:
        raise Refused(_taken()) from None
    return endpoint, secret


def change(
    endpoint: Endpoint,
    *,
    name: str,
    url: str,
    events: Iterable[str],
    enabled: bool,
    by: User | None,
) -> None:
    """Without a `url` the one that is kept stays. Raises as `create` does."""
    endpoint.name, endpoint.events, endpoint.enabled = name, sorted(events), enabled
    if url:
        endpoint.host = outgoing.target(url).host
        endpoint.url = cipher.encrypt(url.strip())
    try:
        with transaction.atomic():
            endpoint.save()
            audit.record(
                endpoint.workspace,
                "endpoint.changed",
                actor=by,
                target=endpoint,
                host=endpoint.host,
                events=endpoint.events,
                enabled=enabled,
            )
    except IntegrityError:
        raise Refused(_taken()) from None


def renew_secret(endpoint: Endpoint, *, by: User | None) -> str:
    """Another secret from now on; the one before signs nothing any more."""
    secret = _new_secret()
    with transaction.atomic():
        endpoint.secret = cipher.encrypt(secret)
        endpoint.save(update_fields=["secret"])
        audit.record(endpoint.workspace, "endpoint.secret_renewed", actor=by, target=endpoint)
    return secret


def remove(endpoint: Endpoint, *, by: User | None) -> None:
    """With its log of deliveries."""
    with transaction.atomic():
        audit.record(endpoint.workspace, "endpoint.removed", actor=by, target=endpoint)
        endpoint.delete()


def try_out(endpoint: Endpoint, *, by: User | None) -> EndpointDelivery:
    """Sends an event that means nothing, whatever the endpoint asks for."""
    workspace = endpoint.workspace
    event = Event.objects.create(
        workspace=workspace,
        kind=topics.TEST.name,
        data={"endpoint": endpoint.name},
        text=_("This is a trial: Segue’s workspace %(workspace)s can reach you here.")
        % {"workspace": workspace.name},
        path=reverse("workspaces:endpoint", args=[workspace.slug, endpoint.pk]),
    )
    return _send(endpoint, event, by)


def send_again(delivery: EndpointDelivery, *, by: User | None) -> EndpointDelivery:
    """The same event once more, as a delivery of its own with the same id for the receiver."""
    with transaction.atomic():
        again = _send(delivery.endpoint, delivery.event, by)
        audit.record(
            delivery.workspace,
            "endpoint.sent_again",
            actor=by,
            target=delivery.endpoint,
            event=delivery.event.kind,
        )
    return again


def forget_old() -> None:
    """Events and their deliveries of the workspace in scope that nobody will ask for any more."""
    old = Event.objects.filter(at__lt=timezone.now() - KEPT)
    EndpointDelivery.objects.filter(event__in=old).delete()
    old.delete()


def _send(endpoint: Endpoint, event: Event, by: User | None) -> EndpointDelivery:
    delivery = EndpointDelivery.objects.create(
        workspace_id=endpoint.workspace_id,
        endpoint=endpoint,
        event=event,
        due_at=timezone.now(),
        replayed_by=by,
    )
    send_soon()
    return delivery


def _new_secret() -> str:
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def _taken() -> Sentence:
    return _("There is an endpoint of that name. Choose another one.")
