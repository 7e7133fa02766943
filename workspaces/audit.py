"""The audit log: every change of state goes through `record`."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from workspaces.models import AuditEntry, User, Workspace

_names: dict[str, Promise | str] = {
    "workspace.created": _("Workspace created"),
    "workspace.changed": _("Workspace changed"),
    "workspace.pruned": _("Old data deleted"),
    "workspace.archive_asked": _("Archive of the workspace asked for"),
    "workspace.archive_downloaded": _("Archive of the workspace downloaded"),
    "workspace.deletion_asked": _("Deletion of the workspace asked for"),
    "workspace.deletion_taken_back": _("Deletion of the workspace taken back"),
    "workspace.two_step_changed": _("Demand for two-step sign-in changed"),
    "workspace.domains_changed": _("Domains that join by themselves changed"),
    "member.invited": _("Member invited"),
    "member.invitation_revoked": _("Invitation revoked"),
    "member.joined": _("Member joined"),
    "member.added": _("Member added"),
    "member.role_changed": _("Role changed"),
    "member.removed": _("Member removed"),
    "schedule.changed": _("Schedule changed"),
    "refresh.started": _("Refresh started"),
    "refresh.succeeded": _("Refresh succeeded"),
    "refresh.failed": _("Refresh failed"),
    "refresh.retried": _("Refresh tried again"),
    "audit.downloaded": _("Audit log downloaded"),
    "audit.forgotten": _("Old audit entries forgotten"),
    "notices.chosen": _("Own notices chosen"),
    "notices.share_changed": _("Share of rejected profiles changed"),
    "endpoint.created": _("Endpoint added"),
    "endpoint.changed": _("Endpoint changed"),
    "endpoint.secret_renewed": _("Endpoint’s secret renewed"),
    "endpoint.removed": _("Endpoint removed"),
    "endpoint.sent_again": _("Event sent again"),
}


_detail_names: dict[str, Promise | str] = {
    "role": _("role"),
    "was": _("was"),
    "becomes": _("becomes"),
    "enabled": _("on"),
    "days": _("days"),
    "times": _("times"),
    "time_zone": _("time zone"),
    "trigger": _("started by"),
    "reason": _("reason"),
    "steps": _("steps"),
    "changes": _("changes"),
    "entries": _("entries"),
    "filters": _("filters"),
    "name": _("name"),
    "audit_days": _("days that the audit log is kept"),
    "rejections_days": _("days that profiles not sent are kept"),
    "files_days": _("days that files are kept"),
    "history_days": _("days that who joined and left is kept"),
    "runs_days": _("days that runs are kept"),
    "refreshes": _("refreshes"),
    "delete_at": _("deleted at"),
    "ending": _("what rested on them"),
    "two_step_demanded": _("two-step sign-in is demanded"),
    "domain": _("domain"),
    "domains": _("domains"),
    "in_app": _("in the app"),
    "by_email": _("by e-mail"),
    "percent": _("percent"),
    "events": _("events"),
    "event": _("event"),
}


def name_details(names: dict[str, Promise | str]) -> None:
    """Says what the audit log calls the details that an app records."""
    _detail_names.update(names)


def name_of_detail(key: str) -> str:
    return str(_detail_names.get(key) or key.replace("_", " "))


def name_actions(names: dict[str, Promise | str]) -> None:
    """Says what the audit log calls the actions of an app."""
    _names.update(names)


def name_of(action: str) -> str:
    return str(_names.get(action) or action.replace(".", ": ").replace("_", " ").capitalize())


@dataclass(frozen=True)
class Way:
    """How people, or programs, reach the product: from an address, perhaps by an API token."""

    token: str
    address: str


_way: ContextVar[Way | None] = ContextVar("way", default=None)


@contextmanager
def through(token: str, address: str) -> Iterator[None]:
    """What is recorded meanwhile was done from there, with the API token of that name if any."""
    before = _way.set(Way(token, address))
    try:
        yield
    finally:
        _way.reset(before)


def label_of(actor: User | None) -> str:
    """Whom the log names: the person, or a service by its token; empty for the product itself."""
    way = _way.get()
    return str(actor or (way.token if way else ""))


def changes(form: forms.ModelForm) -> dict[str, Any]:
    """What a form changes, by field: what it was, and what it becomes."""
    return {
        name: {"was": form.initial.get(name), "becomes": form.cleaned_data[name]}
        for name in form.changed_data
    }


def record(
    workspace: Workspace,
    action: str,
    *,
    actor: User | AnonymousUser | None = None,
    target: models.Model | None = None,
    address: str | None = None,
    **details: Any,
) -> AuditEntry:
    """Keeps who did what to what. `action` is a stable dotted name (`connection.consent_given`).

    Without an actor the product itself acted, or a service with its token. `details` must be JSON
    and hold no secret.
    """
    known = actor if isinstance(actor, User) else None
    way = _way.get()
    if way is not None:
        details = {**details, "token": way.token} if way.token else details
        address = address or way.address or None
    return AuditEntry.objects.create(
        workspace=workspace,
        action=action,
        actor=known,
        actor_label=label_of(known),
        target=f"{target._meta.model_name}:{target.pk}" if target else "",
        target_label=str(target)[:254] if target else "",
        details=details,
        address=address,
    )
