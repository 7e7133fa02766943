"""Previews of many profiles: seconds of work for a worker, while the page shows that it goes on.

Kept in the cache for some minutes, for whoever asked, with the contacts to be looked at.
"""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from exports import preview
from exports.configuration import RunConfiguration
from exports.engine import plan
from exports.engine.drive import LARGE
from segments.models import Segment
from workspaces import cached, locks
from workspaces.models import User

KEPT_SECONDS = 300
PATIENCE = timedelta(minutes=2)


class Unknown(Exception):
    """Nothing of the kind was asked for, or not by this asker, or long ago."""


class TooLong(Exception):
    """No worker has made it in its time."""


@dataclass(frozen=True)
class Asked:
    by: str
    at: datetime
    configuration: RunConfiguration
    found: plan.Preview | None = None


def is_large(configuration: RunConfiguration) -> bool:
    segments = Segment.objects.filter(pk__in=configuration.segment_ids)
    return (segments.aggregate(members=Sum("member_count"))["members"] or 0) >= LARGE


def of_member(user: User) -> str:
    """What a member is called who asks for a preview; a program has a name of its own."""
    return f"user:{user.pk}"


def ask(configuration: RunConfiguration, by: str) -> str:
    """Has a worker make the preview; the token that the asker fetches it by."""
    from exports.tasks import make_preview

    token = secrets.token_hex(16)
    workspace_id = configuration.workspace_id
    _keep(workspace_id, token, Asked(by, timezone.now(), configuration))
    transaction.on_commit(lambda: make_preview.delay(workspace_id, token))
    return token


def make(workspace_id: int, token: str) -> bool:
    """Makes what was asked for; false when another large plan is being made just now."""
    asked: Asked | None = cached.get_sealed(_key(workspace_id, token))
    if asked is None or asked.found is not None:
        return True
    with locks.held(locks.LARGE_PLAN, 0) as free:
        if not free:
            return False
        found = plan.preview(asked.configuration)
    _keep(workspace_id, token, replace(asked, found=found))
    return True


def fetch(workspace_id: int, token: str, by: str) -> preview.PreviewPage | None:
    """The preview; None while it is being made. Raises `Unknown` and `TooLong`."""
    asked: Asked | None = cached.get_sealed(_key(workspace_id, token))
    if asked is None or asked.by != by:
        raise Unknown
    if asked.found is not None:
        return preview.page_of(asked.configuration, asked.found)
    if timezone.now() - asked.at > PATIENCE:
        raise TooLong
    return None


def _keep(workspace_id: int, token: str, asked: Asked) -> None:
    cached.put_sealed(_key(workspace_id, token), asked, KEPT_SECONDS)


def _key(workspace_id: int, token: str) -> str:
    return cached.key(workspace_id, "preview", token)
