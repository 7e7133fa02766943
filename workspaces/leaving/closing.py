"""A workspace is to be deleted: all stops at once, and for some days it can be taken back."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django_scopes import scope

from workspaces import audit
from workspaces.models import User, Workspace
from workspaces.notices import telling
from workspaces.sentences import gettext as _

# PostgreSQL holds whoever sets the time to it (`workspaces.leaving.closing_sql`).
GRACE = timedelta(days=7)
TOPIC = "deletion"

Stopper = Callable[[Workspace], None]

_stoppers: list[Stopper] = []


def add_stopper(stopper: Stopper) -> None:
    """Adds a function that stops what goes on in a workspace, the one in scope.

    Called when somebody asks for the deletion and at every tick of the scheduler from then on, for
    what was beginning just then.
    """
    _stoppers.append(stopper)


def ask(workspace: Workspace, *, by: User | None) -> None:
    """From now on nothing starts there, nothing is sent, and its pages are closed."""
    with transaction.atomic():
        current = Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
        if current.delete_at is not None:
            return
        current.delete_at = timezone.now() + GRACE
        current.save(update_fields=["delete_at"])
        audit.record(
            current,
            "workspace.deletion_asked",
            actor=by,
            target=current,
            delete_at=current.delete_at.isoformat(timespec="seconds"),
        )
        text = _(
            "%(person)s has asked for this workspace to be deleted. Everything in it has stopped."
            " It is deleted for good on %(day)s, unless an Administrator takes that back before."
        ) % {
            "person": audit.label_of(by),
            "day": f"{current.delete_at.astimezone(current.tzinfo):%Y-%m-%d}",
        }
        telling.begins(current, TOPIC, _subject(current), text, _path(current))
        _stop(current)


def take_back(workspace: Workspace, *, by: User | None) -> None:
    """The workspace goes on: its schedules at once, runs that were stopped when they next start."""
    with transaction.atomic():
        current = Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
        if current.delete_at is None:
            return
        current.delete_at = None
        current.save(update_fields=["delete_at"])
        audit.record(current, "workspace.deletion_taken_back", actor=by, target=current)
        text = _("%(person)s has taken back that this workspace is to be deleted: it goes on.")
        telling.ends(
            current,
            TOPIC,
            _subject(current),
            text % {"person": audit.label_of(by)},
            current.get_absolute_url(),
        )


def keep_stopped(now: datetime) -> None:
    """Stops again what began while somebody was asking for the deletion."""
    for workspace in Workspace.objects.filter(delete_at__isnull=False):
        with scope(workspace=workspace):
            _stop(workspace)


def _stop(workspace: Workspace) -> None:
    for stopper in _stoppers:
        stopper(workspace)


def _subject(workspace: Workspace) -> str:
    return f"workspace:{workspace.pk}"


def _path(workspace: Workspace) -> str:
    return reverse("workspaces:deletion", args=[workspace.slug])
