"""The audit log: every change of state goes through `record`."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from workspaces.models import AuditEntry, User, Workspace

_names: dict[str, Promise | str] = {
    "workspace.created": _("Workspace created"),
    "workspace.changed": _("Workspace changed"),
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
    """By what people, or programs, reach the product: a token of the API, from an address."""

    token: str
    address: str


_way: ContextVar[Way | None] = ContextVar("way", default=None)


@contextmanager
def through(token: str, address: str) -> Iterator[None]:
    """What is recorded meanwhile was done with the API token of that name."""
    before = _way.set(Way(token, address))
    try:
        yield
    finally:
        _way.reset(before)


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
        details = {**details, "token": way.token}
        address = address or way.address
    return AuditEntry.objects.create(
        workspace=workspace,
        action=action,
        actor=known,
        actor_label=str(known or (way.token if way else "")),
        target=f"{target._meta.model_name}:{target.pk}" if target else "",
        target_label=str(target)[:254] if target else "",
        details=details,
        address=address,
    )
