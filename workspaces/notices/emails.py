"""Notices by e-mail: each member's in their language, HTML and text, tried until it is taken."""

import logging
from datetime import datetime, timedelta
from textwrap import shorten

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone, translation
from django_scopes import scope

from config.row_security import across_workspaces
from workspaces import far_ahead, mail
from workspaces.notices.models import Notice

logger = logging.getLogger(__name__)

# A mail server that is away for a day has been away for all of them.
WAITS = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=3),
    timedelta(hours=12),
)
# Longer than sending one takes: taken up, it is nobody else's for so long.
LEASE = timedelta(minutes=2)
AT_ONCE = 100
LONGEST_SUBJECT = 90


def send_due(now: datetime | None = None) -> int:
    """Sends what is due; says how many went."""
    now = now or timezone.now()
    with across_workspaces():
        waiting = Notice.objects.filter(email_at__isnull=False)
        due = waiting.filter(far_ahead.due("email_at", "email_attempts", now, WAITS, LEASE))
        keys = list(
            due.order_by("email_at").values_list("workspace_id", "pk", "email_at")[:AT_ONCE]
        )
    sent = 0
    for workspace_id, pk, email_at in keys:
        with scope(workspace=workspace_id):
            notice = _taken_up(pk, email_at)
            if notice is not None:
                sent += _send(notice)
    return sent


def _taken_up(pk: int, email_at: datetime | None) -> Notice | None:
    """None when another worker has it."""
    found = Notice.objects.filter(pk=pk, email_at=email_at)
    with transaction.atomic():
        notice = (
            found.select_for_update(skip_locked=True, of=("self",))
            .select_related("workspace", "membership__user")
            .first()
        )
        if notice is None:
            return None
        notice.email_attempts += 1
        notice.email_at = timezone.now() + LEASE
        notice.save(update_fields=["email_attempts", "email_at"])
    return notice


def _send(notice: Notice) -> bool:
    workspace, user = notice.workspace, notice.membership.user
    language = user.language or settings.LANGUAGE_CODE
    settings_path = reverse("workspaces:notice_settings", args=[workspace.slug])
    try:
        with translation.override(language), timezone.override(workspace.tzinfo):
            mail.send(
                "workspaces/email/notice",
                to=user.email,
                notice=notice,
                text=(text := str(notice.text)),
                subject=shorten(text, LONGEST_SUBJECT, placeholder="…"),
                workspace=workspace,
                url=f"{settings.BASE_URL}{notice.path}",
                settings_url=f"{settings.BASE_URL}{settings_path}",
            )
    except OSError:
        attempts = notice.email_attempts
        notice.email_at = timezone.now() + WAITS[attempts - 1] if attempts <= len(WAITS) else None
        logger.exception("The mail server did not take notice %s.", notice.pk)
    else:
        notice.email_at = None
    notice.save(update_fields=["email_at"])
    return notice.email_at is None
