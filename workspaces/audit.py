"""The audit log: every change of state goes through `record`."""

from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import models

from workspaces.models import AuditEntry, Workspace


def record(
    workspace: Workspace,
    action: str,
    *,
    actor: AbstractBaseUser | AnonymousUser | None = None,
    target: models.Model | None = None,
    address: str | None = None,
    **details: Any,
) -> AuditEntry:
    """Keeps who did what to what. `action` is a stable dotted name (`connection.consent_given`).

    Without an actor the product itself acted. `details` must be JSON and hold no secret.
    """
    known = actor if actor is not None and actor.is_authenticated else None
    return AuditEntry.objects.create(
        workspace=workspace,
        action=action,
        actor=known,
        actor_label=str(known) if known else "",
        target=f"{target._meta.model_name}:{target.pk}" if target else "",
        target_label=str(target)[:254] if target else "",
        details=details,
        address=address,
    )
