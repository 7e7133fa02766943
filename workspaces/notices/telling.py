"""Tells of what happens: events to endpoints, troubles and their ends to members.

Everything is written in the caller's transaction, with what it speaks of: neither is there without
the other. Sending follows once that is committed, by a worker; the sweeper finds what a broker or
a worker lost.

A path may be lazy. It is made only when somebody is told: whoever makes the first one in a process
loads all URLs and views, which costs a second and the memory.
"""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.functional import Promise

from config.celery import app
from workspaces.models import Membership, Workspace
from workspaces.notices import topics
from workspaces.notices.models import (
    Endpoint,
    EndpointDelivery,
    Event,
    Notice,
    NoticeChoice,
    Trouble,
)
from workspaces.sentences import Sentence

Tone = Notice.Tone


def happened(
    workspace: Workspace,
    kind: str,
    data: Mapping[str, Any],
    *,
    text: Sentence | str = "",
    path: str | Promise = "",
) -> Event | None:
    """An event for every endpoint that wants it; None when there is none. `data` is plain data."""
    wanting = list(
        Endpoint.objects.filter(
            workspace_id=workspace.pk, enabled=True, events__contains=[kind]
        ).order_by("pk")
    )
    if not wanting:
        return None
    event = Event.objects.create(
        workspace=workspace, kind=kind, data=dict(data), text=text, path=str(path)
    )
    now = timezone.now()
    EndpointDelivery.objects.bulk_create(
        EndpointDelivery(workspace=workspace, endpoint=endpoint, event=event, due_at=now)
        for endpoint in wanting
    )
    send_soon()
    return event


def begins(
    workspace: Workspace,
    topic: str,
    subject: str,
    text: Sentence | str,
    path: str | Promise,
    *,
    tone: Notice.Tone = Tone.BAD,
    data: Mapping[str, Any] | None = None,
) -> bool:
    """Tells members and endpoints of a trouble, unless it is known already; says whether it is new.

    `data` is plain data for programs.
    """
    try:
        with transaction.atomic():
            Trouble.objects.create(workspace=workspace, topic=topic, subject=subject)
    except IntegrityError:
        return False
    _tell(workspace, topic, subject, text, path, tone, data or {})
    return True


def ends(
    workspace: Workspace,
    topic: str,
    subject: str,
    text: Sentence | str = "",
    path: str | Promise = "",
    *,
    data: Mapping[str, Any] | None = None,
) -> bool:
    """The trouble is over, if there was one: told with `text`, or else just no longer unread."""
    ended = Trouble.objects.filter(
        workspace_id=workspace.pk, topic=topic, subject=subject, ended_at=None
    ).update(ended_at=timezone.now())
    if not ended:
        return False
    Notice.objects.filter(
        workspace_id=workspace.pk, topic=topic, subject=subject, read_at=None
    ).update(read_at=timezone.now())
    # What was not sent yet need not be: it heals before anybody hears of it.
    unheard = Notice.objects.filter(
        workspace_id=workspace.pk,
        topic=topic,
        subject=subject,
        email_at__isnull=False,
        email_attempts=0,
    )
    unheard.update(email_at=None)
    if text:
        _tell(workspace, topic, subject, text, path, Tone.GOOD, data or {})
    return True


def once(
    workspace: Workspace,
    topic: str,
    subject: str,
    text: Sentence | str,
    path: str | Promise,
    *,
    data: Mapping[str, Any] | None = None,
) -> bool:
    """News that is told once for a subject, such as a week; it is no trouble and never ends."""
    return begins(workspace, topic, subject, text, path, tone=Tone.NEWS, data=data)


def _tell(
    workspace: Workspace,
    name: str,
    subject: str,
    text: Sentence | str,
    path: str | Promise,
    tone: Notice.Tone,
    data: Mapping[str, Any],
) -> None:
    topic = topics.topic(name)
    if topic.to_endpoints:
        change = {Tone.GOOD: "ended", Tone.NEWS: "news"}.get(tone, "began")
        happened(workspace, topic.event, {"change": change, **data}, text=text, path=path)
    members = Membership.objects.filter(workspace_id=workspace.pk)
    choices = {
        choice.membership_id: choice
        for choice in NoticeChoice.objects.filter(workspace_id=workspace.pk, topic=name)
    }
    now = timezone.now()
    notices = []
    for member in members:
        in_app, by_email = ways(topic, member, choices.get(member.pk))
        if topic.concerns(member) and (in_app or by_email):
            notices.append(
                Notice(
                    workspace=workspace,
                    membership=member,
                    topic=name,
                    subject=subject,
                    tone=tone,
                    text=text,
                    path=str(path),
                    in_app=in_app,
                    email_at=now if by_email else None,
                )
            )
    Notice.objects.bulk_create(notices)
    if any(notice.email_at for notice in notices):
        send_soon()


def ways(topic: topics.Topic, member: Membership, choice: NoticeChoice | None) -> tuple[bool, bool]:
    """Whether the member is told in the app, and by e-mail."""
    if choice is not None:
        return choice.in_app, choice.by_email
    return True, member.role in topic.emailed


def send_soon() -> None:
    """Once the transaction is committed; a broker that fails is left to the sweeper."""
    transaction.on_commit(lambda: app.send_task("workspaces.tasks.send_notices"), robust=True)
