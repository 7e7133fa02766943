"""A member's notices in the app, and how the member wants to be told."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from workspaces import audit
from workspaces.models import Membership, User
from workspaces.notices import topics
from workspaces.notices.models import Notice, NoticeChoice
from workspaces.notices.telling import ways

KEPT = timedelta(days=180)
UNREAD = """
SELECT count(*) FROM workspaces_notice
WHERE workspace_id = %s AND membership_id = %s AND in_app AND read_at IS NULL
"""


@dataclass(frozen=True)
class Way:
    """How a member is told of a topic."""

    topic: topics.Topic
    in_app: bool
    by_email: bool


def notices_of(member: Membership) -> QuerySet[Notice]:
    return Notice.objects.filter(membership=member, in_app=True).order_by("-pk")


def unread(member: Membership) -> int:
    """Asked by every page: by SQL as it stands, which Django would make anew each time."""
    with connection.cursor() as cursor:
        cursor.execute(UNREAD, [member.workspace_id, member.pk])
        return int(cursor.fetchone()[0])


def read(notices: QuerySet[Notice]) -> None:
    notices.filter(read_at=None).update(read_at=timezone.now())


def ways_of(member: Membership) -> list[Way]:
    """For every topic that the member may be told of at all."""
    chosen = {choice.topic: choice for choice in NoticeChoice.objects.filter(membership=member)}
    return [
        Way(topic, *ways(topic, member, chosen.get(topic.name)))
        for topic in topics.topics()
        if topic.concerns(member)
    ]


def choose(member: Membership, chosen: Mapping[str, tuple[bool, bool]], *, by: User) -> None:
    """`chosen` says for topics by name whether to tell in the app, and by e-mail."""
    with transaction.atomic():
        for name, (in_app, by_email) in chosen.items():
            NoticeChoice.objects.update_or_create(
                workspace_id=member.workspace_id,
                membership=member,
                topic=name,
                defaults={"in_app": in_app, "by_email": by_email},
            )
        audit.record(
            member.workspace,
            "notices.chosen",
            actor=by,
            target=member,
            in_app=sorted(name for name, (in_app, _mail) in chosen.items() if in_app),
            by_email=sorted(name for name, (_app, by_email) in chosen.items() if by_email),
        )


def forget_old() -> None:
    """Notices of the workspace in scope that are long past."""
    Notice.objects.filter(created_at__lt=timezone.now() - KEPT, email_at=None).delete()
